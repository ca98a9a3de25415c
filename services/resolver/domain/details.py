"""E-mails, phones and jobs: the rows of a contact that a signal adds, changes or takes back.

A row of an e-mail or a phone says what the first record told of its value that tells it still. Once
that record tells something else, or nothing, the row is the weightiest of the other records' that
tell of it. A job is told as the weightiest record tells of it: who left by the word of a person, or
by a newer one of the same source, is there no more for a vendor that has not heard.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import Final

from services.resolver.domain.claims import Claimed, claims_employing, claims_telling
from services.resolver.domain.model import (
    Claim,
    Contact,
    Delivery,
    EmploymentRow,
    Job,
    Known,
    Plan,
    Points,
    Source,
)
from shared.events.signal import Employment, Facts, Identifier, Point

Told = tuple[Point, Source]
"""An e-mail or a phone as it is told, and who tells."""

ToldJob = tuple[Employment, Source]
"""A job as it is told, and who tells."""

TellingJobs = Mapping[Job, ToldJob]
"""Job → as it is told."""

_NO_JOBS: Final[TellingJobs] = {}

Telling = Callable[[Facts], tuple[Point, ...]]
"""Reads one kind of points from what a record says."""

EMAILS: Final[Telling] = attrgetter("emails")
_SAYS: Final = attrgetter("end_date", "is_current", "department", "seniority")
"""What a job may be told otherwise in."""

PHONES: Final[Telling] = attrgetter("phones")


def added_details(
    plan: Plan, known: Known, contact: Contact, delivery: Delivery, facts: Facts
) -> tuple[Employment, ...]:
    """Plan the e-mails, phones and jobs that no claim told of yet; returns those jobs."""
    claims = claims_telling(contact, facts)
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
        if job in jobs or not _is_somewhere(employment):
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


def retold_details(
    plan: Plan, known: Known, contact: Contact, was: TellingJobs, now: TellingJobs
) -> tuple[Employment, ...]:
    """Plan what follows for the rows of jobs that are told otherwise now; returns those jobs."""
    retold = retold_jobs(was, now)
    if not retold:
        return ()
    _drop_jobs(plan, contact, [Job.of(employment) for employment, _ in retold])
    _write_jobs(plan, known, contact, retold)
    return tuple(employment for employment, _ in retold)


def _drop_jobs(plan: Plan, contact: Contact, jobs: Collection[Job]) -> None:
    plan.employments = [
        one
        for one in plan.employments
        if one.contact_id != contact.id or Job.of(one.employment) not in jobs
    ]
    plan.dropped_jobs += [(contact.id, job) for job in jobs]


def _write_jobs(plan: Plan, known: Known, contact: Contact, told: Iterable[ToldJob]) -> None:
    plan.employments += [
        EmploymentRow(
            contact.tenant_id,
            contact.id,
            known.company_ids.get(employment.company_id or ""),
            source,
            employment,
        )
        for employment, source in told
    ]


def _note(
    rows: Points,
    contact: Contact,
    delivery: Delivery,
    points: Iterable[Point],
    told: set[str],
) -> None:
    for point in points:
        if point.value not in told:
            told.add(point.value)
            rows[contact.id, point.value] = (delivery.tenant_id, point, delivery.source)


def dropped_details(
    plan: Plan, known: Known, contact: Contact, before: Facts, after: Facts
) -> tuple[tuple[Employment, ...], tuple[Employment, ...]]:
    """Plan what follows for the rows when a record says this instead of that.

    The contact's claims are those afterwards. Returns the jobs that no record tells of any more,
    and all that are told of the same employers and titles still.
    """
    claims = claims_telling(contact, before)
    for telling, rows, dropped in (
        (EMAILS, plan.emails, plan.dropped_emails),
        (PHONES, plan.phones, plan.dropped_phones),
    ):
        for value, told in retold(telling, before, after, claims).items():
            if told is None:
                rows.pop((contact.id, value), None)
                dropped.append((contact.id, value))
            else:
                rows[contact.id, value] = (contact.tenant_id, *told)
    gone = unsaid_jobs(before, after, claims)
    if not gone:
        return (), ()
    jobs = [Job.of(one) for one in gone]
    kept = kept_jobs(jobs, claims_employing(contact, jobs))
    _drop_jobs(plan, contact, [*jobs, *(Job.of(one) for one, _ in kept)])
    _write_jobs(plan, known, contact, kept)
    return gone, tuple(employment for employment, _ in kept)


def retold(
    telling: Telling, before: Facts, after: Facts, claims: Collection[Claim]
) -> Mapping[str, Told | None]:
    """Return the values that a record no longer tells as it did → how they are told now.

    None: nobody tells of them any more.
    """
    was, now = telling(before), telling(after)
    if was == now:
        return {}
    return {point.value: _best(telling, point.value, claims) for point in was if point not in now}


def _best(telling: Telling, value: str, claims: Iterable[Claim]) -> Told | None:
    found = [
        (claim.weight, point, claim.source)
        for claim in claims
        for point in telling(claim.facts)[::-1]
        if point.value == value
    ]
    if not found:
        return None
    _, point, source = max(found, key=lambda one: one[0])
    return point, source


def unsaid_identifiers(
    before: Facts, after: Facts, claims: Collection[Claim]
) -> tuple[Identifier, ...]:
    """Return the identifiers of a record that neither it nor any other says any more."""
    if before.identifiers == after.identifiers:
        return ()
    said = {(one.type, one.value) for claim in claims for one in claim.facts.identifiers}
    return tuple(one for one in before.identifiers if (one.type, one.value) not in said)


def jobs_told(contact: Claimed, *said: Facts) -> TellingJobs:
    """Return the jobs that these say and a claim tells of, as the weightiest claim does."""
    if not any(facts.employments for facts in said):
        return _NO_JOBS
    asked = {Job.of(one) for facts in said for one in facts.employments if _is_somewhere(one)}
    found: dict[Job, tuple[Claim, Employment]] = {}
    for claim in (claim for facts in said for claim in claims_telling(contact, facts)):
        for one in claim.facts.employments:
            job = Job.of(one)
            if job in asked and (job not in found or claim.weight > found[job][0].weight):
                found[job] = (claim, one)
    return {job: (one, claim.source) for job, (claim, one) in found.items()}


def retold_jobs(was: TellingJobs, now: TellingJobs) -> tuple[ToldJob, ...]:
    """Return jobs that are told otherwise than before: the weightiest word of them is another.

    That somebody left is told so: the end of a job is not what makes it another. Another spelling
    of employer or title is no news.
    """
    return tuple(now[job] for job in was if job in now and _SAYS(now[job][0]) != _SAYS(was[job][0]))


def _is_somewhere(employment: Employment) -> bool:
    return bool(employment.company_name or employment.company_domain)


def kept_jobs(gone: Iterable[Job], claims: Iterable[Claim]) -> tuple[ToldJob, ...]:
    """Return the jobs of these employers and titles that claims tell of, as the weightiest does."""
    posts = {job.post for job in gone if job.company}
    found: dict[Job, ToldJob] = {}
    for claim in sorted(claims, key=attrgetter("weight")):
        for one in claim.facts.employments[::-1]:
            if Job.of(one).post in posts:
                found[Job.of(one)] = (one, claim.source)
    return tuple(found[job] for job in sorted(found))


def unsaid_jobs(before: Facts, after: Facts, claims: Collection[Claim]) -> tuple[Employment, ...]:
    """Return the jobs of a record that neither it nor any other tells of any more, each once."""
    if before.employments == after.employments:
        return ()
    told = {Job.of(one) for claim in claims for one in claim.facts.employments}
    gone: dict[Job, Employment] = {}
    for one in before.employments:
        if Job.of(one) not in told:
            gone.setdefault(Job.of(one), one)
    return tuple(gone.values())
