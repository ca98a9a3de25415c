"""How often values occur, in steps: a step taken is a reason to score again, and steps get rare."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.resolver.domain.matching.model import IDENTIFIERS, Profile, Term
from services.resolver.domain.matching.profile import initials_of, terms_of

PRIOR_RECORDS: Final = 4_096
"""Records that a base is taken to have besides its own, so that a new one is not naive."""

SHARED_BY: Final = 6
"""People seen with an identifier from which it is shared: a person's own is seen with a few
spellings of one name, and with the previous owner of a recycled number."""

ESTABLISHED: Final = 8
"""Records with a word for a name from which it is one: garbling hardly repeats itself."""

_TURNS: Final = frozenset({SHARED_BY, ESTABLISHED})
_FEW: Final = tuple(math.floor(2.0 * math.log2(n + 1)) / 2.0 for n in range(1_025))


def step_of_count(count: int) -> float:
    """Return a count's size in bits, in half bits, so that it rarely changes."""
    return _FEW[count] if count < len(_FEW) else math.floor(2.0 * math.log2(count + 1)) / 2.0


def step_of_size(records: int) -> float:
    """Return a base's size in bits, in whole bits: it changes when the base doubles."""
    return float(math.floor(math.log2(records + PRIOR_RECORDS)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Statistics as a value: what a batch loads, and what tests count in memory."""

    records: int = 0
    counts: Mapping[Term, int] = field(default_factory=dict)
    """Term → records that have it; for identifiers, people that it was seen with."""
    size: float = field(init=False)
    """How many records there are, in bits, in steps."""

    def __post_init__(self) -> None:
        """Compute once what every comparison asks for."""
        object.__setattr__(self, "size", step_of_size(self.records))

    def rarity(self, attribute: str, value: str) -> float:
        """How surprising a value is, in bits, in steps."""
        return self.size - step_of_count(self.counts.get((attribute, value), 1))

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
