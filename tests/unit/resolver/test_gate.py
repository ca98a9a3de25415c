"""The gate's decisions, on signals that exist in memory only."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.gate import decide
from services.resolver.domain.model import Delivery, Ids, Known, Plan, RecordedEvent
from shared.events.codec import (
    Attributes,
    encode,
    event_headers,
    event_type,
    packed_headers,
    packed_recorded_at,
    parse_event,
    unpack_headers,
)
from shared.events.contact import (
    BindingChanged,
    CompanyEvent,
    ContactCreated,
    ContactEvent,
    ContactStatus,
    FactAsserted,
    MergeProposed,
)
from shared.events.fold import ContactState, fold
from tests.support.signals import MOMENT, WORKSPACE, a_delivery

TRACEPARENT = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


def some_ids() -> Ids:
    def named(prefix: str) -> Iterator[tuple[int, str]]:
        return ((n, f"{prefix}{n:026d}") for n in count(1))

    return Ids(named("con_"), named("cmp_"), count(1), (f"evt_{n:026d}" for n in count(1)))


def resolve(deliveries: Iterable[Delivery], now: datetime = MOMENT) -> tuple[Plan, Known]:
    known = Known()
    return decide(deliveries, known, some_ids(), now), known


def contact_events(plan: Plan) -> dict[str, list[ContactEvent]]:
    """Read the events as a consumer does."""
    streams: dict[str, list[ContactEvent]] = {}
    for event in map(published, plan.events):
        if not isinstance(event, CompanyEvent):
            streams.setdefault(event.contact_id, []).append(event)
    return streams


def published(recorded: RecordedEvent) -> ContactEvent | CompanyEvent:
    return parse_event(event_type(recorded.event), encode(recorded.event))


def states(plan: Plan) -> list[ContactState]:
    folded = (fold(None, events) for events in contact_events(plan).values())
    return [state for state in folded if state]


def test_a_signal_of_somebody_new_makes_a_contact() -> None:
    plan, _ = resolve([a_delivery(email="ada@example.com", company="Acme", title="CTO")])
    (state,) = states(plan)
    assert plan.outcomes == {"created": 1}
    assert state.fields["display_name"] == "Ada Lovelace"
    assert state.fields["company_name"] == "Acme"
    assert state.provenance["display_name"].source == "hubspot_crm"


def test_a_hit_updates_the_contact_and_says_what_changed() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@example.com", title="CTO", company="Acme"),
            a_delivery(
                "r2",
                email="ada@example.com",
                phone="+14155550100",
                source="manual_entry",
                name="Ada B. Lovelace",
            ),
        ]
    )
    (events,) = contact_events(plan).values()
    created, asserted = events
    assert isinstance(created, ContactCreated)
    assert isinstance(asserted, FactAsserted)
    assert {(one.field, one.old, one.new) for one in asserted.changes} >= {
        ("display_name", "Ada Lovelace", "Ada B. Lovelace"),
        ("phone_primary", None, "+14155550100"),
    }
    assert [one.value for one in asserted.identifiers_added] == ["+14155550100"]
    assert plan.outcomes == {"created": 1, "updated": 1}


def test_a_lower_priority_never_overwrites() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@example.com", source="manual_entry", name="Ada King"),
            a_delivery(
                "r2", email="ada@example.com", source="csv_upload", name="A. King", minutes=5
            ),
        ]
    )
    (state,) = states(plan)
    assert state.fields["display_name"] == "Ada King"


def test_several_hits_wait_for_review_in_both_streams() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@example.com"),
            a_delivery("r2", phone="+14155550100"),
            a_delivery("r3", email="ada@example.com", phone="+14155550100"),
            a_delivery("r4", email="ada@example.com", phone="+14155550100"),
        ]
    )
    first, second = states(plan)
    assert first.candidates == (second.contact_id,)
    assert second.candidates == (first.contact_id,)
    assert len(plan.candidates) == 1
    proposals = [event for event in map(published, plan.events) if isinstance(event, MergeProposed)]
    assert [one.identifiers[0].value for one in proposals] == ["+14155550100"] * 2


@pytest.mark.parametrize(
    ("status", "proposed"), [("active", 1), ("archived", 1), ("deleted", 0), ("merged", 0)]
)
def test_nobody_is_the_namesake_of_who_has_gone(status: ContactStatus, proposed: int) -> None:
    """An import's preview found them, and they were erased, or absorbed, before it was sent."""
    known, ids = Known(), some_ids()
    decide([a_delivery("r1", email="ada@example.com")], known, ids, MOMENT)
    [ada] = known.contacts.values()
    ada.status = status
    known.about[1, ada.public_id] = ada.id
    row = a_delivery(
        "r2", source="csv_upload", possible_duplicates=(f"con_{9:026d}", ada.public_id)
    )
    plan = decide([row], known, ids, MOMENT)
    assert plan.outcomes == {"created": 1}
    assert [one.reason for one in plan.candidates] == ["same_name"] * proposed
    told = [one for one in map(published, plan.events) if isinstance(one, MergeProposed)]
    assert len(told) == 2 * proposed


