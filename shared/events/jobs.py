"""Jobs, told by several sources: which are the same, and how they are shown.

What sources tell is kept apart by employer, title and start (spec 003, 5.5): somebody who came back
has two jobs. Sources seldom agree on dates, and many have none; so what may be one stint is shown
once.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, TypeVar


class Told(Protocol):
    """A job as a source tells it; days may be ISO 8601."""

    @property
    def company_name(self) -> str | None:
        """Who employs."""

    @property
    def company_domain(self) -> str | None:
        """Where who employs is on the web: tells more than the name."""

    @property
    def title(self) -> str | None:
        """As what."""

    @property
    def department(self) -> str | None:
        """Where there."""

    @property
    def start_date(self) -> date | str | None:
        """Since when."""

    @property
    def end_date(self) -> date | str | None:
        """Until when."""

    @property
    def is_current(self) -> bool:
        """Whether it is a present job."""


JobT = TypeVar("JobT", bound=Told)

JobKey = tuple[str, str, str]
"""Employer, title, and the day it began, or nothing."""


def job_key(job: Told) -> JobKey:
    """Return what makes two jobs the same: who employs, as what, and since when."""
    employer = job.company_domain or job.company_name or ""
    start = job.start_date
    return employer.casefold(), (job.title or "").casefold(), str(start) if start else ""


def with_jobs(jobs: tuple[JobT, ...], told: Iterable[JobT]) -> tuple[JobT, ...]:
    """Add jobs; one that is there already is told otherwise now."""
    added = tuple(told)
    if not added:
        return jobs
    keys = set(map(job_key, added))
    return (*(one for one in jobs if job_key(one) not in keys), *added)


def without_jobs(jobs: tuple[JobT, ...], removed: Iterable[Told]) -> tuple[JobT, ...]:
    """Leave out jobs that nobody tells of any more.

    Before stints were told apart, one of an employer and title was told, of whatever start: when
    one goes that is not there as it is told, whatever has its employer and title goes, as it did.
    Events since then tell again what is left of them (`FactRetracted.employments_kept`).
    """
    gone = set(map(job_key, removed))
    if not gone:
        return jobs
    older = {key[:2] for key in gone - set(map(job_key, jobs)) if key[0]}
    return tuple(one for one in jobs if (key := job_key(one)) not in gone and key[:2] not in older)


def stints(jobs: Iterable[JobT]) -> tuple[JobT, ...]:
    """Return jobs as they are shown: what may be one stint at one employer of one title, once.

    Tellings are one stint where their times overlap: one that begins as another ends is the next.
    One without a start is part of any stint that it may be. Of those, one that goes on is shown, as
    a present job must not hide behind what else is told of it; else what says most of its time.
    """
    groups: dict[tuple[str, str], list[JobT]] = {}
    for job in jobs:
        groups.setdefault(job_key(job)[:2], []).append(job)
    return tuple(job for group in groups.values() for job in _apart(group))


def _apart(group: list[JobT]) -> list[JobT]:
    if len(group) == 1:
        return group
    dated = sorted((one for one in group if one.start_date), key=lambda one: str(one.start_date))
    found: list[list[JobT]] = []
    for one in dated:
        if found and _overlaps(one, found[-1]):
            found[-1].append(one)
        else:
            found.append([one])
    loose = [
        one
        for one in group
        if not one.start_date and not any(_may_be(one, stint) for stint in found)
    ]
    return [max(stint, key=_rank) for stint in (*found, loose) if stint]


def _overlaps(job: Told, stint: Sequence[Told]) -> bool:
    """Tell whether a job that begins no earlier than these is one with them."""
    start = str(job.start_date)
    return start == str(stint[-1].start_date) or start < max(map(_end, stint))


def _end(job: Told) -> str:
    """Return the last day of a job, as text; what goes on ends after all days."""
    last = str(job.end_date) if job.end_date else "9999" if job.is_current else ""
    return max(last, str(job.start_date))


def _may_be(job: Told, stint: Iterable[Told]) -> bool:
    """Tell whether a job without a start may be one of a stint's tellings."""
    ends = [_end(one) for one in stint]
    starts = [str(one.start_date) for one in stint]
    if job.end_date:
        return min(starts) <= str(job.end_date) <= max(ends)
    return not job.is_current or max(ends) == "9999"


def _rank(job: Told) -> tuple[bool, bool, bool, int, tuple[str, ...]]:
    """Rank tellings of one stint, the best highest: in whatever order they come, it is the same.

    What goes on, then what says its end and department, then the earliest, then the last to end.
    """
    began = int(str(job.start_date).replace("-", "")) if job.start_date else 0
    words = (job.end_date, job.department, job.title, job.company_name)
    return (
        job.is_current and not job.end_date,
        bool(job.end_date),
        bool(job.department),
        -began,
        tuple(str(word or "") for word in words),
    )
