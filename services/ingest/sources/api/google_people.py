"""A person of the Google People API (`people.connections.list`; reference/product.md, 5.5)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from services.ingest.sources.api.parts import (
    MAX_NOTES,
    ApiPerson,
    birthday,
    dicts,
    moment,
    part,
    points,
    said,
    several,
    text,
)
from shared.identifiers.web import MAX_ADDRESS

PERSON_FIELDS: Final = (
    "addresses,biographies,birthdays,emailAddresses,events,memberships,metadata,names,nicknames,"
    "organizations,phoneNumbers,photos,relations,urls,userDefined"
)
"""What is asked for. A sync token holds for one such list only."""

_EVERYBODY: Final = frozenset({"contactGroups/myContacts", "contactGroups/all"})
"""Groups that say nothing of who is in them."""


def read_person(resource: dict[str, Any], groups: Mapping[str, str]) -> ApiPerson | None:
    """Read a person; `groups` are the names of contact groups by resource name.

    None: it has no resource name, so that nothing could ever be said of it again.
    """
    record_id = text(resource.get("resourceName"))
    if record_id is None:
        return None
    metadata = part(resource.get("metadata"))
    if metadata.get("deleted") is True:
        return ApiPerson(record_id, None)
    changed = [moment(one.get("updateTime")) for one in dicts(metadata.get("sources"))]
    name = _first(resource.get("names"))
    signal = said(
        {
            "source_record_id": record_id,
            "full_name": text(name.get("displayName")) or text(name.get("unstructuredName")),
            "first_name": text(name.get("givenName")),
            "middle_name": text(name.get("middleName")),
            "last_name": text(name.get("familyName")),
            "name_prefix": text(name.get("honorificPrefix")),
            "name_suffix": text(name.get("honorificSuffix")),
            "nickname": text(_first(resource.get("nicknames")).get("value")),
            "emails": _points(resource.get("emailAddresses"), "value"),
            "phones": _points(resource.get("phoneNumbers"), "canonicalForm", "value"),
            "employments": several(map(_job, dicts(resource.get("organizations")))),
            "addresses": several(map(_address, dicts(resource.get("addresses")))),
            "birthday": _birthday(resource.get("birthdays")),
            "photo_url": _photo(resource.get("photos")),
            "websites": _websites(resource.get("urls")),
            "linkedin_url": _linkedin(resource.get("urls")),
            "labels": _labels(resource.get("memberships"), groups),
            "notes": text(_first(resource.get("biographies")).get("value"), MAX_NOTES),
            "custom_fields": _custom(resource),
        }
    )
    return ApiPerson(record_id, signal, max((one for one in changed if one), default=None))


def _first(values: object) -> dict[str, Any]:
    """Return the value that the account shows: the primary one, else the first."""
    found = dicts(values)
    return next((one for one in found if _is_primary(one)), found[0] if found else {})


def _photo(photos: object) -> str | None:
    """Return where the picture is; that of a letter, which stands for none, is none."""
    chosen = _first([one for one in dicts(photos) if one.get("default") is not True])
    return text(chosen.get("url"), MAX_ADDRESS)


def _is_primary(value: dict[str, Any]) -> bool:
    return part(value.get("metadata")).get("primary") is True


def _points(values: object, *names: str) -> list[dict[str, Any]]:
    return points(
        (
            next((found for name in names if (found := text(one.get(name)))), None),
            _kind(one),
            _is_primary(one),
        )
        for one in dicts(values)
    )


def _kind(value: dict[str, Any]) -> str | None:
    """Return a value's label: Google's own word (`homeFax`), or the one that a person wrote."""
    return text(value.get("type")) or text(value.get("formattedType"))


def _job(organization: dict[str, Any]) -> dict[str, Any]:
    ended = _day(organization.get("endDate"))
    current = organization.get("current")
    job = said(
        {
            "company_name": text(organization.get("name")),
            "company_domain": text(organization.get("domain")),
            "title": text(organization.get("title")),
            "department": text(organization.get("department")),
        }
    )
    if not job:
        return {}
    days = {"start_date": _day(organization.get("startDate")), "end_date": ended}
    is_current = current if isinstance(current, bool) else ended is None
    return {**job, **said(days), "is_current": is_current}


def _day(written: object) -> str | None:
    """Complete a date to its first day: month and day may be 0 or missing."""
    found = part(written)
    year, month, day = (found.get(name) for name in ("year", "month", "day"))
    if not isinstance(year, int) or year <= 0:
        return None
    try:
        return date(year, _number(month), _number(day)).isoformat()
    except ValueError:
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) and value else 1


def _address(address: dict[str, Any]) -> dict[str, Any]:
    street = [text(address.get(name)) for name in ("streetAddress", "extendedAddress", "poBox")]
    found = said(
        {
            "street": text(", ".join(one.replace("\n", ", ") for one in street if one)),
            "city": text(address.get("city")),
            "state": text(address.get("region")),
            "postal_code": text(address.get("postalCode")),
            "country": text(address.get("countryCode")) or text(address.get("country")),
        }
    )
    if not found and (whole := text(address.get("formattedValue"))):
        found = {"street": whole.replace("\n", ", ")}
    label = _kind(address)
    return {**found, "label": label} if found and label else found


def _birthday(values: object) -> str | None:
    written = part(_first(values).get("date"))
    return birthday(written.get("year"), written.get("month"), written.get("day"))


def _urls(values: object) -> Iterable[str]:
    return (found for one in dicts(values) if (found := text(one.get("value"))))


def _linkedin(values: object) -> str | None:
    return next((url for url in _urls(values) if _is_profile(url)), None)


def _websites(values: object) -> list[str]:
    return [url for url in _urls(values) if not _is_profile(url)][:50]


def _is_profile(url: str) -> bool:
    return "linkedin.com/in/" in url.lower()


def _labels(memberships: object, groups: Mapping[str, str]) -> list[str]:
    found = (
        part(one.get("contactGroupMembership")).get("contactGroupResourceName")
        for one in dicts(memberships)
    )
    named = (groups.get(one) for one in found if isinstance(one, str) and one not in _EVERYBODY)
    return [one for one in named if one][:50]


def _custom(resource: dict[str, Any]) -> dict[str, str]:
    """Keep what a signal has no field for: a person's own fields, other days, relations."""
    found: dict[str, str] = {}
    for one in dicts(resource.get("userDefined")):
        _keep(found, text(one.get("key")), text(one.get("value")))
    for one in dicts(resource.get("relations")):
        _keep(found, _kind(one) or "relation", text(one.get("person")))
    for one in dicts(resource.get("events")):
        written = part(one.get("date"))
        day = birthday(written.get("year"), written.get("month"), written.get("day"))
        _keep(found, _kind(one) or "event", day)
    return found


def _keep(found: dict[str, str], name: str | None, value: str | None) -> None:
    if name and value and len(found) < 200:
        found[name] = f"{found[name]}; {value}"[:10_000] if name in found else value
