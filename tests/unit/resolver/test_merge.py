"""Merges and splits in memory: what was undone has never been."""

from collections import Counter
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.cluster import Reshaping
from services.resolver.domain.composition import compose
from services.resolver.domain.homes import Homes, Merge, assign
from services.resolver.domain.marking import Mark, mark
from services.resolver.domain.merge import Refused, merge, reject, take_out, undo
from shared.events.contact import ContactsMerged, ContactsSplit
from shared.events.signal import Employment
from tests.support.histories import live_twice
from tests.support.merging import World

SEQUENCES = 1_000
"""Histories that are lived twice; `make soak` lives 10,000 with a database."""


def test_what_was_undone_has_never_been() -> None:
    """Merge, edit, enrich and split in any order, then undo: as in the run that never merged."""
    counted: Counter[str] = Counter()
    for seed in range(SEQUENCES):
        dice = Random(seed)
        stirred, plain = live_twice(dice, dice.randint(5, 25), lambda what: counted.update((what,)))
        assert stirred.holdings() == plain.holdings(), f"seed {seed}"
        assert stirred.known.holders == plain.known.holders, f"seed {seed}"
    assert min(counted.values()) > SEQUENCES / 50, counted
    assert counted["merged"] == counted["undone"] + counted["merged for good"]


def pair(**more: Any) -> World:
    """Make Ada, contact 1, and Bob, contact 2, who share nothing."""
    world = World()
    world.tell("ada", email="ada@x.org", name="Ada Lovelace", company="Engines", title="CTO")
    world.tell("bob", phone="+14155550100", name="Bob Ross", **more)
    return world


def test_the_survivor_shows_what_both_had_and_the_absorbed_id_leads_there() -> None:
    world = pair(notes="paints", labels=("artist",))
    name = world.merge(1, 2)
    ada, bob = (world.states()[world.known.contacts[number].public_id] for number in (1, 2))
    assert [one.value for one in ada.identifiers] == ["ada@x.org", "+14155550100"]
    assert ada.fields["phone_primary"] == "+14155550100"
    assert ada.bindings[next(iter(ada.bindings))].notes == "paints"
    assert (bob.status, bob.survivor_id, bob.fields) == ("merged", ada.contact_id, {})
    told = [events[-1] for events in world.streams.values()]
    assert {one.merge_id for one in told if isinstance(one, ContactsMerged)} == {name}


def test_the_same_again_changes_nothing() -> None:
    world = pair()
    world.merge(1, 2)
    assert world.merge(2, 1) == Refused("unchanged")


@pytest.mark.parametrize(
    ("by_person", "answer", "who", "why", "joined"),
    [
        (True, "approved", "person", "manual", [(1, 2)]),
        (False, "auto_merged", "machine", "machine", []),
    ],
)
def test_a_merge_says_whose_word_it_is(
    by_person: bool,
    answer: str,
    who: str,
    why: str,
    joined: list[tuple[int, int]],
) -> None:
    """It answers what was asked about the two; only a person's is a judgement."""
    world = pair()
    world.tell("both", email="ada@x.org", phone="+14155550100")
    assert world.candidates == {(1, 2)}
    order = world.order(by_person=by_person)
    plan = merge(world.cluster(1, 2), 2, 1, "mrg_" + "1" * 26, order)
    assert isinstance(plan, Reshaping)
    assert plan.settled == {(1, 2): answer}
    assert (plan.joined, plan.overruled) == (joined, [])
    world.apply(plan)
    for *_, told in world.streams.values():
        assert isinstance(told, ContactsMerged)
        assert (told.decided_by, told.reason) == (who, why)


def test_the_machine_undoes_no_merge_of_a_persons() -> None:
    world = pair()
    world.merge(1, 2)
    machine = world.order(by_person=False)
    assert undo(world.cluster(1), 1, None, machine) == Refused("kept_together")
    by_itself = pair()
    by_itself.merge(1, 2, by_person=False)
    plan = undo(by_itself.cluster(1), 1, None, by_itself.order(by_person=False))
    assert isinstance(plan, Reshaping)
    assert (len(plan.undone), plan.kept_apart) == (1, [])


