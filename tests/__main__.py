"""`make test`: every check, those that fail fastest first, with the time that each took.

The suites: everything by default, `lint` (style, types, import contracts), or `unit` (what needs no
backing service). A machine has two cores at least: checks run in two lanes, each with stacks of its
own; what kills processes and counts who starts again runs alone.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent


class Check(NamedTuple):
    """A command that says by its exit code whether all is well."""

    name: str
    command: tuple[str, ...]
    home: Path | None = None
    """Where its backing services live, when not where they usually do (`KITH_HOME`)."""


class Result(NamedTuple):
    """How a check went, and how long it took."""

    name: str
    code: int
    seconds: float


Lane = tuple[Check, ...]
"""Checks that run one after the other."""

PYTEST: Final = (
    *(sys.executable, "-m", "pytest", "-q", "--durations=10"),
    "--hypothesis-profile=ci",  # how long an example takes says more of the machine than of kith
)
LINT: Final = (
    Check("style", (str(BIN / "ruff"), "check", ".")),
    Check("format", (str(BIN / "ruff"), "format", "--check", ".")),
    Check("types", (str(BIN / "mypy"),)),
    Check("imports", (str(BIN / "lint-imports"), "--no-logo")),
    Check("generated docs", (str(BIN / "kith"), "docs", "check")),
)
UNIT: Final = (Check("unit", (*PYTEST, "tests/unit", "tests/contract")),)
DEPLOY: Final = (Check("deploy files", (*PYTEST, "tests/deploy")),)
SCHEMA: Final = "tests/integration/schema"
FIRST: Final = tuple(
    f"tests/integration/{one}" for one in ("resolver", "enricher", "indexer", "shared")
)
INTEGRATION_OF_SCHEMA: Final = (Check("integration, the schema", (*PYTEST, SCHEMA)),)
INTEGRATION: Final = (Check("integration, one half", (*PYTEST, *FIRST)),)
INTEGRATION_REST: Final = (
    Check(
        "integration, the other half",
        (*PYTEST, "tests/integration", *(f"--ignore={one}" for one in (SCHEMA, *FIRST))),
        ROOT / ".bench" / "integration",
    ),
)
DEMO: Final = "tests/e2e/test_demo.py"
CHAOS: Final = (Check("chaos, a short round", (*PYTEST, "tests/chaos")),)
WHOLE: Final = (Check("e2e", (*PYTEST, "tests/e2e", f"--ignore={DEMO}")),)
WHOLE_REST: Final = (Check("e2e, the demo", (*PYTEST, DEMO)),)
SUITES: Final[dict[str, tuple[tuple[Lane, ...], ...]]] = {
    "lint": ((LINT,),),
    "unit": ((UNIT,),),
    "all": (
        ((*LINT, *DEPLOY, *INTEGRATION_OF_SCHEMA), UNIT),
        (INTEGRATION, INTEGRATION_REST),
        (CHAOS,),
        (WHOLE, WHOLE_REST),
    ),
}
"""Suite → its stages, one after the other; the lanes of a stage run side by side."""


def main(suite: str) -> int:
    """Run a suite to its end; the exit code is 1 when anything failed."""
    results: list[Result] = []
    for stage in SUITES[suite]:
        with ThreadPoolExecutor(len(stage)) as lanes:
            aside = [lanes.submit(run_lane, lane, is_aside=True) for lane in stage[1:]]
            results += run_lane(stage[0], is_aside=False)
            for lane in aside:
                results += lane.result()
    width = shutil.get_terminal_size().columns
    print("\n" + "=" * min(width, 60))
    for name, code, seconds in results:
        print(f"{'ok' if code == 0 else 'FAILED':8}{name:28}{seconds:8.1f} s")
    failed = sum(result.code != 0 for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return int(failed > 0)


def run_lane(lane: Sequence[Check], *, is_aside: bool) -> list[Result]:
    """Run checks one after the other; what is said aside is printed when its check has ended."""
    results = []
    for name, command, home in lane:
        if not is_aside:
            print(f"\n== {name}", flush=True)
        started = time.monotonic()
        run = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | ({"KITH_HOME": str(home)} if home else {}),
            check=False,
            stdout=subprocess.PIPE if is_aside else None,
            stderr=subprocess.STDOUT if is_aside else None,
        )
        if is_aside:
            sys.stdout.write(f"\n== {name}\n{run.stdout.decode(errors='replace')}")
            sys.stdout.flush()
        results.append(Result(name, run.returncode, time.monotonic() - started))
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
