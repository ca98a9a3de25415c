"""What the command line says when its surroundings lack something."""

import io
import os
import sys
from pathlib import Path

import asyncpg
import pytest

import kith.cli as command
from kith.stack.errors import StackError
from shared.errors import TransientError


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (asyncpg.UndefinedTableError("app.tenant"), "run `kith migrate`"),
        (asyncpg.InvalidSchemaNameError("read"), "run `kith migrate`"),
        (asyncpg.InsufficientPrivilegeError("denied"), "check role and grants"),
        (StackError("the stack is not up: kith up"), "kith up"),
        (TransientError("the resolver does not answer"), "does not answer"),
        (FileNotFoundError(2, "No such file", "x.csv"), "x.csv"),
    ],
)
def test_it_is_one_line_and_no_stack_trace(
    raised: Exception,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run() -> None:
        raise raised

    monkeypatch.setattr(command, "app", run)
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("kith: ")
    assert words in said
    assert said.count("\n") == 1


def test_what_is_not_utf_8_is_refused_unless_it_is_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.csv")
    file.touch()
    reason = os.fsdecode(b"caf\xe9")
    assert command.unreadable(["import", str(file), "--why", "café"]) is None
    monkeypatch.setattr(sys, "argv", ["kith", "review", "undo", "--why", reason])
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == 2
    assert "not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "{here}"],
        ["import", "--mapping={here}"],
        ["export", "--ids", "@{here}"],
        ["export", "--out", "{new}"],
        ["export", "--out={new}"],
        ["imports", "rejects", "-o", "{new}"],
        ["imports", "rejects", "--output", "{new}"],
    ],
)
def test_a_file_may_be_called_anything(arguments: list[str], tmp_path: Path) -> None:
    here, new = (str(tmp_path / os.fsdecode(name)) for name in (b"caf\xe9.csv", b"n\xe9w.csv"))
    Path(here).touch()
    assert command.unreadable([one.format(here=here, new=new) for one in arguments]) is None


@pytest.mark.parametrize("reason", [b"caf\xe9", b"caf\xe9" * 64, b"--why=caf\xe9", b"caf\xe9\n/x"])
def test_what_names_no_file_is_refused_however_long(reason: bytes) -> None:
    """A name of over 255 bytes is none that a file can have: to ask for it raises."""
    text = os.fsdecode(reason)
    assert command.unreadable(["review", "undo", "--why", text]) == text


def test_the_name_of_a_file_is_printed_as_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the locale is UTF-8 by name, Python prints no lone surrogate of its own accord."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "utf-8", errors="strict"))
    monkeypatch.setattr(command, "app", lambda: print(os.fsdecode(b"n\xe9w.csv"), flush=True))
    command.main()
    assert written.getvalue() == b"n\xe9w.csv\n"


def test_a_bug_stays_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        raise KeyError

    monkeypatch.setattr(command, "app", run)
    with pytest.raises(KeyError):
        command.main()