def test_a_split_is_told_to_both_with_what_went_where() -> None:
    world = pair()
    merged = world.merge(1, 2)
    world.undo(2)
    ada, bob = (world.known.contacts[number].public_id for number in (1, 2))
    for stream in (ada, bob):
        split = world.streams[stream][-1]
        assert isinstance(split, ContactsSplit)
        assert (split.merge_id, split.original_id, split.new_id) == (merged, ada, bob)
        assert [one.value for one in split.identifiers_moved] == ["+14155550100"]
        assert (split.decided_by, split.survivor_id) == ("person", None)


def test_to_separate_two_answers_what_is_open_between_them() -> None:
    world = pair()
    world.merge(1, 2)
    world.candidates.add((1, 2))  # put up while they were being merged
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert done.settled == {(1, 2): "rejected"}


def test_an_archived_contact_hides_nobody() -> None:
    world = pair()
    world.archive(1)
    assert world.merge(1, 2) == Refused("archived_survivor")
    assert isinstance(world.merge(2, 1), str)
    world.undo(1)
    assert [one.status for one in world.states().values()] == ["archived", "active"]
    both = pair()
    both.archive(1)
    both.archive(2)
    assert isinstance(both.merge(1, 2), str)


def test_later_merges_may_be_undone_first_or_last() -> None:
    """A takes B, C takes A; then A and B come apart: B stands alone, C keeps A."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    first = world.merge(1, 2)
    world.merge(3, 1)
    assert isinstance(first, str)
    assert isinstance(world.undo(2, first), Reshaping)
    states = world.states()
    names = [world.known.contacts[number].public_id for number in (1, 2, 3)]
    assert [states[one].survivor_id for one in names] == [names[2], None, None]
    assert [one.value for one in states[names[2]].identifiers] == ["ada@x.org", "cyd@x.org"]


def test_what_came_since_goes_with_what_it_names() -> None:
    world = pair()
    world.tell("cold", email="cold@x.org", name="Cold Caller")
    world.merge(1, 2)
    world.tell("new", phone="+14155550100", email="bob@x.org", name="Bob N. Ross")
    world.tell("newer", email="bob@x.org", name="Robert Ross", company="Arts", title="Painter")
    world.undo(1)
    ada, bob, _ = world.states().values()
    assert [one.value for one in bob.identifiers] == ["+14155550100", "bob@x.org"]
    assert [one.title for one in bob.employments] == ["Painter"]
    assert [one.title for one in ada.employments] == ["CTO"]


def test_a_split_asks_names_of_what_came_since() -> None:
    """What names deny at the home of its identifier goes to who bears its name at another."""
    world = pair()
    world.tell("desk", email="ada@x.org", phone="+14155550111", name=None)
    world.merge(1, 2)
    world.tell("new", phone="+14155550111", name="Bob Ross", company="Arts", title="Painter")
    world.tell("same", phone="+14155550111", name="Ada Lovelace", company="Arts", title="Poet")
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert done.unassigned == ()
    ada, bob = world.states().values()
    assert [job.title for job in ada.employments] == ["CTO", "Poet"]
    assert [job.title for job in bob.employments] == ["Painter"]
    assert {one.evidence for one in world.homes.values()} == {"own", "identifier", "name"}


def test_who_bears_the_name_of_a_home_that_shares_a_strangers_line_goes_there() -> None:
    """The gate found her by her name among those who share the line; so does a split."""
    world = World()
    world.tell("ada", email="ada@x.org", name="A. Lovelace")
    world.tell("stranger", phone="+14155550111", name="Kendrick Crosby")
    world.tell("desk", phone="+14155550111", name="Ada Lovelace", company="Arts", title="CTO")
    assert isinstance(world.merge(1, 3), str)
    sharing = world.known.sharing[1, "phone_e164", "+14155550111"]
    sharing.contacts = [1 if one == 3 else one for one in sharing.contacts]  # as a store reads it
    world.tell("same", phone="+14155550111", name="Ada Lovelace", company="Arts", title="Poet")
    assert len(world.states()) == 3
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert done.unassigned == ()
    ada, _, desk = world.states().values()
    assert [job.title for job in ada.employments] == []
    assert [job.title for job in desk.employments] == ["CTO", "Poet"]


def test_who_bears_half_a_name_is_not_found_by_it() -> None:
    """What came by one home's line and is called as the other is stays: that may be anybody."""
    world = World()
    world.tell("ada", email="ada@x.org", name="Ada Lovelace")
    world.tell("bob", phone="+14155550100", name="Bob")
    world.tell("desk", email="ada@x.org", phone="+14155550111", name=None)
    world.merge(1, 2)
    world.tell("new", phone="+14155550111", name="Bob", notes="whose?")
    (record,) = (key for key, one in world.known.contacts[1].claims.items() if one.facts.notes)
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert done.unassigned == (record,)


