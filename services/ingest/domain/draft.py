"""A normalised signal in the making."""

from dataclasses import dataclass, field
from typing import Any, Final, get_args

from shared.events.company import CompanyFacts
from shared.events.signal import IdentifierType

STRENGTH: Final[dict[str, int]] = {kind: rank for rank, kind in enumerate(get_args(IdentifierType))}
"""Identifier type → rank, strongest first (DESIGN 4.2)."""


@dataclass(slots=True)
class Draft:
    """What has been found in a signal so far."""

    facts: dict[str, Any] = field(default_factory=dict)
    """The JSON of `shared.events.signal.Facts`, without what is empty."""
    identifiers: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(type, value) → the region was assumed; strongest first, once ranked."""
    companies: list[tuple[str, CompanyFacts]] = field(default_factory=list)
    """What the signal says of companies, each by what its record is called."""
    rejected: list[dict[str, str]] = field(default_factory=list)
    """Field and reason of every value that is left out."""
    assumed: list[str] = field(default_factory=list)
    """Fields of the phone numbers whose region was assumed."""

    def reject(self, place: str, reason: str) -> None:
        """Leave a value out, and say why."""
        self.rejected.append({"field": place, "reason": reason})

    def identify(self, kind: str, value: str, *, assumed: bool = False) -> None:
        """Add an identifier; one that was also given in full is no assumption any more."""
        identifier = (kind, value)
        self.identifiers[identifier] = assumed and self.identifiers.get(identifier, True)

    def put(self, name: str, parts: list[Any]) -> None:
        """Keep the parts of a list that are not empty, if there are any."""
        kept = [part for part in parts if part]
        if kept:
            self.facts[name] = kept

    def rank(self) -> None:
        """Bring the identifiers into the order of their strength."""
        self.identifiers = dict(sorted(self.identifiers.items(), key=_strength))

    def listed_identifiers(self) -> list[dict[str, Any]]:
        """List the identifiers as `shared.events.signal.Identifier`."""
        return [
            {"type": kind, "value": value, "assumed_region": True}
            if assumed
            else {"type": kind, "value": value}
            for (kind, value), assumed in self.identifiers.items()
        ]


def _strength(identifier: tuple[tuple[str, str], bool]) -> int:
    (kind, _), _ = identifier
    return STRENGTH[kind]
