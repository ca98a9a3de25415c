"""Builders of normalised signals: `a_signal(email="…")`."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.model import Delivery, Source
from shared.events.codec import encode
from shared.events.signal import (
    Employment,
    Facts,
    Identifier,
    ImportSource,
    NormalizedSignal,
    Point,
)

TENANT = "ten_" + "0" * 26
WORKSPACE = "wsp_" + "0" * 26
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)

SOURCES = {
    name: Source(number, name, priority, kind)
    for number, (name, priority, kind) in enumerate(
        [
            ("hubspot_crm", 25, "integration"),
            ("csv_upload", 10, "manual"),
            ("manual_entry", 100, "manual"),
            ("apollo", 30, "enrichment"),
            ("email_sync", 20, "integration"),
            ("workspace_entry", 0, "manual"),
            ("ai_deep_research", 40, "ai"),
        ],
        start=1,
    )
}


def digest(*parts: object) -> bytes:
    """Digest anything to 16 bytes."""
    return blake2b(repr(parts).encode(), digest_size=16).digest()


def a_signal(
    record: str = "r1",
    *,
    email: str | None = None,
    phone: str | None = None,
    linkedin_urn: str | None = None,
    name: str | None = "Ada Lovelace",
    company: str | None = None,
    title: str | None = None,
    source: str = "hubspot_crm",
    tenant: str = TENANT,
    workspace: str = WORKSPACE,
    minutes: float = 0,
    version: int | None = None,
    signal_id: str | None = None,
    about: str | None = None,
    import_source: ImportSource | None = None,
    import_id: str | None = None,
    possible_duplicates: tuple[str, ...] = (),
    **facts: Any,
) -> NormalizedSignal:
    """Make a signal: one record of one source, so many minutes after `MOMENT`."""
    identifiers = []
    if email:
        identifiers.append(Identifier(type="email", value=email))
    if phone:
        identifiers.append(Identifier(type="phone_e164", value=phone))
    if linkedin_urn:
        identifiers.append(Identifier(type="linkedin_urn", value=linkedin_urn))
    identifiers += facts.pop("more_identifiers", ())
    first, _, last = (name or "").partition(" ")
    said = Facts(
        full_name=name,
        first_name=first or None,
        last_name=last or None,
        emails=facts.pop("emails", (Point(value=email),) if email else ()),
        phones=(Point(value=phone),) if phone else (),
        identifiers=tuple(identifiers),
        employments=facts.pop("employments", None)
        or ((Employment(company_name=company, title=title),) if company or title else ()),
        **facts,
    )
    at = MOMENT + timedelta(minutes=minutes)
    return NormalizedSignal(
        signal_id=signal_id or f"test#{record}@{minutes}",
        tenant=tenant,
        workspace=workspace,
        source=source,
        record_key=digest(tenant, workspace, source, record).hex(),
        content_hash=digest(said.model_dump_json()).hex(),
        source_record_id=record,
        source_version=version,
        occurred_at=at,
        received_at=at,
        about=about,
        import_source=import_source,
        import_id=import_id,
        possible_duplicates=possible_duplicates,
        facts=said,
        raw={"record": record},
    )


def a_delivery(record: str = "r1", **said: Any) -> Delivery:
    """Make a signal on its way through the gate, in tenant 1 and workspace 1."""
    signal = read_signal(encode(a_signal(record, **said)))
    return deliver(signal, 1, 1, SOURCES[signal.source])
