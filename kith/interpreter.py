"""Chooses the Python that kith is installed into: of this version's builds, the fastest.

    python3 kith/interpreter.py

prints its path. Distributions build Python with profile-guided optimisation; what version managers
compile, and put first on the path, often lacks it, and a tenth of the whole system's speed with it
(ADR 0125). Needs nothing but the standard library: nothing else is installed yet.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

USUAL = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
"""Where distributions put theirs, whatever the path says."""

MARGIN = 0.9
"""Another build is taken for less than this share of the time that the asked one takes: two runs of
one build differ by less."""

PATIENCE_S = 20.0
"""A build that takes longer than this to answer is left out, seconds."""

PROBE = """
import ensurepip, ssl, sys, time, venv
if sys.version_info[:2] != (%d, %d):
    sys.exit("another version")

class Point:
    def __init__(self, x):
        self.x = x

    def moved(self):
        return Point(self.x + 1)

def work():
    seen = {}
    for number in range(40_000):
        key = (number %% 977, "a")
        seen[key] = seen.get(key, 0) + Point(number).moved().x
        f"{number}-{key[0]}".encode()

times = []
for _ in range(5):
    before = time.process_time()
    work()
    times.append(time.process_time() - before)
print(min(times))
print(sys.executable)
"""
"""Fails where an environment can't be made; prints seconds, and who ran it."""


def candidates(folders: Iterable[str], version: Sequence[int]) -> list[str]:
    """List the builds of a version (major, minor) in some folders, each file once."""
    name = "python{}.{}".format(*version)
    found: dict[Path, str] = {}
    for folder in folders:
        path = Path(folder) / name
        if folder and os.access(path, os.X_OK) and path.is_file():
            found.setdefault(path.resolve(), str(path))
    return list(found.values())


def measure(python: str, version: Sequence[int]) -> "tuple[str, float] | None":
    """Return who a build says it is, and its seconds; None where it is of no use."""
    probe = PROBE % tuple(version)
    try:
        answer = subprocess.run(
            [python, "-I", "-c", probe],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        ).stdout.splitlines()
        return answer[1], float(answer[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def choose(asked: str, seconds: Mapping[str, float]) -> str:
    """Choose a build by what each took; the one that was asked for, unless another is faster."""
    fastest = min(seconds, key=seconds.__getitem__, default=asked)
    if asked not in seconds or seconds[fastest] < MARGIN * seconds[asked]:
        return fastest
    return asked


def main() -> None:
    """Print the path of the build that is to be used."""
    version = sys.version_info[:2]
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *USUAL]
    builds = [sys.executable, *candidates(folders, version)]
    measured = filter(None, (measure(python, version) for python in builds))
    print(choose(sys.executable, dict(measured)))


if __name__ == "__main__":
    main()
