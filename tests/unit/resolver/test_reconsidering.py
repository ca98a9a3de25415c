"""A value turns out to be shared: what it alone had joined comes apart."""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.matching.statistics import SHARED_BY
from services.resolver.domain.model import Sharing
from shared.events.contact import ContactsSplit
from tests.support.merging import World
from tests.unit.resolver.test_gate_vetoes import people

PHONE = "+14155550100"
KEY = (1, "phone_e164", PHONE)


def crowd(world: World, count: int = SHARED_BY) -> None:
    """Let so many people be seen with the phone, each called otherwise."""
    for number, name in enumerate(people(count)):
        world.tell(f"p{number}", phone=PHONE, email=f"p{number}@x.org", name=name)


def groups(world: World) -> set[frozenset[str]]:
    """Return the partition of source records."""
    found: dict[int, set[str]] = {}
    for _, row in world.ledger:
        record = row.delivery.record_key
        current = next(one for one in world.known.records[1, record] if one.current)
        name = row.delivery.signal.source_record_id or ""
        found.setdefault(world.root(current.contact_id), set()).add(name)
    return {frozenset(one) for one in found.values()}


def test_what_a_switchboard_had_joined_comes_apart() -> None:
    """Nameless records went to the holder; found out, nothing says that they are the holder's."""
    world = World()
    world.tell("first", phone=PHONE, email="first@x.org", name="John Smith")
    for number in range(3):
        world.tell(f"n{number}", phone=PHONE, email=f"n{number}@x.org", name=None)
    world.tell("again", phone="+14155550199", email="n1@x.org", name=None)
    assert len(groups(world)) == 1
    crowd(world)
    assert world.known.sharing[KEY].status == "shared"
    assert {frozenset({"n0"}), frozenset({"n1", "again"}), frozenset({"n2"})} <= groups(world)
    holder = world.known.holders[1, "email", "n1@x.org"]
    assert world.known.holders[1, "phone_e164", "+14155550199"] == holder
    assert holder == 1, "the largest part keeps the contact's id"


def test_it_is_told_at_once_to_all_and_by_whom() -> None:
    world = World()
    for number in range(3):
        world.tell(f"n{number}", phone=PHONE, name=None)
    crowd(world)
    (told,) = [
        one for one in world.streams["con_" + "1".zfill(26)] if isinstance(one, ContactsSplit)
    ]
    assert told.decided_by == "machine"
    assert (told.original_id, told.merge_id) == (told.contact_id, None)
    born = {told.new_id, *told.others}
    assert len(born) == 3
    for name in born - {"con_" + "2".zfill(26)}:
        assert [type(one).__name__ for one in world.streams[name]][:1] == ["ContactCreated"]


def test_what_another_identifier_joins_stays() -> None:
    world = World()
    world.tell("a", phone=PHONE, email="john@x.org", name="John Smith")
    world.tell("b", phone=PHONE, email="john@x.org", name=None)
    world.tell("c", email="john@x.org", name="J. Smith")
    crowd(world)
    assert frozenset({"a", "b", "c", "p0"}) - {"p0"} in {one - {"p0"} for one in groups(world)}


def test_it_goes_to_whom_its_other_identifier_belongs() -> None:
    """The phone was the stronger hit once: without it, the handle decides."""
    world = World()
    world.tell("x", phone="+14155550177", name="Walter Brown")
    world.tell("h", email="thebrowns@x.org", name=None)
    world.tell("r", email="thebrowns@x.org", phone="+14155550177", name="Walter Brown")
    assert frozenset({"h", "r"}) in groups(world)
    for number, name in enumerate(people(SHARED_BY + 2)):
        world.tell(f"p{number}", email="thebrowns@x.org", name=name)
    assert not world.known.sharing[1, "email", "thebrowns@x.org"].gates
    assert frozenset({"x", "r"}) in groups(world)


def test_what_a_person_merged_is_left_alone() -> None:
    world = World()
    world.tell("a", phone=PHONE, name="John Smith")
    world.tell("b", email="b@x.org", name="John Smith")
    world.tell("n", phone=PHONE, name=None)
    world.merge(1, 2)
    world.held = set(world.known.contacts[1].claims)
    world.tell("later", phone=PHONE, name=None)
    crowd(world)
    assert {"a", "b", "n"} <= next(one for one in groups(world) if "a" in one)
    assert frozenset({"later"}) in groups(world)


@pytest.mark.parametrize("source", ["apollo", "ai_deep_research"])
def test_an_answer_stays_with_whom_it_was_about(source: str) -> None:
    world = World()
    world.tell("a", phone=PHONE, email="a@x.org", name="John Smith")
    world.tell("vendor", phone=PHONE, name="John Smith", source=source)
    crowd(world)
    assert {"a", "vendor"} <= next(one for one in groups(world) if "a" in one)


def test_a_large_contact_comes_apart_in_steps() -> None:
    world = World()
    for number in range(7):
        world.tell(f"n{number}", phone=PHONE, name=None)
    world.known.sharing[KEY] = Sharing("shared")
    del world.known.holders[KEY]
    steps = 0
    while world.part(1, KEY, most=2):
        steps += 1
    assert steps == 3
    assert len(groups(world)) == 7
    assert world.part(1, KEY) is None


mentions = st.lists(
    st.tuples(
        st.sampled_from([*people(SHARED_BY + 1), None, None]),
        st.sampled_from([None, "a@x.org", "b@x.org", "c@x.org"]),
    ),
    min_size=1,
    max_size=14,
)


def told(said: Iterable[tuple[str, tuple[str | None, str | None]]]) -> World:
    world = World()
    for record, (name, email) in said:
        world.tell(record, phone=PHONE, email=email, name=name)
    return world


def pairs(partition: Iterable[frozenset[str]]) -> set[tuple[str, str]]:
    return {(a, b) for group in partition for a in group for b in group if a < b}


@settings(max_examples=20, deadline=None)
@given(said=mentions, order=st.randoms(use_true_random=False))
def test_streams_fold_and_nothing_is_lost(said: Sequence[Any], order: Random) -> None:
    world = told((f"r{number}", one) for number, one in enumerate(said))
    crowd(world)
    assert sum(map(len, groups(world))) == len(said) + SHARED_BY
    for contact, state in (
        (one, world.states()[one.public_id]) for one in world.known.contacts.values()
    ):
        held = {key[1:] for key, holder in world.known.holders.items() if holder == contact.id}
        assert {(one.type, one.value) for one in state.identifiers} == held
        assert state.version == contact.version


def test_the_order_does_not_matter() -> None:
    """Shared from the first record or found out with the last: the same people (DESIGN 4.2)."""
    counted: Counter[str] = Counter()
    for seed in range(60):
        dice = Random(seed)
        said: list[tuple[str, tuple[str | None, str | None]]] = []
        for number in range(14):
            who = dice.randrange(4)
            name = dice.choice([people(4)[who], None])
            said.append((f"r{number}", (name, dice.choice([None, f"m{who}@x.org"]))))
        said += [(f"p{n}", (name, f"p{n}@x.org")) for n, name in enumerate(people(SHARED_BY))]
        one = pairs(groups(told(said)))
        dice.shuffle(said)
        other = pairs(groups(told(said)))
        counted["same"] += len(one & other)
        counted["different"] += len(one ^ other)
    assert counted["same"] > 200
    assert counted["different"] <= counted["same"] / 1000, counted
