"""Which company a job is at: the mail domain decides, a name alone only links (DESIGN 9)."""

from collections.abc import Iterable
from functools import lru_cache

from services.resolver.domain.model import Company, Delivery, Ids, Known, NewCompany, Plan
from shared.events.signal import Employment, Facts
from shared.events.structs import changed
from shared.identifiers.company import company_name_key
from shared.identifiers.domain import company_domain
from shared.identifiers.types import Email

Key = tuple[int, str]
"""(tenant, normalised value)."""


def employer_domain(facts: Facts, employment: Employment) -> str | None:
    """Return the domain that identifies a job's company: its own, else that of a work e-mail.

    A work e-mail speaks for the current job only, and only when there is one.
    """
    if employment.company_domain:
        return employment.company_domain
    if not employment.is_current or sum(job.is_current for job in facts.employments) > 1:
        return None
    for point in facts.emails:
        if domain := _domain_of_host(point.value.rpartition("@")[2]):
            return domain
    return None


@lru_cache(maxsize=8_192)
def _domain_of_host(host: str) -> str | None:
    return company_domain(Email(f"anyone@{host}"))


def employers_of(facts: Facts) -> tuple[tuple[str | None, str | None], ...]:
    """Return for each job the domain that identifies its company, and its name's key."""
    return tuple(
        (
            employer_domain(facts, job),
            company_name_key(job.company_name) if job.company_name else None,
        )
        for job in facts.employments
    )


def company_keys(deliveries: Iterable[Delivery]) -> tuple[set[Key], set[Key]]:
    """Return the (tenant, domain) and (tenant, name key) that a batch's jobs may refer to."""
    domains, names = set[Key](), set[Key]()
    for one in deliveries:
        for domain, name in one.employers:
            if domain:
                domains.add((one.tenant_id, domain))
            if name:
                names.add((one.tenant_id, name))
    return domains, names


def link_companies(delivery: Delivery, known: Known, ids: Ids, plan: Plan) -> Facts:
    """Give every job of a signal its company, making the companies that a domain names first."""
    facts = delivery.signal.facts
    if not facts.employments:
        return facts
    linked = []
    for employment, (domain, key) in zip(facts.employments, delivery.employers, strict=True):
        if domain is None:
            company = known.companies_by_name.get((delivery.tenant_id, key or ""))
        else:
            company = known.companies_by_domain.get((delivery.tenant_id, domain))
            if company is None:
                new = _new_company(delivery, employment, domain, key, ids)
                company = new.company
                _enter(new, known)
                plan.companies.append(new)
        public_id = company.public_id if company else None
        if public_id == employment.company_id:
            linked.append(employment)
        else:
            linked.append(changed(employment, company_id=public_id))
    return changed(facts, employments=tuple(linked))


def _new_company(
    delivery: Delivery, employment: Employment, domain: str, key: str | None, ids: Ids
) -> NewCompany:
    company_id, public_id = next(ids.companies)
    company = Company(company_id, public_id, employment.company_name or domain)
    return NewCompany(company, delivery.tenant_id, domain, key, delivery.source)


def _enter(new: NewCompany, known: Known) -> None:
    if new.domain:
        known.companies_by_domain[new.tenant_id, new.domain] = new.company
    known.company_ids[new.company.public_id] = new.company.id
    if new.name_key:
        known.companies_by_name.setdefault((new.tenant_id, new.name_key), new.company)
