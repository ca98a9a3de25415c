"""What a person hands over one at a time, as signals: a captured profile, a contact typed in.

Spec 003: CM-05 for profiles, CM-02 for contacts made by hand. The payload as it came travels along
as `raw`; what is read of it is a contact signal like any other.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.errors import PoisonMessageError
from shared.events.signal import MAX_SKILLS, MAX_VALUES, ContactPoint
from shared.events.wire import Line, Long, Short
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.types import LinkedIn

_REGION_WORDS = re.compile(
    r"\b(area|bay|greater|metro|metropolitan|metroplex|region)\b", re.IGNORECASE
)
"""LinkedIn names a conurbation where it names no city: `San Francisco Bay Area`."""

_PLACE_WITH_STATE: Final = 3
"""Parts of `Austin, Texas, United States`."""

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-\d\d)?)?$")]
"""`2019`, `2019-04` or `2019-04-01`: profiles seldom say more than the month."""


class _Sent(BaseModel):
    """A body that may hold more than is read of it."""

    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True)


class Experience(_Sent):
    """One job on a profile."""

    title: Short | None = None
    company: Short | None = None
    start: Day | None = None
    end: Day | None = None
    """Absent: to this day."""


class School(_Sent):
    """A school on a profile."""

    school: Short | None = None
    degree: Short | None = None
    field_of_study: Short | None = None
    start: Day | None = None
    end: Day | None = None


class Certificate(_Sent):
    """A licence or certification on a profile."""

    name: Short
    authority: Short | None = None
    license_number: Short | None = None
    start: Day | None = None
    end: Day | None = None


class Ability(_Sent):
    """A skill on a profile."""

    name: Short
    endorsements: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class SpokenLanguage(_Sent):
    """A language on a profile, with LinkedIn's own words for how well it is spoken."""

    language: Short
    proficiency: Short | None = None


class SeenPost(_Sent):
    """A post on a profile."""

    url: Line
    posted_at: AwareDatetime | None = None
    snippet: Line | None = None


class LinkedInCapture(_Sent):
    """A profile as the browser extension saw it on the page that its user visited."""

    profile_url: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    full_name: Short
    headline: Short | None = None
    title: Short | None = None
    company: Short | None = None
    location: Short | None = None
    experience: Annotated[tuple[Experience, ...], Field(max_length=MAX_VALUES)] = ()
    education: Annotated[tuple[School, ...], Field(max_length=MAX_VALUES)] = ()
    skills: Annotated[tuple[Ability, ...], Field(max_length=MAX_SKILLS)] = ()
    certifications: Annotated[tuple[Certificate, ...], Field(max_length=MAX_VALUES)] = ()
    languages: Annotated[tuple[SpokenLanguage, ...], Field(max_length=MAX_VALUES)] = ()
    posts: Annotated[tuple[SeenPost, ...], Field(max_length=MAX_VALUES)] = ()
    emails: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    phones: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    websites: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    captured_at: AwareDatetime | None = None


class NewContact(_Sent):
    """A contact typed in by a person; a name is all it takes."""

    full_name: Short | None = None
    first_name: Short | None = None
    last_name: Short | None = None
    email: Short | None = None
    emails: Annotated[tuple[ContactPoint, ...], Field(max_length=MAX_VALUES)] = ()
    phone: Short | None = None
    phones: Annotated[tuple[ContactPoint, ...], Field(max_length=MAX_VALUES)] = ()
    linkedin_url: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    company_name: Short | None = None
    job_title: Short | None = None
    labels: Annotated[tuple[Short, ...], Field(max_length=MAX_VALUES)] = ()
    notes: Long | None = None


