"""`make test`: every check in the order that fails fastest, with the time that each took.

The suites: everything by default, `lint` (style, types, import contracts), or `unit` (what needs no
backing service).
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent

LINT: Final = (
    ("style", (str(BIN / "ruff"), "check", ".")),
    ("format", (str(BIN / "ruff"), "format", "--check", ".")),
    ("types", (str(BIN / "mypy"),)),
    ("imports", (str(BIN / "lint-imports"), "--no-logo")),
    ("generated docs", (str(BIN / "kith"), "docs", "check")),
)
PYTEST: Final = (sys.executable, "-m", "pytest", "-q", "--durations=10")
UNIT: Final = (("unit", (*PYTEST, "tests/unit", "tests/contract")),)
REST: Final = (
    ("integration", (*PYTEST, "tests/integration")),
    ("deploy files", (*PYTEST, "tests/deploy")),
    ("chaos, a short round", (*PYTEST, "tests/chaos")),
    ("e2e", (*PYTEST, "tests/e2e")),
)
SUITES: Final = {"lint": LINT, "unit": UNIT, "all": (*LINT, *UNIT, *REST)}


def main(suite: str) -> int:
    """Run a suite to its end; the exit code is 1 when anything failed."""
    results = []
    for name, command in SUITES[suite]:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        results.append((name, code, time.monotonic() - started))
    width = shutil.get_terminal_size().columns
    print("\n" + "=" * min(width, 60))
    for name, code, seconds in results:
        print(f"{'ok' if code == 0 else 'FAILED':8}{name:28}{seconds:8.1f} s")
    failed = sum(code != 0 for _, code, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
