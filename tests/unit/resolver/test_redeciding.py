"""What came after deliveries that are taken back, decided again as if they had never come."""

from collections.abc import Mapping
from functools import partial

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.composition import Applied
from services.resolver.domain.marking import Mark, mark
from services.resolver.domain.model import Sharing
from services.resolver.domain.redeciding import Redecided, redecide, to_decide
from tests.support.merging import World

IMPORT = "imp_" + "1" * 26
MAIL, PHONE = (1, "email", "a@x.org"), (1, "phone_e164", "+14155550100")
VIP = Mark("tag", f"tag_{'0' * 26}", "vip", wanted=True)


def without_import(assigned: Assigned) -> dict[int, list[Applied]]:
    """Return what is left of each contact."""
    return {
        root: [one for one in applied if one.import_id != IMPORT]
        for root, applied in assigned.applied.items()
    }


def redecided(world: World) -> Redecided:
    """Decide again what the first contact has, without the import."""
    before = Assigned.of(world.cluster(1))
    return redecide(before, without_import(before), (), world.ids)


def keys(world: World) -> Mapping[bytes, str]:
    """Return the names of records by their keys."""
    return {
        row.delivery.record_key: row.delivery.signal.source_record_id or ""
        for _, row in world.ledger
    }


def records(world: World) -> list[set[str]]:
    """Return the records of each contact, in the order in which contacts were made."""
    names = keys(world)
    return [{names[key] for key in one.claims} for one in world.known.contacts.values()]


def test_what_came_before_stays_and_what_came_after_is_decided_again_home_by_home() -> None:
    world = World()
    world.tell("ada", email="a@x.org")
    world.tell("bob", phone="+14155550100", name="Bob Ross")
    world.merge(1, 2)
    world.tell("row", email="a@x.org", import_id=IMPORT)
    world.tell("later", email="a@x.org", minutes=1)
    world.tell("bob2", phone="+14155550100", name="Bob Ross")
    before = Assigned.of(world.cluster(1))
    names = keys(world)
    asked = [
        (
            home,
            [names[one.claim.record_key] for one in stays],
            [names[one.claim.record_key] for one in again],
        )
        for home, stays, again in to_decide(before, without_import(before))
    ]
    assert asked == [(1, ["ada"], ["later"])]


def test_what_stays_where_it_is_is_not_told_again() -> None:
    """Neither as moved nor as an identifier that it gained."""
    world = World()
    world.tell("ada", email="a@x.org")
    world.tell("row", email="a@x.org", phone="+14155550101", import_id=IMPORT)
    world.tell("later", email="a@x.org", minutes=1)
    made = redecided(world)
    assert (made.moves, made.gained) == (set(), {})
    assert made.released == [(1, "phone_e164", "+14155550101")]
    assert made.assigned.identifiers == {MAIL: 1}


def test_what_goes_elsewhere_takes_what_it_names_along() -> None:
    world = World()
    world.tell("ada", email="a@x.org")
    world.tell("row", email="a@x.org", phone="+14155550100", import_id=IMPORT)
    world.tell("eve", phone="+14155550100", minutes=1)
    made = redecided(world)
    assert (made.moves, made.gained, made.released) == ({(1, 2)}, {}, [])
    assert made.assigned.identifiers == {MAIL: 1, PHONE: 2}
    names = keys(world)
    assert {
        names[one.claim.record_key]: (one.home, one.evidence) for one in made.assigned.applied[1]
    } == {
        "ada": (1, "own"),
        "eve": (2, "own"),
    }


def test_words_stay_with_whom_somebody_left() -> None:
    """Some are left of whom they were said, though the last who came went elsewhere."""
    world = World()
    world.tell("ada", email="a@x.org")
    world.tell("row", email="a@x.org", phone="+14155550100", import_id=IMPORT)
    world.tell("eve", phone="+14155550100", minutes=1)
    world.say(1, 1, partial(mark, one=VIP))
    world.retract(IMPORT)
    ada, eve = world.states().values()
    assert [one.labels for one in ada.bindings.values()] == [("vip",)]
    assert [one.labels for one in eve.bindings.values()] == [()]


def test_what_a_person_took_out_stays_out() -> None:
    """It names whom it was taken from, and came after a row that is taken back."""
    world = World()
    world.tell("ada", email="a@x.org")
    world.tell("row", email="a@x.org", phone="+14155550100", import_id=IMPORT)
    world.tell("eve", email="a@x.org", phone="+14155550100", name="A. Lovelace", minutes=1)
    names = keys(world)
    world.take_out(1, [key for key, name in names.items() if name != "ada"], [])
    world.retract(IMPORT)
    assert records(world) == [{"ada"}, {"eve"}]
    (eve,) = (key for key, name in names.items() if name == "eve")
    assert world.homes[eve, 1].evidence == "person"


def test_what_had_come_before_is_not_asked_what_it_names_by_now() -> None:
    """What brought it gates no more, and a person held it: without the row it would be here."""
    world = World()
    world.tell("ada", email="a@x.org", phone="+14155550100")
    world.tell("desk", phone="+14155550100")
    world.say(1, 1, partial(mark, one=VIP))
    world.tell("row", email="a@x.org", title="CTO", company="Acme", import_id=IMPORT)
    world.known.sharing[PHONE] = Sharing("shared")
    del world.known.holders[PHONE]
    world.retract(IMPORT)
    assert [one - {""} for one in records(world)] == [{"ada", "desk"}]
