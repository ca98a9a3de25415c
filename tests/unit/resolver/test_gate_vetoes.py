"""When an identifier is not enough: names that deny it, and identifiers that several people use."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.gate import decide
from services.resolver.domain.matching.statistics import SHARED_BY
from services.resolver.domain.model import Delivery, Known, Plan, Sharing
from shared.events.codec import encode
from shared.events.contact import ContactCreated, FactAsserted, IdentifierRemoved, MergeProposed
from shared.events.signal import Identifier
from tests.support.merging import World
from tests.support.signals import MOMENT, SOURCES, a_delivery, a_signal
from tests.unit.resolver.test_gate import contact_events, joined, resolve, some_ids, states

PHONE, OTHER_PHONE = "+14155550100", "+14155550101"
EMAIL = "thesmiths@example.com"
URN, OTHER_URN = "urn:li:member:1", "urn:li:member:2"
GIVEN = ("John", "Mary", "Peter", "Susan", "Carlos", "Linda", "Walter")
FAMILY = ("Smith", "Miller", "Garcia", "Brown", "Wilson", "Taylor")


def people(count: int) -> list[str]:
    """Return so many names, at most 42: neighbours share no word."""
    return [f"{GIVEN[n % len(GIVEN)]} {FAMILY[n % len(FAMILY)]}" for n in range(count)]


def contacts_of(plan: Plan) -> dict[str, int]:
    """Return source record → contact."""
    return {
        row.delivery.signal.source_record_id or "": row.contact_id
        for row in plan.ledger
        if not row.superseded
    }


def reasons(plan: Plan) -> list[str]:
    return [one.reason for one in plan.candidates]


def test_names_in_conflict_make_a_contact_of_its_own_and_a_candidate() -> None:
    plan, known = resolve(
        [
            a_delivery("r1", email=EMAIL, name="John Smith"),
            a_delivery("r2", email=EMAIL, name="Susan Miller"),
        ]
    )
    first, second = states(plan)
    assert plan.outcomes == {"created": 2}
    assert known.holders[1, "email", EMAIL] == contacts_of(plan)["r1"]
    assert [one.value for one in first.identifiers] == [EMAIL]
    assert second.identifiers == ()
    assert second.fields["email_primary"] == EMAIL
    assert (first.candidates, second.candidates) == ((second.contact_id,), (first.contact_id,))
    assert reasons(plan) == ["names_in_conflict"]
    proposals = [
        event
        for events in contact_events(plan).values()
        for event in events
        if isinstance(event, MergeProposed)
    ]
    assert [(one.reason, one.identifiers[0].value) for one in proposals] == [
        ("names_in_conflict", EMAIL)
    ] * 2


@pytest.mark.parametrize(
    "name",
    [
        "robert garcia",
        "GARCIA, Robert",
        "Bob García",
        "Dr. Robert Garcia",
        "R. Garcia",
        "Robert",
        "Robert José Garcia",
        "Robret Garcia",
        None,
    ],
)
def test_what_is_no_contradiction_parts_nobody(name: str | None) -> None:
    """Case, order, nickname, accent, honorific, initial, omission, a slip, and no name at all."""
    said = [
        a_delivery("r1", phone=PHONE, name="Robert Garcia"),
        a_delivery("r2", phone=PHONE, name=name),
    ]
    for one in (said, said[::-1]):
        plan, _ = resolve(one)
        assert len(set(contacts_of(plan).values())) == 1
        assert plan.candidates == []


def test_transliteration_is_no_contradiction() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, name="Владимир Петров"),
            a_delivery("r2", email=EMAIL, name="Vladimir Petrov"),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}


def test_father_and_son_wait_for_a_person() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", phone=PHONE, name="John Smith", name_suffix="Sr"),
            a_delivery("r2", phone=PHONE, name="John Smith", name_suffix="Jr"),
        ]
    )
    assert plan.outcomes == {"created": 2}
    assert reasons(plan) == ["father_and_son"]


def test_two_members_of_linkedin_are_never_one_by_an_address() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, linkedin_urn=URN),
            a_delivery("r2", email=EMAIL, linkedin_urn=OTHER_URN),
        ]
    )
    assert plan.outcomes == {"created": 2}
    assert reasons(plan) == ["different_linkedin_members"]


def test_one_member_of_linkedin_may_be_called_anything() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", linkedin_urn=URN, name="Susan Miller"),
            a_delivery("r2", linkedin_urn=URN, name="Mary Brown", email=EMAIL),
            a_delivery("r3", email=EMAIL, name="Mary Brown"),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 2}


def test_one_member_may_be_called_anything_by_an_address_too() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", linkedin_urn=URN, email=EMAIL, name="Susan Miller"),
            a_delivery("r2", linkedin_urn=URN, email=EMAIL, name="Mary Brown"),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}


def test_a_profile_that_nobody_knew_of_denies_nothing() -> None:
    plan, known = resolve(
        [
            a_delivery("r1", email=EMAIL, name="Susan Miller"),
            a_delivery("r2", email=EMAIL, name="Susan Miller", linkedin_urn=URN),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}
    assert known.holders[1, "linkedin_urn", URN] == 1


def test_members_that_differ_by_one_kind_of_profile_are_two() -> None:
    """Whatever profile of another kind is told besides."""
    recruiting = Identifier(type="linkedin_urn", value="urn:li:ts_profile:7")
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, linkedin_urn=URN),
            a_delivery("r2", email=EMAIL, linkedin_urn=OTHER_URN, more_identifiers=(recruiting,)),
        ]
    )
    assert reasons(plan) == ["different_linkedin_members"]


@pytest.mark.parametrize(
    ("one", "other", "contacts"),
    [
        ({"first_name": "John", "last_name": "Smith"}, {"full_name": "John Smith"}, 1),
        ({"first_name": "John", "last_name": "Smith"}, {"full_name": "Susan Miller"}, 2),
        ({"first_name": "John"}, {"first_name": "Susan"}, 2),
        ({"last_name": "Smith"}, {"last_name": "Miller"}, 2),
        ({"last_name": "Smith", "nickname": "Bob"}, {"full_name": "Robert Smith"}, 1),
        (
            {"first_name": "John", "last_name": "Smith", "name_suffix": "Sr"},
            {"full_name": "John Smith Jr"},
            2,
        ),
    ],
)
def test_names_in_parts_are_asked_as_whole_ones_are(
    one: dict[str, str], other: dict[str, str], contacts: int
) -> None:
    silent = {"full_name": None, "first_name": None, "last_name": None}
    said = [a_named(record, {**silent, **name}) for record, name in (("r1", one), ("r2", other))]
    for order in (said, said[::-1]):
        plan, _ = resolve(order)
        assert len(set(contacts_of(plan).values())) == contacts


def a_named(record: str, name: dict[str, str | None]) -> Delivery:
    """Make a signal that says its name in parts, and one line."""
    signal = a_signal(record, phone=PHONE)
    facts = signal.facts.model_copy(update=name)
    said = read_signal(encode(signal.model_copy(update={"facts": facts})))
    return deliver(said, 1, 1, SOURCES[said.source])


def test_one_name_of_several_is_enough() -> None:
    """A contact that a person merged is called by each of its names, however it is written."""
    world = World()
    world.tell("r1", phone=PHONE, name="Robert Garcia")
    world.tell("r2", email=EMAIL, phone=PHONE, name="Susan Miller")
    world.merge(1, 2)
    for number, name in enumerate(["Bob Garcia", "MILLER, Susan"]):
        plan = world.tell(f"n{number}", phone=PHONE, name=name)
        assert (plan.outcomes, plan.candidates) == ({"updated": 1}, [])


@pytest.mark.parametrize("name", ["S. Smith", "Susan", "Susan Smith"])
def test_only_a_whole_name_finds_its_bearer_among_who_share_a_line(name: str) -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", phone=PHONE, name="John Brown"),
            a_delivery("r2", phone=PHONE, name="Susan" if name == "Susan" else "Susan Smith"),
            a_delivery("r3", phone=PHONE, name=name),
        ]
    )
    records = contacts_of(plan)
    assert (records["r3"] == records["r2"]) is (name == "Susan Smith")
    assert records["r3"] != records["r1"]


def test_who_bears_the_name_and_is_another_member_is_not_found_by_it() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", phone=PHONE, name="John Brown"),
            a_delivery("r2", phone=PHONE, name="Susan Smith", linkedin_urn=URN),
            a_delivery("r3", phone=PHONE, name="Susan Smith", linkedin_urn=OTHER_URN),
        ]
    )
    assert len(set(contacts_of(plan).values())) == 3


def test_a_renamed_record_stays_with_its_contact() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, name="Susan Miller"),
            a_delivery("r1", email=EMAIL, name="Mary Brown", minutes=5),
        ]
    )
    (state,) = states(plan)
    assert state.fields["display_name"] == "Mary Brown"
    assert plan.candidates == []


def test_of_several_the_strongest_that_nothing_denies_receives_the_signal() -> None:
    plan, known = resolve(
        [
            a_delivery("r1", email=EMAIL, name="John Smith"),
            a_delivery("r2", phone=PHONE, name="Susan Miller"),
            a_delivery("r3", email=EMAIL, phone=PHONE, name="Susan Miller"),
        ]
    )
    records = contacts_of(plan)
    assert records["r3"] == records["r2"] == known.holders[1, "phone_e164", PHONE]
    assert reasons(plan) == ["names_in_conflict"]


@pytest.mark.parametrize("name", ["Xandrovik Plumbersonne", "Xqzrt Bvnkw"])
def test_a_doubtful_name_is_left_to_matching(name: str) -> None:
    """One of the two may be garbled: who that is, the gate can't tell."""
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, name="John Smith"),
            a_delivery("r2", email=EMAIL, name=name),
        ]
    )
    assert plan.outcomes == {"created": 2}
    assert plan.candidates == []