def test_what_a_record_says_later_is_where_it_came_to_first() -> None:
    """Also where it names nobody any more."""
    world = pair()
    world.merge(1, 2)
    world.tell("new", phone="+14155550100", name="Bob Ross")
    world.tell("new", name="Bob Ross", title="Painter", company="Arts", minutes=5)
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    _, bob = world.states().values()
    assert [one.title for one in bob.employments] == ["Painter"]
    told = {(one.home, one.evidence) for one in done.homes}
    assert told == {(2, "own"), (2, "identifier"), (2, "record")}


def test_what_a_record_said_before_a_merge_takes_along_what_it_says_after() -> None:
    world = pair()
    world.merge(1, 2)
    world.tell("bob", name="Bob Ross", title="Painter", company="Arts", minutes=5)
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert done.unassigned == ()
    _, bob = world.states().values()
    assert [one.title for one in bob.employments] == ["Painter"]


def test_an_identifier_that_no_delivery_names_is_the_survivors() -> None:
    key = (1, "email", "ada@x.org")
    assert assign([], {key: None}, [2, 1], 2) == ([], {key: 2})
    assert assign([], {key: 1}, [2, 1], 2) == ([], {key: 1})


def test_who_stands_for_a_group_comes_first_in_it_then_the_older() -> None:
    homes = Homes([4, 3, 2, 1], [Merge("m1", 2, 3), Merge("m2", 3, 1), Merge("m3", 1, 2)])
    assert homes.groups == {2: [2, 1, 3], 4: [4]}
    assert [one.merge.public_id for one in homes.absorptions()] == ["m1", "m2"]


def test_what_nothing_assigns_stays_with_the_survivor_and_is_listed() -> None:
    world = pair()
    world.merge(1, 2)
    ada = world.known.contacts[1].public_id
    world.known.about[1, ada] = 1
    world.tell("guess", source="apollo", name=None, title="Guess", about=ada)
    done = world.undo(1)
    assert isinstance(done, Reshaping)
    assert len(done.unassigned) == 1
    split = world.streams[ada][-1]
    assert isinstance(split, ContactsSplit)
    assert split.unassigned == (done.unassigned[0].hex(),)


def test_chosen_records_make_a_contact_of_their_own() -> None:
    world = pair()
    world.tell("eve", email="ada@x.org", phone="+14155550101", name="A. Lovelace", notes="hers")
    record = next(key for key, one in world.known.contacts[1].claims.items() if one.facts.notes)
    done = world.take_out(1, [record], [])
    assert isinstance(done, Reshaping)
    ada, _, eve = world.states().values()
    assert [one.value for one in ada.identifiers] == ["ada@x.org"]
    assert [one.value for one in eve.identifiers] == ["+14155550101"]
    assert (eve.fields["display_name"], eve.version) == ("A. Lovelace", 3)
    assert ada.fields["display_name"] == "Ada Lovelace"
    assert world.apart == {(1, 3)}


