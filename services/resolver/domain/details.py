"""E-mails, phones and jobs: the rows of a contact that a signal adds, changes or takes back.

A row of an e-mail or a phone says what the first record told of its value that tells it still. Once
that record tells something else, or nothing, the row is the weightiest of the other records' that
tell of it. A job is told as the weightiest record tells of it: who left by the word of a person, or
by a newer one of the same source, is there no more for a vendor that has not heard, also where that
knows of another day as the first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from shared.events.structs import changed

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
    plan: Plan,
    known: Known,
    contact: Contact,
    added: tuple[Employment, ...],
    retold: Sequence[ToldJob],
) -> tuple[Employment, ...]:
    """Plan what follows for the rows of jobs that are told otherwise now.

    Returns those jobs behind those that were `added`, each once.
    """
    if not retold:
        return added
    jobs = {Job.of(employment) for employment, _ in retold}
    _drop_jobs(plan, contact, jobs)
    _write_jobs(plan, known, contact, retold)
    stand = (one for one in added if Job.of(one) not in jobs)
    return (*stand, *(employment for employment, _ in retold))


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
    """Return all jobs of the employers and titles that these say, as claims tell of them."""
    if not any(facts.employments for facts in said):
        return _NO_JOBS
    jobs = [Job.of(one) for facts in said for one in facts.employments if _is_somewhere(one)]
    return _told_of({job.post for job in jobs}, claims_employing(contact, jobs)) if jobs else {}


def _told_of(posts: Collection[tuple[str, str]], claims: Iterable[Claim]) -> dict[Job, ToldJob]:
    """Return the jobs of these employers and titles, each as the weightiest claim tells of it."""
    found: dict[tuple[str, str], dict[Job, tuple[Claim, Employment]]] = {}
    for claim in sorted(claims, key=attrgetter("weight")):
        for one in claim.facts.employments[::-1]:
            job = Job.of(one)
            if job.post in posts:
                found.setdefault(job.post, {})[job] = (claim, one)
    return {
        job: (one if len(stints) == 1 else _as_it_ended(claim, one, stints.values()), claim.source)
        for stints in found.values()
        for job, (claim, one) in stints.items()
    }


def _as_it_ended(
    claim: Claim, job: Employment, stints: Iterable[tuple[Claim, Employment]]
) -> Employment:
    """Return a job as over that goes on by this claim, where a weightier one saw its end.

    Sources seldom agree on a first day: what began before another telling of employer and title
    ended is the same stint. Without a first day it is, unless it was said later than the end.
    """
    if not job.is_current or job.end_date:
        return job
    ends = [
        (other.weight, one)
        for other, one in stints
        if other.weight > claim.weight
        and (one.end_date or not one.is_current)
        and _is_one_with(job, one, is_later=claim.asserted_at > other.asserted_at)
    ]
    if not ends:
        return job
    _, ended = max(ends, key=lambda one: one[0])
    return changed(job, is_current=False, end_date=ended.end_date)


def _is_one_with(job: Employment, ended: Employment, *, is_later: bool) -> bool:
    if not job.start_date:
        return not is_later
    last = ended.end_date or ended.start_date
    return last is not None and job.start_date <= last


def retold_jobs(
    added: Iterable[Employment], was: TellingJobs, now: TellingJobs
) -> tuple[ToldJob, ...]:
    """Return jobs that are told otherwise than before: the weightiest word of them is another.

    That somebody left is told so: the end of a job is not what makes it another. Another spelling
    of employer or title is no news. What was `added` is told as its record tells it, until now.
    """
    before = {job: one for job, (one, _) in was.items()} | {Job.of(one): one for one in added}
    return tuple(
        now[job]
        for job in sorted(before)
        if job in now and _SAYS(now[job][0]) != _SAYS(before[job])
    )


def _is_somewhere(employment: Employment) -> bool:
    return bool(employment.company_name or employment.company_domain)


def kept_jobs(gone: Iterable[Job], claims: Iterable[Claim]) -> tuple[ToldJob, ...]:
    """Return the jobs of these employers and titles that claims tell of, as they do."""
    found = _told_of({job.post for job in gone if job.company}, claims)
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