def test_a_vendor_that_speaks_of_another_person_is_not_believed() -> None:
    plan, known = resolve([a_delivery("r1", name="John Smith")])
    (contact,) = plan.contacts.values()
    known.about[1, contact.public_id] = contact.id
    answer = a_delivery("r2", name="Susan Miller", source="apollo", about=contact.public_id)
    plan = decide([answer], known, some_ids_from(100), MOMENT)
    assert plan.outcomes == {"created": 1}
    assert reasons(plan) == ["names_in_conflict"]


def some_ids_from(first: int) -> Any:
    ids = some_ids()
    for _ in range(first):
        next(ids.contacts)
        next(ids.bindings)
    return ids


def test_a_value_is_noted_once_of_each_whose_names_deny_one_another() -> None:
    """Who is told again with it is no other person."""
    known, ids = Known(), some_ids()
    john, susan = ({"phone": PHONE, "name": name} for name in ("John Smith", "Susan Miller"))
    first = decide([a_delivery("r1", **john), a_delivery("r2", **susan)], known, ids, MOMENT)
    assert {key: one.contacts for key, one in first.sharing.items()} == {
        (1, "phone_e164", PHONE): [1, 2]
    }
    again = decide([a_delivery("r3", **susan), a_delivery("r4", **john)], known, ids, MOMENT)
    assert (again.outcomes, again.sharing) == ({"updated": 2}, {})


