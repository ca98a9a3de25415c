import pytest
from hypothesis import given
from hypothesis import strategies as st

from kith.demo.truth import compare, join

TRUTH = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b"}


def test_the_truth_itself_is_perfect() -> None:
    quality = compare(TRUTH, {record: entity * 2 for record, entity in TRUTH.items()})
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 1.0, 1.0)


def test_every_pair_counts_once() -> None:
    """Put together: a1-a2, a3-b1; true: three pairs of a, one of b; right: a1-a2."""
    quality = compare(TRUTH, {"a1": 1, "a2": 1, "a3": 2, "b1": 2, "b2": 3})
    assert quality.precision == 1 / 2
    assert quality.recall == 1 / 4
    assert quality.f1 == pytest.approx(1 / 3)


def test_a_record_that_was_not_found_stands_alone() -> None:
    quality = compare(TRUTH, {"a1": 1, "a2": 1})
    assert (quality.precision, quality.recall) == (1.0, 1 / 4)


def test_nothing_right_is_nothing_and_not_an_error() -> None:
    assert compare(TRUTH, {"a1": 1, "b1": 1}).f1 == 0.0


def test_pairs_join_clusters_through_others() -> None:
    joined = join({"r1": 1, "r2": 2, "r3": 3, "r4": 4}, [(1, 9), (9, 2), (3, 1)])
    assert joined["r1"] == joined["r2"] == joined["r3"] != joined["r4"]


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 5), max_size=12),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8),
)
def test_joining_never_takes_apart(found: dict[str, int], pairs: list[tuple[int, int]]) -> None:
    joined = join(found, pairs)
    assert compare(found, joined).recall == 1.0
