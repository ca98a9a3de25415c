"""People of Google, Microsoft, HubSpot and Salesforce as contact signals."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.reading import read_value
from services.ingest.sources.api.crm import read_hubspot, read_salesforce
from services.ingest.sources.api.google_people import read_person
from services.ingest.sources.api.outlook_contacts import read_contact
from services.ingest.sources.api.parts import ApiPerson

GROUPS = {"contactGroups/1a": "Royal Society", "contactGroups/myContacts": "My Contacts"}

GOOGLE: dict[str, Any] = {
    "resourceName": "people/c815",
    "etag": "%EgcBAgkLLjc9",
    "metadata": {
        "sources": [
            {"type": "CONTACT", "id": "815", "updateTime": "2026-03-01T10:00:00.123Z"},
            {"type": "PROFILE", "id": "9"},
        ],
        "objectType": "PERSON",
    },
    "names": [
        {"displayName": "Somebody Else", "metadata": {}},
        {
            "displayName": "Ada Lovelace",
            "givenName": "Ada",
            "familyName": "Lovelace",
            "honorificPrefix": "Countess",
            "metadata": {"primary": True},
        },
    ],
    "emailAddresses": [
        {"value": "ada@example.com", "type": "work", "metadata": {"primary": True}},
        {"value": "ada@home.example", "formattedType": "Home"},
        {"type": "other"},
    ],
    "phoneNumbers": [
        {"value": "020 7946 0958", "canonicalForm": "+442079460958", "type": "mobile"},
        {"value": "12345", "type": "homeFax"},
    ],
    "organizations": [
        {
            "name": "Analytical Engines",
            "title": "Analyst",
            "startDate": {"year": 1842, "month": 10},
            "current": True,
        },
        {"name": "Home", "endDate": {"year": 1841, "month": 2, "day": 30}},
        {"type": "work"},
    ],
    "birthdays": [{"date": {"month": 12, "day": 10}, "metadata": {"primary": True}}],
    "addresses": [
        {
            "type": "home",
            "streetAddress": "12 St James's Square",
            "extendedAddress": "Floor 2",
            "city": "London",
            "countryCode": "GB",
            "country": "United Kingdom",
        },
        {"formattedValue": "Somewhere\nElse"},
    ],
    "urls": [
        {"value": "https://ada.example"},
        {"value": "https://www.linkedin.com/in/ada-lovelace"},
    ],
    "memberships": [
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/1a"}},
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
        {"domainMembership": {"inViewerDomain": True}},
    ],
    "biographies": [{"value": "wrote the first program", "contentType": "TEXT_PLAIN"}],
    "userDefined": [{"key": "Chess", "value": "yes"}, {"key": "Chess", "value": "often"}],
    "relations": [{"person": "Lord Byron", "type": "father"}],
    "events": [{"date": {"year": 1835, "month": 7, "day": 8}, "type": "anniversary"}],
}

OUTLOOK: dict[str, Any] = {
    "@odata.etag": 'W/"EQAAAB"',
    "id": "AAMkAD=",
    "lastModifiedDateTime": "2026-03-01T10:00:00Z",
    "displayName": "Ada Lovelace",
    "givenName": "Ada",
    "surname": "Lovelace",
    "title": "Countess",
    "nickName": None,
    "emailAddresses": [{"name": "Ada", "address": "ada@example.com"}, {"name": "x"}],
    "mobilePhone": "+44 20 7946 0958",
    "businessPhones": ["+44 20 7946 0000"],
    "homePhones": [],
    "companyName": "Analytical Engines",
    "jobTitle": "Analyst",
    "businessAddress": {"street": "1 Way\r\nFloor 2", "city": "London", "countryOrRegion": "UK"},
    "homeAddress": {},
    "birthday": "1604-12-10T11:59:00Z",
    "categories": ["Friends"],
    "spouseName": "William",
    "personalNotes": "",
}

HUBSPOT: dict[str, Any] = {
    "id": "512",
    "archived": False,
    "updatedAt": "2026-03-01T10:00:00.000Z",
    "properties": {
        "firstname": "Ada",
        "lastname": "Lovelace",
        "email": "ada@example.com",
        "hs_additional_emails": "a@example.com;b@example.com",
        "mobilephone": "+442079460958",
        "company": "Analytical Engines",
        "jobtitle": "Analyst",
        "city": "London",
        "lifecyclestage": "lead",
        "website": None,
    },
}

SALESFORCE: dict[str, Any] = {
    "attributes": {"type": "Contact", "url": "/services/data/v60.0/sobjects/Contact/003"},
    "Id": "003xx",
    "IsDeleted": False,
    "Name": "Ada Lovelace",
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Email": "ada@example.com",
    "MobilePhone": "+442079460958",
    "Title": "Analyst",
    "Account": {"attributes": {"type": "Account"}, "Name": "Analytical Engines", "Website": None},
    "MailingStreet": "1 Way\nFloor 2",
    "MailingCity": "London",
    "Birthdate": "1815-12-10",
    "SystemModstamp": "2026-03-01T10:00:00.000+0000",
}


def google(resource: dict[str, Any]) -> ApiPerson | None:
    return read_person(resource, GROUPS)


def hubspot(resource: dict[str, Any]) -> ApiPerson | None:
    return read_hubspot(resource, 62515)


READERS: list[tuple[Callable[[dict[str, Any]], ApiPerson | None], dict[str, Any]]] = [
    (google, GOOGLE),
    (read_contact, OUTLOOK),
    (hubspot, HUBSPOT),
    (read_salesforce, SALESFORCE),
]


def signal_of(read: Callable[[dict[str, Any]], ApiPerson | None], said: dict[str, Any]) -> Any:
    person = read(said)
    assert person is not None
    assert person.signal is not None
    return person.signal


@pytest.mark.parametrize(("read", "said"), READERS)
def test_each_says_who_it_is(
    read: Callable[[dict[str, Any]], ApiPerson | None], said: dict[str, Any]
) -> None:
    person = read(said)
    assert person is not None
    assert person.signal is not None
    signal, _ = read_value({"source": "google_contacts", **person.signal}, may_hold_nul=True)
    assert (signal.first_name, signal.last_name) == ("Ada", "Lovelace")
    assert signal.emails[0].value == "ada@example.com"
    assert signal.employments[0].company_name == "Analytical Engines"
    assert signal.employments[0].title == "Analyst"
    assert signal.addresses[0].city == "London"
    assert person.changed_at is not None
    assert person.changed_at.replace(microsecond=0) == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_google_is_read_whole() -> None:
    signal = signal_of(google, GOOGLE)
    assert signal["full_name"] == "Ada Lovelace", "the primary name, not the first"
    assert signal["emails"][1] == {"value": "ada@home.example", "label": "Home", "primary": False}
    assert [one["value"] for one in signal["phones"]] == ["+442079460958", "12345"]
    assert signal["employments"] == [
        {
            "company_name": "Analytical Engines",
            "title": "Analyst",
            "start_date": "1842-10-01",
            "is_current": True,
        },
        {"company_name": "Home", "is_current": True},
    ]
    assert signal["birthday"] == "--12-10"
    assert signal["addresses"] == [
        {
            "street": "12 St James's Square, Floor 2",
            "city": "London",
            "country": "GB",
            "label": "home",
        },
        {"street": "Somewhere, Else"},
    ]
    assert signal["websites"] == ["https://ada.example"]
    assert signal["linkedin_url"] == "https://www.linkedin.com/in/ada-lovelace"
    assert signal["labels"] == ["Royal Society"]
    assert signal["custom_fields"] == {
        "Chess": "yes; often",
        "father": "Lord Byron",
        "anniversary": "1835-07-08",
    }


def test_others_keep_what_a_signal_has_no_field_for() -> None:
    assert signal_of(read_contact, OUTLOOK)["custom_fields"] == {"Spouse": "William"}
    assert signal_of(read_contact, OUTLOOK)["birthday"] == "--12-10"
    assert signal_of(read_contact, OUTLOOK)["addresses"] == [
        {"street": "1 Way, Floor 2", "city": "London", "country": "UK", "label": "business"}
    ]
    said = signal_of(hubspot, HUBSPOT)
    assert [one["value"] for one in said["emails"]] == [
        "ada@example.com",
        "a@example.com",
        "b@example.com",
    ]
    assert said["custom_fields"] == {"Lifecycle stage": "lead"}
    assert signal_of(read_salesforce, SALESFORCE)["birthday"] == "1815-12-10"


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (google, {"resourceName": "people/c1", "metadata": {"deleted": True}}),
        (read_contact, {"id": "c1", "@removed": {"reason": "deleted"}}),
        (hubspot, {"id": "c1", "archived": True, "properties": {}}),
        (read_salesforce, {"Id": "c1", "IsDeleted": True}),
    ],
)
def test_who_was_deleted_is_gone(
    read: Callable[[dict[str, Any]], ApiPerson | None], said: dict[str, Any]
) -> None:
    person = read(said)
    assert person is not None
    assert person.record_id.endswith("c1")
    assert person.signal is None


TEXT = st.text("aZ9-@.:/ é\0\n", max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "name", "date", "year"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(("read", "said"), READERS)
@given(data=st.data())
@settings(max_examples=60)
def test_no_document_breaks_a_reader(
    read: Callable[[dict[str, Any]], ApiPerson | None], said: dict[str, Any], data: st.DataObject
) -> None:
    """Any value, in any place: what can't be read is left out, and the rest stays a signal."""
    broken = dict(said)
    for name in data.draw(st.lists(st.sampled_from(sorted(said)), max_size=4)):
        broken[name] = data.draw(JSON)
    person = read(broken)
    if person is not None and person.signal is not None:
        signal = {"source": "google_contacts", **person.signal}
        _, written = read_value(signal, may_hold_nul=True)
        assert b"\\u0000" not in written
