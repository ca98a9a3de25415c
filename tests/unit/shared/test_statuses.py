"""What vendors call the status of an address or a number."""

import pytest

from shared.events.statuses import point_status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("verified", "verified"),
        ("Catch-All", "catch_all"),
        ("accept all", "catch_all"),
        ("likely to engage", "verified"),
        ("do not call", "dnc"),
        ("guessed", "unverified"),
        ("banana", None),
        ("", None),
    ],
)
def test_a_word_for_a_status(word: str, status: str | None) -> None:
    assert point_status(word) == status
