"""From a valid signal to a well-formed one."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.mapping import Normalized, to_normalized
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import read_body
from services.ingest.domain.verdicts import position
from shared.errors import PoisonMessageError
from shared.events.envelope import from_record
from shared.events.signal import NormalizedCompanySignal, NormalizedSignal
from shared.events.topics import TYPE_BY_MODEL
from tests.support.ingest import NOW, ORIGIN, RULES, TENANT, facts, normalized

EVERYTHING: dict[str, Any] = {
    "source_record_id": "42",
    "source_version": 7,
    "first_name": " Ada\u200b ",
    "last_name": "Lovelace",
    "emails": [{"value": "ADA@engines.example", "label": "work", "primary": True}],
    "phones": [{"value": "(212) 555-0123"}, {"value": "+1 212 555 0123 x7"}],
    "linkedin_url": "https://de.linkedin.com/in/Ada?x=1",
    "identifiers": [{"type": "twitter_handle", "value": "@Ada"}],
    "employments": [{"company_name": "Engines", "title": "Countess", "start_date": "1843-01-01"}],
    "addresses": [{"city": "London"}, {}],
    "birthday": "--12-10",
    "websites": ["https://ada.example", ""],
    "labels": ["friends", "friends"],
    "notes": "first\r\nsecond",
    "custom_fields": {"b": 1, "a": [True, None]},
    "confidence": 0.5,
    "import_source": "crm-direct",
    "unheard_of": {"kept": "yes"},
}


def test_the_body_is_a_normalized_signal_with_everything_in_it() -> None:
    body = normalized(**EVERYTHING).body
    signal = NormalizedSignal.model_validate_json(body)
    assert signal.facts.full_name == "Ada Lovelace"
    assert [(one.type, one.value, one.assumed_region) for one in signal.facts.identifiers] == [
        ("linkedin_public_id", "ada", False),
        ("email", "ada@engines.example", False),
        ("phone_e164", "+12125550123", True),
        ("phone_e164", "+12125550123;ext=7", False),
        ("twitter_handle", "ada", False),
    ]
    assert signal.facts.linkedin_url == "https://www.linkedin.com/in/ada"
    assert signal.facts.emails[0].primary
    assert signal.facts.labels == ("friends",)
    assert signal.facts.notes == "first\nsecond"
    assert signal.raw["unheard_of"] == {"kept": "yes"}
    assert signal.raw["first_name"] == " Ada\u200b "
    assert (signal.source_version, signal.confidence) == (7, 0.5)
    assert signal.rejected == ()


def test_the_facts_read_back_through_the_model_are_the_facts_that_were_written() -> None:
    body = normalized(**EVERYTHING).body
    signal = NormalizedSignal.model_validate_json(body)
    again = orjson.loads(signal.facts.model_dump_json(exclude_defaults=True))
    assert again == orjson.loads(body)["facts"]


def test_the_headers_are_those_of_a_cloudevent() -> None:
    envelope = from_record(normalized_headers(ORIGIN), b"{}")
    assert (envelope.type, envelope.id) == ("kith.signal.normalized.v1", ORIGIN.signal_id)
    assert (envelope.tenant, envelope.source) == (TENANT, "/kith/ingest")
    assert envelope.recordedtime is not None
    assert envelope.recordedtime.isoformat() == NOW.replace("Z", "+00:00")


def test_a_bad_value_is_left_out_with_its_field_and_the_rest_travels() -> None:
    found = normalized(
        first_name="Ada",
        emails=[{"value": "nonsense"}, {"value": "ada@engines.example"}],
        phones=[{"value": "0000000"}],
        linkedin_url="https://www.linkedin.com/company/engines",
        birthday="1990-02-31",
        identifiers=[{"type": "domain", "value": "engines.example"}],
        employments=[{"company_domain": "no domain", "title": "Countess"}],
    )
    assert [value["field"] for value in found.rejected] == [
        "linkedin_url",
        "emails.0.value",
        "phones.0.value",
        "employments.0.company_domain",
        "birthday",
        "identifiers.0.value",
    ]
    assert all(value["reason"] for value in found.rejected)
    assert b"nonsense" not in orjson.dumps(found.rejected)
    assert NormalizedSignal.model_validate_json(found.body).facts.birthday is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, ""),
        ({"notes": "who?"}, ""),
        ({"first_name": "\u200b"}, ""),
        ({"emails": [{"value": "test@example.com"}]}, "emails.0.value"),
        ({"phones": [{"value": "-1"}]}, "phones.0.value"),
    ],
)
def test_a_signal_that_speaks_of_nobody_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(PoisonMessageError) as caught:
        normalized(**fields)
    assert (caught.value.reason, caught.value.field) == ("invalid", field)


def test_the_same_facts_in_another_spelling_have_the_same_content() -> None:
    one = normalized(source_record_id="1", first_name="Ada", emails=[{"value": "a@x.example"}])
    two = normalized(emails=[{"value": " A@X.example"}], first_name="Ada ", source_record_id="1")
    other = normalized(source_record_id="1", first_name="Adah", emails=[{"value": "a@x.example"}])
    assert (one.record_key, one.content_hash) == (two.record_key, two.content_hash)
    assert one.record_key == other.record_key
    assert one.content_hash != other.content_hash


def test_white_space_at_the_ends_means_nothing() -> None:
    one = {"first_name": "Ada", "custom_fields": {"size": 1}, "employments": [{"title": "CTO"}]}
    two = {
        "first_name": "Ada",
        "source_record_id": " 1\u3000",
        "emails": [{"value": " "}],
        "phones": [{"value": "\t"}],
        "custom_fields": {" size ": 1},
        "employments": [{"title": "CTO", "company_domain": "\n"}],
    }
    bare, spaced = normalized(source_record_id="1", **one), normalized(**two)
    assert spaced.rejected == []
    assert (bare.record_key, bare.content_hash) == (spaced.record_key, spaced.content_hash)
    assert orjson.loads(spaced.body)["source_record_id"] == "1"


def test_what_came_travels_on_as_it_came() -> None:
    raw = b'{ "source": "hubspot_crm", "first_name": "Ada",\n "odd": [1e2, 123456789012345678901] }'
    body = to_normalized(*read_body(raw), ORIGIN, RULES).body
    assert body.count(raw) == 1


def test_without_a_record_id_the_content_names_the_record() -> None:
    ada, again, bob = (normalized(first_name=name) for name in ("Ada", "Ada", "Bob"))
    assert ada.record_key == again.record_key != bob.record_key


def test_confidence_is_content() -> None:
    sure = normalized(source_record_id="1", first_name="Ada")
    unsure = normalized(source_record_id="1", first_name="Ada", confidence=0.3)
    assert sure.content_hash != unsure.content_hash


def test_a_number_that_was_also_written_in_full_is_no_assumption() -> None:
    found = facts(phones=[{"value": "(212) 555-0123"}, {"value": "+12125550123"}])
    assert found["identifiers"] == [{"type": "phone_e164", "value": "+12125550123"}]


@given(
    st.fixed_dictionaries(
        {"first_name": st.just("Ada")},
        optional={
            "last_name": st.text(
                st.characters(codec="utf-8", exclude_characters="\0"), max_size=20
            ),
            "emails": st.lists(st.fixed_dictionaries({"value": st.emails()}), max_size=3),
            "phones": st.lists(
                st.fixed_dictionaries(
                    {"value": st.from_regex(r"[0-9 +()x]{0,16}", fullmatch=True)}
                ),
                max_size=3,
            ),
        },
    )
)
def test_whatever_passes_is_a_normalized_signal(fields: dict[str, Any]) -> None:
    NormalizedSignal.model_validate_json(normalized(**fields).body)


def test_companies_may_come_alone() -> None:
    """Under a type of their own, by the record of the first; the payload travels along."""
    acme = {"source_record_id": "17", "domain": "https://www.Acme.io/", "size_range": "many"}
    found = normalized(companies=[acme, {"name": "Other"}], confidence=0.5)
    signal = NormalizedCompanySignal.model_validate_json(found.body)
    first, other = signal.companies
    assert found.is_company
    assert found.key == first.record_key.encode()
    assert found.content_hash.hex() == first.content_hash
    assert [one.value for one in first.facts.identifiers] == ["acme.io"]
    assert (other.facts.name, signal.confidence) == ("Other", 0.5)
    assert [one.field for one in signal.rejected] == ["companies.0.size_range"]
    assert signal.raw["companies"][0] == acme
    envelope = from_record(normalized_headers(ORIGIN, is_company=True), found.body)
    assert envelope.type == TYPE_BY_MODEL[NormalizedCompanySignal]
    beside = normalized(full_name="Ada", companies=[acme, {"name": "Other"}])
    assert not beside.is_company
    told = NormalizedSignal.model_validate_json(beside.body).companies
    assert told == signal.companies


def test_who_waits_for_companies_waits_for_one_that_is_entered() -> None:
    """A name alone may be nobody's: who is known otherwise is sure to be, else any."""
    unknown, acme, other = {"name": "Unknown Ltd"}, {"domain": "acme.io"}, {"name": "Other"}
    signal = NormalizedCompanySignal.model_validate_json(normalized(companies=[unknown]).body)
    [nameless] = _places(signal)
    found = normalized(companies=[unknown, acme, other, {"domain": "b.org"}])
    told = _places(NormalizedCompanySignal.model_validate_json(found.body))
    assert found.key == told[0][:32].encode()
    assert _token(found) == told[1]
    assert _token(normalized(companies=[unknown, other])) == nameless + told[2]


