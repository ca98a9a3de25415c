"""Profiles that were captured and contacts typed in, as signals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.captures import (
    LinkedInCapture,
    NewContact,
    address_of,
    captured_at,
    signal_of_capture,
    signal_of_contact,
)
from services.ingest.domain.reading import read_value
from shared.errors import PoisonMessageError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHEN: dict[str, Any] = {
    "profile_url": "https://www.linkedin.com/in/SarahChen/?trk=x",
    "full_name": "Sarah Chen",
    "headline": "VP Engineering at Acme Corp",
    "title": "VP Engineering",
    "company": "Acme Corp",
    "location": "Austin, Texas, United States",
    "experience": [
        {"title": "VP Engineering", "company": "Acme Corp", "start": "2021-04"},
        {"title": "Engineer", "company": "Initech", "start": "2015", "end": "2021-03"},
    ],
}


def capture(**said: Any) -> LinkedInCapture:
    return LinkedInCapture.model_validate({**CHEN, **said})


def test_a_profile_is_a_record_of_its_own() -> None:
    signal = signal_of_capture(capture())
    assert (signal["source"], signal["source_record_id"]) == ("linkedin_capture", "sarahchen")
    assert signal["addresses"] == [{"city": "Austin", "state": "Texas", "country": "United States"}]
    read_value(signal, may_hold_nul=True)


def test_the_present_job_is_told_once() -> None:
    """The profile's head repeats the first listed job, unless that is another."""
    jobs = signal_of_capture(capture())["employments"]
    assert [(job["company_name"], job["is_current"]) for job in jobs] == [
        ("Acme Corp", True),
        ("Initech", False),
    ]
    assert (jobs[0]["start_date"], jobs[1]["end_date"]) == ("2021-04-01", "2021-03-01")
    moved = signal_of_capture(capture(company="Globex"))["employments"]
    assert [job["company_name"] for job in moved] == ["Globex", "Acme Corp", "Initech"]


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("Paris, France", {"city": "Paris", "country": "France"}),
        ("Germany", {"country": "Germany"}),
        ("San Francisco Bay Area", {"state": "San Francisco Bay Area"}),
        (
            "Berlin, Mitte, Berlin, Germany",
            {"city": "Berlin", "state": "Mitte, Berlin", "country": "Germany"},
        ),
    ],
)
def test_places(location: str, address: dict[str, str]) -> None:
    assert address_of(location) == address


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"profile_url": "https://www.linkedin.com/company/acme"}, "profile_url"),
        ({"profile_url": "https://lnkd.in/abc"}, "profile_url"),
        ({"experience": [{"title": "x", "start": "2021-02-31"}]}, "experience"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(said: dict[str, Any], field: str) -> None:
    with pytest.raises(PoisonMessageError) as refused:
        signal_of_capture(capture(**said))
    assert refused.value.field == field


def test_a_clock_that_goes_fast_counts_as_now() -> None:
    assert captured_at(capture(captured_at=NOW + timedelta(days=3)), NOW) == NOW
    assert captured_at(capture(captured_at=NOW - timedelta(days=3)), NOW) < NOW
    assert captured_at(capture(), NOW) == NOW


def test_a_name_alone_makes_a_contact() -> None:
    signal = signal_of_contact(NewContact(full_name="Ada Lovelace"), "r1")
    assert signal["source"] == "manual_entry"
    assert read_value(signal, may_hold_nul=True)[0].full_name == "Ada Lovelace"
    with pytest.raises(PoisonMessageError, match="is required"):
        signal_of_contact(NewContact(email="ada@example.com"), "r1")


def test_the_short_forms_come_first() -> None:
    contact = NewContact.model_validate(
        {
            "full_name": "Ada Lovelace",
            "email": "ada@example.com",
            "emails": [{"value": "old@example.com"}],
            "company_name": "Analytical Engines",
            "job_title": "Analyst",
            "shoe_size": 38,
        }
    )
    signal = signal_of_contact(contact, "r1")
    assert [one["value"] for one in signal["emails"]] == ["ada@example.com", "old@example.com"]
    assert signal["employments"] == [{"company_name": "Analytical Engines", "title": "Analyst"}]
    assert "shoe_size" not in signal, "what is not read stays in the payload"


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@given(location=TEXT, company=st.none() | TEXT, title=st.none() | TEXT)
def test_every_capture_becomes_a_signal_that_can_be_read(
    location: str, company: str | None, title: str | None
) -> None:
    signal = signal_of_capture(capture(location=location, company=company, title=title))
    read_value(signal, may_hold_nul=True)
