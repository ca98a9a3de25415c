"""What the machine had put together comes apart, and nothing else does."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.cluster import Reshaping
from services.resolver.domain.matches import Parting
from services.resolver.domain.merge import Refused
from services.resolver.domain.parting import may_part, part
from shared.events.contact import ContactsSplit
from tests.support.merging import World
from tests.support.signals import a_delivery

MAIL, PHONE = {"email": "ada@x.org"}, {"phone": "+14155550100"}


def keys(world: World, *records: str) -> frozenset[bytes]:
    """Return the keys of records, all or those of these names."""
    return frozenset(
        row.delivery.record_key
        for _, row in world.ledger
        if not records or row.delivery.signal.source_record_id in records
    )


def a_world(**said: dict[str, Any]) -> World:
    """Let records through the gate, in this order."""
    world = World()
    for record, facts in said.items():
        world.tell(record, **facts)
    return world


def parted(world: World, leaving: str, held: Collection[bytes] = ()) -> bool:
    """Take a record out of the first contact; tell whether it may leave."""
    record = keys(world, leaving)
    wished = Parting(1, keys(world), (record,), frozenset({1}))
    if not may_part(world.cluster(1), wished, held):
        return False
    plan = part(world.cluster(1), record, world.order(by_person=False))
    assert isinstance(plan, Reshaping)
    world.apply(plan)
    return True


def test_what_an_identifier_had_joined_leaves_with_what_is_its_own() -> None:
    other = {"phone": "+442079460000"}
    world = a_world(a={**MAIL, **PHONE}, b=MAIL | other, c=MAIL | PHONE)
    assert parted(world, "b")
    holders = world.known.holders
    assert holders[1, "phone_e164", "+442079460000"] == holders[1, "email", "ada@x.org"] + 1
    told = [one for each in world.streams.values() for one in each if type(one) is ContactsSplit]
    assert {one.decided_by for one in told} == {"machine"}
    assert not world.apart, "only people keep contacts apart"


def test_a_merge_that_brought_just_these_records_is_undone() -> None:
    world = a_world(a=MAIL, b=PHONE)
    world.merge(1, 2, by_person=False)
    assert parted(world, "b")
    assert not world.merges
    assert world.known.contacts[2].status == "active"


def test_what_a_person_said_stays() -> None:
    merged = a_world(a=MAIL, b=PHONE)
    merged.merge(1, 2)
    assert not parted(merged, "b")
    held = a_world(a=MAIL, b=MAIL | PHONE)
    assert not parted(held, "b", held=keys(held, "b"))


def test_what_identifiers_do_not_explain_stays() -> None:
    """A vendor answered about the contact; a person wrote it; it was told anew, and stayed."""
    assert parted(a_world(a=MAIL, b=MAIL), "b")
    assert not parted(a_world(a=MAIL, b={**MAIL, "source": "apollo"}), "b")
    assert not parted(a_world(a=MAIL, b={**MAIL, "source": "manual_entry"}), "b")
    answered = {**MAIL, "source": "apollo"}
    assert not parted(a_world(a=MAIL, b=answered), "a"), (
        "the answer would be left without its question"
    )
    assert not parted(a_world(a=MAIL, b=MAIL, c=answered), "b")
    world = a_world(a=MAIL, b=MAIL)
    world.tell("b", email="ada@x.org", title="Countess", minutes=5)
    assert not parted(world, "b")


def test_of_several_merges_the_one_that_brought_these_records_is_undone() -> None:
    """The older of two, and by the records of either side."""
    for leaving in ("b", "a"):
        world = a_world(a=MAIL, b=PHONE)
        brought = world.merge(1, 2, by_person=False)
        if leaving == "b":
            world.tell("c", email="cyd@x.org", name="Cyd Low")
            world.merge(1, 3, by_person=False)
        wished = Parting(1, keys(world), (keys(world, leaving),), frozenset({1}))
        assert may_part(world.cluster(1), wished, ())
        plan = part(world.cluster(1), keys(world, leaving), world.order(by_person=False))
        assert isinstance(plan, Reshaping)
        assert plan.undone == [brought]


def test_whoever_holds_the_records_is_parted_whichever_contacts_are_looked_at() -> None:
    world = a_world(z={"email": "zoe@x.org", "name": "Zoe Zander"}, a=MAIL, b=MAIL)
    plan = part(world.cluster(1, 2), keys(world, "b"), world.order(by_person=False))
    assert isinstance(plan, Reshaping)
    world.apply(plan)
    assert [{*one.claims} for one in world.known.contacts.values()] == [
        keys(world, record) for record in ("z", "a", "b")
    ]


def test_nobody_leaves_unless_all_may() -> None:
    """Of two parts, or of two records of a part: one came by an identifier, one was told anew."""
    world = a_world(a=MAIL, b=MAIL, c=MAIL)
    world.tell("c", email="ada@x.org", title="Countess", minutes=5)
    one, other = keys(world, "b"), keys(world, "c")
    for leaving in ((one, other), (other, one), (one | other,)):
        wished = Parting(1, keys(world), leaving, frozenset({1}))
        assert not may_part(world.cluster(1), wished, ())


@pytest.mark.parametrize(
    ("named", "may"),
    [
        ((MAIL, MAIL, PHONE), False),
        ((PHONE, MAIL, PHONE), True),
        (({}, {}, PHONE), True),
        ((MAIL, {}, {}), False),
    ],
)
def test_what_holds_a_record_is_an_identifier_that_another_of_its_home_names(
    named: Sequence[dict[str, str]], *, may: bool
) -> None:
    """Where the others name only what it does not, something else had brought it: it stays."""
    world = a_world(a=MAIL, b=MAIL, c=MAIL)
    cluster = world.cluster(1)
    cluster.applied[1] = [
        replace(one, identifiers=a_delivery(**said).identifiers)
        for one, said in zip(cluster.applied[1], named, strict=True)
    ]
    for leaving, expected in (("c",), may), (("b", "c"), False):
        wished = Parting(1, keys(world), (keys(world, *leaving),), frozenset({1}))
        assert may_part(cluster, wished, ()) is expected, leaving


def test_where_a_person_put_a_record_the_machine_leaves_it() -> None:
    world = a_world(a=MAIL, b=MAIL, c=MAIL)
    world.take_out(1, [*keys(world, "b", "c")], [])
    moved = keys(world, "b", "c")
    wished = Parting(2, moved, (keys(world, "c"),), frozenset({2}))
    assert not may_part(world.cluster(2), wished, ())


def test_whom_its_name_brought_to_another_home_may_leave_that() -> None:
    """It names what one home holds, and whoever is there is called otherwise."""
    ada = {"name": "Ada Lovelace"}
    world = a_world(a={**MAIL, "name": "Zqx"}, b=PHONE | ada, c=MAIL | ada)
    world.merge(1, 2, by_person=False)
    world.merge(1, 3, by_person=False)
    world.tell("d", email="ada@x.org", name="Ada Lovelace")
    (evidence,) = [
        (one.home, one.evidence)
        for one in Assigned.of(world.cluster(1)).applied[1]
        if one.claim.record_key in keys(world, "d")
    ]
    assert evidence == (2, "name")
    assert parted(world, "d")


def test_a_contact_that_holds_others_by_now_is_left_alone() -> None:
    world = a_world(a=MAIL, b=MAIL)
    wished = Parting(1, keys(world) | {b"gone"}, (keys(world, "b"),), frozenset({1}))
    assert not may_part(world.cluster(1), wished, ())


def test_what_left_already_is_left_alone() -> None:
    world = a_world(a=MAIL)
    plan = part(world.cluster(1), keys(world), world.order(by_person=False))
    assert plan == Refused("unchanged")
