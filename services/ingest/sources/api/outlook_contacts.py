"""A contact of Microsoft Graph (`/me/contacts`, v1.0)."""

from typing import Any, Final

from services.ingest.sources.api.parts import (
    MAX_NOTES,
    ApiPerson,
    birthday,
    dicts,
    line,
    moment,
    part,
    points,
    said,
    several,
    text,
    texts,
)

SELECT: Final = (
    "id,displayName,givenName,middleName,surname,title,generation,nickName,emailAddresses,"
    "businessPhones,homePhones,mobilePhone,companyName,department,jobTitle,profession,"
    "officeLocation,businessAddress,homeAddress,otherAddress,birthday,spouseName,manager,"
    "assistantName,businessHomePage,imAddresses,categories,personalNotes,lastModifiedDateTime"
)
"""What is asked for."""

_UNKNOWN_YEAR: Final = 1604
"""Outlook writes a birthday without a year in this one."""

_CUSTOM: Final = {
    "spouseName": "Spouse",
    "manager": "Manager",
    "assistantName": "Assistant",
    "officeLocation": "Office location",
    "profession": "Profession",
}
"""What a signal has no field for → the custom field that keeps it."""


def read_contact(resource: dict[str, Any]) -> ApiPerson | None:
    """Read a contact; None: it has no id."""
    record_id = text(resource.get("id"))
    if record_id is None:
        return None
    if "@removed" in resource:
        return ApiPerson(record_id, None)
    signal = said(
        {
            "source_record_id": record_id,
            "full_name": text(resource.get("displayName")),
            "first_name": text(resource.get("givenName")),
            "middle_name": text(resource.get("middleName")),
            "last_name": text(resource.get("surname")),
            "name_prefix": text(resource.get("title")),
            "name_suffix": text(resource.get("generation")),
            "nickname": text(resource.get("nickName")),
            "emails": points(
                (text(one.get("address")), None, number == 0)
                for number, one in enumerate(dicts(resource.get("emailAddresses")))
            ),
            "phones": _phones(resource),
            "employments": _jobs(resource),
            "addresses": several(
                _address(part(resource.get(f"{label}Address")), label)
                for label in ("business", "home", "other")
            ),
            "birthday": _birthday(resource.get("birthday")),
            "websites": [home] if (home := text(resource.get("businessHomePage"))) else [],
            "labels": texts(resource.get("categories"))[:50],
            "notes": text(resource.get("personalNotes"), MAX_NOTES),
            "custom_fields": said({to: text(resource.get(name)) for name, to in _CUSTOM.items()}),
        }
    )
    return ApiPerson(record_id, signal, moment(resource.get("lastModifiedDateTime")))


def _phones(resource: dict[str, Any]) -> list[dict[str, Any]]:
    mobile = text(resource.get("mobilePhone"))
    return points(
        [
            (mobile, "mobile", True),
            *((one, "business", False) for one in texts(resource.get("businessPhones"))),
            *((one, "home", False) for one in texts(resource.get("homePhones"))),
        ]
    )


def _jobs(resource: dict[str, Any]) -> list[dict[str, Any]]:
    job = {
        "company_name": text(resource.get("companyName")),
        "title": text(resource.get("jobTitle")),
        "department": text(resource.get("department")),
    }
    return several([job])


def _address(address: dict[str, Any], label: str) -> dict[str, Any]:
    found = said(
        {
            "street": line(address.get("street")),
            "city": text(address.get("city")),
            "state": text(address.get("state")),
            "postal_code": text(address.get("postalCode")),
            "country": text(address.get("countryOrRegion")),
        }
    )
    return {**found, "label": label} if found else {}


def _birthday(written: object) -> str | None:
    """Read the day out of a time: Graph writes birthdays at noon or at midnight UTC."""
    found = text(written)
    try:
        year, month, day = (int(one) for one in (found or "")[:10].split("-"))
    except ValueError:
        return None
    return birthday(year if year != _UNKNOWN_YEAR else None, month, day)
