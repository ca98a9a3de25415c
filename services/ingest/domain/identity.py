"""What identifies the person of a signal: every identifier in one spelling, or a reason."""

from typing import Any, Final, get_args

from services.ingest.domain.draft import Draft
from shared.events.signal import ContactPoint, ContactSignal, PointStatus
from shared.events.statuses import point_status
from shared.events.structs import stripped
from shared.identifiers.domain import company_domain
from shared.identifiers.email import normalize_email
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.names import clean_text
from shared.identifiers.normalize import normalize
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Email, Refused

_EMPLOYER: Final = "is the employer's domain; it identifies a company, leave it out"


def add_linkedin(draft: Draft, url: str) -> None:
    """Add a LinkedIn profile by its address."""
    found = normalize_linkedin(url)
    if isinstance(found, Refused):
        draft.reject("linkedin_url", found.reason)
        return
    draft.identify(found.type, found.value)
    if found.url:
        draft.facts["linkedin_url"] = found.url


def add_emails(draft: Draft, emails: tuple[ContactPoint, ...]) -> None:
    """Add the e-mail addresses, each once."""
    points: dict[str, dict[str, Any]] = {}
    for index, point in enumerate(emails):
        value = stripped(point.value)
        if not value:
            continue
        found = normalize_email(value)
        if isinstance(found, Refused):
            draft.reject(f"emails.{index}.value", found.reason)
            continue
        draft.identify("email", found)
        if found not in points:
            points[found] = _point(found, point)
            if point.status:
                _add_status(draft, points[found], f"emails.{index}.status", point.status)
    if points:
        draft.facts["emails"] = list(points.values())


def add_phones(draft: Draft, signal: ContactSignal, default_region: str) -> None:
    """Add the phone numbers, each once."""
    points: dict[str, dict[str, Any]] = {}
    for index, point in enumerate(signal.phones):
        value = stripped(point.value)
        if not value:
            continue
        found = normalize_phone(value, signal.phone_region, default_region)
        if isinstance(found, Refused):
            draft.reject(f"phones.{index}.value", found.reason)
            continue
        if found.assumed_region:
            draft.assumed.append(f"phones.{index}.value")
        key = found.key
        draft.identify("phone_e164", key, assumed=found.assumed_region)
        if key not in points:
            points[key] = _point(key, point)
            if point.status:
                _add_status(draft, points[key], f"phones.{index}.status", point.status)
    if points:
        draft.facts["phones"] = list(points.values())


def _point(value: str, point: ContactPoint) -> dict[str, Any]:
    kept: dict[str, Any] = {"value": value}
    if point.label:
        label = clean_text(point.label)
        if label:
            kept["label"] = label
    if point.primary:
        kept["primary"] = True
    return kept


def _add_status(draft: Draft, point: dict[str, Any], place: str, word: str) -> None:
    status = point_status(word)
    if status is None:
        draft.reject(place, f"is none of {', '.join(get_args(PointStatus))}")
    else:
        point["status"] = status


def add_others(draft: Draft, signal: ContactSignal, default_region: str) -> None:
    """Add the identifiers that came under their type's name."""
    for index, other in enumerate(signal.identifiers):
        place = f"identifiers.{index}.value"
        value = stripped(other.value)
        found = normalize(other.type, value, signal.phone_region, default_region)
        if isinstance(found, Refused):
            draft.reject(place, found.reason)
            continue
        kind, value, assumed = found
        if kind == "domain" and value in _employers(draft):
            draft.reject(place, _EMPLOYER)
            continue
        if assumed:
            draft.assumed.append(place)
        draft.identify(kind, value, assumed=assumed)
    draft.rank()


def _employers(draft: Draft) -> set[str | None]:
    """Return the domains that belong to the person's companies."""
    jobs = {job.get("company_domain") for job in draft.facts.get("employments", ())}
    mails = {company_domain(Email(value)) for kind, value in draft.identifiers if kind == "email"}
    return jobs | mails