def test_who_is_known_is_nobodys_namesake() -> None:
    """Whom the row names was found since its preview: there is nothing left to ask."""
    known, ids = Known(), some_ids()
    decide([a_delivery("r1"), a_delivery("r2", email="ada@example.com")], known, ids, MOMENT)
    namesake, ada = known.contacts.values()
    known.about[1, namesake.public_id] = namesake.id
    said = {"email": "ada@example.com", "possible_duplicates": (namesake.public_id,)}
    plan = decide([a_delivery("r3", source="csv_upload", **said)], known, ids, MOMENT)
    assert (plan.outcomes, plan.candidates) == ({"updated": 1}, [])
    assert plan.ledger[0].contact_id == ada.id


ADA, BOB = (f"con_{number:026d}" for number in (1, 2))


def answered(*answers: dict[str, Any]) -> tuple[Plan, Known]:
    """Let a vendor answer about contacts; Ada is contact 1, Bob contact 2."""
    known, ids = Known(), some_ids()
    known_already = [
        a_delivery("r1", email="ada@example.com"),
        a_delivery("r2", email="bob@example.com", name="Bob Ross"),
    ]
    decide(known_already, known, ids, MOMENT)
    known.about = {(1, one.public_id): one.id for one in known.contacts.values()}
    said = [
        a_delivery(f"v{number}", **{"source": "apollo", "name": None, **one})
        for number, one in enumerate(answers)
    ]
    return decide(said, known, ids, MOMENT), known


def test_an_answer_that_names_nobody_is_of_whom_it_was_asked_about() -> None:
    plan, _ = answered({"about": ADA, "title": "Countess"}, {"about": BOB, "title": "Painter"})
    assert [row.contact_id for row in plan.ledger] == [1, 2]
    assert plan.candidates == []


def test_an_answer_that_names_somebody_else_is_of_them() -> None:
    plan, _ = answered({"about": ADA, "email": "bob@example.com", "title": "Painter"})
    assert [row.contact_id for row in plan.ledger] == [2]
    assert plan.candidates == []


def test_an_answer_about_nobody_who_is_known_makes_a_contact() -> None:
    plan, _ = answered({"about": f"con_{9:026d}", "phone": "+14155550100"})
    assert (plan.outcomes, [row.contact_id for row in plan.ledger]) == ({"created": 1}, [3])


def test_when_a_contact_was_enriched_is_its_newest_answer_whichever_came_last() -> None:
    plan, _ = answered(
        {"about": ADA, "minutes": 5},
        {"about": ADA, "minutes": 9},
        {"about": ADA, "minutes": 7},
        {"about": BOB, "source": "hubspot_crm", "title": "Painter"},
    )
    assert [row.contact_id for row in plan.ledger] == [1, 1, 1, 2]
    assert plan.enriched == {1: MOMENT + timedelta(minutes=9)}


