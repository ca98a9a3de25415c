"""What a vendor found, as a signal: it takes the same gate as everything else (DESIGN 6)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, get_args

import orjson

from services.enricher.domain.outcome import Match
from services.enricher.domain.request import Claimed
from shared.events.company_facts import named, normalize_companies
from shared.events.signal import (
    ContactPoint,
    ContactSignal,
    Employment,
    Facts,
    Identifier,
    IdentifierType,
    NormalizedSignal,
    Person,
    Point,
    RejectedValue,
)
from shared.events.statuses import point_status
from shared.identifiers.digests import Digests, content_hash
from shared.identifiers.domain import normalize_domain
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.names import clean_text
from shared.identifiers.normalize import normalize
from shared.identifiers.timezones import normalize_timezone
from shared.identifiers.titles import seniority_said
from shared.identifiers.types import Refused
from shared.identifiers.web import normalize_address

CLOUDEVENTS_SOURCE: Final = "/kith/enricher"
"""Who says so, on Kafka."""

_LINES: Final = ("full_name", "first_name", "middle_name", "last_name", "headline")
"""One-line texts that are cleaned as ingest cleans them: vendors copy what others typed."""

_STRENGTH: Final[dict[str, int]] = {
    kind: place for place, kind in enumerate(get_args(IdentifierType))
}
"""Identifier types, strongest first."""


def to_signal(match: Match, request: Claimed, digests: Digests, now: datetime) -> NormalizedSignal:
    """Turn an answer into a well-formed signal about the contact that was asked about.

    The same request always makes the same signal: published twice, it is a duplicate.
    """
    findings = match.findings
    rejected: list[RejectedValue] = []
    facts = _facts(findings, rejected)
    record = findings.source_record_id or request.public_id
    said = {"about": request.contact_id, "facts": facts.model_dump(mode="json")}
    companies, left_out = normalize_companies(findings.companies, findings.phone_region)
    rejected += left_out
    return NormalizedSignal(
        signal_id=f"{CLOUDEVENTS_SOURCE}#{request.public_id}",
        tenant=request.tenant,
        workspace=request.workspace,
        source=request.source,
        record_key=digests.record_key(
            request.tenant, request.workspace, request.source, record
        ).hex(),
        content_hash=content_hash(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hex(),
        source_record_id=record,
        occurred_at=now,
        received_at=now,
        confidence=findings.confidence,
        about=request.contact_id,
        facts=facts,
        companies=named(companies, request.tenant, request.source, digests),
        rejected=tuple(rejected),
        raw=match.raw,
    )


def summary(signal: NormalizedSignal) -> dict[str, int]:
    """Count what an answer held, without saying it: the request's `response_summary`."""
    facts = signal.facts
    named = (facts.full_name, facts.first_name, facts.last_name, facts.headline)
    return {
        "names": sum(value is not None for value in named),
        "emails": len(facts.emails),
        "phones": len(facts.phones),
        "identifiers": len(facts.identifiers),
        "employments": len(facts.employments),
        "addresses": len(facts.addresses),
        "companies": len(signal.companies),
        "rejected": len(signal.rejected),
    }


def _employment(job: Employment) -> Employment:
    """Spell the company's domain as it is compared; a domain that is none is left out."""
    domain = normalize_domain(job.company_domain) if job.company_domain else None
    return job.model_copy(
        update={
            "company_domain": None if isinstance(domain, Refused) else domain,
            "seniority": seniority_said(job.seniority) if job.seniority else None,
        }
    )


def _photo(given: str | None, rejected: list[RejectedValue]) -> str | None:
    address = normalize_address(given) if given else None
    if isinstance(address, Refused):
        rejected.append(RejectedValue(field="photo_url", reason=address.reason))
        return None
    return address


def _timezone(given: str | None, rejected: list[RejectedValue]) -> str | None:
    if not given:
        return None
    zone = normalize_timezone(given)
    if zone is None:
        reason = "is no time zone; write it like Europe/Berlin"
        rejected.append(RejectedValue(field="timezone", reason=reason))
    return zone


def _facts(findings: ContactSignal, rejected: list[RejectedValue]) -> Facts:
    found: dict[tuple[str, str], Identifier] = {}

    def keep(field: str, result: tuple[str, str, bool] | Refused) -> str | None:
        if isinstance(result, Refused):
            rejected.append(RejectedValue(field=field, reason=result.reason))
            return None
        kind, value, assumed = result
        found[kind, value] = Identifier.model_validate(
            {"type": kind, "value": value, "assumed_region": assumed}
        )
        return value

    def points(field: str, kind: str, given: tuple[ContactPoint, ...]) -> Iterator[Point]:
        for place, one in enumerate(given):
            value = keep(f"{field}.{place}", normalize(kind, one.value, findings.phone_region))
            if value is not None:
                status = point_status(one.status) if one.status else None
                yield Point(value=value, label=one.label, primary=one.primary, status=status)

    emails = tuple(points("emails", "email", findings.emails))
    phones = tuple(points("phones", "phone_e164", findings.phones))
    linkedin_url = None
    if findings.linkedin_url:
        profile = normalize_linkedin(findings.linkedin_url)
        if isinstance(profile, Refused):
            keep("linkedin_url", profile)
        else:
            keep("linkedin_url", (profile.type, profile.value, False))
            linkedin_url = profile.url
    for place, other in enumerate(findings.identifiers):
        keep(f"identifiers.{place}", normalize(other.type, other.value))
    person: dict[str, Any] = {
        **{name: getattr(findings, name) for name in Person.model_fields},
        **{name: clean_text(text) for name in _LINES if (text := getattr(findings, name))},
        "employments": tuple(_employment(job) for job in findings.employments),
        "photo_url": _photo(findings.photo_url, rejected),
        "timezone": _timezone(findings.timezone, rejected),
    }
    return Facts(
        **person,
        emails=emails,
        phones=phones,
        linkedin_url=linkedin_url,
        identifiers=tuple(sorted(found.values(), key=lambda one: _STRENGTH[one.type])),
    )
