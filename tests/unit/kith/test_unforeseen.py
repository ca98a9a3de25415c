"""What ends a command from outside is said in words, and no person's value with it."""

import errno

import asyncpg
import pytest

from kith.stack.errors import StackError
from kith.unforeseen import ADVICE, in_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StackError("neo4j failed: why\nwhat to do: this"), "neo4j failed: why\nwhat to do: this"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a/stack.json"),
            (
                "OSError: [Errno 28] No space left on device: '/a/stack.json'; "
                "look at that file's disk, then run the same command again"
            ),
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/stack.json"),
            (
                "PermissionError: [Errno 13] Permission denied: '/a/stack.json'; "
                "look at that file's owner and place, then run the same command again"
            ),
        ),
        (
            ConnectionRefusedError("refused"),
            f"ConnectionRefusedError: refused; {ADVICE}",
        ),
        (
            asyncpg.UniqueViolationError.new(
                {"C": "23505", "M": "twice", "D": "Key (email)=(ada@x) exists."}
            ),
            f"PostgreSQL: UniqueViolationError 23505; {ADVICE}",
        ),
    ],
)
def test_it_is_said_what_went_wrong_and_what_to_do(error: Exception, words: str) -> None:
    assert in_words(error) == words
