"""Positions and waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.domain.position import (
    ContactPosition,
    SignalPosition,
    encode_position,
    parse_position,
    parse_wait,
)
from services.api.domain.problems import RequestError
from shared.events.company import MAX_COMPANIES

CONTACT = "con_01M80K00DVF53XSW9KSSPZAWAW"


digest = st.binary(min_size=16, max_size=16)


@given(digest, digest, st.lists(st.tuples(digest, digest), max_size=MAX_COMPANIES - 1))
def test_a_signals_position_comes_back(
    key: bytes, content: bytes, others: list[tuple[bytes, bytes]]
) -> None:
    position = SignalPosition(key, content, tuple(others))
    assert parse_position(encode_position(position), None) == position


def test_a_signal_has_no_more_companies_than_it_may() -> None:
    record = (b"k" * 16, b"c" * 16)
    with pytest.raises(RequestError):
        parse_position(encode_position(SignalPosition(*record, (record,) * MAX_COMPANIES)), None)


@pytest.mark.parametrize("version", [1, 9, 10, 999_999_999])
def test_a_contacts_position_comes_back(version: int) -> None:
    """At one digit it is as long as a signal's, and still a contact's."""
    position = ContactPosition(CONTACT, version)
    assert parse_position(None, encode_position(position)) == position


def test_the_header_wins() -> None:
    one = encode_position(ContactPosition(CONTACT, 1))
    other = encode_position(ContactPosition(CONTACT, 2))
    assert parse_position(one, other) == ContactPosition(CONTACT, 1)
    assert parse_position(None, None) is None


@given(st.text(max_size=50))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        assert parse_position(text, None) is not None
    except RequestError as error:
        assert error.status == 400  # noqa: PT017


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 2.0),
        ("respond-async", 2.0),
        ("wait=5", 5.0),
        ("respond-async, WAIT = 3", 3.0),
        ('wait="4"', 4.0),
        ("wait=0", 0.0),
        ("wait=3600", 10.0),
        ("wait=soon", 2.0),
        ("awaited=7", 2.0),
    ],
)
def test_a_wait_is_what_was_preferred_within_bounds(prefer: str | None, seconds: float) -> None:
    assert parse_wait(prefer) == seconds
