"""What a signal says about a person besides identifiers: cleaned, never reworded."""

from datetime import date
from typing import Any, Final

from services.ingest.domain.draft import Draft
from shared.events.signal import ContactSignal, Employment
from shared.events.wire import Wire
from shared.identifiers.domain import normalize_domain
from shared.identifiers.names import clean_block, clean_text, full_name
from shared.identifiers.types import Refused

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

_LONGEST_NAME: Final = 255
"""Characters of a name that is put together from its parts, as `wire.Short`."""

_ADDRESS: Final = ("street", "city", "state", "postal_code", "country", "label")
_EMPLOYMENT: Final = ("company_name", "title", "department")
_NOT_A_DAY: Final = "is not a day of the calendar; write it like 1815-12-10, or --12-10"


def add_names(draft: Draft, signal: ContactSignal) -> None:
    """Add the names; the full one is put together where the source has only its parts."""
    facts = draft.facts
    facts.update(_cleaned(signal, _LINES))
    if "full_name" not in facts:
        whole = full_name(facts.get("first_name"), facts.get("middle_name"), facts.get("last_name"))
        if whole:
            facts["full_name"] = whole[:_LONGEST_NAME]


def add_details(draft: Draft, signal: ContactSignal) -> None:
    """Add everything else that is no identifier."""
    if signal.employments:
        _add_employments(draft, signal.employments)
    if signal.addresses:
        draft.put("addresses", [_cleaned(address, _ADDRESS) for address in signal.addresses])
    if signal.birthday:
        _add_birthday(draft, signal.birthday)
    if signal.websites:
        draft.put("websites", _distinct(signal.websites))
    if signal.labels:
        draft.put("labels", _distinct(signal.labels))
    if signal.notes:
        notes = clean_block(signal.notes)
        if notes:
            draft.facts["notes"] = notes
    if signal.custom_fields:
        draft.facts["custom_fields"] = signal.custom_fields


def _cleaned(part: Wire, names: tuple[str, ...]) -> dict[str, Any]:
    values = part.__dict__
    kept: dict[str, Any] = {}
    for name in names:
        value = values[name]
        if value:
            text = clean_text(value)
            if text:
                kept[name] = text
    return kept


def _distinct(texts: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(map(clean_text, texts)))


def _add_birthday(draft: Draft, birthday: str) -> None:
    # Without a year any 29 February may be meant: 2000 was a leap year.
    text = f"2000{birthday[1:]}" if birthday.startswith("--") else birthday
    try:
        date.fromisoformat(text)
    except ValueError:
        draft.reject("birthday", _NOT_A_DAY)
    else:
        draft.facts["birthday"] = birthday


def _add_employments(draft: Draft, employments: tuple[Employment, ...]) -> None:
    jobs: list[dict[str, Any]] = []
    for index, employment in enumerate(employments):
        job = _cleaned(employment, _EMPLOYMENT)
        if employment.company_domain:
            domain = normalize_domain(employment.company_domain)
            if isinstance(domain, Refused):
                draft.reject(f"employments.{index}.company_domain", domain.reason)
            else:
                job["company_domain"] = domain
        if not job:
            continue
        if employment.start_date:
            job["start_date"] = employment.start_date
        if employment.end_date:
            job["end_date"] = employment.end_date
        if not employment.is_current:
            job["is_current"] = False
        jobs.append(job)
    draft.put("employments", jobs)