def test_whoever_has_several_records_is_looked_at_once_a_value_is_found_out() -> None:
    names = people(SHARED_BY)
    plan, _ = resolve(
        a_delivery(f"r{n}", phone=PHONE, name=name)
        for n, name in enumerate([names[0], names[1], names[1], *names[2:]])
    )
    (found_out,) = plan.found_out
    assert found_out.contacts == (2,)


def test_a_phone_backup_of_nobody_known_is_a_new_contact() -> None:
    said = {"phone": PHONE, "import_source": "mark-import"}
    plan, _ = resolve([a_delivery("r1", **said)])
    assert plan.outcomes == {"created": 1}


def test_a_role_mailbox_identifies_nobody() -> None:
    """Show 2: given to many, it makes no two of them one, and stays an address of each."""
    names = people(40)
    plan, known = resolve(
        a_delivery(f"r{n}", email="info@acme.example", name=name) for n, name in enumerate(names)
    )
    assert len(set(contacts_of(plan).values())) == len(names)
    assert plan.candidates == []
    assert known.holders == {}
    assert {value for _, value in plan.emails} == {"info@acme.example"}
    assert len(plan.emails) == len(names)


def test_a_switchboard_is_found_out_and_gates_no_more() -> None:
    """Show 2: given to many, it makes no two of them one; once found out it is put up no more."""
    names = people(40)
    plan, known = resolve(
        a_delivery(f"r{n}", phone=PHONE, email=f"p{n}@acme.example", name=name)
        for n, name in enumerate(names)
    )
    records = contacts_of(plan)
    assert len(set(records.values())) == len(names)
    assert len(plan.candidates) == SHARED_BY - 1
    assert known.sharing[1, "phone_e164", PHONE].status == "shared"
    assert sorted(known.sharing[1, "phone_e164", PHONE].contacts) == list(range(1, SHARED_BY + 1))
    assert (1, "phone_e164", PHONE) not in known.holders
    assert plan.retired == [(1, "phone_e164", PHONE)]
    (found_out,) = plan.found_out
    assert found_out.contacts == (), "of a single record nothing comes apart"
    (told,) = [
        event
        for events in contact_events(plan).values()
        for event in events
        if isinstance(event, IdentifierRemoved)
    ]
    assert (told.type, told.value, told.reason) == ("phone_e164", PHONE, "shared")
    assert all(one.type != "phone_e164" for state in states(plan) for one in state.identifiers)