def test_nothing_is_kept_of_an_answer_about_who_is_gone() -> None:
    known, ids = Known(), some_ids()
    decide([a_delivery("r1", email="ada@example.com")], known, ids, MOMENT)
    [ada] = known.contacts.values()
    ada.status, ada.claims = "deleted", {}
    known.about[1, ada.public_id] = ada.id
    answer = a_delivery("v1", source="apollo", about=ada.public_id, title="Countess")
    plan = decide([answer], known, ids, MOMENT)
    assert (plan.outcomes, plan.events, ada.claims) == ({"stale": 1}, [], {})
    (row,) = plan.ledger
    assert (row.superseded, row.contact_id) == (True, ada.id)
    assert (row.said.facts.employments, row.said.shared) == ((), b"{}")
    assert (row.delivery.raw, row.delivery.signal.source_record_id) == ("{}", None)


def test_the_strongest_identifier_decides_who_receives_the_signal() -> None:
    plan, known = resolve(
        [
            a_delivery("r1", phone="+14155550100"),
            a_delivery("r2", email="ada@example.com"),
            a_delivery("r3", email="ada@example.com", phone="+14155550100"),
        ]
    )
    holder = known.holders[1, "email", "ada@example.com"]
    assert plan.ledger[2].contact_id == holder


def test_the_same_delivery_again_changes_nothing() -> None:
    once, _ = resolve([a_delivery(email="ada@example.com")])
    twice, _ = resolve([a_delivery(email="ada@example.com")] * 2)
    assert twice.outcomes == {"created": 1, "duplicate": 1}
    assert [*map(published, once.events)] == [*map(published, twice.events)]
    assert len(twice.ledger) == 1


def test_content_is_compared_with_the_present_version_only() -> None:
    """A → B → A applies three times, while the first A once more, late, does not."""
    first = a_delivery(name="Ada A", email="ada@example.com")
    second = a_delivery(name="Ada B", email="ada@example.com", minutes=1)
    third = a_delivery(name="Ada A", email="ada@example.com", minutes=2)
    plan, _ = resolve([first, second, third, first])
    (state,) = states(plan)
    assert plan.outcomes == {"created": 1, "updated": 2, "duplicate": 1}
    assert state.fields["display_name"] == "Ada A"
    assert [row.revision for row in plan.ledger] == [1, 2, 3]
    assert [number for _, _, number in plan.superseded] == [1, 2]


def test_an_older_version_is_kept_but_not_shown() -> None:
    plan, _ = resolve(
        [
            a_delivery(name="Ada New", email="ada@example.com", minutes=5, version=7),
            a_delivery(name="Ada Old", email="ada@example.com", minutes=9, version=6),
        ]
    )
    (state,) = states(plan)
    assert plan.outcomes == {"created": 1, "stale": 1}
    assert state.fields["display_name"] == "Ada New"
    assert plan.ledger[1].superseded


def test_a_newer_version_stays_with_its_contact() -> None:
    """Even when its new e-mail is somebody else's: then the two wait for review."""
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@example.com"),
            a_delivery("r2", email="bob@example.com", name="Bob Ross"),
            a_delivery("r1", email="bob@example.com", minutes=3),
        ]
    )
    assert plan.ledger[2].contact_id == plan.ledger[0].contact_id
    assert len(plan.candidates) == 1


def test_notes_and_labels_stay_in_the_workspace() -> None:
    plan, _ = resolve([a_delivery(email="ada@example.com", notes="met at SaaStr", labels=("vip",))])
    created, private = map(published, plan.events)
    assert isinstance(created, ContactCreated)
    assert created.asserted.facts.notes is None
    assert created.asserted.facts.labels == ()
    assert isinstance(private, BindingChanged)
    assert private.notes == "met at SaaStr"
    shared_with_all, kept_private = (one.private_to for one in plan.events)
    assert shared_with_all is None
    assert kept_private is not None
    assert kept_private[0] == 1


def test_a_work_address_makes_the_company_and_a_name_alone_only_links() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@acme.io", company="Acme, Inc."),
            a_delivery("r2", phone="+14155550100", company="ACME INC", name="Bob Ross"),
            a_delivery("r3", phone="+14155550101", company="Nobody Knows", name="Eve Moe"),
            a_delivery("r4", email="eve@gmail.com", company="Mailers", name="Eve Two"),
        ]
    )
    (company,) = plan.companies
    assert company.domain == "acme.io"
    told = [one for one in map(published, plan.events) if isinstance(one, CompanyEvent)]
    assert [one.company_id for one in told] == [company.company.public_id]
    linked = [one.fields.get("company_id") for one in states(plan)]
    assert linked == [company.company.public_id, company.company.public_id, None, None]


