"""An import that was taken back has never been, but for what others said since."""

from collections import Counter
from functools import partial
from random import Random
from typing import Any

import pytest

from services.resolver.domain.marking import Mark, fill, mark
from shared.events.contact import ContactDeleted, ContactsSplit, FactRetracted
from shared.events.fold import ContactState
from tests.support.histories import Said, a_said
from tests.support.merging import World

VIP = Mark("tag", f"tag_{'0' * 26}", "vip", wanted=True)
IMPORT, LATER = "imp_" + "1" * 26, "imp_" + "2" * 26


def contacts(world: World) -> dict[frozenset[str], Any]:
    """Return contacts by the records that they are made of, as far as they are anybody."""
    found = {}
    states = world.states()
    for contact in world.known.contacts.values():
        state = states[contact.public_id]
        if state.status in {"deleted", "merged"}:
            assert not contact.claims
            continue
        bindings = {
            world.bindings[contact.id, workspace].shown
            for workspace in (1, 2)
            if (contact.id, workspace) in world.bindings
            and world.bindings[contact.id, workspace].is_live
        }
        name = frozenset(key.hex() for key in contact.claims)
        assert name not in found
        found[name] = (_essence(state), bindings)
    return found


def _essence(state: ContactState) -> object:
    return (
        state.status,
        state.source,
        {name: one for name, one in state.fields.items() if name != "company_id"},
        {name: one for name, one in state.provenance.items() if name != "company_id"},
        {(one.type, one.value) for one in state.identifiers},
        Counter((one.company_name, one.title) for one in state.employments),
        state.bindings,
    )


def test_what_only_the_import_brought_is_gone() -> None:
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", phone="+14155550100", name="Bob Ross", import_id=IMPORT)
    world.tell("r3", email="c@x.org", name="Cyd Low")
    before = world.states()["con_" + f"{3:026d}"]
    assert world.retract(IMPORT) == []
    assert [one.status for one in world.states().values()] == ["deleted", "deleted", "active"]
    assert world.states()[before.contact_id] == before
    assert [type(events[-1]) for events in world.streams.values()][:2] == [ContactDeleted] * 2
    assert [value for _, _, value in world.known.holders] == ["c@x.org"]


def test_an_update_is_taken_back_and_the_version_before_counts_again() -> None:
    world = World()
    world.tell("r1", email="a@x.org", title="CTO", company="Acme", notes="met")
    before = contacts(world)
    world.tell("r1", email="b@x.org", title="CEO", company="Acme", minutes=1, import_id=IMPORT)
    world.retract(IMPORT)
    assert contacts(world) == before
    (events,) = world.streams.values()
    retracted = next(one for one in events if isinstance(one, FactRetracted) and one.restored)
    assert retracted.restored
    assert retracted.restored.facts.employments[0].title == "CTO"


def test_a_version_that_came_too_late_because_of_the_import_counts() -> None:
    world, plain = World(), World()
    for one in (world, plain):
        one.tell("r1", email="a@x.org")
    world.tell("r1", email="b@x.org", minutes=9, import_id=IMPORT)
    for one in (world, plain):
        one.tell("r1", email="a@x.org", name="Ada King", minutes=5)
    world.retract(IMPORT)
    assert contacts(world) == contacts(plain)


def test_a_redelivery_stays_a_duplicate_and_a_later_import_opens_it_again() -> None:
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.retract(IMPORT)
    assert world.tell("r1", email="a@x.org", import_id=IMPORT).outcomes == {"duplicate": 1}
    assert world.tell("r1", email="a@x.org").outcomes == {"duplicate": 1}
    assert world.tell("r1", email="a@x.org", import_id=LATER).outcomes == {"created": 1}
    assert world.tell("r1", email="a@x.org", import_id=LATER).outcomes == {"duplicate": 1}


def test_what_comes_too_late_is_put_with_whom_its_record_is_by_now() -> None:
    """A contact that is gone had the record's first version."""
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.retract(IMPORT)
    world.tell("r1", email="a@x.org", minutes=5, import_id=LATER)
    (row,) = world.tell("r1", email="b@x.org", minutes=3).ledger
    assert (row.superseded, row.contact_id) == (True, 2)
    assert world.known.contacts[1].status == "deleted"


@pytest.mark.parametrize("source", ["apollo", "ai_deep_research"])
def test_an_answer_stays_with_whom_it_was_asked_about(source: str) -> None:
    """It names nobody: decided again as if it had come by itself, it would be a stranger's."""
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", email="a@x.org", phone="+14155550100", minutes=1)
    (ada,) = world.known.contacts.values()
    world.known.about[1, ada.public_id] = ada.id
    said: dict[str, Any] = {"title": "Countess", "company": "Engines", "about": ada.public_id}
    world.tell("v1", source=source, name=None, minutes=2, **said)
    world.retract(IMPORT)
    (state,) = world.states().values()
    assert [one.title for one in state.employments] == ["Countess"]
    assert state.fields["display_name"] == "Ada Lovelace"