def test_a_chosen_identifier_takes_what_it_brought() -> None:
    world = pair()
    world.tell("ada2", email="ada@x.org")
    world.tell("ada3", email="ada@x.org", phone="+14155550101")
    world.tell("eve", phone="+14155550101", name="A. Lovelace")
    world.take_out(1, [], [(1, "phone_e164", "+14155550101")])
    ada, _, other = world.states().values()
    assert [one.value for one in ada.identifiers] == ["ada@x.org"]
    assert [one.value for one in other.identifiers] == ["+14155550101"]
    assert other.fields["display_name"] == "A. Lovelace"


def test_all_that_a_merge_brought_goes_back_under_its_own_id() -> None:
    """An absorbed contact is taken out of two merges as itself, and its id leads nowhere else."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    inner = world.merge(3, 2)
    world.merge(1, 3)
    done = world.take_out(1, [], [(1, "phone_e164", "+14155550100")])
    assert isinstance(done, Reshaping)
    assert done.undone == [inner]
    ada, bob, cyd = world.states().values()
    assert (bob.status, bob.fields["display_name"]) == ("active", "Bob Ross")
    assert (cyd.status, cyd.survivor_id) == ("merged", ada.contact_id)
    assert len(world.known.contacts) == 3
    assert isinstance(world.undo(1), Reshaping)
    assert [one.status for one in world.states().values()] == ["active"] * 3


def test_whoever_takes_the_survivors_own_undoes_its_only_merge() -> None:
    """Else its id would show the other's data, and the other's id would lead there."""
    world = pair()
    merged = world.merge(1, 2)
    done = world.take_out(1, [], [(1, "email", "ada@x.org")])
    assert isinstance(done, Reshaping)
    assert done.undone == [merged]
    ada, bob = world.states().values()
    assert (ada.status, ada.fields["display_name"]) == ("active", "Ada Lovelace")
    assert (bob.status, bob.fields["display_name"]) == ("active", "Bob Ross")
    assert world.apart == {(1, 2)}


def test_what_a_merge_did_not_bring_alone_is_a_contact_of_its_own() -> None:
    """Of three, two go: no one merge holds just these to the third."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.merge(1, 2)
    world.merge(1, 3)
    bob, cyd = (
        next(key for key, one in world.known.contacts[1].claims.items() if said in str(one.facts))
        for said in ("Ross", "Cyd")
    )
    done = world.take_out(1, [bob, cyd], [])
    assert isinstance(done, Reshaping)
    assert (done.undone, done.kept_apart) == ([], [(1, 4), (2, 4), (3, 4)])
    assert {*world.known.contacts[4].claims} == {bob, cyd}


def test_what_two_merges_hold_is_a_contact_of_its_own() -> None:
    """The survivor of both: neither merge alone holds what is its own (ADR 0133)."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.merge(1, 2)
    world.merge(1, 3)
    done = world.take_out(1, [], [(1, "email", "ada@x.org")])
    assert isinstance(done, Reshaping)
    assert done.undone == []
    assert world.known.holders[1, "email", "ada@x.org"] == 4


@pytest.mark.parametrize(("by_person", "evidence"), [(True, "person"), (False, "own")])
def test_only_a_person_says_for_good_where_a_record_belongs(
    by_person: bool,
    evidence: str,
) -> None:
    """What the machine takes out it may decide again, and it keeps nobody apart."""
    world = pair()
    world.tell("eve", email="ada@x.org", name="A. Lovelace", notes="hers")
    record = next(key for key, one in world.known.contacts[1].claims.items() if one.facts.notes)
    order = world.order(by_person=by_person)
    plan = take_out(world.cluster(1), 1, [record], [], order)
    assert isinstance(plan, Reshaping)
    assert [(one.home, one.evidence) for one in plan.homes if one.record_key == record] == [
        (3, evidence)
    ]
    assert plan.kept_apart == ([(1, 3)] if by_person else [])


def test_the_machine_takes_out_what_it_found_and_undoes_no_merge_for_it() -> None:
    """A correction by hand of whom it takes the records of may be anybody's: it stays."""
    world = pair()
    ada = world.known.contacts[1].public_id
    world.known.about[1, ada] = 1
    world.merge(1, 2, by_person=False)
    world.tell("typed", source="manual_entry", name=None, title="Countess", about=ada)
    record = next(key for key, one in world.known.contacts[1].claims.items() if one.facts.emails)
    for by_person, undone in ((True, 1), (False, 0)):
        plan = take_out(world.cluster(1), 1, [record], [], world.order(by_person=by_person))
        assert isinstance(plan, Reshaping)
        assert len(plan.undone) == undone


