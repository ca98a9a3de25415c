"""`make accuracy`: stream labelled sets through the resolver's own matching, and measure it.

The sets: dupehell's CRM contacts in three degrees of noise, five seeds none of which was tuned on,
each also with shared identifiers; FEBRL 3 and 4. `--quick` takes one seed and fewer records.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kith.evaluation.measures import Quality, closure, impure, majority
from services.resolver.domain.matching.cluster import Partition
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.sharing import is_role_mailbox
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.matching.weights import default_weights
from tests.accuracy.base import Base, labels_of
from tests.accuracy.report import HEAD, Figures, sharing_failures, to_json, to_markdown
from tests.accuracy.sets import Labelled, crm, febrl, write_tables
from tests.accuracy.sharing import measure_sharing
from tests.accuracy.whole import HEAD as HEAD_OF_WHOLE
from tests.accuracy.whole import measure_whole

SEEDS: Final = (2024, 90210, 314159, 271828, 161803)
"""Seeds of dupehell that nothing was tuned on."""

SIZE: Final = 20_000
SAMPLED: Final = 5
"""Of so many candidates one is judged for calibration."""

OUTPUT: Final = Path(".bench/accuracy.json")


def measure(labelled: Labelled, *, is_twice: bool) -> Figures:
    """Stream a set, in two orders or one, beside its own batch and the customer's formula.

    With one order, the order in which the batch counts is the other one.
    """
    matcher = Matcher(EvidenceScorer(default_weights()))
    base = Base(matcher)
    started = time.perf_counter()
    for key, profile in labelled.shuffled(1).items():
        base.admit(key, profile)
    rate = base.compared / (time.perf_counter() - started)
    partitions = base.partition()
    found = labels_of(partitions)
    sure = labels_of(base.partition(Action.MERGE))
    flagged = _flagged(partitions, labelled)
    batch = Base(matcher)
    batch.admit_all(labelled.records)
    other = Base(matcher) if is_twice else batch
    if is_twice:
        for key, profile in labelled.shuffled(2).items():
            other.admit(key, profile)
    quality, unflagged = Quality.of(found, labelled.truth), Quality.of(sure, labelled.truth)
    rerun = Quality.of(labels_of(batch.partition()), labelled.truth)
    spec = _spec(batch, labelled)
    return Figures(
        name=labelled.name,
        records=len(labelled.records),
        precision=quality.precision,
        recall=quality.recall,
        f1=quality.f1,
        unflagged_precision=unflagged.precision,
        unflagged_recall=unflagged.recall,
        impure=impure(sure, labelled.truth),
        flagged=len(flagged),
        flagged_right=sum(flagged) / len(flagged) if flagged else 1.0,
        review=sum(len(one.proposals) for one in partitions) / len(labelled.records),
        same_order=Quality.of(labels_of(other.partition()), found).f1,
        batch_gap=abs(quality.f1 - rerun.f1),
        spec_f1=spec.f1,
        spec_precision=spec.precision,
        per_second=rate,
        calibration=_calibration(batch, labelled),
        strangers_by_role=_strangers_by_role(found, labelled),
    )


def _flagged(partitions: Iterable[Partition], labelled: Labelled) -> list[bool]:
    """Tell of every merge that is marked for a look whether it united one person."""
    return [
        majority([labelled.truth[record] for record in step.left])
        == majority([labelled.truth[record] for record in step.right])
        for one in partitions
        for step in one.steps
        if step.action is Action.FLAG
    ]


def _spec(base: Base, labelled: Labelled) -> Quality:
    """Join what the customer's formula merges without a flag, as it says: directly or by others."""
    scorer = SpecScorer()
    merge = base.matcher.thresholds.merge
    profiles = base.profiles
    pairs = (
        pair
        for pair in base.candidates()
        if scorer.score(profiles[pair[0]], profiles[pair[1]], base.statistics).probability >= merge
    )
    return Quality.of(closure(profiles, pairs), labelled.truth)


def _calibration(base: Base, labelled: Labelled) -> dict[str, tuple[int, float, float]]:
    """Compare what the scorer says of candidates with how often it is right, action by action."""
    sums: dict[str, list[float]] = {}
    for one, other in sorted(base.candidates())[::SAMPLED]:
        verdict = base.matcher.judge(base.profiles[one], base.profiles[other], base.statistics)
        probability = verdict.score.probability
        row = sums.setdefault(base.matcher.thresholds.action_at(probability).name, [0.0, 0.0, 0.0])
        row[0] += 1
        row[1] += probability
        row[2] += labelled.truth[one] == labelled.truth[other]
    return {name: (int(n), said / n, right / n) for name, (n, said, right) in sorted(sums.items())}


def _strangers_by_role(found: dict[bytes, bytes], labelled: Labelled) -> int:
    mailboxes: dict[str, list[bytes]] = {}
    for key, profile in labelled.records.items():
        for email in profile.values.get("email", ()):
            if is_role_mailbox(email):
                mailboxes.setdefault(email, []).append(key)
    return sum(
        found[one] == found[other] and labelled.truth[one] != labelled.truth[other]
        for keys in mailboxes.values()
        for place, one in enumerate(keys)
        for other in keys[:place]
    )


def _sets(seeds: Sequence[int], size: int) -> Iterator[Labelled]:
    yield febrl(3)
    yield febrl(4)
    for seed in seeds:
        for difficulty in ("light", "medium", "hell"):
            yield crm(difficulty, seed, size)
            if seed == seeds[0]:
                yield crm(difficulty, seed, size, is_sharing=True)


def _sharing(seed: int, size: int) -> list[str]:
    """Measure what shared identifiers cost, gate included; returns the goals that are missed."""
    costs = measure_sharing(seed, size)
    print(*(one.line() for one in costs), sep="\n")
    return [failure for one in costs for failure in one.failures()]


def _whole(seed: int) -> list[str]:
    """Measure the whole path; returns the goals that are missed."""
    print(f"\n{HEAD_OF_WHOLE}", flush=True)
    failures = []
    for one in measure_whole(seed):
        print(one.line(), flush=True)
        failures += [f"{one.name}: {what}" for what in one.failures()]
    return failures


def main() -> int:
    """Measure all sets; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="make accuracy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, 5,000 records")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--seed", type=int, action="append", help="instead of the usual seeds")
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="only write the sets, for `kith eval`"
    )
    parser.add_argument(
        "--sharing", action="store_true", help="only shared identifiers, through the whole resolver"
    )
    parser.add_argument(
        "--whole", action="store_true", help="only the whole path, gate included, one seed"
    )
    options = parser.parse_args()
    seeds = tuple(options.seed or (SEEDS[:1] if options.quick else SEEDS))
    size = 5_000 if options.quick else options.size
    if options.write:
        for path in write_tables(options.write, seeds[0], size):
            print(path)
        return 0
    if options.whole:
        return int(bool(_whole(seeds[0])))
    if options.sharing:
        return int(bool(_sharing(seeds[0], size)))
    figures = []
    print(HEAD, flush=True)
    for labelled in _sets(seeds, size):
        seed = labelled.name.partition("/")[2]
        figures.append(measure(labelled, is_twice=seed in ("", str(seeds[0]))))
        print(figures[-1].line(), flush=True)
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(json.dumps(to_json(figures), indent=1))
    print("\n" + to_markdown(figures))
    failures = [f"{one.name}: {what}" for one in figures for what in one.failures()]
    failures += sharing_failures(figures)
    failures += _whole(seeds[0])
    print("\n" + ("\n".join(failures) if failures else "all goals are met"))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
