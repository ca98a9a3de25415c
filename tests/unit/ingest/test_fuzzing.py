"""A short round of `make fuzz`, and that it finds what it is for."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.__main__ import again, keep
from tests.fuzz.parsers import PARSERS, Parser
from tests.fuzz.running import MEMORY_MIB, Fault, Lane, input_of, run

INPUTS = 300
"""Of the short round: some seconds."""

SHORT_S = 0.3
"""Processor time that an input may take here, seconds."""


@pytest.mark.parametrize("name", PARSERS)
def test_what_inputs_begin_from_is_taken(name: str) -> None:
    for data in PARSERS[name].seeds():
        assert run(PARSERS[name], data) == ""


def test_no_parser_fails_on_what_nobody_meant() -> None:
    """More in ten minutes: `make fuzz`; a fault is named by its number, as there."""
    parsers = list(PARSERS.values())
    for number in range(INPUTS):
        parser, data = input_of(1, number, parsers)
        assert run(parser, data) == "", (parser.name, number)


def test_the_same_seed_makes_the_same_inputs() -> None:
    parsers = list(PARSERS.values())
    first, second = ([input_of(5, n, parsers)[1] for n in range(48)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 40
    assert input_of(6, 0, parsers)[1] != first[0]


def test_a_fault_is_told_and_kept_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is raised that is no reason, and what takes too long or too much."""

    def fails(data: bytes) -> None:
        dict[bytes, bytes]()[data]

    def dawdles(_: bytes) -> None:
        begun = time.process_time()
        while time.process_time() - begun < SHORT_S:
            pass

    def parser(how: object) -> Parser:
        return Parser("odd", how, list, "bin")  # type: ignore[arg-type]

    monkeypatch.setattr("tests.fuzz.running.CPU_S", SHORT_S)
    assert "KeyError: b'x'" in run(parser(fails), b"x")
    assert run(parser(dawdles), b"x") == f"took {SHORT_S} s"
    most = iter((100, 100 + MEMORY_MIB + 1))
    with monkeypatch.context() as weighed:
        weighed.setattr("tests.fuzz.running._most_memory", lambda: next(most))
        assert run(parser(len), b"x") == f"took {MEMORY_MIB + 1} MiB"
    monkeypatch.setitem(PARSERS, "odd", parser(fails))
    file = keep(Fault("odd", 3, b"data", "KeyError"), tmp_path)
    assert file.read_bytes() == b"data"
    assert again(file) == 1
    assert "KeyError: b'data'" in capsys.readouterr().out
    assert again(tmp_path / "other-1.csv") == 2


def hangs(_seed: int, numbers: range, _names: Sequence[str], at: Any, _told: Any) -> None:
    """Come to the second input and no further."""
    at.value = numbers[1]
    while True:
        pass


def dies(_seed: int, numbers: range, _names: Sequence[str], at: Any, _told: Any) -> None:
    """Come to the third input and no further."""
    at.value = numbers[2]
    os._exit(3)


def test_who_hangs_or_dies_is_named_and_the_next_input_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From outside: what hangs in a library written in C heeds nobody."""
    monkeypatch.setattr("tests.fuzz.running.CPU_S", SHORT_S)
    hanging, dying = (Lane(1, 5, 2, ["push"], work) for work in (hangs, dies))
    [fault] = hanging.turn(10, lambda: False)
    assert (fault.number, fault.what) == (7, f"did not end in {SHORT_S} s")
    [fault] = dying.turn(10, lambda: False)
    assert (fault.number, fault.what) == (9, "ended by 3")
    assert (hanging.done, dying.done) == (2, 3)
    assert fault.data == input_of(1, 9, [PARSERS["push"]])[1]