def test_whoever_takes_more_than_a_merge_brought_does_not_undo_it() -> None:
    world = pair(email="bob@x.org")
    world.merge(1, 2)
    keys = [(1, "email", "ada@x.org"), (1, "phone_e164", "+14155550100")]
    done = world.take_out(1, [], keys)
    assert isinstance(done, Reshaping)
    assert done.undone == []
    assert [world.known.holders[key] for key in keys] == [3, 3]


def test_of_several_contacts_only_the_one_that_is_named_is_taken_apart() -> None:
    """Whoever is loaded besides, as it may be of one piece with what is told, stays as it is."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.tell("dee", email="dee@x.org", name="Dee Dow")
    first = world.merge(1, 2)
    world.merge(3, 4)
    both = world.cluster(1, 3)
    theirs = (1, "email", "cyd@x.org")
    assert take_out(both, 1, [], [theirs], world.order()) == Refused("unknown_records")
    plan = undo(both, 1, None, world.order())
    assert isinstance(plan, Reshaping)
    assert plan.undone == [first]


def test_a_rejection_answers_for_all_homes_that_are_asked_about() -> None:
    """Those that a person keeps apart already are not judged again."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.merge(2, 3)
    world.candidates, world.apart = {(1, 2), (1, 3)}, {(1, 3)}
    plan = reject(world.cluster(1, 2), 1, 2, world.order())
    assert isinstance(plan, Reshaping)
    assert plan.settled == {(1, 2): "rejected", (1, 3): "rejected"}
    assert plan.kept_apart == [(1, 2)]


def test_what_names_nobody_keeps_no_merge_in_force() -> None:
    """A correction by hand stays with whose it is when all that names them is taken out."""
    world = pair()
    world.merge(1, 2)
    ada = world.known.contacts[1].public_id
    world.known.about[1, ada] = 1
    world.tell("typed", source="manual_entry", name=None, title="Countess", about=ada)
    done = world.take_out(1, [], [(1, "email", "ada@x.org")])
    assert isinstance(done, Reshaping)
    assert len(done.undone) == 1
    ada_now, bob = world.states().values()
    assert ada_now.fields["display_name"] == "Ada Lovelace"
    assert "Countess" in str(ada_now)
    assert (bob.status, bob.fields["display_name"]) == ("active", "Bob Ross")


def test_an_identifier_that_others_name_too_keeps_no_merge_in_force() -> None:
    world = pair()
    world.merge(1, 2)
    record = next(key for key, one in world.known.contacts[1].claims.items() if one.facts.emails)
    world.tell("bob", phone="+14155550100", email="ada@x.org", name="Bob Ross")
    done = world.take_out(1, [record], [])
    assert isinstance(done, Reshaping)
    assert len(done.undone) == 1
    assert [one.fields["display_name"] for one in world.states().values()] == [
        "Ada Lovelace",
        "Bob Ross",
    ]


def test_a_part_of_what_a_merge_brought_is_a_contact_of_its_own() -> None:
    world = pair()
    world.tell("bob", phone="+14155550100", email="bob@x.org", name="Bob Ross")
    world.tell("bob2", email="bob@x.org", phone="+14155550102", name="Bob Ross")
    world.merge(1, 2)
    record = next(
        key
        for key, one in world.known.contacts[1].claims.items()
        if len(one.facts.phones) == 1 and one.facts.phones[0].value == "+14155550102"
    )
    assert isinstance(world.take_out(1, [record], []), Reshaping)
    assert [one.status for one in world.states().values()] == ["active", "merged", "active"]


