"""The hot path's structs say what their models say."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.codec import encode
from shared.events.signal import (
    Address,
    ContactPoint,
    ContactSignal,
    Employment,
    Facts,
    Identifier,
    NormalizedSignal,
    Point,
    RejectedValue,
)
from shared.events.structs import (
    Reader,
    as_struct,
    changed,
    converted,
    stripped,
    struct_of,
    text_of,
    to_json,
)
from shared.events.wire import Wire
from tests.support.signals import a_signal

short = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40).map(
    str.strip
)
optional = st.none() | short
facts = st.builds(
    Facts,
    full_name=optional,
    first_name=optional,
    birthday=st.sampled_from([None, "1815-12-10", "--12-10"]),
    employments=st.lists(
        st.builds(
            Employment,
            company_name=optional,
            title=optional,
            start_date=st.none() | st.dates(date(1900, 1, 1)),
            is_current=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    addresses=st.lists(st.builds(Address, city=optional), max_size=2).map(tuple),
    labels=st.lists(short, max_size=3).map(tuple),
    custom_fields=st.dictionaries(short, st.none() | st.integers(0, 9) | short, max_size=3),
    emails=st.lists(st.builds(Point, value=short, primary=st.booleans()), max_size=2).map(tuple),
    identifiers=st.lists(
        st.builds(Identifier, type=st.just("email"), value=short, assumed_region=st.booleans()),
        max_size=2,
    ).map(tuple),
)
signals = st.builds(
    lambda facts, at, confidence, rejected: NormalizedSignal.model_validate(
        {
            **a_signal().model_dump(),
            "facts": facts,
            "occurred_at": at,
            "confidence": confidence,
            "rejected": rejected,
        }
    ),
    facts,
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(0.0, 1.0),
    st.lists(st.builds(RejectedValue, field=short, reason=short), max_size=2).map(tuple),
)
read = Reader(NormalizedSignal).read


@given(signals)
def test_a_struct_reads_what_its_model_wrote_and_writes_what_its_model_reads(
    signal: NormalizedSignal,
) -> None:
    struct = read(encode(signal))
    assert struct == as_struct(signal)
    assert NormalizedSignal.model_validate_json(to_json(struct)) == signal


@pytest.mark.parametrize("model", sorted(set(topics.MODEL_BY_TYPE.values()), key=str))
def test_every_message_has_a_struct_with_its_fields(model: type[Wire]) -> None:
    struct = struct_of(model)
    assert list(struct.__annotations__) == list(model.model_fields)
    assert struct.__name__ == model.__name__


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", "ten_1"),
        ("tenant", "ten_" + "0" * 26 + "\n"),
        ("record_key", "xyz"),
        ("signal_id", ""),
        ("signal_id", "x" * 256),
        ("confidence", 1.5),
        ("confidence", "high"),
        ("occurred_at", "yesterday"),
        ("facts", []),
        ("facts", {"first_name": "x" * 256}),
        ("facts", {"first_name": "nul \0 inside"}),
        ("facts", {"birthday": "10.12.1815"}),
        ("facts", {"employments": [{}] * 51}),
        ("import_source", "elsewhere"),
        ("about", "con_1"),
    ],
)
def test_what_the_model_refuses_the_struct_refuses_in_the_same_words(
    field: str, value: object
) -> None:
    document = json.loads(encode(a_signal()))
    with pytest.raises(PoisonMessageError) as refusal:
        read(json.dumps({**document, field: value}).encode())
    assert refusal.value.field.startswith(field)
    assert refusal.value.reason == "invalid"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"signal_id": "\xff"}'])
def test_what_is_no_signal_at_all_is_refused(body: bytes) -> None:
    with pytest.raises(PoisonMessageError):
        read(body)


def test_what_only_the_model_can_read_becomes_a_struct_too() -> None:
    document = json.loads(encode(a_signal()))
    struct = read(json.dumps({**document, "occurred_at": 1_767_225_600, "new": 1}).encode())
    assert struct.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_field_read_verbatim_keeps_its_json() -> None:
    reader = Reader(NormalizedSignal, verbatim="raw")
    body = encode(a_signal()).replace(b'"raw":{', b'"raw":{"b": 1e2, "a": [ ],')
    assert text_of(reader.read(body).raw).startswith('{"b": 1e2, "a": [ ],')


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9))
def test_a_string_is_stripped_as_the_model_strips_it(text: str) -> None:
    assert stripped(f"\x1f {text}\u3000") == ContactPoint(value=f"\x1f {text}\u3000").value
    assert stripped(text) == ContactPoint(value=text).value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source_version", -1),
        ("source_version", 2**63),
        ("source_version", "7"),
        ("first_name", "x" * 256),
        ("emails", [{"value": "a@x.example"}] * 51),
        ("emails", [{"label": "work"}]),
        ("custom_fields", {"x" * 256: 1}),
        ("confidence", 1.01),
        ("about", "con_1"),
    ],
)
def test_what_is_out_of_bounds_is_left_to_the_model(name: str, value: object) -> None:
    assert converted({"source": "hubspot_crm", name: value}, ContactSignal) is None


def test_parsed_json_becomes_a_struct_with_the_model_s_values() -> None:
    value = {"source": "hubspot_crm", "emails": [{"value": "a@x.example"}], "source_version": 7}
    employment = {"title": "Countess", "start_date": "1843-01-01", "unheard_of": True}
    value |= {"employments": [employment], "unheard_of": {"deep": []}, "confidence": 1}
    assert converted(value, ContactSignal) == as_struct(ContactSignal.model_validate(value))


def test_a_changed_struct_is_another() -> None:
    before = as_struct(Facts(first_name="Ada"))
    assert changed(before, first_name=None).first_name is None
    assert before.first_name == "Ada"
