"""The projector's fold on JSON and the shared fold on models are one and the same."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.projector.domain.events import Event
from services.projector.domain.fold import VersionGapError, expanded, fold
from shared.events import fold as models
from shared.events import topics
from shared.events.codec import encode
from shared.events.contact import (
    ContactArchived,
    ContactDeleted,
    ContactEvent,
    ContactsMerged,
    ContactsSplit,
    ContactUnarchived,
    FactAsserted,
    FactRetracted,
    FieldChange,
    HistoryErased,
    IdentifierRemoved,
    KnownBy,
    MergeProposed,
    MergeRejected,
    MergeWithdrawn,
    Origin,
    Shape,
)
from shared.events.signal import Employment, Identifier
from shared.events.structs import Reader
from tests.support.events import BEGIN, asserted, born, noted

CONTACT, OTHER = "con_" + "0" * 26, "con_" + "1" * 26
HERE, THERE = "wsp_" + "0" * 26, "wsp_" + "1" * 26
MERGE = "mrg_" + "0" * 26
STATE = TypeAdapter(models.ContactState)
READERS = {model: Reader(model) for model in topics.EVENTS.messages.values()}

origins = st.none() | st.builds(
    Origin,
    source=st.sampled_from(["apollo", "vcard_upload"]),
    source_record=st.sampled_from(["c" * 32, "d" * 32]),
    asserted_at=st.just(BEGIN),
)
changes = st.lists(
    st.builds(
        FieldChange,
        field=st.sampled_from(["first_name", "city", "job_title"]),
        new=st.none() | st.sampled_from(["Ada", "Grace"]),
        origin=origins,
    ),
    max_size=3,
).map(tuple)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001
common: dict[str, Any] = {
    "contact_id": st.just(CONTACT),
    "version": st.just(1),
    "cause": st.just("test"),
    "occurred_at": moments,
    "workspace": st.none() | st.sampled_from([HERE, THERE]),
}
shapes = st.none() | st.builds(
    Shape,
    status=st.sampled_from(["active", "incomplete"]),
    source=st.none() | st.just("apollo"),
    fields=st.just({"first_name": "Ada", "city": "London"}),
    provenance=st.builds(
        lambda one, other: {"first_name": one, "city": other},
        origins.filter(bool),
        origins.filter(bool),
    ),
    identifiers=st.just((Identifier(type="email", value="b@example.org"),)),
    employments=st.sampled_from([(), (Employment(company_name="Engines", title="CTO"),)]),
    known_by=st.sampled_from(
        [
            (KnownBy(workspace=HERE, bound_at=BEGIN),),
            (
                KnownBy(workspace=THERE, import_source="mark-import", bound_at=BEGIN),
                KnownBy(workspace=HERE, bound_at=BEGIN),
            ),
        ]
    ),
    candidates=st.sampled_from([(), (OTHER,)]),
)
later = st.one_of(
    st.builds(
        FactAsserted,
        **common,
        status=st.none() | st.just("active"),
        import_source=st.none() | st.just("crm-direct"),
        identifiers_added=st.just((Identifier(type="email", value="a@example.org"),)),
        employments_added=st.just((Employment(company_name="Engines"),)),
        changes=changes,
        asserted=st.just(asserted("e")),
    ),
    st.builds(
        FactRetracted,
        **common,
        source=st.just("apollo"),
        source_record=st.just("c" * 32),
        changes=changes,
        employments_removed=st.sampled_from(
            [(), (Employment(company_name="ENGINES"),), (Employment(title="analyst"),)]
        ),
        employments_kept=st.sampled_from(
            [(), (Employment(company_name="Engines", start_date=date(2020, 1, 1)),)]
        ),
        restored=st.none() | st.just(asserted("e")),
        shape=shapes,
    ),
    st.builds(MergeWithdrawn, **common, other_id=st.sampled_from([CONTACT, OTHER])),
    st.builds(ContactDeleted, **common, reason=st.sampled_from(["import_retracted", "erased"])),
    st.builds(HistoryErased, **common, before=st.just(2)),
    st.builds(
        IdentifierRemoved,
        **common,
        type=st.just("email"),
        value=st.sampled_from(["a@example.org", "b@example.org"]),
        reason=st.sampled_from(["shared", "dropped"]),
    ),
    st.builds(
        MergeProposed,
        **common,
        other_id=st.sampled_from([CONTACT, OTHER]),
        reason=st.just("identifiers_of_several_contacts"),
    ),
    st.builds(
        MergeRejected,
        **common,
        other_id=st.sampled_from([CONTACT, OTHER]),
        retired=st.sampled_from([(), (OTHER,)]),
    ),
    st.builds(
        ContactsMerged,
        **common,
        merge_id=st.just(MERGE),
        survivor_id=st.sampled_from([CONTACT, OTHER]),
        absorbed_id=st.sampled_from([CONTACT, OTHER]),
        decided_by=st.just("person"),
        reason=st.just("manual"),
        shape=shapes,
    ),
    st.builds(
        ContactsSplit,
        **common,
        original_id=st.just(CONTACT),
        new_id=st.just(OTHER),
        survivor_id=st.none() | st.just(OTHER),
        shape=shapes,
    ),
    st.builds(ContactArchived, **common),
    st.builds(ContactUnarchived, **common),
    st.sampled_from([noted(CONTACT, 1, HERE, "a"), noted(CONTACT, 1, THERE, "b")]),
)


def as_json(event: ContactEvent) -> Event:
    return Event(type(event).__name__, orjson.loads(encode(event)), "ten_1", None, BEGIN)


def as_struct_read(event: ContactEvent) -> ContactEvent:
    return cast("ContactEvent", READERS[type(event)].read(encode(event)))


@given(st.lists(later, max_size=6))
def test_both_folds_agree_on_any_history(events: list[ContactEvent]) -> None:
    history = [
        born(CONTACT, HERE, jobs=(Employment(title="Analyst"),)),
        *(
            event.model_copy(update={"version": version})
            for version, event in enumerate(events, start=2)
        ),
    ]
    state = fold(None, map(as_json, history))
    assert state is not None
    stored = orjson.loads(orjson.dumps(state))
    expected = models.fold(None, history)
    assert STATE.validate_json(orjson.dumps(expanded(stored))) == expected
    of_structs = models.fold(None, map(as_struct_read, history))
    assert of_structs is not None
    values = {one.name: getattr(of_structs, one.name) for one in dataclasses.fields(of_structs)}
    assert STATE.validate_python(values, from_attributes=True) == expected


def test_an_event_seen_before_changes_nothing() -> None:
    events = [as_json(born(CONTACT, HERE)), as_json(noted(CONTACT, 2, HERE, "x"))]
    once = fold(None, events)
    assert once is not None
    before = orjson.dumps(once)
    assert orjson.dumps(fold(once, events)) == before


def test_a_gap_is_not_folded_over() -> None:
    state = fold(None, [as_json(born(CONTACT, HERE))])
    with pytest.raises(VersionGapError):
        fold(state, [as_json(noted(CONTACT, 3, HERE, "x"))])
    with pytest.raises(VersionGapError):
        fold(None, [as_json(noted(CONTACT, 2, HERE, "x"))])
