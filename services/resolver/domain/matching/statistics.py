"""How often values occur, in steps: a step taken is a reason to score again, and steps get rare."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.resolver.domain.matching.model import CUSTOM, IDENTIFIERS, Profile, Term
from services.resolver.domain.matching.profile import initials_of, terms_of

PRIOR_RECORDS: Final = 512
"""Records that a base is taken to have besides its own, so that a new one is not naive. More of
them make a common name or town of a small base look rare, and what is young look certain."""

PRIOR_OWN_RECORDS: Final = 4_096
"""The same for what is one person's own: that is rare however few records there are."""

_OWN: Final = IDENTIFIERS | {"birthday", "street", "postcode"}
"""Attributes of which nearly every person, or household, has a value of its own; so are numbers."""

_STEPS: Final = 4
"""Steps to a bit, of sizes and counts: as fine as a step's jump decides hardly anything."""

SHARED_BY: Final = 6
"""People seen with an identifier from which it is shared: a person's own is seen with a few
spellings of one name, and with the previous owner of a recycled number."""

ESTABLISHED: Final = 8
"""Records with a word for a name from which it is one: garbling hardly repeats itself."""

_TURNS: Final = frozenset({SHARED_BY, ESTABLISHED})


def _in_steps(bits: float) -> float:
    return math.floor(_STEPS * bits) / _STEPS


_FEW: Final = tuple(_in_steps(math.log2(n + 1)) for n in range(1_025))


def step_of_count(count: int) -> float:
    """Return a count's size in bits, in steps, so that it rarely changes."""
    return _FEW[count] if count < len(_FEW) else _in_steps(math.log2(count + 1))


def step_of_size(records: int, prior: int = PRIOR_RECORDS) -> float:
    """Return a base's size in bits, in steps: the more records, the more it takes to change."""
    return _in_steps(math.log2(records + prior))


@dataclass(frozen=True, slots=True)
class Counts:
    """Statistics as a value: what a batch loads, and what tests count in memory."""

    records: int = 0
    counts: Mapping[Term, int] = field(default_factory=dict)
    """Term → records that have it; for identifiers, people that it was seen with."""
    size: float = field(init=False)
    """How many records there are, in bits, in steps."""
    size_for_own: float = field(init=False)
    """The same, beside which a value that is one person's own is rare."""

    def __post_init__(self) -> None:
        """Compute once what every comparison asks for."""
        object.__setattr__(self, "size", step_of_size(self.records))
        object.__setattr__(self, "size_for_own", step_of_size(self.records, PRIOR_OWN_RECORDS))

    def rarity(self, attribute: str, value: str) -> float:
        """How surprising a value is, in bits, in steps."""
        is_own = attribute in _OWN or attribute.startswith(CUSTOM)
        count = step_of_count(self.counts.get((attribute, value), 1))
        return max(0.0, (self.size_for_own if is_own else self.size) - count)

    def holders(self, attribute: str, value: str) -> int:
        """How many people an identifier was seen with."""
        return self.counts.get((attribute, value), 1)


def count_all(profiles: Iterable[Profile]) -> Counts:
    """Count a whole base: a term counts once per record, an identifier once per person."""
    counts: dict[Term, int] = {}
    seen: set[tuple[Term, str]] = set()
    records = 0
    for profile in profiles:
        records += 1
        for term, holder in countable(profile):
            if holder is not None:
                if (term, holder) in seen:
                    continue
                seen.add((term, holder))
            counts[term] = counts.get(term, 0) + 1
    return Counts(records, counts)


def countable(profile: Profile) -> Iterable[tuple[Term, str | None]]:
    """Return the terms that a record adds to, each with its holder: None counts every record."""
    holder = initials_of(profile)
    for term in terms_of(profile):
        yield term, holder if term[0] in IDENTIFIERS else None


def moves(count: int) -> bool:
    """Tell whether a count that has just become this one may change what its term says."""
    return step_of_count(count) != step_of_count(count - 1) or count in _TURNS
