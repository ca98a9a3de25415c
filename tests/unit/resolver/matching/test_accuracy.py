"""A small run of `make accuracy`: right enough, and the same in any order and at once."""

from pathlib import Path

from kith.evaluation.measures import Quality
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.matching.weights import default_weights
from tests.accuracy.__main__ import NAMES, tables
from tests.accuracy.base import Base, labels_of
from tests.accuracy.sets import DIFFICULTIES, Labelled, crm

MATCHER = Matcher(EvidenceScorer(default_weights()))
SEED = 11
"""One that nothing was tuned on."""


def stream(labelled: Labelled, order: int) -> Base:
    base = Base(MATCHER)
    for key, profile in labelled.shuffled(order).items():
        base.admit(key, profile)
    return base


def test_streams_in_two_orders_and_a_batch_agree_and_are_right() -> None:
    labelled = crm("medium", SEED, 1_000)
    base = stream(labelled, 1)
    found = labels_of(base.partition())
    assert labels_of(stream(labelled, 2).partition()) == found
    batch = Base(MATCHER)
    batch.admit_all(labelled.records)
    assert labels_of(batch.partition()) == found
    assert Quality.of(found, labelled.truth).f1 >= 0.93
    sure = Quality.of(labels_of(base.partition(Action.MERGE)), labelled.truth)
    assert sure.precision >= 0.98
    assert sure.recall >= 0.45


def test_every_set_goes_through_the_whole_path_and_is_not_written_again(tmp_path: Path) -> None:
    """A set is read while the next seed's are written: of half a table nothing is wrong."""
    written = {
        path: path.stat().st_mtime_ns for path in tables(tmp_path, NAMES, (SEED, SEED + 1), 100)
    }
    made = [f"crm_{name}_{seed}" for seed in (SEED, SEED + 1) for name in DIFFICULTIES]
    assert [path.stem for path in written] == ["febrl3", "febrl4", *made]
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_shared_identifiers_cost_little() -> None:
    plain, shared = (crm("light", SEED, 1_000, is_sharing=sharing) for sharing in (False, True))
    before, after = (
        Quality.of(labels_of(stream(one, 1).partition()), one.truth) for one in (plain, shared)
    )
    assert before.f1 >= 0.97
    assert after.precision >= before.precision - 0.01
