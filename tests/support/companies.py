"""Builders of signals that tell of companies, `telling(a_signal(…), {"domain": …})`; of events.

`alone` makes signals that tell of companies and of nobody.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.events.company import CompanyRecord
from shared.events.company_facts import named, normalize_companies
from shared.events.contact import (
    CompanyCreated,
    CompanyFieldChange,
    CompanyProfile,
    CompanyShape,
    CompanyUpdated,
    Origin,
)
from shared.events.signal import NormalizedCompanySignal, NormalizedSignal
from shared.identifiers.digests import Digests
from tests.support.events import public_id

DIGESTS = Digests("companies")


def telling(signal: NormalizedSignal, *companies: dict[str, Any]) -> NormalizedSignal:
    """Let a signal bring what its source says of companies."""
    records = [CompanyRecord.model_validate(one) for one in companies]
    said, rejected = normalize_companies(records)
    assert not rejected, rejected
    told = named(said, signal.tenant, signal.source, DIGESTS)
    return signal.model_copy(update={"companies": told})


def alone(signal: NormalizedSignal, *companies: dict[str, Any]) -> NormalizedCompanySignal:
    """Make a signal about companies alone, by the names and times of another."""
    told = telling(signal, *companies)
    names = NormalizedCompanySignal.model_fields.keys() - {"raw"}
    said = {name: getattr(told, name) for name in names}
    return NormalizedCompanySignal(**said, raw={"companies": list(companies)})


BORN = datetime(2026, 1, 1, tzinfo=UTC)


def a_company(domain: str = "acme.test", name: str | None = None) -> CompanyCreated:
    """Make the event of a new company."""
    return CompanyCreated(
        occurred_at=BORN,
        cause="test",
        company_id=public_id("cmp"),
        version=1,
        name=name or domain,
        domain=domain,
        source="hubspot_crm",
    )


def an_update(
    company: CompanyCreated, version: int = 2, survivor: str | None = None, **shown: Any
) -> CompanyUpdated:
    """Make the event that tells what a company shows; an industry by default."""
    name = shown.pop("name", company.name)
    shown = shown or {"industry": "Engines"}
    at = BORN + timedelta(hours=version)
    origin = Origin(source="apollo", source_record="0" * 32, asserted_at=at)
    single = shown.keys() - {"technologies", "funding", "phones"}
    profile = CompanyProfile.model_validate({**shown, "origins": dict.fromkeys(single, origin)})
    changed = [one for one in ("industry", "city") if one in shown]
    return CompanyUpdated(
        occurred_at=at,
        cause="test",
        company_id=company.company_id,
        version=version,
        changes=tuple(
            CompanyFieldChange.model_validate({"field": one, "new": shown[one], "origin": origin})
            for one in changed
        ),
        shape=CompanyShape(
            name=name,
            domain=company.domain,
            source=company.source,
            created_at=company.occurred_at,
            survivor_id=survivor,
            profile=profile,
        ),
    )