def test_what_the_import_joined_comes_apart() -> None:
    """A live signal found its contact by an e-mail that only the import's row had."""
    world = World()
    world.tell("r1", phone="+14155550100")
    world.tell("r2", phone="+14155550100", email="a@x.org", import_id=IMPORT)
    world.tell("r3", email="a@x.org", phone="+14155550101")
    assert len(contacts(world)) == 1
    world.retract(IMPORT)
    assert sorted(map(len, contacts(world))) == [1, 1]
    assert {type(one) for events in world.streams.values() for one in events} >= {ContactsSplit}


def test_others_edits_survive_and_are_listed() -> None:
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", email="a@x.org", name="Ada B. Lovelace", source="manual_entry", notes="hers")
    world.keep(1, 1, stage="qualified")
    (kept,) = world.retract(IMPORT)
    fields = {"first_name", "last_name", "display_name", "email_primary", "notes", "stage"}
    assert set(kept.fields) == fields
    (state,) = world.states().values()
    assert (state.status, state.fields["display_name"]) == ("active", "Ada B. Lovelace")


def test_what_people_said_for_their_workspace_stays_with_whom_they_said_it_of() -> None:
    """A tag given since has no identifier to be decided by again: nobody is born of it."""
    world = World()
    world.tell("r1", email="a@x.org")
    world.tell("r2", email="a@x.org", title="CTO", company="Acme", minutes=1, import_id=IMPORT)
    world.say(1, 1, partial(mark, one=VIP))
    world.retract(IMPORT)
    (state,) = world.states().values()
    assert [one.labels for one in state.bindings.values()] == [("vip",)]


