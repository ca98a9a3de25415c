"""What every remote source yields, and how it says what went wrong.

RemoteError               this run cannot go on; `failure` says why, as operators see it
└── AnswerError           one request was answered with a status that its source must judge
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.ingest.domain.connections import Failure, Records
from services.ingest.domain.mapping import Normalized, Origin
from shared.errors import ServiceError


class RemoteError(ServiceError):
    """A run cannot go on; `retry_after` is for how long we are asked to stay away, seconds."""

    def __init__(self, failure: Failure, *, retry_after: float | None = None) -> None:
        super().__init__(failure)
        self.failure: Failure = failure
        self.retry_after = retry_after


class AnswerError(RemoteError):
    """A request was answered with a status that is no success, and not one to try again."""

    def __init__(self, status: int, reasons: frozenset[str]) -> None:
        super().__init__("refused")
        self.status = status
        self.reasons = reasons
        """The other side's codes for it, as `syncStateNotFound`; never its message."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A signal on its way to the resolver."""

    origin: Origin
    normalized: Normalized
    is_activity: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what is new, and how far the account has been read when it has been sent."""

    signals: Sequence[Outbound]
    cursor: dict[str, Any]
    """What a later run goes on from, in the source's own words."""
    is_bulk: bool = False
    """Part of a first or a full reading: it must not delay what is live."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What became of what was read, by name; added to the connection's counts."""
    records: Records | None = None
    """Of an address book."""


class RemoteSource(Protocol):
    """An account that can be read from a cursor on."""

    def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; all of it without one.

        A cursor that the other side has forgotten is no error: everything is read again, and the
        ledger knows what it has seen.  Raises `RemoteError`.
        """
