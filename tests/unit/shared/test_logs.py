"""What a log line may hold, whoever writes it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.observability.logs import configure_logging, get_logger

SECRET = "ada@example.org"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    text = capsys.readouterr().err
    return [json.loads(line) for line in text.splitlines()]


def test_an_unknown_field_is_dropped_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("test")
    get_logger("unknown").info("seen", email=SECRET, topic="contact.events.v1")
    [line] = lines(capsys)
    assert SECRET not in str(line)
    assert line["dropped"] == "email"
    assert (line["service"], line["topic"]) == ("test", "contact.events.v1")


def test_an_exception_is_named_and_placed_but_not_quoted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A database's error may say `Key (email)=(…) already exists`."""
    configure_logging("test")
    try:
        raise ValueError(SECRET)  # noqa: TRY301
    except ValueError as error:
        get_logger("own").exception("failed")
        get_logger("own").warning("failed", error=error)
        logging.getLogger("asyncio").exception("a library's own")
    for line in lines(capsys):
        assert SECRET not in str(line)
        assert line["error"] == "ValueError"
        assert "test_logs.py" in str(line["error_at"])
