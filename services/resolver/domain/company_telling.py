"""How it is told what a company shows."""

from collections.abc import Mapping
from datetime import datetime

from services.resolver.domain.company_ledger import CompanyWrites, KnownCompanies
from services.resolver.domain.company_profiles import Shown, changes, profile_row
from shared.events.contact import CompanyShape, CompanyUpdated


def updated(
    found: KnownCompanies,
    company: int,
    before: Shown,
    shown: Shown,
    *,
    occurred_at: datetime,
    cause: str,
    workspace: str | None = None,
) -> CompanyUpdated:
    """Tell what a company shows now, and what of it is new."""
    home = found.companies[company]
    changed, parts = changes(before, shown)
    return CompanyUpdated(
        occurred_at=occurred_at,
        cause=cause,
        workspace=workspace,
        company_id=home.public_id,
        version=home.version,
        changes=changed,
        parts_changed=parts,
        shape=shape_of(found, company, shown),
    )


def shape_of(found: KnownCompanies, company: int, shown: Shown) -> CompanyShape:
    """Say all that is known of a company at once."""
    home = found.companies[company]
    return CompanyShape(
        name=shown.name,
        domain=home.domain,
        source=home.birth.source,
        created_at=home.birth.at,
        survivor_id=found.companies[home.survivor_id].public_id if home.survivor_id else None,
        relations=tuple(found.relations.get(company, ())),
        profile=shown.profile,
    )


def tell_again(
    found: KnownCompanies,
    before: Mapping[int, Shown],
    writes: CompanyWrites,
    now: datetime,
    cause: str,
) -> list[tuple[int, CompanyUpdated]]:
    """Tell of the companies that show something else than before, and note what to write."""
    told = []
    for company, was in sorted(before.items()):
        shown = found.show(company)
        if shown == was:
            continue
        home = found.companies[company]
        home.version += 1
        event = updated(found, company, was, shown, occurred_at=now, cause=cause)
        told.append((company, event))
        writes.profiles.append(profile_row(company, home.version, shown, home.domain))
    return told
