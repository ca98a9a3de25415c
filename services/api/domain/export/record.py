"""What an export says of one contact: all that its sources say, as `ContactSignal` names it.

The visible values come from the read model; what it has no place for (labels of e-mails and phones,
addresses, websites, parts of names) from what every current source record says.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.api.domain.background import Facts, background_of
from services.api.domain.contacts import ContactRow

Record = dict[str, Any]
"""A contact: the fields of a `ContactSignal` and what kith knows besides; JSON, nothing empty."""

PERSON_FIELDS: Final = (
    "full_name",
    "first_name",
    "middle_name",
    "last_name",
    "name_prefix",
    "name_suffix",
    "nickname",
    "headline",
    "birthday",
    "photo_url",
    "timezone",
    "emails",
    "phones",
    "linkedin_url",
    "identifiers",
    "employments",
    "addresses",
    "websites",
    "education",
    "skills",
    "certifications",
    "languages",
    "social_posts",
    "labels",
    "notes",
    "custom_fields",
)
"""What sources and people say of somebody; ingest reads all of it back."""

CONTACT_FIELDS: Final = (
    "seniority",
    "departments",
    "derived_timezone",
    "status",
    "lead_status",
    "lead_source",
    "import_source",
    "created_at",
    "updated_at",
)
"""What kith knows besides; ingest passes it by."""

FIELDS: Final = (*PERSON_FIELDS, *CONTACT_FIELDS)
"""What `fields` may choose; the contact's id is always there."""

_PARTS: Final = ("middle_name", "name_prefix", "name_suffix", "nickname")
"""Parts of a name that the read model has no column for."""

_SHOWN: Final = frozenset({"email", "phone_e164"})
_ADDRESS: Final = ("street", "city", "state", "postal_code", "country")


def compose(row: ContactRow, said: Sequence[Facts]) -> Record:
    """Put a contact together; `said` is ranked, what counts most first."""
    shown = row.attributes
    timezone = _first(said, "timezone")
    record: Record = {
        "id": row.id,
        "full_name": shown.display_name,
        "first_name": shown.first_name,
        "last_name": shown.last_name,
        **{part: _first(said, part) for part in _PARTS},
        "headline": shown.headline,
        "birthday": shown.birthday,
        "photo_url": shown.avatar_url,
        "timezone": timezone,
        "emails": _points(shown.emails, shown.email_primary, said, "emails"),
        "phones": _points(shown.phones, shown.phone_primary, said, "phones"),
        "linkedin_url": shown.linkedin_url,
        "identifiers": _identifiers(row),
        "employments": [_job(job.model_dump(mode="json")) for job in shown.employments],
        "addresses": _addresses(said),
        "websites": list(dict.fromkeys(site for facts in said for site in _of(facts, "websites"))),
        **background_of(said),
        "labels": list(shown.labels),
        "notes": shown.notes,
        "custom_fields": shown.custom_fields,
        "seniority": shown.seniority,
        "departments": list(shown.departments),
        # Read back, it would be what a source says.
        "derived_timezone": None if timezone else shown.timezone,
        "status": shown.status,
        "lead_status": shown.lead_status,
        "lead_source": shown.lead_source,
        "import_source": shown.import_source,
        "created_at": shown.created_at.isoformat(),
        "updated_at": shown.updated_at.isoformat(),
    }
    return _filled(record)


def chosen(record: Record, fields: frozenset[str] | None) -> Record:
    """Keep the id and the chosen fields; None: all of them."""
    if fields is None:
        return record
    return {name: value for name, value in record.items() if name == "id" or name in fields}


def signal_of(record: Record) -> Record:
    """Write a contact as JSON that `POST /v1/signals` takes back.

    `about` leads a contact home that says nothing else of who it is (ADR 0018).
    """
    contact = record["id"]
    named = {"id": contact, "source": "api_push", "source_record_id": contact, "about": contact}
    return {**named, **record}


def _first(said: Sequence[Facts], name: str) -> Any:
    return next((facts[name] for facts in said if facts.get(name)), None)


def _of(facts: Facts, name: str) -> Iterable[Any]:
    return facts.get(name) or ()


def _points(
    shown: Sequence[str], primary: str | None, said: Sequence[Facts], kind: str
) -> list[dict[str, Any]]:
    """List e-mails or phones: the visible ones first, then those that identify nobody."""
    labels: dict[str, str | None] = dict.fromkeys(shown)
    for facts in said:
        for point in _of(facts, kind):
            labels[point["value"]] = labels.get(point["value"]) or point.get("label")
    return [
        _filled({"value": value, "label": label, "primary": value == primary})
        for value, label in labels.items()
    ]


def _identifiers(row: ContactRow) -> list[dict[str, str]]:
    """List what is not said elsewhere: a LinkedIn address says the public id."""
    said = _SHOWN | {"linkedin_public_id"} if row.attributes.linkedin_url else _SHOWN
    return [
        {"type": one.type, "value": one.value} for one in row.identifiers if one.type not in said
    ]


def _job(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is no source's to say, and that a job is held, which goes without saying."""
    kept = {name: value for name, value in job.items() if name != "company_id"}
    if kept.pop("is_current"):
        return _filled(kept)
    return {**_filled(kept), "is_current": False}


def _addresses(said: Sequence[Facts]) -> list[dict[str, str]]:
    """List the addresses, each once however often and with whatever case it is said."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for facts in said:
        for address in _of(facts, "addresses"):
            key = tuple((address.get(part) or "").casefold() for part in _ADDRESS)
            before = found.setdefault(key, _filled(dict(address)))
            if address.get("label"):
                before.setdefault("label", address["label"])
    return list(found.values())


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in record.items()
        if value is not None and value is not False and value not in ("", [], {})
    }
