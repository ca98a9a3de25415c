"""Partitions of components: independent of order, sceptical of bridges, obedient to people."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.matching.partitioning import (
    LARGEST,
    Judgements,
    Link,
    Rules,
    components,
    partition,
)
from services.resolver.domain.matching.tiers import Action

Pair = tuple[bytes, bytes]
A, B, C, D = (bytes([number]) for number in range(4))


def action_at(bits: float) -> Action:
    return Action.MERGE if bits >= 4 else Action.FLAG if bits >= 0 else Action.NOTHING


RULES = Rules(action_at)


def linking(
    weights: dict[Pair, float],
    *,
    barred: frozenset[Pair] = frozenset(),
    doubtful: frozenset[Pair] = frozenset(),
) -> Callable[[bytes, bytes], Link]:
    """Compare records; of pairs in `doubtful` no more is allowed than to review them."""

    def link(one: bytes, other: bytes) -> Link:
        allowed = Action.REVIEW if (one, other) in doubtful else Action.MERGE
        return Link(weights.get((one, other), -9.0), allowed, (one, other) in barred)

    return link


def test_what_agrees_is_joined_and_every_join_is_told() -> None:
    made = partition([A, B, C], linking({(A, B): 8, (A, C): 3, (B, C): 3}), RULES)
    assert made.groups == ((A, B, C),)
    assert [(step.left, step.right, step.action) for step in made.steps] == [
        ((A,), (B,), Action.MERGE),
        ((A, B), (C,), Action.FLAG),
    ]


def test_one_weak_bridge_fuses_nobody() -> None:
    weights = {(A, B): 9.0, (C, D): 9.0, (B, C): 5.0, (A, C): -9.0, (A, D): -9.0, (B, D): -9.0}
    assert partition([A, B, C, D], linking(weights), RULES).groups == ((A, B), (C, D))


def test_a_bar_holds_against_any_weight_and_is_shown_to_people() -> None:
    strict = Rules(lambda bits: Action.MERGE if bits > 0 else Action.NOTHING)
    made = partition([A, B], linking({(A, B): 30}, barred=frozenset({(A, B)})), strict)
    assert made.groups == ((A,), (B,))
    assert [(one.left, one.right) for one in made.proposals] == [((A,), (B,))]


def test_half_of_the_pairs_bar_two_groups_and_fewer_do_not() -> None:
    """One record with somebody else's name in it does not bar all the others."""
    alike = {(one, other): 9.0 for one in (A, B, C) for other in (B, C, D) if one < other}
    link = linking(alike, barred=frozenset({(A, D)}))
    assert partition([A, B, D], link, RULES).groups == ((A, B), (D,))
    assert partition([A, B, C, D], link, RULES).groups == ((A, B, C, D),)


@pytest.mark.parametrize("doubtful", [(A, C), (B, C)])
def test_one_pair_that_may_join_lets_its_groups(doubtful: Pair) -> None:
    """What one record lacks to be sure of, another of its group has."""
    alike = {(A, B): 9.0, (A, C): 5.0, (B, C): 5.0}
    link = linking(alike, doubtful=frozenset({doubtful}))
    assert partition([A, B, C], link, RULES).groups == ((A, B, C),)


@pytest.mark.parametrize("kind", ["different", "waiting"])
@pytest.mark.parametrize("pair", [(A, B), (A, C), (B, C)])
def test_two_whom_people_keep_apart_meet_in_no_group(pair: Pair, kind: str) -> None:
    """Whichever of them somebody else joins first."""
    link = linking({(A, B): 9, (A, C): 9, (B, C): 9})
    said = Judgements(**{kind: frozenset({pair})})
    groups = partition([A, B, C], link, RULES, said).groups
    assert len(groups) == 2
    assert not any({*pair} <= {*group} for group in groups)


def test_what_waits_for_a_person_is_joined_by_nobody_else_and_shown() -> None:
    said = Judgements(waiting=frozenset({(A, B)}))
    made = partition([A, B, C], linking({(A, B): 9, (B, C): 9, (A, C): 9}), RULES, said)
    assert made.groups == ((A, C), (B,))
    assert [(one.left, one.right) for one in made.proposals] == [((A, C), (B,))]


def test_people_have_the_last_word() -> None:
    link = linking({(A, B): 9, (B, C): -9, (A, C): -9})
    said = Judgements(same=frozenset({(B, C)}), different=frozenset({(A, B)}))
    made = partition([A, B, C], link, RULES, said)
    assert made.groups == ((A,), (B, C))
    assert not made.proposals


def weighed(dice: Random, size: int) -> tuple[list[bytes], dict[tuple[bytes, bytes], float]]:
    """Make records, and a weight by chance for each pair of them."""
    records = [bytes([number]) for number in range(size)]
    weights = {
        (one, other): round(dice.gauss(0, 6)) + 0.0
        for place, one in enumerate(records)
        for other in records[place + 1 :]
    }
    return records, weights


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_a_partition_does_not_depend_on_the_order_of_its_records(seed: int, size: int) -> None:
    dice = Random(seed)
    records, weights = weighed(dice, size)
    shuffled = dice.sample(records, size)
    made = partition(shuffled, linking(weights), RULES)
    assert made == partition(records, linking(weights), RULES)
    assert sorted(record for group in made.groups for record in group) == records


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_pairs_below_the_floor_change_nothing_whether_named_or_not(seed: int, size: int) -> None:
    """What `linked` leaves out is compared all the same where the groups of a pair may join."""
    records, weights = weighed(Random(seed), size)
    linked: dict[bytes, set[bytes]] = {record: set() for record in records}
    for (one, other), weight in weights.items():
        if weight >= 0:
            linked[one].add(other)
            linked[other].add(one)
    made = partition(records, linking(weights), RULES, linked=linked)
    assert made == partition(records, linking(weights), RULES)


def test_pairs_that_are_not_worth_it_are_not_compared() -> None:
    compared = []

    def link(one: bytes, other: bytes) -> Link:
        compared.append((one, other))
        return Link(-1.0, Action.MERGE)

    linked = {A: {B}, B: {A, C}, C: {B, D}, D: {C}}
    assert partition([A, B, C, D], link, RULES, linked=linked).groups == ((A,), (B,), (C,), (D,))
    assert compared == [(A, B), (B, C), (C, D)]


def test_a_component_that_is_too_large_is_cut_at_its_weakest_links() -> None:
    records = [number.to_bytes(2) for number in range(2 * LARGEST)]
    links: dict[bytes, dict[bytes, float]] = {record: {} for record in records}
    for one, other in pairwise(records):
        weight = 0.5 if other == records[LARGEST] else 9.0
        links[one][other] = links[other][one] = weight
    found = components(links, records, 0.0)
    assert sorted(map(len, found)) == [LARGEST, LARGEST]
    assert found == components(links, reversed(records), 0.0)


def test_thousands_of_equals_are_bounded() -> None:
    records = [number.to_bytes(2) for number in range(LARGEST + 1)]
    links = {one: {other: 5.0 for other in records if other != one} for one in records}
    assert all(len(part) <= LARGEST for part in components(links, records, 0.0))
