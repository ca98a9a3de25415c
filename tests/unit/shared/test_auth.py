"""Keys and places, as far as no database is asked."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.auth import Caller, Place, bearer_token, hash_token, new_key


def test_a_new_key_is_random_and_known_by_its_hash() -> None:
    one, other = new_key(), new_key()
    assert re.fullmatch(r"kith_[0-9A-Z]{26}_[0-9a-f]{64}", one.token)
    assert one.public_id == f"key_{one.token.split('_')[1]}"
    assert one.token.split("_")[2] != other.token.split("_")[2]
    assert one.hash == hash_token(one.token)
    assert len(one.hash) == 32


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer kith_x", "kith_x"),
        ("bearer   kith_x ", "kith_x"),
        ("BEARER kith_x", "kith_x"),
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer a b", None),
        ("Basic eDp5", None),
        ("kith_x", None),
    ],
)
def test_a_bearer_token_is_read_from_its_header(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


@given(st.text())
def test_no_header_breaks_the_reading(header: str) -> None:
    token = bearer_token(header)
    assert token is None or (token in header and " " not in token)


def test_a_caller_is_at_a_place() -> None:
    caller = Caller(1, "ten_1", 2, "wsp_2", frozenset({"contacts:read"}), "key_3")
    assert caller.place == Place(1, 2, "ten_1", "wsp_2")
