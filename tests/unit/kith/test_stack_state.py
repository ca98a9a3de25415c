"""The memory of a stack: private, complete, and not taken in by a copied folder."""

import json
import os
import threading
from pathlib import Path

import pytest

from kith.stack.processes import Identity
from kith.stack.state import SECRETS, StackState, held, load_state, write_private


def a_state(home: Path) -> StackState:
    return StackState(
        home=home,
        ports={"kafka": 20001},
        secrets=dict.fromkeys(SECRETS, "s3cret"),
        parts={"kafka": Identity(pid=1, created=1.0)},
    )


def test_a_state_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    write_private(file, a_state(tmp_path).model_dump_json())
    assert load_state(file, tmp_path / "none") == a_state(tmp_path)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    write_private(file, "{}")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [file] == list(tmp_path.iterdir()), "no half-written file stays"


def test_a_copied_state_forgets_processes_and_ports_of_the_original(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    write_private(file, a_state(Path("/elsewhere")).model_dump_json())
    state = load_state(file, tmp_path / "none")
    assert (state.home, state.ports, state.parts) == (tmp_path, {}, {})
    assert state.secrets["postgres"] == "s3cret", "copied data were made with it"


def test_the_passwords_beside_the_data_win(tmp_path: Path) -> None:
    """A state file that was lost is made anew around the data that are there."""
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"postgres": "of the data"}))
    state = load_state(tmp_path / "stack.json", secrets)
    assert state.secrets["postgres"] == "of the data"
    assert len(set(state.secrets.values())) == len(SECRETS), "each has its own"


def test_a_state_cut_short_is_no_state(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text('{"home": "/x", "po')
    assert load_state(file, tmp_path / "none").ports == {}


@pytest.mark.parametrize("text", [b"", b'{"postgres": "cut sh', b"[]", b"\xff\xfe"])
def test_passwords_cut_short_are_none(tmp_path: Path, text: bytes) -> None:
    """Those of the state file are used then."""
    secrets = tmp_path / "secrets.json"
    secrets.write_bytes(text)
    file = tmp_path / "stack.json"
    write_private(file, a_state(tmp_path).model_dump_json())
    assert load_state(file, secrets).secrets["postgres"] == "s3cret"


def test_whoever_waits_for_another_command_says_so(tmp_path: Path) -> None:
    lock, heard, came = tmp_path / "stack.lock", list[str](), threading.Event()

    def second() -> None:
        with held(lock, heard.append):
            came.set()

    with held(lock, heard.append):
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not came.wait(0.3)
        assert heard == [f"waiting for another command, process {os.getpid()}"]
    waiting.join(5)
    assert came.is_set()
