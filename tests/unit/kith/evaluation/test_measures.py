"""Pairwise figures are what counting every pair gives."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kith.evaluation.measures import Quality, closure, impure, left_over, majority

PARTITIONS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abcd")), min_size=1, max_size=25
)


@given(PARTITIONS)
def test_precision_and_recall_are_what_counting_pairs_gives(rows: list[tuple[int, str]]) -> None:
    found = {n: contact for n, (contact, _) in enumerate(rows)}
    truth = {n: person for n, (_, person) in enumerate(rows)}
    claimed = {pair for pair in combinations(truth, 2) if found[pair[0]] == found[pair[1]]}
    wanted = {pair for pair in combinations(truth, 2) if truth[pair[0]] == truth[pair[1]]}
    quality = Quality.of(found, truth)
    assert quality.precision == (len(claimed & wanted) / len(claimed) if claimed else 1.0)
    assert quality.recall == (len(claimed & wanted) / len(wanted) if wanted else 1.0)


@given(PARTITIONS)
def test_the_truth_itself_is_perfect(rows: list[tuple[int, str]]) -> None:
    truth = {n: person for n, (_, person) in enumerate(rows)}
    assert Quality.of(truth, truth) == Quality(1.0, 1.0)
    assert left_over(truth, truth) == 0.0
    assert impure(truth, truth) == 0.0


def test_duplicates_left_are_contacts_beyond_one_a_person() -> None:
    truth = dict(enumerate("aaab"))
    assert left_over({0: 1, 1: 1, 2: 2, 3: 3}, truth) == pytest.approx(1 / 3)
    assert left_over({}, {}) == 0.0


def test_pairs_are_joined_directly_or_through_others() -> None:
    roots = closure("abcde", [("a", "b"), ("c", "b"), ("d", "e")])
    assert roots["a"] == roots["b"] == roots["c"] != roots["d"] == roots["e"]


def test_the_majority_of_equals_is_the_first_by_name() -> None:
    assert majority(["b", "a", "b", "a"]) == "a"
    assert majority([]) is None
