"""Given names: which are one name's spellings, which its short and pet forms."""

from functools import cache, lru_cache

from nicknames import name_triplets

from services.resolver.domain.names.tables import read_groups, read_pairs, read_words

_NONE: frozenset[str] = frozenset()


@cache
def _full_names() -> dict[str, frozenset[str]]:
    """Map each name to the full names that it stands for, itself among them."""
    names: dict[str, set[str]] = {}
    known = [(full, nick) for full, _, nick in name_triplets()]
    for full, forms in read_pairs("nicknames").items():
        known += [(full, nick) for nick in forms.split()]
    for full, nick in known:
        names.setdefault(full, {full})
        names.setdefault(nick, {nick}).add(full)
    return {name: frozenset(full) for name, full in names.items()}


@cache
def _known() -> frozenset[str]:
    words = (word for line in read_words("given_names") for word in line.split())
    return frozenset(words) | _full_names().keys()


@lru_cache(maxsize=65_536)
def are_spellings_of_one(first: str, second: str) -> bool:
    """Say whether two folded given names are one in two spellings: `sergei` and `sergey`."""
    groups = read_groups("given_spellings")
    return not groups.get(first, _NONE).isdisjoint(groups.get(second, _NONE))


@lru_cache(maxsize=65_536)
def are_forms_of_one(first: str, second: str) -> bool:
    """Say whether two folded given names may be one person's: `bob`, `rob` and `robert`."""
    names = _full_names()
    ours, theirs = names.get(first, _NONE), names.get(second, _NONE)
    if not ours.isdisjoint(theirs):
        return True
    return any(are_spellings_of_one(one, two) for one in ours for two in theirs)


def is_known(word: str) -> bool:
    """Say whether a folded word is a given name that somebody bears."""
    return word in _known()
