"""A message as signals: the activity that it is, and what its signature says of the sender."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import phonenumbers

from services.ingest.sources.mail.addresses import Mailbox
from services.ingest.sources.mail.message import Mail, Role
from services.ingest.sources.mail.signature import Signature
from shared.identifiers.domain import company_domain
from shared.identifiers.types import Email

SIGNATURE_CONFIDENCE: Final = 0.6
"""How sure a signature is (DESIGN 4.6): people leave old ones standing, and lines are misread."""

MAX_RAW: Final = 4_000
"""Characters of one header that are kept as they came."""

_KEPT_HEADERS: Final = (
    "from",
    "to",
    "cc",
    "reply-to",
    "date",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
)
"""What is kept of a message as it came; its text is not."""

_NO_COUNTRY: Final = frozenset({"IO", "CO", "AI", "ME", "TV", "CC", "LY", "FM", "TO", "SH", "GG"})
"""Top-level domains of countries that the whole world uses."""

_LINKEDIN: Final = ("linkedin.com/in/", "linkedin.com/pub/")


def activity_of(
    mail: Mail,
    people: Sequence[tuple[Role, str, str | None]],
    *,
    source: str,
    record_id: str,
    direction: str | None,
    snippet: str,
) -> dict[str, Any]:
    """Write a message as `shared.events.activity.ActivitySignal`; people by role, address, name."""
    assert mail.sent_at is not None
    signal: dict[str, Any] = {
        "signal": "activity",
        "source": source,
        "source_record_id": record_id,
        "kind": "email",
        "occurred_at": mail.sent_at.isoformat(),
        "participants": [
            {"role": role, "email": address, **({"name": name} if name else {})}
            for role, address, name in people
        ],
    }
    if direction:
        signal["direction"] = direction
    if mail.subject:
        signal["title"] = mail.subject
    if snippet:
        signal["snippet"] = snippet
    if mail.thread_id:
        signal["thread_id"] = mail.thread_id
    return signal


def raw_of(mail: Mail) -> dict[str, Any]:
    """Return what is kept of a message as it came: the headers that were read."""
    return {
        name: values[0][:MAX_RAW] if len(values) == 1 else [one[:MAX_RAW] for one in values[:20]]
        for name, values in ((name, mail.headers.get(name)) for name in _KEPT_HEADERS)
        if values
    }


def contact_of(
    signature: Signature, sender: Mailbox, *, source: str, region: str | None
) -> dict[str, Any]:
    """Write what a signature says as `shared.events.signal.ContactSignal`."""
    address = sender.address.lower()
    record: dict[str, Any] = {
        "source": source,
        "confidence": SIGNATURE_CONFIDENCE,
        "emails": [{"value": address}],
    }
    if signature.name:
        record["full_name"] = signature.name
    job: dict[str, Any] = {
        "company_name": signature.company,
        "title": signature.title,
        "department": signature.department,
    }
    job = {name: text for name, text in job.items() if text}
    if job:
        domain = company_domain(Email(address))
        if domain and signature.company:
            job["company_domain"] = domain
        record["employments"] = [job]
    if signature.phones:
        record["phones"] = [
            {"value": one.value, **({"label": one.kind} if one.kind else {})}
            for one in signature.phones
        ]
        declared = region_of(address) or region
        if declared:
            record["phone_region"] = declared
    if signature.address:
        record["addresses"] = [{**signature.address, "label": "work"}]
    _add_links(record, signature.links)
    return record


def _add_links(record: dict[str, Any], links: Sequence[str]) -> None:
    """Keep a LinkedIn profile as what it is; whose another network's page is, nobody knows."""
    pages = []
    for url in links:
        if "linkedin_url" not in record and any(part in url.lower() for part in _LINKEDIN):
            record["linkedin_url"] = url
        else:
            pages.append(url)
    if pages:
        record["websites"] = pages


def region_of(address: str) -> str | None:
    """Return the country that a mailbox's domain is of, for its national telephone numbers."""
    last = address.rpartition(".")[2].upper()
    region = "GB" if last == "UK" else last
    if len(region) != 2 or region in _NO_COUNTRY:
        return None
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def as_raw(sender: Mailbox, message_id: str, signature: Signature) -> Mapping[str, Any]:
    """Return a signature as it came."""
    return {
        "from": sender.address,
        "message_id": message_id,
        "signature": signature.text[:MAX_RAW],
    }