def test_a_shared_value_joins_not_even_the_nameless() -> None:
    known = Known(sharing={(1, "phone_e164", PHONE): Sharing("shared")})
    plan = decide(
        [a_delivery(f"r{n}", phone=PHONE, name=None) for n in range(3)], known, some_ids(), MOMENT
    )
    assert plan.outcomes == {"created": 3}
    assert known.holders == {}


def test_what_a_person_cleared_is_counted_no_more() -> None:
    known = Known(sharing={(1, "phone_e164", PHONE): Sharing("cleared")})
    said = [a_delivery(f"r{n}", phone=PHONE, name=name) for n, name in enumerate(people(9))]
    plan = decide(said, known, some_ids(), MOMENT)
    assert plan.retired == []
    assert plan.sharing == {}
    assert (1, "phone_e164", PHONE) in known.holders


def test_everybody_of_a_family_finds_the_own_contact_by_the_familys_phone() -> None:
    """Whose record came first makes no difference, nor how often anybody's comes."""
    said = [
        a_delivery(f"r{n}", phone=PHONE, name=name)
        for n, name in enumerate(["John Smith", "Susan Smith"] * 5)
    ]
    for one in (said, said[::-1]):
        plan, known = resolve(one)
        records = contacts_of(plan)
        assert len(set(records.values())) == 2
        assert {records[f"r{n}"] for n in range(0, 10, 2)} == {records["r0"]}
        assert known.sharing[1, "phone_e164", PHONE].status == "suspected"
        assert reasons(plan) == ["names_in_conflict"]


@pytest.mark.parametrize("backup", ["mark-import", "iris-import"])
@pytest.mark.parametrize(
    ("held", "said", "reason"),
    [
        ([{"phone": PHONE}], {"phone": PHONE}, None),
        ([{"phone": PHONE, "email": EMAIL}], {"phone": PHONE, "email": EMAIL}, None),
        ([{"email": EMAIL}], {"email": EMAIL}, "phone_backup"),
        ([{"phone": PHONE}], {"phone": PHONE, "name": "Susan Miller"}, "names_in_conflict"),
        ([{"phone": PHONE}], {"phone": PHONE, "name": "Xandrovik Plumbersonne"}, "phone_backup"),
        (
            [{"phone": PHONE}, {"email": EMAIL}],
            {"phone": PHONE, "email": EMAIL},
            "phone_backup",
        ),
        (
            [{"phone": PHONE}, {"phone": OTHER_PHONE}],
            {
                "phone": PHONE,
                "more_identifiers": [Identifier(type="phone_e164", value=OTHER_PHONE)],
            },
            "phone_backup",
        ),
    ],
)
def test_a_phone_backup_merges_by_an_equal_phone_alone(
    backup: str, held: Sequence[dict[str, Any]], said: dict[str, Any], reason: str | None
) -> None:
    before = [a_delivery(f"r{n}", name="John Smith", **one) for n, one in enumerate(held)]
    entry = a_delivery("entry", import_source=backup, **{"name": "John Smith", **said})
    plan, _ = resolve([*before, entry])
    records = contacts_of(plan)
    if reason is None:
        assert records["entry"] == records["r0"]
        assert plan.candidates == []
    else:
        assert list(records.values()).count(records["entry"]) == 1
        assert reasons(plan) == [reason] * len(held)


