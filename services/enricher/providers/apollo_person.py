"""Apollo's `person` as a contact signal: the one place that knows its field names.

Read tolerantly: an odd field is left out, as the answer around it was paid for.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from shared.events.signal import (
    MAX_VALUES,
    Address,
    ContactPoint,
    ContactSignal,
    Employment,
    IdentifierType,
    OtherIdentifier,
)

_MAX_TEXT: Final = 255
"""The longest short text of a signal."""

_LOCKED_MAILBOX: Final = "email_not_unlocked"
"""Apollo's stand-in for an address that the plan does not show: everybody would share it."""

_PROFILES: Final[dict[str, IdentifierType]] = {
    "twitter_url": "twitter_handle",
    "github_url": "github_username",
}
"""Links that name a person elsewhere; `facebook_url` has no stable user id."""


def read_person(person: dict[str, Any]) -> ContactSignal | None:
    """Return what Apollo says about a person; None when it says nothing that makes sense."""
    organization = _part(person, "organization")
    try:
        return ContactSignal(
            source="apollo",
            source_record_id=_text(person, "id"),
            full_name=_text(person, "name"),
            first_name=_text(person, "first_name"),
            last_name=_text(person, "last_name"),
            headline=_text(person, "headline"),
            emails=tuple(_emails(person)),
            phones=tuple(_phones(person)),
            linkedin_url=_text(person, "linkedin_url"),
            identifiers=tuple(_profiles(person)),
            employments=tuple(_employments(person, organization))[:MAX_VALUES],
            addresses=tuple(_addresses(person)),
        )
    except ValidationError:
        return None


def _emails(person: dict[str, Any]) -> Iterator[ContactPoint]:
    address = _text(person, "email")
    if address and not address.startswith(_LOCKED_MAILBOX):
        yield ContactPoint(value=address, label="work", primary=True)


def _phones(person: dict[str, Any]) -> Iterator[ContactPoint]:
    for one in _parts(_part(person, "contact"), "phone_numbers")[:MAX_VALUES]:
        number = _text(one, "sanitized_number") or _text(one, "raw_number")
        if number:
            yield ContactPoint(value=number, label=_text(one, "type"))


def _profiles(person: dict[str, Any]) -> Iterator[OtherIdentifier]:
    for field, kind in _PROFILES.items():
        url = _text(person, field)
        if url:
            yield OtherIdentifier(type=kind, value=url)


def _addresses(person: dict[str, Any]) -> Iterator[Address]:
    city, state, country = (_text(person, field) for field in ("city", "state", "country"))
    if city or state or country:
        yield Address(city=city, state=state, country=country)


def _employments(person: dict[str, Any], organization: dict[str, Any]) -> Iterator[Employment]:
    """Read the jobs; the domain is known of the present company only."""
    present = _text(organization, "id") or _text(person, "organization_id")
    domain = _text(organization, "primary_domain")
    jobs = _parts(person, "employment_history")
    for job in jobs:
        name = _text(job, "organization_name")
        current = job.get("current") is True
        at_present = current and present is not None and _text(job, "organization_id") == present
        if name:
            yield Employment(
                company_name=name,
                company_domain=domain if at_present else None,
                title=_text(job, "title"),
                start_date=_date(job, "start_date"),
                end_date=_date(job, "end_date"),
                is_current=current,
            )
    if not jobs and (name := _text(organization, "name")):
        yield Employment(company_name=name, company_domain=domain, title=_text(person, "title"))


def _text(part: dict[str, Any], field: str) -> str | None:
    value = part.get(field)
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "").strip()[:_MAX_TEXT].strip() or None


def _date(part: dict[str, Any], field: str) -> date | None:
    text = _text(part, field)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _part(part: dict[str, Any], field: str) -> dict[str, Any]:
    value = part.get(field)
    return value if isinstance(value, dict) else {}


def _parts(part: dict[str, Any], field: str) -> list[dict[str, Any]]:
    value = part.get(field)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
