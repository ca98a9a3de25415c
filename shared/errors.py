"""What can go wrong with a message, by what delivery must do about it.

    ServiceError
    ├── PoisonMessageError      never will succeed    → dead letter now
    ├── TransientError          may succeed later     → back off and redeliver, without limit
    └── SourceUnavailableError  nothing would succeed → pause the consumer, keep the message

The type is the delivery policy; only `shared.kafka.delivery` reads it.
"""

from typing import Literal, get_args

DeadLetterReason = Literal[
    "malformed",  # not JSON, not UTF-8, not an object, nested too deeply
    "too_large",  # the body is over the limit
    "invalid",  # a field is missing, of the wrong type or out of bounds
    "unknown_version",  # the event type or its version is not one we read
    "unknown_tenant",  # tenant or workspace is not known here
    "unknown_source",  # the source is not a row of `data_source`
    "rejected_by_database",  # the database refuses this one record's data
    "handler_error",  # our own code fails on this record: a bug
]
"""Why a message was dead-lettered: a public contract, dashboards and replays key on it."""

DEAD_LETTER_REASONS: tuple[DeadLetterReason, ...] = get_args(DeadLetterReason)
"""All reasons, for metrics and command lines."""


class ServiceError(Exception):
    """Anything a service raises on purpose."""


class PoisonMessageError(ServiceError):
    """This message will never succeed.

    `detail` says what is wrong and what would be right, without repeating the value (it may be
    personal data); `field` is a dotted path into the record, or empty for the record as a whole.
    """

    def __init__(self, reason: DeadLetterReason, detail: str, *, field: str = "") -> None:
        super().__init__(f"{reason}: {field + ': ' if field else ''}{detail}")
        self.reason: DeadLetterReason = reason
        self.detail = detail
        self.field = field


class TransientError(ServiceError):
    """It may succeed later: a lost connection, a deadlock, a vendor's 503."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds to wait at least, where the other side said so."""


class SourceUnavailableError(ServiceError):
    """Nothing would succeed at present: credentials refused, schema missing, too many failures."""