def test_a_record_that_was_not_imported_merges_by_its_address() -> None:
    said = {"email": EMAIL, "name": "John Smith"}
    plan, _ = resolve(
        [a_delivery("r1", **said), a_delivery("r2", import_source="crm-direct", **said)]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}


mentions = st.lists(
    st.tuples(
        st.sampled_from(["John Smith", "Susan Miller", "Carlos Brown", "Smith, John", None]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=12,
)


def deliveries_of(said: Iterable[tuple[str | None, int, int]]) -> list[Delivery]:
    return [
        a_delivery(
            f"r{number}",
            name=name,
            email=f"p{email}@example.com" if email else None,
            phone=f"+1415555010{phone}" if phone else None,
        )
        for number, (name, email, phone) in enumerate(said)
    ]


@given(said=mentions)
def test_no_contact_has_two_names_that_deny_one_another(
    said: list[tuple[str | None, int, int]],
) -> None:
    plan, _ = resolve(deliveries_of(said))
    for contact in plan.contacts.values():
        families = {
            claim.facts.full_name.replace(",", "").split()[0]
            for claim in contact.claims.values()
            if claim.facts.full_name
        } - {"Smith"}
        assert len(families | ({"John"} if _has_smith(contact.claims.values()) else set())) <= 1


def _has_smith(claims: Iterable[Any]) -> bool:
    return any("Smith" in (claim.facts.full_name or "") for claim in claims)


@given(said=mentions, order=st.randoms(use_true_random=False))
def test_names_that_deny_do_not_make_the_order_matter(
    said: list[tuple[str | None, int, int]], order: Random
) -> None:
    """Joined through open candidates, whoever comes first, while no value is found out."""
    deliveries = deliveries_of(said)
    shuffled = list(deliveries)
    order.shuffle(shuffled)
    assert joined(resolve(deliveries)[0]) == joined(resolve(shuffled)[0])


@given(said=mentions, cut=st.integers(0, 12))
def test_batches_make_no_difference_to_names(
    said: list[tuple[str | None, int, int]], cut: int
) -> None:
    deliveries = deliveries_of(said)
    whole, _ = resolve(deliveries)
    known, ids = Known(), some_ids()
    parts = [decide(part, known, ids, MOMENT) for part in (deliveries[:cut], deliveries[cut:])]
    assert contacts_of(whole) == {
        record: contact for part in parts for record, contact in contacts_of(part).items()
    }
    for part in parts:
        told = {event.entity_id for event in part.events}
        assert told == part.contacts.keys() == part.created.keys() | part.updated
        assert part.updated.isdisjoint(part.created)


@given(said=mentions)
def test_the_same_signals_again_change_nothing(said: list[tuple[str | None, int, int]]) -> None:
    deliveries = deliveries_of(said)
    _, known = resolve(deliveries)
    again = decide(deliveries, known, some_ids(), MOMENT)
    assert again.outcomes == {"duplicate": len(deliveries)}
    assert (again.events, again.sharing, again.candidates) == ([], {}, [])


@given(said=mentions)
def test_streams_have_no_gaps(said: list[tuple[str | None, int, int]]) -> None:
    plan, known = resolve(deliveries_of(said))
    born: Callable[[Any], bool] = lambda event: isinstance(event, ContactCreated | FactAsserted)  # noqa: E731
    for events in contact_events(plan).values():
        assert [one.version for one in events] == list(range(1, len(events) + 1))
        assert born(events[0])
    held = {
        (one.type, one.value): state.contact_id
        for state in states(plan)
        for one in state.identifiers
    }
    assert held == {
        key[1:]: known.contacts[contact].public_id for key, contact in known.holders.items()
    }
