"""Which given names are short, pet or other forms of one another."""

from functools import cache, lru_cache

from nicknames import name_triplets

from services.resolver.domain.names.tables import read_pairs


@cache
def _forms() -> dict[str, frozenset[str]]:
    """Map each name to the full names that it stands for, itself among them."""
    forms: dict[str, set[str]] = {}
    for full, _, nick in name_triplets():
        forms.setdefault(full, {full})
        forms.setdefault(nick, {nick}).add(full)
    for full, nicks in read_pairs("nicknames").items():
        forms.setdefault(full, {full})
        for nick in nicks.split():
            forms.setdefault(nick, {nick}).add(full)
    return {name: frozenset(fulls) for name, fulls in forms.items()}


@lru_cache(maxsize=65_536)
def are_forms_of_one(first: str, second: str) -> bool:
    """Say whether two folded given names may be one person's: `bob`, `rob` and `robert`."""
    forms = _forms()
    return not forms.get(first, _NONE).isdisjoint(forms.get(second, _NONE))


_NONE: frozenset[str] = frozenset()
