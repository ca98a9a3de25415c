"""What a merge would make of two contacts is what it makes of them."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from services.resolver.domain.composition import Composite
from services.resolver.domain.foreseeing import Foreseen, counts, foresee, no_ids
from services.resolver.domain.marking import Mark, mark
from services.resolver.domain.merge import Refused
from tests.support.histories import live_twice
from tests.support.merging import World

HISTORIES = 100


def pair(**more: Any) -> World:
    """Make Ada, contact 1, and A. King, contact 2, who share nothing."""
    world = World()
    world.tell("ada", email="ada@x.org", name="Ada Lovelace", company="Engines", title="CTO")
    world.tell("king", phone="+14155550100", name="A. King", title="cto", **more)
    return world


def foreseen(world: World, survivor: int, absorbed: int) -> Foreseen:
    cluster = deepcopy(world.cluster(survivor, absorbed))  # as one that was read for it alone
    return foresee(cluster, survivor, absorbed, replace(world.order(), ids=no_ids()))


def test_both_are_shown_with_what_they_hold_and_where_they_differ() -> None:
    world = pair()
    before = world.holdings()
    told = foreseen(world, 1, 2)
    assert (told.outcome, told.is_kept_apart) == ("possible", False)
    assert (told.survivor.version, told.absorbed.version) == (1, 1)
    assert told.merged
    shown = told.merged.fields["display_name"]
    assert ("display_name", "Ada Lovelace", "A. King", shown) in told.conflicts()
    assert "job_title" not in {field for field, *_ in told.conflicts()}
    assert world.holdings() == before


def test_what_both_hold_counts_once() -> None:
    world = pair()
    world.tell("more", email="ada@x.org", name="Ada Lovelace")
    told = foreseen(world, 1, 2)
    assert told.merged
    numbers = [counts(one)["records"] for one in (told.survivor.made, told.absorbed.made)]
    assert numbers == [2, 1]
    assert counts(told.merged)["records"] == 3
    assert (counts(told.merged)["emails"], counts(told.merged)["phones"]) == (1, 1)
    assert counts(told.merged)["workspaces"] == 1


def test_what_people_say_for_their_workspaces_is_not_counted() -> None:
    world = pair()
    world.say(1, 1, partial(mark, one=Mark("tag", f"tag_{'0' * 26}", "vip", wanted=True)))
    told = foreseen(world, 1, 2)
    assert told.merged
    numbers = [counts(one)["records"] for one in (told.survivor.made, told.merged)]
    assert numbers == [1, 2]


def test_why_nothing_would_be_done_is_said() -> None:
    world = pair()
    world.merge(1, 2)
    assert (foreseen(world, 1, 2).outcome, foreseen(world, 1, 1).merged) == ("unchanged", None)
    world = pair()
    world.archive(1)
    assert foreseen(world, 1, 2).outcome == "archived_survivor"
    assert foreseen(world, 2, 1).outcome == "possible"


def test_that_a_person_keeps_them_apart_is_said_since_to_merge_overrules_it() -> None:
    world = pair()
    assert not isinstance(world.reject(1, 2), Refused)
    told = foreseen(world, 1, 2)
    assert (told.outcome, told.is_kept_apart) == ("possible", True)


def test_what_is_foreseen_is_what_comes() -> None:
    """In histories of any kind, of any two of their contacts."""
    compared = 0
    for seed in range(HISTORIES):
        dice = Random(seed)
        world, _ = live_twice(dice, dice.randint(5, 25), lambda _: None)
        standing = [
            one.id
            for one in world.known.contacts.values()
            if one.status not in {"merged", "deleted"}
        ]
        if len(standing) < 2:
            continue
        survivor, absorbed = dice.sample(standing, 2)
        told = foreseen(world, survivor, absorbed)
        if told.merged is None:
            assert isinstance(world.merge(survivor, absorbed), Refused)
            continue
        world.merge(survivor, absorbed)
        assert _said(told.merged) == _said(foreseen(world, survivor, survivor).survivor.made)
        compared += 1
    assert compared > HISTORIES / 4


def test_what_is_never_written_needs_no_ids() -> None:
    ids = no_ids()
    assert next(ids.bindings) < 0
    assert next(ids.contacts, None) is None


def _said(made: Composite) -> tuple[Any, ...]:
    return made.fields, made.identifiers.keys(), made.jobs, made.bound, made.emails.keys()
