"""What people order about who is whom, by the names that they know the contacts by."""

from typing import Any

import pytest

from services.resolver.domain.cluster import Reshaping
from services.resolver.domain.judgements import Answer, answer, contacts_of, judge
from services.resolver.domain.merge import Refused
from shared.events.command import (
    ApproveMerge,
    ChosenIdentifier,
    Judgement,
    MergeContacts,
    RejectMerge,
    SplitContact,
)
from tests.support.merging import WORKSPACES, World
from tests.support.signals import TENANT

MERGE_ID = f"mrg_{9:026d}"


def name(number: int) -> str:
    return f"con_{number:026d}"


def ordered(order: type[Judgement], contact: int, **more: Any) -> Judgement:
    """Give an order about a contact; others are named by number."""
    return order.model_validate(
        {
            "command_id": f"cmd_{contact:026d}",
            "tenant": TENANT,
            "workspace": WORKSPACES[1],
            "issued_at": "2026-01-31T12:00:00Z",
            "contact_id": name(contact),
            **{key: name(one) if isinstance(one, int) else one for key, one in more.items()},
        }
    )


def carried_out(world: World, command: Judgement) -> Answer:
    """Decide an order as the store does, and keep what comes of it."""
    known = {one.public_id: one.id for one in world.known.contacts.values()}
    named = {one: known[one] for one in contacts_of(command) if one in known}
    plan = judge(command, world.cluster(*named.values()), named, MERGE_ID, world.order())
    if isinstance(plan, Reshaping):
        world.apply(plan)
    return answer(plan)


@pytest.fixture
def world() -> World:
    """Ada, contact 1, Bob, contact 2, who share nothing."""
    world = World()
    world.tell("ada", email="ada@x.org", name="Ada Lovelace")
    world.tell("bob", phone="+14155550100", name="Bob Ross")
    return world


@pytest.mark.parametrize("order", [ApproveMerge, RejectMerge, MergeContacts])
def test_a_name_that_is_nobodys_is_said(world: World, order: type[Judgement]) -> None:
    other = "absorbed_id" if order is MergeContacts else "other_id"
    assert carried_out(world, ordered(order, 1, **{other: 3})) == Answer("unknown_contact")
    assert carried_out(world, ordered(order, 3, **{other: 1})) == Answer("unknown_contact")
    assert world.merges == []


def test_what_was_seen_of_another_version_is_not_decided(world: World) -> None:
    late = ordered(ApproveMerge, 1, other_id=2, expected={name(2): 7})
    assert carried_out(world, late) == Answer("conflict")
    seen = ordered(ApproveMerge, 1, other_id=2, expected={name(1): 1, name(2): 1})
    assert carried_out(world, seen).outcome == "done"


def test_whoever_merges_says_who_survives(world: World) -> None:
    done = carried_out(world, ordered(MergeContacts, 2, absorbed_id=1))
    assert (done.outcome, done.merge_id, world.root(1)) == ("done", MERGE_ID, 2)
    assert done.positions == {one.public_id: one.version for one in world.known.contacts.values()}


def test_the_older_survives_a_yes_unless_it_is_archived(world: World) -> None:
    archived = World()
    for number in (1, 2):
        archived.tell(f"r{number}", email=f"{number}@x.org", name=f"Person {number}")
    archived.archive(1)
    for one, survivor in ((world, 1), (archived, 2)):
        assert carried_out(one, ordered(ApproveMerge, 2, other_id=1)).outcome == "done"
        assert {one.root(1), one.root(2)} == {survivor}


def test_a_no_keeps_them_apart(world: World) -> None:
    no = ordered(RejectMerge, 2, other_id=1)
    assert (carried_out(world, no).outcome, world.apart) == ("done", {(1, 2)})
    assert carried_out(world, no) == Answer("unchanged")


def test_a_split_undoes_the_merge_that_is_named_or_else_the_newest(world: World) -> None:
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    first = world.merge(1, 2)
    newest = world.merge(1, 3)
    done = carried_out(world, ordered(SplitContact, 1, merge_id=first))
    assert (done.merge_id, world.root(2), world.root(3)) == (first, 2, 1)
    assert carried_out(world, ordered(SplitContact, 3)).merge_id == newest
    assert carried_out(world, ordered(SplitContact, 1)) == Answer("unknown_merge")


@pytest.mark.parametrize("by", ["records", "identifiers"])
def test_a_split_takes_out_what_is_chosen(world: World, by: str) -> None:
    world.tell("desk", email="ada@x.org", phone="+14155550101", name=None)
    world.tell("eve", phone="+14155550101", name="A. Lovelace", notes="hers")
    told = world.known.contacts[1].claims.values()
    eve = next(one.record_key for one in told if one.facts.notes)
    chosen: dict[str, Any] = {
        "records": [eve.hex()],
        "identifiers": [ChosenIdentifier(type="phone_e164", value="+14155550101")],
    }
    done = carried_out(world, ordered(SplitContact, 1, **{by: chosen[by]}))
    assert (done.outcome, done.merge_id) == ("done", None)
    assert done.positions.keys() == {name(1), name(3)}
    assert [*world.known.contacts[3].claims] == [eve]


def test_what_nothing_assigns_is_listed_in_hex(world: World) -> None:
    world.merge(1, 2)
    world.known.about[1, name(1)] = 1
    world.tell("guess", source="apollo", name=None, title="Guess", about=name(1))
    (record,) = (
        one.record_key
        for one in world.known.contacts[1].claims.values()
        if one.source.name == "apollo"
    )
    assert carried_out(world, ordered(SplitContact, 1)).unassigned == (record.hex(),)


def test_a_refusal_is_its_reason() -> None:
    assert answer(Refused("archived_survivor")) == Answer("archived_survivor")