def test_a_split_may_not_take_everything_nor_what_is_not_there() -> None:
    world = pair()
    records = list(world.known.contacts[1].claims)
    assert world.take_out(1, records, []) == Refused("nothing_would_stay")
    assert world.take_out(1, [], [(1, "email", "ada@x.org")]) == Refused("nothing_would_stay")
    assert world.take_out(1, [b"x" * 16], []) == Refused("unknown_records")
    assert world.undo(1) == Refused("unknown_merge")


def test_an_identifier_that_brought_no_record_is_nobodys_by_itself() -> None:
    """The record that names it came by a stronger one: it goes along with that record only."""
    world = pair()
    world.tell("eve", email="ada@x.org", phone="+14155550101", name="A. Lovelace")
    phone = (1, "phone_e164", "+14155550101")
    assert world.take_out(1, [], [phone]) == Refused("nothing_would_go")
    assert world.known.holders[phone] == 1
    record = next(key for key, one in world.known.contacts[1].claims.items() if one.facts.phones)
    assert isinstance(world.take_out(1, [record], [phone]), Reshaping)
    assert world.known.holders[phone] == 3
    assert [*world.known.contacts[3].claims] == [record]


def test_nobody_is_split_off_or_left_with_words_alone() -> None:
    world = pair()
    world.say(1, 1, partial(mark, one=Mark("tag", f"tag_{'0' * 26}", "vip", wanted=True)))
    told, said = sorted(world.known.contacts[1].claims.values(), key=lambda one: one.source.name)
    assert (told.source.name, said.source.name) == ("hubspot_crm", "workspace_entry")
    assert world.take_out(1, [told.record_key], []) == Refused("nothing_would_stay")
    assert world.take_out(1, [said.record_key], []) == Refused("nothing_would_go")


@pytest.mark.parametrize("source", ["manual_entry", "apollo"])
def test_nobody_is_split_off_or_left_with_neither_name_nor_identifier(source: str) -> None:
    """A correction or a vendor's answer says a title; whose, only the others tell."""
    world = pair()
    ada = world.known.contacts[1].public_id
    world.known.about[1, ada] = 1
    world.tell("typed", source=source, name=None, title="Countess", about=ada)
    named, titled = sorted(
        world.known.contacts[1].claims,
        key=lambda key: not world.known.contacts[1].claims[key].facts.emails,
    )
    assert world.take_out(1, [named], []) == Refused("nothing_would_stay")
    assert world.take_out(1, [titled], []) == Refused("nothing_would_go")


def test_a_name_that_a_record_says_no_more_tells_of_nobody() -> None:
    world = pair()
    ada = world.known.contacts[1].public_id
    world.known.about[1, ada] = 1
    for minutes, name in enumerate(("Ada Lovelace", None)):
        world.tell(
            "typed", source="manual_entry", name=name, title="CEO", about=ada, minutes=minutes
        )
    typed = next(key for key, one in world.known.contacts[1].claims.items() if not one.facts.emails)
    assert world.take_out(1, [typed], []) == Refused("nothing_would_go")


def test_who_has_no_name_is_split_by_identifiers() -> None:
    world = World()
    world.tell("a", email="ada@x.org", name=None)
    world.tell("b", email="ada@x.org", phone="+14155550101", name=None)
    (record,) = (key for key, one in world.known.contacts[1].claims.items() if one.facts.phones)
    assert isinstance(world.take_out(1, [record], []), Reshaping)


