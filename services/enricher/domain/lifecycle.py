"""The life of an enrichment request: which steps are legal, and which step an outcome means.

    pending ──► processing ──► success
       │  ▲         ├────────► failed
       │  └─────────┘  (not answered and not charged: again later)
       └──► cancelled | cached       failed: outcome_unknown ──► success, by its own late answer

`processing` is committed before the vendor is called.  Whoever finds a request in `processing`
after its lease does not know what became of the call, and must not call again (DESIGN 6).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.enricher.domain.backoff import delay
from services.enricher.domain.outcome import (
    BadAnswer,
    Fault,
    Ineligible,
    Match,
    NoMatch,
    NotSent,
    Outcome,
    RateLimited,
    SourcePaused,
    Unknown,
)

Status = Literal["pending", "processing", "success", "failed", "cached", "cancelled"]
"""As spec 004 names them."""

Reason = Literal[
    "no_match",  # the vendor does not know the person
    "missing_input",  # ineligible: nothing a vendor could recognise the person by
    "unknown_contact",  # ineligible: no such contact in this tenant
    "vendor_rejected",  # ineligible: the vendor refuses this question for good
    "vendor_error",  # the vendor failed, at every try if the status is `failed`
    "outcome_unknown",  # sent, perhaps charged, no answer: only a person may ask again
    "bad_response",  # an answer that makes no sense, perhaps charged
    "rate_limited",  # waiting: the vendor asked us to
    "vendor_unreachable",  # waiting: nothing could be sent
    "source_paused",  # waiting: the vendor refuses key, plan or payment
]
"""Why a request failed or waits: a public contract, shown to people and counted in metrics."""

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    "pending": frozenset({"processing", "cancelled", "cached"}),
    "processing": frozenset({"pending", "success", "failed"}),
    "success": frozenset(),
    "failed": frozenset({"success"}),  # from `outcome_unknown` only: the late answer to that call
    "cached": frozenset(),
    "cancelled": frozenset(),
}
"""Legal steps; the table's trigger in the first migration knows the same."""

MAX_FAULTS: Final = 5
"""A vendor's own errors (5xx) on one question before it counts as failed."""

DEFAULT_RETRY_AFTER: Final = timedelta(seconds=30)
"""The wait after a 429 that does not say how long."""

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""The longest wait that a vendor may impose."""

PAUSE: Final = timedelta(minutes=5)
"""How long a vendor is left alone that refuses key, plan or payment."""


_FINAL: Final[dict[type[NoMatch | Ineligible | Unknown | BadAnswer], Reason]] = {
    NoMatch: "no_match",
    Ineligible: "vendor_rejected",
    Unknown: "outcome_unknown",
    BadAnswer: "bad_response",
}
"""Outcomes after which nothing is tried again."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was begun, as the row knows it."""

    attempts: int
    """Calls begun, this one included."""
    faults: int
    """How many of the earlier ones ended in the vendor's own error."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a request after a call."""

    status: Status
    reason: Reason | None
    faults: int
    credits: int = 0
    not_before: datetime | None = None
    """When it may be tried again; only with `pending`."""
    pause: timedelta | None = None
    """How long nobody should ask this vendor anything."""


def settle(call: Call, outcome: Outcome, now: datetime, dice: float) -> Settlement:
    """Say what an outcome means for the request; `dice` (0.0 to 1.0) spreads the retries."""
    faults = call.faults
    match outcome:
        case Match():
            return Settlement("success", None, faults, outcome.credits)
        case NoMatch() | Ineligible() | Unknown() | BadAnswer():
            return Settlement("failed", _FINAL[type(outcome)], faults)
        case Fault() if faults + 1 >= MAX_FAULTS:
            return Settlement("failed", "vendor_error", faults + 1)
        case Fault():
            return _again("vendor_error", faults + 1, now + delay(faults + 1, dice))
        case NotSent():
            return _again("vendor_unreachable", faults, now + delay(call.attempts, dice))
        case RateLimited():
            pause = retry_after(outcome)
            return _again("rate_limited", faults, now + pause, pause)
        case SourcePaused():
            return _again("source_paused", faults, now + PAUSE, PAUSE)


def retry_after(limited: RateLimited) -> timedelta:
    """Bound the vendor's wait to what makes sense."""
    if limited.retry_after is None:
        return DEFAULT_RETRY_AFTER
    return min(timedelta(seconds=max(limited.retry_after, 0.0)), MAX_RETRY_AFTER)


def _again(
    reason: Reason, faults: int, not_before: datetime, pause: timedelta | None = None
) -> Settlement:
    return Settlement("pending", reason, faults, not_before=not_before, pause=pause)
