"""Ports: far apart for different checkouts, never twice, never a stranger's."""

import socket

import pytest

from kith.stack.ports import FIRST, LAST, choose_port, is_free


def test_the_seed_decides_where_the_search_begins() -> None:
    assert choose_port(5, (), lambda _: True) == FIRST + 5
    assert choose_port(LAST - FIRST + 7, (), lambda _: True) == FIRST + 7


def test_taken_and_busy_ports_are_passed_over() -> None:
    busy = {FIRST + 6}
    assert choose_port(5, {FIRST + 5}, lambda port: port not in busy) == FIRST + 7


def test_the_search_wraps_at_the_end_of_the_range() -> None:
    last = LAST - 1
    assert choose_port(last - FIRST, {last}, lambda _: True) == FIRST


def test_a_full_range_is_an_error() -> None:
    with pytest.raises(OSError, match="no free port"):
        choose_port(0, (), lambda _: False)


def test_a_listening_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