@pytest.mark.parametrize("is_known", [False, True])
def test_what_people_said_of_whom_an_import_had_brought_goes_where_the_rest_goes(
    is_known: bool,
) -> None:
    """What came live since becomes a contact again, this one or another that it names as well."""
    world = World()
    world.tell("r1", phone="+14155550100", email="c@x.org", import_id=LATER)
    world.tell("r2", email="a@x.org", phone="+14155550101", import_id=IMPORT)
    world.say(2, 1, partial(mark, one=VIP))
    world.tell("r3", email="a@x.org", phone="+14155550100" if is_known else None, minutes=1)
    world.retract(IMPORT)
    one, *others = world.states().values()
    if is_known:
        assert [one.status, *(each.status for each in others)] == ["active", "deleted"]
    else:
        assert not [bound for bound in one.bindings.values() if bound.labels]
        (one,) = others
    assert [bound.labels for bound in one.bindings.values()] == [("vip",)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("source", ["hubspot_crm", "email_sync"])
def test_what_people_said_of_whom_people_merged_stays_with_who_is_left(
    when: str, source: str
) -> None:
    """One import made one of them: the other has it then, also once the merge is undone."""
    world, plain = World(), World()
    live: dict[str, Any] = {"phone": "+14155550100", "name": "Ada L.", "source": source}
    gold = partial(fill, values={"tier": "gold"})
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    if when == "before":
        world.say(1, 1, partial(mark, one=VIP))
        world.say(1, 1, gold)
    world.tell("r2", **live)
    world.merge(1, 2)
    if when == "after":
        world.say(1, 1, partial(mark, one=VIP))
        world.say(1, 1, gold)
    (kept,) = world.retract(IMPORT)
    assert {"custom_fields", "labels"} <= set(kept.fields)
    plain.tell("r2", **live)
    (alone,) = plain.states().values()
    for undone in (False, True):
        if undone:
            world.undo(1)
        ada, other = world.states().values()
        left, gone = (other, ada) if undone else (ada, other)
        assert (left.status, left.fields) == (alone.status, alone.fields)
        assert [one.labels for one in left.bindings.values()] == [("vip",)]
        assert [one.custom_fields for one in left.bindings.values()] == [{"tier": "gold"}]
        assert gone.status == ("deleted" if undone else "merged")


def test_what_people_said_first_founds_nobody() -> None:
    """What it was said of is taken back, then what came next: who is left keeps his contact."""
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.say(1, 1, partial(mark, one=VIP))
    world.tell("r2", email="a@x.org", minutes=1, import_id=LATER)
    world.tell("r3", email="a@x.org", minutes=2)
    world.retract(IMPORT)
    world.retract(LATER)
    (state,) = world.states().values()
    assert [one.labels for one in state.bindings.values()] == [("vip",)]


@pytest.mark.parametrize("is_absorbed", [False, True])
def test_what_people_said_since_goes_with_who_is_left_when_the_merge_is_undone(
    *, is_absorbed: bool
) -> None:
    """Of the survivor, whom an import alone had made: nobody is made of words alone."""
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", phone="+14155550100", name="Ada L.")
    world.merge(1, 2)
    world.retract(IMPORT)
    world.say(1, 1, partial(mark, one=VIP))
    if is_absorbed:
        world.tell("r3", email="c@x.org", name="Cyd Low")
        world.merge(3, 1)
        world.undo(3, world.merges[0].public_id)
    world.undo(3 if is_absorbed else 1)
    gone, *others = world.states().values()
    left = next(one for one in others if any(bound.labels for bound in one.bindings.values()))
    assert (gone.status, left.status) == ("deleted", "active")
    assert [one.labels for one in left.bindings.values()] == [("vip",)]


def test_what_people_said_goes_with_the_last_of_whom_they_merged() -> None:
    """Nothing is left of either: nobody is made of words alone."""
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", phone="+14155550100", import_id=LATER)
    world.merge(1, 2)
    world.say(1, 1, partial(mark, one=VIP))
    world.retract(IMPORT)
    world.retract(LATER)
    assert [one.status for one in world.states().values()] == ["deleted", "merged"]
    assert not any(one.claims for one in world.known.contacts.values())


def test_what_people_said_stays_where_an_older_version_counts_again() -> None:
    world = World()
    world.tell("r1", email="a@x.org", minutes=9, import_id=IMPORT)
    world.tell("r1", email="a@x.org", name="Ada King", minutes=5)
    world.say(1, 1, partial(mark, one=VIP))
    world.retract(IMPORT)
    (state,) = world.states().values()
    assert (state.status, state.fields["display_name"]) == ("active", "Ada King")
    assert [one.labels for one in state.bindings.values()] == [("vip",)]


def test_a_value_that_comes_free_is_taken_by_whom_a_person_keeps_apart() -> None:
    worlds = World(), World()
    for world in worlds:
        world.tell("r1", email="a@x.org")
        world.tell("r2", phone="+14155550100", name="Ada", import_id=IMPORT)
        world.tell("r3", email="a@x.org", phone="+14155550100", minutes=1)
    worlds[0].merge(1, 2)
    worlds[0].undo(1)
    for world in worlds:
        world.retract(IMPORT)
        assert world.known.holders[1, "phone_e164", "+14155550100"] == 1


def test_a_persons_merge_stays() -> None:
    world = World()
    world.tell("r1", email="a@x.org", import_id=IMPORT)
    world.tell("r2", phone="+14155550100", name="Ada L.")
    world.merge(1, 2)
    world.retract(IMPORT)
    ada, other = world.states().values()
    assert (ada.status, other.survivor_id) == ("active", ada.contact_id)
    assert [one.value for one in ada.identifiers] == ["+14155550100"]


def test_a_merge_of_the_machine_that_rests_on_the_import_comes_apart() -> None:
    world = World()
    world.tell("r1", email="a@x.org")
    world.tell("r2", phone="+14155550100", name="Ada L.")
    plain = contacts(world)
    world.tell("r3", phone="+14155550100", title="CTO", company="Acme", import_id=IMPORT)
    world.merge(1, 2, by_person=False)
    assert len(contacts(world)) == 1
    world.retract(IMPORT)
    assert contacts(world) == plain
    assert world.merges == []


def test_piece_by_piece_comes_to_the_same() -> None:
    whole, pieces = World(), World()
    for world in (whole, pieces):
        for number in range(9):
            shared = f"{number // 2}@x.org"
            import_id = IMPORT if number % 3 else None
            world.tell(f"r{number}", email=shared, minutes=number, import_id=import_id)
    whole.retract(IMPORT)
    pieces.retract(IMPORT, piece=1)
    assert contacts(whole) == contacts(pieces)
    assert pieces.retract(IMPORT) == []


HISTORIES = 200
"""Lived twice in about three seconds."""


def test_what_was_taken_back_has_never_been() -> None:
    """Signals, imports, people's merges in any order; then the imports are taken back."""
    counted: Counter[str] = Counter()
    for seed in range(HISTORIES):
        dice = Random(seed)
        length = dice.randint(4, 25)
        stirred, plain = World(), World()
        for minutes in range(length):
            one = a_said(dice, length)
            one.said["minutes"] = minutes
            if dice.random() < 0.35:
                _tell(stirred, one, IMPORT)
                counted["imported"] += 1
                continue
            _tell(stirred, one)
            _tell(plain, one)
        if dice.random() < 0.5:
            stirred.retract(IMPORT)
            for minutes in range(length, length + dice.randint(0, 5)):
                one = a_said(dice, length)
                one.said["minutes"] = minutes
                _tell(stirred, one)
                _tell(plain, one)
        else:
            stirred.retract(IMPORT)
        counted["contacts"] += len(contacts(plain))
        assert contacts(stirred) == contacts(plain), f"seed {seed}"
    assert min(counted.values()) > HISTORIES / 50


def _tell(world: World, one: Said, import_id: str | None = None) -> None:
    said = dict(one.said)
    if import_id:  # what a source repeats is a duplicate, whoever said it first
        said["labels"] = ("imported",)
    if said["source"] == "apollo":  # a vendor speaks of whom it was asked about
        said["source"] = "email_sync"
    said["import_id"] = import_id
    world.tell(one.record, one.workspace, **said)