def signal_of_capture(capture: LinkedInCapture) -> dict[str, Any]:
    """Write a captured profile as a contact signal of source `linkedin_capture`.

    The profile is the record: captured again, it says what is true now. An address that is no
    profile's is refused, since the capture would be nobody's.
    """
    profile = normalize_linkedin(capture.profile_url)
    if not isinstance(profile, LinkedIn):
        raise PoisonMessageError("invalid", profile.reason, field="profile_url")
    signal: dict[str, Any] = {
        "source": "linkedin_capture",
        "source_record_id": profile.value,
        "linkedin_url": capture.profile_url,
        "full_name": capture.full_name,
        "headline": capture.headline,
        "emails": [{"value": one} for one in capture.emails],
        "phones": [{"value": one} for one in capture.phones],
        "websites": capture.websites,
        "employments": _jobs(capture),
        "education": [
            _dated(
                "education",
                one,
                school=one.school,
                degree=one.degree,
                field_of_study=one.field_of_study,
            )
            for one in capture.education
        ],
        "skills": [{"name": one.name, "endorsements": one.endorsements} for one in capture.skills],
        "certifications": [
            _dated(
                "certifications",
                one,
                name=one.name,
                authority=one.authority,
                license_number=one.license_number,
            )
            for one in capture.certifications
        ],
        "languages": [
            _filled(language=one.language, proficiency=one.proficiency) for one in capture.languages
        ],
        "social_posts": [
            _filled(
                url=one.url,
                platform="linkedin",
                posted_at=one.posted_at.isoformat() if one.posted_at else None,
                snippet=one.snippet,
            )
            for one in capture.posts
        ],
        "addresses": [address_of(capture.location)] if capture.location else [],
    }
    return {name: value for name, value in signal.items() if value}


def _jobs(capture: LinkedInCapture) -> list[dict[str, Any]]:
    """List the jobs; the present one of the profile's head only where no listed one is it."""
    jobs = [
        {
            "company_name": one.company,
            "title": one.title,
            "start_date": _first_day(one.start, "experience"),
            "end_date": _first_day(one.end, "experience"),
            "is_current": one.end is None,
        }
        for one in capture.experience
        if one.company or one.title
    ]
    head = {"company_name": capture.company, "title": capture.title, "is_current": True}
    listed = any(
        job["is_current"]
        and all(head[name] in (None, job[name]) for name in ("company_name", "title"))
        for job in jobs
    )
    if (capture.company or capture.title) and not listed:
        jobs.insert(0, head)
    return [{name: value for name, value in job.items() if value is not None} for job in jobs]


def _dated(field: str, one: School | Certificate, **said: str | None) -> dict[str, Any]:
    """Write down what is said, and between which days."""
    start, end = _first_day(one.start, field), _first_day(one.end, field)
    return _filled(**said, start_date=start, end_date=end)


def _filled(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _first_day(written: str | None, field: str) -> str | None:
    """Complete `2019-04` to the first day that it may mean; a day that is none is refused."""
    if written is None:
        return None
    year, month, day = (*(int(part) for part in written.split("-")), 1, 1)[:3]
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise PoisonMessageError(
            "invalid", "must be a date like 2019, 2019-04 or 2019-04-01", field=field
        ) from None


def address_of(location: str) -> dict[str, str]:
    """Read a profile's location: `City, State, Country`, `City, Country`, or one of them."""
    parts = [part for part in (one.strip() for one in location.split(",")) if part]
    if len(parts) >= _PLACE_WITH_STATE:
        return {"city": parts[0], "state": ", ".join(parts[1:-1]), "country": parts[-1]}
    if len(parts) > 1:
        return {"city": parts[0], "country": parts[1]}
    return {"state" if _REGION_WORDS.search(location) else "country": location}


def signal_of_contact(contact: NewContact, record_id: str) -> dict[str, Any]:
    """Write a contact made by hand as a signal of source `manual_entry`, a record of its own."""
    if not (contact.full_name or contact.first_name or contact.last_name):
        raise PoisonMessageError(
            "invalid", "is required: give full_name, or first_name and last_name", field="full_name"
        )
    said = contact.model_dump(
        mode="json",
        exclude_none=True,
        exclude={"email", "phone", "company_name", "job_title", *(contact.model_extra or ())},
    )
    for one, many in (("email", "emails"), ("phone", "phones")):
        value = getattr(contact, one)
        if value:
            said[many] = [{"value": value, "primary": True}, *said[many]]
    if contact.company_name or contact.job_title:
        job = {"company_name": contact.company_name, "title": contact.job_title}
        said["employments"] = [{name: value for name, value in job.items() if value}]
    return {"source": "manual_entry", "source_record_id": record_id, **said}


def captured_at(capture: LinkedInCapture, now: datetime) -> datetime:
    """Tell when the profile was seen; an extension's clock that goes fast counts as now."""
    return min(capture.captured_at or now, now).astimezone(UTC)
