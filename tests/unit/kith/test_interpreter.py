"""Which build of Python kith is installed into."""

import subprocess
import sys
from pathlib import Path

import pytest

from kith import interpreter

VERSION = sys.version_info[:2]


def a_build(folder: Path, script: str) -> Path:
    """Make an executable that is called as a build of this version is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "python{}.{}".format(*VERSION)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"asked": 1.0, "other": 0.8}, "other"),
        ({"asked": 1.0, "other": 0.95}, "asked"),
        ({"asked": 1.0, "slow": 2.0, "other": 0.7}, "other"),
        ({"other": 9.0}, "other"),
        ({}, "asked"),
    ],
)
def test_another_build_is_taken_when_it_is_clearly_faster_or_the_asked_one_is_of_no_use(
    seconds: dict[str, float], chosen: str
) -> None:
    assert interpreter.choose("asked", seconds) == chosen


def test_each_file_is_a_candidate_once_and_only_if_it_can_be_run(tmp_path: Path) -> None:
    build = a_build(tmp_path / "bin", "exit 0")
    (tmp_path / "link").symlink_to(tmp_path / "bin")
    a_build(tmp_path / "dead", "exit 0").chmod(0o644)
    folders = ["", *(str(tmp_path / name) for name in ("bin", "link", "dead", "none"))]
    assert interpreter.candidates(folders, VERSION) == [str(build)]


def test_a_build_says_who_it_is_and_how_long_it_takes(tmp_path: Path) -> None:
    shim = a_build(tmp_path, f'exec "{sys.executable}" "$@"')
    measured = interpreter.measure(str(shim), VERSION)
    assert measured is not None
    assert measured[0] == sys.executable
    assert 0 < measured[1] < interpreter.PATIENCE_S


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense; echo /x", "echo 1.0", "kill -9 $$"])
def test_a_build_that_cannot_make_an_environment_is_of_no_use(tmp_path: Path, script: str) -> None:
    assert interpreter.measure(str(a_build(tmp_path, script)), VERSION) is None
    assert interpreter.measure(str(tmp_path / "missing"), VERSION) is None


def test_another_version_is_of_no_use() -> None:
    assert interpreter.measure(sys.executable, (VERSION[0], VERSION[1] + 1)) is None


def test_as_a_script_it_prints_a_python_of_this_version() -> None:
    answer = subprocess.run(
        [sys.executable, interpreter.__file__], capture_output=True, text=True, check=True
    )
    asked = "import sys; print(*sys.version_info[:2])"
    (path,) = answer.stdout.splitlines()
    found = subprocess.run([path, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(part) for part in VERSION]
