"""Apollo's `person` as a contact signal: the one place that knows its field names.

Read tolerantly: an odd field is left out, as the answer around it was paid for.
"""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from services.enricher.providers.apollo_organization import read_organization
from services.enricher.providers.apollo_parts import date_of, part_of, parts_of, text_of
from shared.events.signal import (
    MAX_VALUES,
    Address,
    ContactPoint,
    ContactSignal,
    Employment,
    IdentifierType,
    OtherIdentifier,
)
from shared.identifiers.timezones import is_timezone
from shared.identifiers.web import MAX_ADDRESS

_LOCKED_MAILBOX: Final = "email_not_unlocked"
"""Apollo's stand-in for an address that the plan does not show: everybody would share it."""

_PROFILES: Final[dict[str, IdentifierType]] = {
    "twitter_url": "twitter_handle",
    "github_url": "github_username",
}
"""Links that name a person elsewhere; `facebook_url` has no stable user id."""


def read_person(person: dict[str, Any]) -> ContactSignal | None:
    """Return what Apollo says about a person; None when it says nothing that makes sense."""
    organization = part_of(person, "organization")
    try:
        return ContactSignal(
            source="apollo",
            source_record_id=text_of(person, "id"),
            full_name=text_of(person, "name"),
            first_name=text_of(person, "first_name"),
            last_name=text_of(person, "last_name"),
            headline=text_of(person, "headline"),
            photo_url=text_of(person, "photo_url", MAX_ADDRESS),
            timezone=_timezone(person),
            emails=tuple(_emails(person)),
            phones=tuple(_phones(person)),
            linkedin_url=text_of(person, "linkedin_url"),
            identifiers=tuple(_profiles(person)),
            employments=tuple(_employments(person, organization))[:MAX_VALUES],
            addresses=tuple(_addresses(person)),
            companies=read_organization(organization),
        )
    except ValidationError:
        return None


def _timezone(person: dict[str, Any]) -> str | None:
    """Return the zone, where it is one."""
    name = text_of(person, "time_zone")
    return name if name and is_timezone(name) else None


def _emails(person: dict[str, Any]) -> Iterator[ContactPoint]:
    address = text_of(person, "email")
    if address and not address.startswith(_LOCKED_MAILBOX):
        status = text_of(person, "email_status")
        yield ContactPoint(value=address, label="work", primary=True, status=status)


def _phones(person: dict[str, Any]) -> Iterator[ContactPoint]:
    for one in parts_of(part_of(person, "contact"), "phone_numbers")[:MAX_VALUES]:
        number = text_of(one, "sanitized_number") or text_of(one, "raw_number")
        if number:
            yield ContactPoint(value=number, label=text_of(one, "type"))


def _profiles(person: dict[str, Any]) -> Iterator[OtherIdentifier]:
    for field, kind in _PROFILES.items():
        url = text_of(person, field)
        if url:
            yield OtherIdentifier(type=kind, value=url)


def _addresses(person: dict[str, Any]) -> Iterator[Address]:
    city, state, country = (text_of(person, field) for field in ("city", "state", "country"))
    if city or state or country:
        yield Address(city=city, state=state, country=country)


def _employments(person: dict[str, Any], organization: dict[str, Any]) -> Iterator[Employment]:
    """Read the jobs; the domain is known of the present company only."""
    present = text_of(organization, "id") or text_of(person, "organization_id")
    domain = text_of(organization, "primary_domain")
    jobs = parts_of(person, "employment_history")
    for job in jobs:
        name = text_of(job, "organization_name")
        current = job.get("current") is True
        at_present = current and present is not None and text_of(job, "organization_id") == present
        if name:
            yield Employment(
                company_name=name,
                company_domain=domain if at_present else None,
                title=text_of(job, "title"),
                seniority=text_of(person, "seniority") if at_present else None,
                start_date=date_of(job, "start_date"),
                end_date=date_of(job, "end_date"),
                is_current=current,
            )
    if not jobs and (name := text_of(organization, "name")):
        yield Employment(
            company_name=name,
            company_domain=domain,
            title=text_of(person, "title"),
            seniority=text_of(person, "seniority"),
        )