def _places(signal: NormalizedCompanySignal) -> list[str]:
    return [one.record_key + one.content_hash for one in signal.companies]


def _token(found: Normalized) -> str:
    token = position(found)
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).hex()


@pytest.mark.parametrize(
    ("said", "field", "right"),
    [
        ({"companies": [{"domain": "gmail.com"}]}, "companies.0.domain", "company's own domain"),
        ({"companies": [{"city": "Bonn"}]}, "companies.0", "give its domain"),
        ({"companies": [{"name": "Acme"}], "notes": "x"}, "", "nothing but companies"),
        ({"companies": [{"name": "Acme"}], "about": "con_" + "0" * 26}, "", "give at least one"),
        ({"companies": []}, "", "neither a name nor an identifier"),
        (
            {"emails": [{"value": "ada at acme"}], "companies": [{"domain": "acme.io"}]},
            "emails.0.value",
            "is not an e-mail address",
        ),
        (
            {
                "full_name": "   ",
                "phones": [{"value": "12"}],
                "companies": [{"city": "Bonn"}, {"domain": "acme.io"}],
            },
            "phones.0.value",
            "no name or other identifier",
        ),
        (
            {"timezone": "Mars/Olympus", "companies": [{"domain": "acme.io"}]},
            "timezone",
            "is no time zone",
        ),
    ],
)
def test_what_speaks_of_nobody_and_of_no_company_is_refused(
    said: dict[str, Any], field: str, right: str
) -> None:
    with pytest.raises(PoisonMessageError, match=right) as refused:
        normalized(**said)
    assert refused.value.field == field


def test_a_birthday_that_is_yet_to_come_is_left_out_and_said() -> None:
    made = normalized(full_name="Ada", birthday="2999-01-01")
    assert "birthday" not in orjson.loads(made.body)["facts"]
    assert [one["field"] for one in made.rejected] == ["birthday"]
    for day in (NOW[:10], "--12-31", "1815-12-10"):
        assert facts(full_name="Ada", birthday=day)["birthday"] == day


def test_a_job_that_ends_before_it_begins_is_over_and_has_no_end() -> None:
    job = {"company_name": "Engines", "start_date": "1843-01-01", "end_date": "1842-12-31"}
    made = normalized(full_name="Ada", employments=[job])
    assert orjson.loads(made.body)["facts"]["employments"] == [
        {"company_name": "Engines", "start_date": "1843-01-01", "is_current": False}
    ]
    assert [one["field"] for one in made.rejected] == ["employments.0.end_date"]
