"""What PostgreSQL's driver raises, as delivery policy."""

import asyncpg
import pytest

from shared.errors import PoisonMessageError, SourceUnavailableError, TransientError
from shared.postgres.errors import translated


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (asyncpg.ConnectionDoesNotExistError("lost"), TransientError),
        (asyncpg.CannotConnectNowError("starting up"), TransientError),
        (asyncpg.InterfaceError("connection is closed"), TransientError),
        # Seen when the server was killed in the middle of a conversation.
        (asyncpg.InternalClientError("cannot switch to state"), TransientError),
        (asyncpg.DeadlockDetectedError("deadlock"), TransientError),
        (ConnectionRefusedError(), TransientError),
        (TimeoutError(), TransientError),
        (asyncpg.DataError("out of range"), PoisonMessageError),
        (asyncpg.NotNullViolationError("null"), PoisonMessageError),
        (asyncpg.InsufficientPrivilegeError("denied"), SourceUnavailableError),
        (asyncpg.UndefinedTableError("missing"), SourceUnavailableError),
        (asyncpg.InvalidSchemaNameError("missing"), SourceUnavailableError),
    ],
)
def test_the_driver_s_errors_become_policy(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected), translated():
        raise raised


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError
