"""Given names: which are one name's spellings, which its short and pet forms."""

from functools import cache, lru_cache

from nicknames import name_triplets

from services.resolver.domain.names.spelling import sound_of
from services.resolver.domain.names.tables import read_groups, read_lines


@cache
def _full_names() -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Map each name to the full names that it stands for, itself among them; and those in full."""
    names: dict[str, set[str]] = {}
    known = [(full, nick) for full, _, nick in name_triplets()]
    for line in read_lines("nicknames"):
        full, _, forms = line.partition(": ")
        known += [(full, nick) for nick in forms.split()]
    for full, nick in known:
        names.setdefault(full, {full})
        names.setdefault(nick, {nick}).add(full)
    by_name = {name: frozenset(full) for name, full in names.items()}
    return by_name, frozenset(full for full, _ in known)


@cache
def _known() -> frozenset[str]:
    words = (word for line in read_lines("given_names") for word in line.split())
    return frozenset(words) | _full_names()[0].keys()


@cache
def _spellings() -> dict[str, frozenset[int]]:
    """Map the sound of each spelling to the groups that it is in."""
    groups: dict[str, set[int]] = {}
    for word, lines in read_groups("given_spellings").items():
        groups.setdefault(sound_of(word), set()).update(lines)
    return {sound: frozenset(lines) for sound, lines in groups.items()}


@cache
def _look_alikes() -> dict[str, dict[int, int]]:
    """Map each name to the lines that it is in, and which of the line's names it is."""
    places: dict[str, dict[int, int]] = {}
    for number, line in enumerate(read_lines("look_alike_names")):
        for place, spellings in enumerate(line.split()):
            for word in spellings.split("="):
                places.setdefault(word, {})[number] = place
    return places


def are_two(first: str, second: str) -> bool:
    """Say whether two folded given names are known to be two, however alike."""
    places = _look_alikes()
    ours, theirs = places.get(first), places.get(second)
    if ours is None or theirs is None:
        return False
    return any(theirs.get(line, place) != place for line, place in ours.items())


@lru_cache(maxsize=8_192)
def are_spellings_of_one(first: str, second: str) -> bool:
    """Say whether two folded given names are one in two spellings: `sergei` and `sergey`."""
    one, two = sound_of(first), sound_of(second)
    if one + "a" == two or two + "a" == one:
        return False
    groups = _spellings()
    return not groups.get(one, _NO_GROUP).isdisjoint(groups.get(two, _NO_GROUP))


_NO_GROUP: frozenset[int] = frozenset()


@lru_cache(maxsize=8_192)
def are_forms_of_one(first: str, second: str) -> bool:
    """Say whether two folded given names may be one person's: `bob`, `rob` and `robert`."""
    full_names, long = _full_names()
    if first in long and second in long:
        return first in full_names[second] or second in full_names[first]
    return not _meanings(first).isdisjoint(_meanings(second))


@lru_cache(maxsize=8_192)
def _meanings(word: str) -> frozenset[str | int]:
    """Return the full names that a given name may stand for, and the groups of their spellings."""
    full_names, _ = _full_names()
    full = full_names.get(word) or full_names.get(sound_of(word)) or frozenset({word})
    groups = _spellings()
    return full.union(*(groups.get(sound_of(name), _NO_GROUP) for name in full))


def is_known(word: str) -> bool:
    """Say whether a folded word is a given name that somebody bears."""
    return word in _known()
