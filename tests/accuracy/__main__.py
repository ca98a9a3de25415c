"""`make accuracy`: stream labelled sets through the resolver, and measure how right it is.

The sets: dupehell's CRM contacts in three degrees of noise, five seeds none of which was tuned on,
of the first seed also with shared identifiers; FEBRL 3 and 4. Each goes through matching by itself,
in memory, and through the whole path, on PostgreSQL; a process for each core. `--quick` takes one
seed, `--set` some of the sets.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tests.accuracy.alone import measure
from tests.accuracy.report import (
    HEAD,
    Figures,
    goal_failures,
    sharing_failures,
    to_json,
    to_markdown,
)
from tests.accuracy.sets import DIFFICULTIES, Labelled, crm, febrl, write_tables
from tests.accuracy.sharing import measure_sharing
from tests.accuracy.whole import HEAD as HEAD_OF_WHOLE
from tests.accuracy.whole import measure_whole
from tests.accuracy.whole import to_markdown as to_markdown_of_whole

SEEDS: Final = (2024, 90210, 314159, 271828, 161803)
"""Seeds of dupehell that nothing was tuned on."""

SIZE: Final = 5_000
"""Records of each made set: the whole run is to end within an hour on two cores."""

FEBRL: Final = ("febrl3", "febrl4")
NAMES: Final = (*FEBRL, *DIFFICULTIES)
"""Sets, as `--set` names them."""

SEEDS_OF_WHOLE: Final = {"febrl3": 1, "febrl4": 1, "light": len(SEEDS), "medium": 2, "hell": 2}
"""Set → of how many seeds it goes through the whole path, which takes two minutes each: of the
light set, whose goal is the nearest, all. FEBRL has no identifiers for the gate."""

OUTPUT: Final = Path(".bench/accuracy.json")


class _Set(NamedTuple):
    """A set to be measured by itself."""

    family: str
    seed: int
    """Of FEBRL, the number of the set."""
    size: int = 0
    is_sharing: bool = False
    is_twice: bool = False
    """In two orders of arrival."""

    def made(self) -> Labelled:
        if self.family == "febrl":
            return febrl(self.seed)
        return crm(self.family, self.seed, self.size, is_sharing=self.is_sharing)


def _sets(names: Sequence[str], seeds: Sequence[int], size: int) -> Iterator[_Set]:
    for name in names:
        if name in FEBRL:
            yield _Set("febrl", int(name.removeprefix("febrl")), is_twice=True)
            continue
        yield _Set(name, seeds[0], size, is_sharing=True)
        for seed in seeds:
            yield _Set(name, seed, size, is_twice=seed == seeds[0])


def tables(folder: Path, names: Sequence[str], seeds: Sequence[int], size: int) -> Iterator[Path]:
    """Write the sets, as they are, as tables; yields those that go through the whole path.

    Into a folder for each seed: FEBRL, of one name with every seed, is read while the next is made.
    """
    for place, seed in enumerate(seeds[: max(SEEDS_OF_WHOLE[name] for name in names)]):
        for path in write_tables(folder / str(seed), seed, size):
            name = path.stem.removeprefix("crm_").partition("_")[0]
            is_wanted = name in names and place < SEEDS_OF_WHOLE[name]
            if is_wanted and not path.stem.endswith("_shared"):
                yield path


def _measure(one: _Set) -> Figures:
    return measure(one.made(), is_twice=one.is_twice)


def _alone(pool: ProcessPoolExecutor, sets: Iterable[_Set]) -> list[str]:
    """Measure matching by itself; returns the goals that are missed."""
    figures = []
    print(HEAD, flush=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    for one in pool.map(_measure, sets):
        figures.append(one)
        print(one.line(), flush=True)
        OUTPUT.write_text(json.dumps(to_json(figures), indent=1))
    print("\n" + to_markdown(figures), flush=True)
    failures = [f"{one.name}: {what}" for one in figures for what in one.failures()]
    plain = ((one.family, one.f1) for one in figures if not one.is_sharing)
    return failures + goal_failures(plain) + sharing_failures(figures)


def _whole(pool: ProcessPoolExecutor, tables: Iterable[Path]) -> list[str]:
    """Measure the whole path; returns the goals that are missed."""
    found = []
    print(f"\n{HEAD_OF_WHOLE}", flush=True)
    for one in measure_whole(pool, tables):
        found.append(one)
        print(one.line(), flush=True)
    print("\n" + to_markdown_of_whole(found), flush=True)
    failures = [f"{one.name}: {what}" for one in found for what in one.failures()]
    below = goal_failures((one.family, one.automatic.f1) for one in found)
    return failures + [f"whole path: {failure}" for failure in below]


def _sharing(seed: int, size: int) -> list[str]:
    """Measure what shared identifiers cost, gate included; returns the goals that are missed."""
    costs = measure_sharing(seed, size)
    print(*(one.line() for one in costs), sep="\n")
    return [failure for one in costs for failure in one.failures()]


def main() -> int:
    """Measure all sets; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="make accuracy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--size", type=int, default=SIZE, help="records of each made set")
    parser.add_argument("--seed", type=int, action="append", help="instead of the usual seeds")
    parser.add_argument("--set", action="append", choices=NAMES, help="instead of all sets")
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="only write the sets, for `kith eval`"
    )
    parser.add_argument(
        "--sharing", action="store_true", help="only shared identifiers, through the whole resolver"
    )
    parser.add_argument("--alone", action="store_true", help="only matching by itself")
    parser.add_argument("--whole", action="store_true", help="only the whole path, gate included")
    options = parser.parse_args()
    seeds = tuple(options.seed or (SEEDS[:1] if options.quick else SEEDS))
    if options.write:
        for path in write_tables(options.write, seeds[0], options.size):
            print(path)
        return 0
    if options.sharing:
        return int(bool(_sharing(seeds[0], options.size)))
    names = tuple(options.set or NAMES)
    failures = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if not options.whole:
            failures += _alone(pool, _sets(names, seeds, options.size))
        if not options.alone:
            with tempfile.TemporaryDirectory() as folder:
                failures += _whole(pool, tables(Path(folder), names, seeds, options.size))
    print("\n" + ("\n".join(failures) if failures else "all goals are met"))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
