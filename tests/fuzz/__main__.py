"""`make fuzz`: inputs that nobody meant, until the time is up; what fails is kept as a file.

    python -m tests.fuzz [--seconds 600] [--seed 1] [--parsers table,mail] [--lanes 2]
    python -m tests.fuzz .bench/fuzz/mail-0a1b2c3d.eml     gives a parser one file again

No input may raise anything but a reason, take more than two seconds of processor time or more
than 128 MiB. The exit code is 1 when one did.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from threading import Event
from typing import Final

from tests.fuzz.parsers import PARSERS
from tests.fuzz.running import TURN, Fault, Lane, run
from tests.support.system import heed_signals

KEPT: Final = Path(".bench/fuzz")
"""Where inputs are kept that a parser did not cope with."""

MOST: Final = 20
"""Faults of one kind that are kept: one is enough to mend it."""


def keep(fault: Fault, folder: Path) -> Path:
    """Keep an input as a file, named by its parser."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = blake2b(fault.data, digest_size=4).hexdigest()
    file = folder / f"{fault.parser}-{digest}.{PARSERS[fault.parser].ending}"
    file.write_bytes(fault.data)
    return file


def again(file: Path) -> int:
    """Give a kept input to its parser; tells what it does, and returns 1 when it is a fault."""
    name = file.name.partition("-")[0]
    if name not in PARSERS:
        print(f"{file}: its name begins with no parser: {', '.join(PARSERS)}")
        return 2
    what = run(PARSERS[name], file.read_bytes())
    print(f"{file}: {what or 'is coped with'}")
    return int(bool(what))


def fuzz(seconds: float, seed: int, names: list[str], lanes: int, folder: Path = KEPT) -> int:
    """Fuzz until the time is up; returns how many kinds of faults there were."""
    begun, told_to_stop = time.monotonic(), Event()
    kinds: Counter[tuple[str, str]] = Counter()

    def work(lane: Lane) -> int:
        while not over():
            for fault in lane.turn(TURN, over):
                tell(fault)
        return lane.done

    def over() -> bool:
        return told_to_stop.is_set() or time.monotonic() - begun >= seconds

    def tell(fault: Fault) -> None:
        kind = (fault.parser, fault.what.strip().splitlines()[-1])
        kinds[kind] += 1
        if kinds[kind] > MOST:
            return
        file = keep(fault, folder)
        print(f"\n{fault.parser}, input {fault.number}: {fault.what}", flush=True)
        print(f"again: {Path(sys.executable).name} -m tests.fuzz {file}", flush=True)

    with ThreadPoolExecutor(lanes) as pool:
        try:
            given = sum(pool.map(work, [Lane(seed, one, lanes, names) for one in range(lanes)]))
        finally:
            told_to_stop.set()
    took = time.monotonic() - begun
    print(f"{given:,} inputs in {took:.0f} s, seed {seed}: {sum(kinds.values())} faults")
    return len(kinds)


def main() -> int:
    """Fuzz, or give one file again."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("file", nargs="?", type=Path, help="an input that was kept")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--parsers", default="", help=f"of {', '.join(PARSERS)}; default: all")
    parser.add_argument("--lanes", type=int, default=max(1, os.cpu_count() or 1))
    asked = parser.parse_args()
    heed_signals()
    if asked.file:
        if not asked.file.is_file():
            parser.error(f"{asked.file} is no file")
        return again(asked.file)
    if asked.lanes < 1:
        parser.error("--lanes: at least 1")
    names = [name for name in asked.parsers.split(",") if name] or list(PARSERS)
    if unknown := set(names) - PARSERS.keys():
        parser.error(f"no parser {', '.join(sorted(unknown))}; there are {', '.join(PARSERS)}")
    return int(fuzz(asked.seconds, asked.seed, names, asked.lanes) > 0)


if __name__ == "__main__":
    sys.exit(main())
