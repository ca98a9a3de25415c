"""What can end any command from outside, in words for the person who typed it."""

import errno
from typing import Final

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from kith.administration import AdministrationError
from kith.stack.errors import StackError
from kith.topics import TopicsError
from shared.errors import ServiceError, SourceUnavailableError, TransientError
from shared.postgres.errors import DRIVER_ERRORS, classify

UNFORESEEN: Final = (
    AdministrationError,
    KafkaError,
    OSError,
    ServiceError,
    StackError,
    TopicsError,
    *DRIVER_ERRORS,
    httpx.HTTPError,
)
"""What is raised where a part, a service, the disk or the network is not as it should be."""

SAID: Final = (AdministrationError, ServiceError, StackError, TopicsError)
"""Of these, those whose text says what is wrong and what to do, but for `AWAY`."""

AWAY: Final = (TransientError, SourceUnavailableError)
"""Of services' errors, those that tell of a part or a service that is not as it should be."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Numbers of errors of a disk without room."""

ADVICE: Final = "`kith status` shows what runs, `kith up --services` starts what does not"
"""What to do where something does not answer."""


def in_words(error: BaseException, advice: str = ADVICE) -> str:
    """Say what went wrong, and what to do about it; no value of anybody's with it."""
    if isinstance(error, SAID) and not isinstance(error, AWAY):
        return str(error)
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
        return "the database does not have the tables of this release yet: run `kith migrate`"
    words = str(error) if isinstance(error, AWAY) else f"{type(error).__name__}: {error}"
    if isinstance(error, DRIVER_ERRORS):
        words = str(classify(error))
    if isinstance(error, OSError) and error.filename:
        advice = f"look at that file's {'disk' if error.errno in FULL else 'owner and place'}"
        advice += ", then run the same command again"
    return f"{words}; {advice}"
