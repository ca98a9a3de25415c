"""Bad input: each bad thing gets a reason and a field, and never its value back."""

import orjson
import pytest

from services.ingest.domain.reading import (
    is_activity,
    read_body,
    read_many,
    read_value,
    refuse_large,
)
from shared.errors import PoisonMessageError

GOOD = {"source": "hubspot_crm", "first_name": "Ada"}


def body(**fields: object) -> bytes:
    return orjson.dumps({**GOOD, **fields})


BAD = [
    (b"", "malformed", ""),
    (b"{", "malformed", ""),
    (b'"text"', "malformed", ""),
    (b"[]", "malformed", ""),
    (b"null", "malformed", ""),
    (b'{"source": "\xff"}', "malformed", ""),
    (b'{"source": "\\ud800"}', "malformed", ""),
    (b'{"source": NaN}', "malformed", ""),
    (b'{"a":' * 70 + b"1" + b"}" * 70, "malformed", ""),
    (b'{"a":' * 20_000, "malformed", ""),
    (orjson.dumps({"first_name": "Ada"}), "invalid", "source"),
    (body(source="Hub Spot"), "invalid", "source"),
    (body(source=7), "invalid", "source"),
    (body(first_name=["Ada"]), "invalid", "first_name"),
    (body(first_name="secret" * 50), "invalid", "first_name"),
    (body(notes="x" * 10_001), "invalid", "notes"),
    (body(first_name="A\0da"), "invalid", "first_name"),
    (body(emails=[{"value": "a\0@x.example"}]), "invalid", "emails.0"),
    (body(custom_fields={"secret": "\0"}), "invalid", "custom_fields"),
    (body(unheard_of={"deep": ["\0"]}), "invalid", "(an unknown field).0"),
    (body(emails="ada@engines.example"), "invalid", "emails"),
    (body(emails=[{"value": None}]), "invalid", "emails.0.value"),
    (body(emails=[{"value": "a@b.example"}] * 51), "invalid", "emails"),
    (body(phone_region="Germany"), "invalid", "phone_region"),
    (body(source_version=-1), "invalid", "source_version"),
    (body(source_version="new"), "invalid", "source_version"),
    (
        b'{"source": "hubspot_crm", "source_version": 1180591620717411303424}',
        "invalid",
        "source_version",
    ),
    (body(confidence=2), "invalid", "confidence"),
    (body(birthday="secret"), "invalid", "birthday"),
    (body(about="secret"), "invalid", "about"),
    (body(import_source="secret"), "invalid", "import_source"),
    (body(employments=[{"start_date": "secret"}]), "invalid", "employments.0.start_date"),
    (body(identifiers=[{"type": "secret", "value": "x"}]), "invalid", "identifiers.0.type"),
    (body(custom_fields={"secret" * 50: 1}), "invalid", "custom_fields"),
]


@pytest.mark.parametrize(("bad", "reason", "field"), BAD)
def test_a_bad_body_is_refused_by_field_and_reason(bad: bytes, reason: str, field: str) -> None:
    with pytest.raises(PoisonMessageError) as caught:
        read_body(bad)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert len(caught.value.detail) > 8
    assert "secret" not in str(caught.value)


def test_a_body_over_the_limit_is_not_even_parsed() -> None:
    refuse_large(b"x" * 65_536)
    with pytest.raises(PoisonMessageError, match="too_large"):
        refuse_large(b"x" * 65_537)


def test_unknown_fields_and_an_escaped_backslash_before_u0000_pass() -> None:
    signal, raw = read_body(body(unheard_of=1, notes="C:\\u0000"))
    assert orjson.loads(raw)["unheard_of"] == 1
    assert signal.notes == "C:\\u0000"


def test_what_the_struct_refuses_and_the_model_takes_is_taken() -> None:
    spaced = {"value": " " * 250 + "ada@engines.example"}
    signal, _ = read_body(body(source_version=7.0, confidence="0.5", emails=[spaced]))
    assert (signal.source_version, signal.confidence) == (7, 0.5)
    assert signal.emails[0].value == "ada@engines.example"


def test_pushed_and_consumed_signals_are_refused_in_the_same_words() -> None:
    for bad, reason, _ in BAD:
        if reason == "invalid":
            with pytest.raises(PoisonMessageError) as consumed:
                read_body(bad)
            with pytest.raises(PoisonMessageError) as pushed:
                read_value(orjson.loads(bad), may_hold_nul=True)
            assert str(pushed.value) == str(consumed.value)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(b"nope", "malformed"), (b"7", "malformed"), (b"[]", "invalid"), (b"[1,2,3]", "too_large")],
)
def test_a_request_without_signals_or_with_too_many_is_refused(bad: bytes, reason: str) -> None:
    with pytest.raises(PoisonMessageError) as caught:
        read_many(bad, 2)
    assert caught.value.reason == reason


def test_one_signal_a_list_and_an_object_with_a_list_are_the_same() -> None:
    one = b'{"source":"x"}'
    assert read_many(one, 9) == read_many(b"[" + one + b"]", 9)
    assert read_many(one, 9) == read_many(b'{"signals":[' + one + b"]}", 9)


def test_a_signal_says_to_be_one_of_two_kinds() -> None:
    assert is_activity({"signal": "activity"})
    assert not is_activity({"signal": "contact"})
    assert not is_activity({})
    for kind in ("Activity", "", 5, ["activity"]):
        with pytest.raises(PoisonMessageError, match="signal: must be contact or activity"):
            is_activity({"signal": kind})
