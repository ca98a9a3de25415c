"""What asking a vendor can lead to: a closed union, matched in `lifecycle.settle`."""

from dataclasses import dataclass
from typing import Any

from shared.events.signal import ContactSignal


@dataclass(frozen=True, slots=True)
class Match:
    """The vendor knows the person."""

    findings: ContactSignal
    """What it says, in the form of any source's record."""
    raw: dict[str, Any]
    """Its answer as it came: kept as the signal's payload."""
    credits: int


@dataclass(frozen=True, slots=True)
class NoMatch:
    """The vendor answered that it does not know the person. Not charged."""


@dataclass(frozen=True, slots=True)
class Ineligible:
    """The vendor refuses this question for good."""


@dataclass(frozen=True, slots=True)
class RateLimited:
    """The vendor asks us to come back later. Not charged, and no fault of the question."""

    retry_after: float | None
    """Seconds, where it said so."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The question never left: no connection could be made."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The vendor itself answered that it failed (5xx). Not charged."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The question was sent, and nobody knows whether it was answered and charged."""


@dataclass(frozen=True, slots=True)
class BadAnswer:
    """An answer came that makes no sense: it may have been charged."""


@dataclass(frozen=True, slots=True)
class SourcePaused:
    """The vendor refuses us, whatever we ask: key, plan or payment."""


Failure = Ineligible | RateLimited | NotSent | Fault | Unknown | BadAnswer
"""What concerns this lookup alone, or its moment."""

Outcome = Match | NoMatch | Failure | SourcePaused
"""Everything that can come of a call."""
