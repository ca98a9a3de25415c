"""What denies an identifier besides names: another phone, profile, birthday or id number."""

import timeit
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.contradiction import MOST_RECORDS, is_contradicted
from services.resolver.domain.model import Delivery
from shared.events.contact import MergeProposed
from shared.events.signal import Facts, Identifier, Point
from tests.support.signals import a_delivery
from tests.unit.resolver.test_gate import contact_events, joined, resolve
from tests.unit.resolver.test_gate_vetoes import contacts_of, reasons

EMAIL = "ada@example.com"
PHONE, OTHER_PHONE = "+14155550100", "+12125550177"
BORN, BORN_LATER = "1815-12-10", "1843-03-05"


def facts(*, profile: str | None = None, **said: Any) -> Facts:
    """Say what a record with the shared mailbox says besides."""
    identifiers = [Identifier(type="email", value=EMAIL)]
    if profile:
        identifiers.append(Identifier(type="linkedin_public_id", value=profile))
    return Facts(
        full_name="Ada Lovelace",
        emails=(Point(value=EMAIL),),
        identifiers=tuple(identifiers),
        **said,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"profile": "ada"}, {"profile": "ada-2"}),
        ({"birthday": BORN}, {"birthday": BORN_LATER}),
        (
            {"custom_fields": {"Passport No": "C01X0001"}},
            {"custom_fields": {"passport_no": 7712345}},
        ),
    ],
)
def test_what_one_person_has_one_of_denies(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whichever of the two the contact said before."""
    assert is_contradicted(facts(**one), [facts(**other)])
    assert is_contradicted(facts(**other), [facts(**one)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"profile": "ada", "birthday": BORN}),
        ({"profile": "ada", "birthday": BORN}, {"profile": "ada", "birthday": BORN_LATER}),
        ({"birthday": BORN}, {"birthday": "1815-10-12"}),
        ({"birthday": BORN}, {"birthday": "--12-10"}),
        ({"custom_fields": {"ssn": "078-05-1120"}}, {"custom_fields": {"ssn": "078051120"}}),
        ({"custom_fields": {"national_id": "A-0042"}}, {"custom_fields": {"National ID": "a0042"}}),
        ({"custom_fields": {"ssn": "12045 Elm"}}, {"custom_fields": {"ssn": "078051120"}}),
        ({"custom_fields": {"account": "12345678"}}, {"custom_fields": {"account": "87654321"}}),
        ({"custom_fields": {"passport": None}}, {"custom_fields": {"passport": ["a", "list"]}}),
    ],
)
def test_what_is_missing_mistyped_or_another_kind_denies_nothing(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not is_contradicted(facts(**one), [facts(**other)])
    assert not is_contradicted(facts(**other), [facts(**one)])


def test_one_record_that_agrees_settles_it() -> None:
    known = [facts(profile="ada", birthday=BORN), facts(profile="ada-2")]
    assert not is_contradicted(facts(profile="ada-2"), known)
    assert not is_contradicted(facts(birthday=BORN), [*known, facts(birthday=BORN_LATER)])


def test_whom_many_sources_know_is_not_doubted_for_one_value() -> None:
    known = [facts(birthday=BORN)] * MOST_RECORDS
    assert is_contradicted(facts(birthday=BORN_LATER), known)
    assert not is_contradicted(facts(birthday=BORN_LATER), [*known, facts()])


def test_the_pair_waits_and_matching_may_settle_it() -> None:
    """A contact of its own, put up for review with the holder, as both are told."""
    plan, known = resolve(
        [
            a_delivery("r1", email=EMAIL, birthday=BORN),
            a_delivery("r2", email=EMAIL, birthday=BORN_LATER),
        ]
    )
    records = contacts_of(plan)
    assert records["r1"] != records["r2"]
    assert known.holders[1, "email", EMAIL] == records["r1"]
    assert known.sharing == {}, "one name: nothing says that several people use the mailbox"
    assert reasons(plan) == ["evidence_in_conflict"]
    proposals = [
        event
        for events in contact_events(plan).values()
        for event in events
        if isinstance(event, MergeProposed)
    ]
    assert [(one.reason, one.identifiers[0].value) for one in proposals] == [
        ("evidence_in_conflict", EMAIL)
    ] * 2


def test_a_second_identifier_settles_it() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, phone=PHONE, birthday=BORN),
            a_delivery("r2", email=EMAIL, phone=PHONE, birthday=BORN_LATER),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}


@pytest.mark.parametrize("source", ["apollo", "ai_deep_research"])
def test_who_was_asked_and_knows_another_birthday_is_believed(source: str) -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, birthday=BORN),
            a_delivery("r2", email=EMAIL, birthday=BORN_LATER, source=source),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 1}


def test_another_mailbox_denies_no_phone_and_another_phone_no_mailbox() -> None:
    """Most people have several of both: at work and at home."""
    plan, _ = resolve(
        [
            a_delivery("r1", email=EMAIL, phone=PHONE),
            a_delivery("r2", email="countess@example.org", phone=PHONE),
            a_delivery("r3", email=EMAIL, phone=OTHER_PHONE),
        ]
    )
    assert plan.outcomes == {"created": 1, "updated": 2}


@settings(deadline=None)
@given(
    said=st.lists(
        st.tuples(
            st.sampled_from([None, PHONE, OTHER_PHONE]),
            st.sampled_from([None, BORN, BORN_LATER]),
        ),
        min_size=1,
        max_size=8,
    ),
    order=st.randoms(use_true_random=False),
)
def test_whoever_shares_a_mailbox_hangs_together_in_any_order(
    said: list[tuple[str | None, str | None]], order: Any
) -> None:
    """In one contact or as candidates (I4): what the gate does not decide is not lost."""
    deliveries = [
        a_delivery(f"r{number}", email=EMAIL, phone=phone, birthday=birthday)
        for number, (phone, birthday) in enumerate(said)
    ]
    shuffled: list[Delivery] = list(deliveries)
    order.shuffle(shuffled)
    assert len(joined(resolve(deliveries)[0])) == 1
    assert joined(resolve(deliveries)[0]) == joined(resolve(shuffled)[0])


def test_it_costs_a_few_microseconds() -> None:
    """The gate asks it of every signal that one mailbox or phone names (ADR 0066)."""
    one, known = facts(birthday=BORN), [facts(birthday=BORN), facts()]
    best = min(timeit.repeat(lambda: is_contradicted(one, known), number=500, repeat=5))
    assert best / 500 < 50e-6
