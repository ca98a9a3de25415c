"""The environment that `make` keeps: made anew where it is another checkout's, which keeps it."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]

BUILD = """#!/bin/sh
case "$*" in
    "-m venv --clear "*)
        mkdir -p "$4" && rm -rf "$4"/* && mkdir "$4/bin" && cp "$0" "$4/bin/python" ;;
esac
"""
"""Stands for a build of Python: empties a folder for an environment, and installs nothing."""


def a_checkout(folder: Path) -> Path:
    """Make a folder with what `make` looks at."""
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.lock", "pyproject.toml"):
        (folder / name).touch()
    return folder


def install(checkout: Path, build: Path) -> None:
    """Have `make` bring the environment up to date."""
    words = ["make", f"PYTHON={build}", ".venv/.installed"]
    subprocess.run(words, cwd=checkout, check=True, capture_output=True)


def test_an_environment_that_is_a_link_to_anothers_is_left_alone(tmp_path: Path) -> None:
    build = tmp_path / "python"
    build.write_text(BUILD)
    build.chmod(0o755)
    first, second = a_checkout(tmp_path / "first"), a_checkout(tmp_path / "second")
    install(first, build)
    kept = first / ".venv" / "kept"
    kept.touch()
    (second / ".venv").symlink_to(first / ".venv")
    install(second, build)
    assert kept.exists()
    assert not (second / ".venv").is_symlink()
    assert (second / ".venv" / ".installed").read_text().strip() == str(second.resolve())
    install(first, build)
    assert kept.exists(), "what is its own is kept"
    moved = second.rename(tmp_path / "moved")
    stale = moved / ".venv" / "stale"
    stale.touch()
    install(moved, build)
    assert not stale.exists()
