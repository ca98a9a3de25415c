"""How rare a value is, in a base of a few records and of many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.matching.statistics import (
    Counts,
    moves,
    step_of_count,
    step_of_size,
)

_MANY = st.integers(min_value=0, max_value=10_000_000)


def test_what_many_share_is_not_rare_for_being_seen_little_in_a_small_base() -> None:
    """A town of one in a hundred says hardly more among 2,000 people than among 20,000."""
    small = Counts(2_000, {("city", "leeds"): 20}).rarity("city", "leeds")
    large = Counts(20_000, {("city", "leeds"): 200}).rarity("city", "leeds")
    assert small == pytest.approx(large, abs=0.5)


@pytest.mark.parametrize("attribute", ["email", "phone", "birthday", "custom:passport"])
def test_what_is_ones_own_is_rare_in_the_smallest_base(attribute: str) -> None:
    counts = Counts(2, {(attribute, "x"): 2, ("city", "x"): 2})
    assert counts.rarity(attribute, "x") > counts.rarity("city", "x") + 2.0


@given(_MANY, _MANY)
def test_rarity_is_never_negative_and_falls_with_the_count(records: int, count: int) -> None:
    rarities = [
        Counts(records, {("city", "leeds"): seen}).rarity("city", "leeds")
        for seen in (count, count + 1)
    ]
    assert rarities[0] >= rarities[1] >= 0.0


@given(_MANY)
def test_a_step_is_small_and_told_of(count: int) -> None:
    step = step_of_count(count + 1) - step_of_count(count)
    assert (step == 0.0) or moves(count + 1)
    assert 0.0 <= step_of_size(count + 1) - step_of_size(count) <= 0.25
