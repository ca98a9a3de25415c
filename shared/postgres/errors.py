"""PostgreSQL's errors as delivery policy: which are the record's fault, which are the weather."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from shared.errors import (
    PoisonMessageError,
    ServiceError,
    SourceUnavailableError,
    TransientError,
)

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Whatever asyncpg raises: the last is neither of the other two, and comes when the server dies at
certain moments of a conversation."""

_DATA_CLASSES = frozenset({"22", "23"})
"""SQLSTATE classes data exception and integrity violation: a record's own fault."""

_UNAVAILABLE_CLASSES = frozenset({"28", "3D", "3F", "42"})
"""Wrong credentials, no such database, schema, table or right: no record would succeed."""


def classify(error: Exception) -> ServiceError:
    """Turn a driver's error into the delivery policy it calls for.

    Messages carry the SQLSTATE and never PostgreSQL's `detail`, which holds the values.
    """
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, ValueError):
        # asyncpg refuses an argument before it is sent: a NUL in text, a number out of range.
        return PoisonMessageError("rejected_by_database", "a value does not fit its column")
    sqlstate = getattr(error, "sqlstate", None) or ""
    if sqlstate[:2] in _DATA_CLASSES and sqlstate not in {"23505", "23P01"}:
        return PoisonMessageError(
            "rejected_by_database", f"PostgreSQL refuses the record's data (SQLSTATE {sqlstate})"
        )
    if sqlstate[:2] in _UNAVAILABLE_CLASSES:
        return SourceUnavailableError(
            f"PostgreSQL: {type(error).__name__} (SQLSTATE {sqlstate}); "
            "check role and grants, and that `kith migrate` was run"
        )
    return TransientError(f"PostgreSQL: {type(error).__name__} {sqlstate}".rstrip())


@contextmanager
def translated() -> Iterator[None]:
    """Raise what goes wrong inside as `classify` says."""
    try:
        yield
    except (*DRIVER_ERRORS, OSError, TimeoutError) as error:
        raise classify(error) from error
