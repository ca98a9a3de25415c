"""What a signal says about a person besides identifiers: cleaned, never reworded."""

from datetime import date
from operator import attrgetter
from typing import Any, Final, get_args

from services.ingest.domain.background import ENDS_EARLY, add_background
from services.ingest.domain.draft import Draft
from services.ingest.domain.posts import add_posts
from shared.events.signal import ContactSignal, Employment
from shared.events.structs import stripped
from shared.identifiers.domain import normalize_domain
from shared.identifiers.names import clean_block, clean_text, full_name
from shared.identifiers.timezones import normalize_timezone
from shared.identifiers.titles import Seniority, seniority_said
from shared.identifiers.types import Refused
from shared.identifiers.web import normalize_address

_LINES: Final = (
    "full_name",
    "first_name",
    "middle_name",
    "last_name",
    "name_prefix",
    "name_suffix",
    "nickname",
    "headline",
)
"""The one-line texts of a person."""

_LINES_OF: Final = attrgetter(*_LINES)

_LONGEST_NAME: Final = 255
"""Characters of a name that is put together from its parts, as `wire.Short`."""

_ADDRESS: Final = ("street", "city", "state", "postal_code", "country", "label")
_ADDRESS_OF: Final = attrgetter(*_ADDRESS)
_EMPLOYMENT: Final = ("company_name", "title", "department", "seniority")
_EMPLOYMENT_OF: Final = attrgetter(*_EMPLOYMENT)
_NO_TIMEZONE: Final = "is no time zone; write it like Europe/Berlin"
_NO_SENIORITY: Final = f"is no level of seniority; write one of {', '.join(get_args(Seniority))}"
_NOT_A_DAY: Final = "is not a day of the calendar; write it like 1815-12-10, or --12-10"


def add_names(draft: Draft, signal: ContactSignal) -> None:
    """Add the names; the full one is put together where the source has only its parts."""
    facts = draft.facts
    _clean(facts, _LINES, _LINES_OF(signal))
    if "full_name" not in facts:
        whole = full_name(facts.get("first_name"), facts.get("middle_name"), facts.get("last_name"))
        if whole:
            facts["full_name"] = whole[:_LONGEST_NAME]


def add_details(draft: Draft, signal: ContactSignal) -> None:
    """Add everything else that is no identifier."""
    if signal.employments:
        _add_employments(draft, signal.employments)
    if signal.addresses:
        addresses: list[dict[str, Any]] = []
        for address in signal.addresses:
            parts: dict[str, Any] = {}
            _clean(parts, _ADDRESS, _ADDRESS_OF(address))
            addresses.append(parts)
        draft.put("addresses", addresses)
    if signal.birthday or signal.photo_url or signal.timezone:
        _add_traits(draft, signal)
    if signal.websites:
        draft.put("websites", _distinct(signal.websites))
    if signal.education or signal.skills or signal.certifications or signal.languages:
        add_background(draft, signal)
    if signal.social_posts:
        add_posts(draft, signal.social_posts)
    if signal.labels:
        draft.put("labels", _distinct(signal.labels))
    if signal.notes:
        notes = clean_block(signal.notes)
        if notes:
            draft.facts["notes"] = notes
    if signal.custom_fields:
        draft.facts["custom_fields"] = {
            stripped(name): value for name, value in signal.custom_fields.items()
        }


def _clean(kept: dict[str, Any], names: tuple[str, ...], values: tuple[str | None, ...]) -> None:
    """Keep the texts that say something."""
    for name, value in zip(names, values, strict=True):
        if value:
            text = clean_text(value)
            if text:
                kept[name] = text


def _distinct(texts: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(map(clean_text, texts)))


def _add_traits(draft: Draft, signal: ContactSignal) -> None:
    if signal.birthday:
        _add_birthday(draft, signal.birthday)
    if signal.photo_url:
        _add_photo(draft, signal.photo_url)
    if signal.timezone:
        _add_timezone(draft, signal.timezone)


def _add_birthday(draft: Draft, birthday: str) -> None:
    # Without a year any 29 February may be meant: 2000 was a leap year.
    text = f"2000{birthday[1:]}" if birthday.startswith("--") else birthday
    try:
        date.fromisoformat(text)
    except ValueError:
        draft.reject("birthday", _NOT_A_DAY)
    else:
        draft.facts["birthday"] = birthday


def _add_photo(draft: Draft, photo: str) -> None:
    address = normalize_address(photo)
    if isinstance(address, Refused):
        draft.reject("photo_url", address.reason)
    else:
        draft.facts["photo_url"] = address


def _add_timezone(draft: Draft, name: str) -> None:
    zone = normalize_timezone(stripped(name))
    if zone is None:
        draft.reject("timezone", _NO_TIMEZONE)
    else:
        draft.facts["timezone"] = zone


def _ends_early(job: Employment) -> bool:
    """Tell whether a job ends before it begins; its end is none then, but it is over."""
    start, end = job.start_date, job.end_date
    return bool(start and end) and str(end) < str(start)


def _add_employments(draft: Draft, employments: tuple[Employment, ...]) -> None:
    jobs: list[dict[str, Any]] = []
    for index, employment in enumerate(employments):
        job: dict[str, Any] = {}
        _clean(job, _EMPLOYMENT, _EMPLOYMENT_OF(employment))
        if "seniority" in job:
            level = seniority_said(job.pop("seniority"))
            if level is None:
                draft.reject(f"employments.{index}.seniority", _NO_SENIORITY)
            else:
                job["seniority"] = level
        named = stripped(employment.company_domain) if employment.company_domain else ""
        if named:
            domain = normalize_domain(named)
            if isinstance(domain, Refused):
                draft.reject(f"employments.{index}.company_domain", domain.reason)
            else:
                job["company_domain"] = domain
        if job.keys() <= {"seniority"}:
            continue
        if employment.start_date:
            job["start_date"] = employment.start_date
        if _ends_early(employment):
            draft.reject(f"employments.{index}.end_date", ENDS_EARLY)
        elif employment.end_date:
            job["end_date"] = employment.end_date
        if not employment.is_current or _ends_early(employment):
            job["is_current"] = False
        jobs.append(job)
    draft.put("employments", jobs)
