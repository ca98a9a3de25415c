"""What ends a command from outside is said in words, and no person's value with it."""

import errno

import asyncpg
import pytest

from kith.administration import AdministrationError
from kith.stack.errors import StackError
from kith.unforeseen import ADVICE, UNFORESEEN, in_words
from shared.errors import SourceUnavailableError, TransientError


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
        (
            asyncpg.InternalClientError("got result for unknown protocol state 3"),
            f"PostgreSQL: InternalClientError; {ADVICE}",
        ),
        (TransientError("the resolver answered 502"), f"the resolver answered 502; {ADVICE}"),
        (SourceUnavailableError("no such right"), f"no such right; {ADVICE}"),
        (AdministrationError("no such workspace: make it"), "no such workspace: make it"),
    ],
)
def test_it_is_said_what_went_wrong_and_what_to_do(error: Exception, words: str) -> None:
    assert isinstance(error, UNFORESEEN)
    assert in_words(error) == words


def test_a_command_that_knows_better_what_to_do_says_that() -> None:
    assert in_words(TransientError("no answer"), "begin again") == "no answer; begin again"