@pytest.mark.parametrize("source", ["email_sync", "apollo", "ai_deep_research"])
def test_whom_nobody_but_mail_or_a_vendor_named_waits_for_a_name(source: str) -> None:
    plan, _ = resolve([a_delivery("r1", email="ada@example.com", source=source)])
    assert [one.status for one in states(plan)] == ["incomplete"]


def test_a_name_makes_an_incomplete_contact_active() -> None:
    plan, _ = resolve(
        [
            a_delivery("r1", email="ada@example.com", name=None, source="email_sync"),
            a_delivery("r2", email="ada@example.com"),
        ]
    )
    (events,) = contact_events(plan).values()
    assert isinstance(events[0], ContactCreated)
    assert events[0].status == "incomplete"
    assert isinstance(events[1], FactAsserted)
    assert events[1].status == "active"


people = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=12
)


def deliveries_of(said: Sequence[tuple[int, int, int]]) -> list[Delivery]:
    return [
        a_delivery(
            f"r{number}",
            email=f"p{email}@example.com" if email else None,
            phone=f"+1415555010{phone}" if phone else None,
            name=f"Person {number}",
            minutes=minutes,
        )
        for number, (email, phone, minutes) in enumerate(said)
    ]


def joined(plan: Plan) -> set[frozenset[str]]:
    """Partition the records by contact, contacts joined through their open candidates."""
    group = {row.contact_id: {row.contact_id} for row in plan.ledger}
    for one in plan.candidates:
        together = group[one.first] | group[one.second]
        for member in together:
            group[member] = together
    records: dict[int, set[str]] = {}
    for row in plan.ledger:
        record = row.delivery.signal.source_record_id
        assert record
        records.setdefault(min(group[row.contact_id]), set()).add(record)
    return {frozenset(one) for one in records.values()}


@given(said=people, order=st.randoms(use_true_random=False))
def test_the_partition_does_not_depend_on_the_order(
    said: list[tuple[int, int, int]], order: Random
) -> None:
    """Joined through open candidates (I4), whatever the order of arrival."""
    deliveries = deliveries_of(said)
    shuffled = list(deliveries)
    order.shuffle(shuffled)
    assert joined(resolve(deliveries)[0]) == joined(resolve(shuffled)[0])


@given(said=people, cut=st.integers(0, 12))
def test_batches_do_not_matter(said: list[tuple[int, int, int]], cut: int) -> None:
    """Two batches after one another lead to the same events as one."""
    deliveries = deliveries_of(said)
    whole, _ = resolve(deliveries)
    known, ids = Known(), some_ids()
    parts = [decide(part, known, ids, MOMENT) for part in (deliveries[:cut], deliveries[cut:])]
    assert [*map(published, whole.events)] == [
        published(one) for part in parts for one in part.events
    ]


@given(said=people)
def test_versions_have_no_gaps_and_fold(said: list[tuple[int, int, int]]) -> None:
    plan, _ = resolve(deliveries_of(said))
    for events in contact_events(plan).values():
        assert [one.version for one in events] == list(range(1, len(events) + 1))
    assert {one.contact_id for one in states(plan)} == {
        contact.public_id for contact in plan.contacts.values()
    }


@given(workspace=st.none() | st.just(WORKSPACE), traceparent=st.none() | st.just(TRACEPARENT))
def test_packed_headers_are_the_headers(workspace: str | None, traceparent: str | None) -> None:
    """What the outbox holds as text is what CloudEvents' binding asks for."""
    plan, _ = resolve([a_delivery(email="ada@example.com", notes="met at SaaStr")])
    for one in plan.events:
        attributes = Attributes(one.event_id, one.tenant, workspace, one.received_at, traceparent)
        packed = packed_headers(one.event, attributes)
        assert sorted(unpack_headers(packed)) == sorted(event_headers(one.event, attributes))
        assert packed_recorded_at(packed) == one.received_at
