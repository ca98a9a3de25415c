"""From a valid activity signal to a well-formed one."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.intake import read_arrival
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import is_activity, read_activity_value
from shared.errors import PoisonMessageError
from shared.events.activity import NormalizedActivity
from shared.events.envelope import from_record
from tests.support.ingest import NOW, ORIGIN, RULES, normalized, normalized_activity

ADA: dict[str, Any] = {
    "role": "attendee",
    "name": " Ada  Lovelace ",
    "email": "ADA@engines.example",
}


def read(**fields: Any) -> NormalizedActivity:
    return NormalizedActivity.model_validate_json(normalized_activity(**fields).body)


def test_a_meeting_comes_out_with_everything_in_it() -> None:
    activity = read(
        source_record_id="uid-1",
        source_version=3,
        kind="meeting",
        direction="outbound",
        status="confirmed",
        occurred_at="2026-02-03T10:30:00+01:00",
        duration_s=3600,
        title=" Difference\tEngine ",
        snippet="Bring\r\nthe drawings.",
        thread_id=" engine ",
        location="St James's",
        attributes={"conference": "https://meet.example/a"},
        participants=[
            {"role": "organizer", "contact_id": "con_01JZ8Q4V6T3N9M2K7R5X1W0YBK"},
            {**ADA, "attendance": "accepted", "optional": True, "phone": "(212) 555-0123"},
            {"role": "attendee", "name": "Room 3"},
        ],
        unheard_of=1,
    )
    happened = activity.activity
    assert (happened.title, happened.snippet) == ("Difference Engine", "Bring\nthe drawings.")
    assert (happened.thread_id, happened.location) == ("engine", "St James's")
    assert happened.occurred_at.isoformat() == "2026-02-03T09:30:00+00:00"
    assert happened.attributes == {"conference": "https://meet.example/a"}
    organizer, ada, room = activity.participants
    assert organizer.contact_id == "con_01JZ8Q4V6T3N9M2K7R5X1W0YBK"
    assert organizer.facts is None
    assert ada.facts is not None
    assert ada.facts.called == "Ada Lovelace"
    assert ada.facts.full_name is None, "what others call somebody is no evidence of a name"
    assert [(one.type, one.value) for one in ada.facts.identifiers] == [
        ("email", "ada@engines.example"),
        ("phone_e164", "+12125550123"),
    ]
    assert (ada.attendance, ada.optional) == ("accepted", True)
    assert (room.name, room.record_key, room.facts) == ("Room 3", None, None)
    assert activity.raw["unheard_of"] == 1


def test_a_participant_is_the_same_record_in_every_activity_that_says_the_same() -> None:
    first, second = (
        read(source_record_id=number, participants=[ADA]).participants[0] for number in "12"
    )
    assert (first.record_key, first.content_hash) == (second.record_key, second.content_hash)
    other = read(participants=[{**ADA, "name": "Countess"}]).participants[0]
    assert other.record_key != first.record_key
    elsewhere = read(source="email_sync", participants=[ADA]).participants[0]
    assert elsewhere.record_key != first.record_key


def test_a_contact_and_an_activity_of_one_id_are_two_records() -> None:
    activity = normalized_activity(source_record_id="42", participants=[ADA])
    contact = normalized(source="calendar", source_record_id="42", first_name="Ada")
    assert activity.record_key != contact.record_key


def test_a_participant_named_by_the_address_has_no_name() -> None:
    for name in ("ada@engines.example", "'ADA@Engines.example'", "<ada@engines.example>"):
        one = read(participants=[{**ADA, "name": name}]).participants[0]
        assert one.facts is not None
        assert one.facts.called is None


def test_somebody_twice_in_one_role_is_listed_once() -> None:
    twice = read(participants=[ADA, ADA, {**ADA, "role": "organizer"}])
    assert [one.role for one in twice.participants] == ["attendee", "organizer"]


def test_what_is_left_out_is_named_by_the_sender_s_field() -> None:
    found = normalized_activity(
        participants=[
            ADA,
            {"role": "to", "email": "not an address", "phone": "12"},
            {"role": "to", "identifiers": [{"type": "github_username", "value": "-"}]},
            {"role": "caller", "phone": "2125550123"},
        ]
    )
    assert [one["field"] for one in found.rejected] == [
        "participants.1.email",
        "participants.1.phone",
        "participants.2.identifiers.0.value",
    ]
    assert found.assumed == ["participants.3.phone"]


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"participants": []}, "participants", "names nobody"),
        ({"participants": [{"role": "to", "name": "Bob"}]}, "participants", "names nobody"),
        ({"participants": [{"role": "to", "email": "x"}]}, "participants.0.email", "nobody else"),
        ({"participants": [{**ADA, "role": "guest"}]}, "participants.0.role", "'from'"),
        ({"participants": [{**ADA, "contact_id": "1"}]}, "participants.0.contact_id", "con_"),
        ({"participants": [ADA] * 501}, "participants", "at most 500"),
        ({"occurred_at": "2026-01-31T12:00:00", "participants": [ADA]}, "occurred_at", "offset"),
        ({"occurred_at": "yesterday", "participants": [ADA]}, "occurred_at", "2026-01-31T12"),
        ({"occurred_at": "1815-12-10T00:00:00Z", "participants": [ADA]}, "occurred_at", "1900"),
        ({"occurred_at": "9999-12-31T23:59:59-01:00", "participants": [ADA]}, "occurred_at", ""),
        ({"kind": "fax", "participants": [ADA]}, "kind", "'email'"),
        ({"duration_s": -1, "participants": [ADA]}, "duration_s", ""),
        ({"title": "x" * 1_001, "participants": [ADA]}, "title", "at most 1000"),
        ({"title": "a\0b", "participants": [ADA]}, "title", "NUL"),
        ({"attributes": {"a": "x" * 9_000}, "participants": [ADA]}, "attributes", "8192"),
        ({"attributes": {"a\0": 1}, "participants": [ADA]}, "attributes.(a key)", "NUL"),
    ],
)
def test_a_refusal_names_the_field_and_what_is_right(
    fields: dict[str, Any], field: str, detail: str
) -> None:
    with pytest.raises(PoisonMessageError) as refusal:
        normalized_activity(**fields)
    assert (refusal.value.reason, refusal.value.field) == ("invalid", field)
    assert detail in refusal.value.detail


def test_what_the_source_deleted_needs_nobody() -> None:
    gone = read(source_record_id="1", deleted=True)
    assert gone.deleted
    assert gone.participants == ()


def test_headers_and_types_tell_an_activity_from_a_contact() -> None:
    envelope = from_record(normalized_headers(ORIGIN, is_activity=True), b"{}")
    assert envelope.type == "kith.signal.normalized_activity.v1"
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"/pbx"),
        ("ce_type", b"kith.signal.activity.v1"),
    ]
    assert read_arrival(headers, b"{}").is_activity
    assert not read_arrival([*headers[:3], ("ce_type", b"kith.signal.contact.v1")], b"").is_activity
    assert is_activity({"signal": "activity"})
    assert not is_activity({"signal": "contact", "kind": "call"})
    assert not is_activity(["activity"])


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
participants = st.fixed_dictionaries(
    {"role": st.sampled_from(["from", "to", "caller", "guest"])},
    optional={
        "name": st.text(max_size=30),
        "email": st.sampled_from(["ada@x.example", "@", "ADA@X.example"]) | st.text(max_size=20),
        "phone": st.sampled_from(["+442071234567", "1"]) | st.text(max_size=20),
        "linkedin_url": st.text(max_size=30),
        "extra": json,
    },
)


@given(
    st.fixed_dictionaries(
        {
            "source": st.just("calendar"),
            "kind": st.sampled_from(["call", "email", "fax"]),
            "occurred_at": st.sampled_from([NOW, "2026-01-31", 1_769_860_800]) | json,
            "participants": st.lists(participants, max_size=4),
        },
        optional={"title": st.text(max_size=40), "snippet": json, "attributes": json, "x": json},
    )
)
def test_whatever_comes_is_well_formed_or_refused(value: dict[str, Any]) -> None:
    try:
        signal, raw = read_activity_value(value, may_hold_nul=True)
        found = to_normalized_activity(signal, raw, ORIGIN, RULES)
    except PoisonMessageError:
        return
    activity = NormalizedActivity.model_validate_json(found.body)
    assert activity.raw == orjson.loads(raw)
    assert any(one.facts for one in activity.participants)
