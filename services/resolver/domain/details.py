"""E-mails, phones and jobs: the rows of a contact that a signal adds."""

from collections.abc import Iterable

from services.resolver.domain.model import (
    Contact,
    Delivery,
    EmploymentRow,
    Job,
    Known,
    Plan,
    PointRow,
)
from shared.events.signal import Employment, Facts, Point


def added_details(
    plan: Plan, known: Known, contact: Contact, delivery: Delivery, facts: Facts
) -> tuple[Employment, ...]:
    """Plan the e-mails, phones and jobs that no claim told of yet; returns those jobs."""
    claims = contact.claims.values()
    if facts.emails:
        told = {point.value for claim in claims for point in claim.facts.emails}
        _note(plan.emails, contact, delivery, facts.emails, told)
    if facts.phones:
        told = {point.value for claim in claims for point in claim.facts.phones}
        _note(plan.phones, contact, delivery, facts.phones, told)
    if not facts.employments:
        return ()
    jobs = {Job.of(job) for claim in claims for job in claim.facts.employments}
    added = []
    for employment in facts.employments:
        job = Job.of(employment)
        if job in jobs or not (employment.company_name or employment.company_domain):
            continue
        jobs.add(job)
        plan.employments.append(
            EmploymentRow(
                delivery.tenant_id,
                contact.id,
                known.company_ids.get(employment.company_id or ""),
                delivery.source,
                employment,
            )
        )
        added.append(employment)
    return tuple(added)


def _note(
    rows: list[PointRow],
    contact: Contact,
    delivery: Delivery,
    points: Iterable[Point],
    told: set[str],
) -> None:
    for point in points:
        if point.value not in told:
            told.add(point.value)
            rows.append((delivery.tenant_id, contact.id, point, delivery.source))