def test_what_a_person_separated_no_machine_joins() -> None:
    """Not by way of a third contact either, until a person thinks again."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.merge(1, 2)
    world.undo(1)
    assert world.merge(1, 2, by_person=False) == Refused("kept_apart")
    assert isinstance(world.merge(3, 2, by_person=False), str)
    assert world.merge(1, 3, by_person=False) == Refused("kept_apart")
    assert isinstance(world.merge(1, 3), str)
    assert world.apart == set()


def test_what_waits_for_a_person_no_machine_joins() -> None:
    """Not by way of a third contact either, until the person says so."""
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.waiting = {(1, 2)}
    assert world.merge(1, 2, by_person=False) == Refused("kept_apart")
    assert isinstance(world.merge(3, 2, by_person=False), str)
    assert world.merge(1, 3, by_person=False) == Refused("kept_apart")
    assert isinstance(world.merge(1, 3), str)


def test_a_rejected_candidate_is_gone_and_kept_apart() -> None:
    world = pair()
    world.tell("both", email="ada@x.org", phone="+14155550100")
    assert world.candidates == {(1, 2)}
    assert isinstance(world.reject(2, 1), Reshaping)
    assert world.candidates == set()
    assert [one.candidates for one in world.states().values()] == [(), ()]
    assert world.merge(1, 2, by_person=False) == Refused("kept_apart")
    assert world.reject(1, 2) == Refused("unchanged")


def test_what_is_one_contact_is_not_kept_apart_by_a_rejection() -> None:
    """Whoever says no to a pair that was merged meanwhile must not read that it is so already."""
    world = pair()
    world.merge(1, 2)
    assert world.reject(1, 2) == Refused("one_contact")


def test_the_survivor_takes_the_candidates_over() -> None:
    world = pair()
    world.tell("cyd", email="cyd@x.org", name="Cyd Low")
    world.tell("both", email="cyd@x.org", phone="+14155550100", name=None)
    world.merge(1, 2)
    ada, _, cyd = world.states().values()
    assert ada.candidates == (cyd.contact_id,)
    world.undo(1)
    ada, bob, _ = world.states().values()
    assert (ada.candidates, bob.candidates) == ((), (cyd.contact_id,))


def test_a_stage_set_by_a_person_survives_and_comes_apart() -> None:
    world = pair()
    world.keep(2, 1, stage="customer")
    world.merge(1, 2)
    assert world.bindings[1, 1].shown.stage == "customer"
    world.keep(1, 1, is_favorite=True)
    world.undo(1)
    assert [world.bindings[number, 1].shown.stage for number in (1, 2)] == ["new", "customer"]
    assert [world.bindings[number, 1].shown.is_favorite for number in (1, 2)] == [True, False]


names = st.sampled_from(["Ada Lovelace", "A. Lovelace", "Ada", None])


@settings(max_examples=200)
@given(
    said=st.lists(
        st.tuples(
            st.integers(0, 3),
            names,
            st.sampled_from([(), ("Acme",), ("Engines",), ("Acme", "Acme"), ("Acme", None)]),
            st.sampled_from(["ada@x.org", "ada@y.org", None]),
            st.integers(0, 9),
        ),
        min_size=1,
    )
)
def test_composing_all_deliveries_is_what_the_gate_did_one_by_one(
    said: list[tuple[int, str | None, tuple[str | None, ...], str | None, int]],
) -> None:
    world = World()
    world.tell("seed", phone="+14155550100", name=None, source="email_sync")
    for record, name, employers, email, minutes in said:
        jobs = tuple(Employment(company_name=one, title=name) for one in employers if one or name)
        told: dict[str, Any] = {"phone": "+14155550100", "email": email, "name": name}
        world.tell(f"r{record}", minutes=minutes, employments=jobs, **told)
    (state,) = world.states().values()
    cluster = world.cluster(1)
    made = compose(cluster.applied[1], cluster.held[1])
    assert (made.fields, made.status) == (state.fields, state.status)
    assert {name: one.record_key.hex() for name, one in made.origins.items()} == {
        name: one.source_record for name, one in state.provenance.items()
    }
    assert [key[1:] for key in made.identifiers] == [
        (one.type, one.value) for one in state.identifiers
    ]
    assert [(one.company_name, one.title) for one in made.jobs] == [
        (one.company_name, one.title) for one in state.employments
    ]
    assert [one for one, _ in made.employments] == [one for one in made.jobs if one.company_name]
    assert set(made.emails) == {
        point.value
        for claim in world.known.contacts[1].claims.values()
        for point in claim.facts.emails
    }
    assert set(made.phones) == {"+14155550100"}
    assert made.said.keys() == cluster.held[1].keys()
    assert {key for key, one in made.said.items() if one is not None} == made.identifiers.keys()
