"""Matching by itself: a set streamed through a base in memory, beside its own batch."""

import time
from collections.abc import Iterable
from typing import Final

from kith.evaluation.measures import Quality, closure, impure, majority
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.partitioning import Partition
from services.resolver.domain.matching.sharing import is_role_mailbox
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.matching.weights import default_weights
from tests.accuracy.base import Base, labels_of
from tests.accuracy.report import Figures
from tests.accuracy.sets import Labelled

SAMPLED: Final = 5
"""Of so many candidates one is judged for calibration."""


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
