"""What a contact is made of: the deliveries of its records, replayed in the order they came.

The gate brings a contact forward delivery by delivery. Here the same comes of all its deliveries at
once, so that a merge and a split need no rules of their own: whoever holds a set of records is
what these records make of them (ADR 0043).
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Final, Literal

from services.resolver.domain.claims import (
    WORKSPACE_ENTRY,
    claims_employing,
    claims_showing,
    claims_telling,
)
from services.resolver.domain.details import (
    EMAILS,
    PHONES,
    ToldJob,
    jobs_told,
    kept_jobs,
    retold,
    retold_jobs,
    unsaid_identifiers,
    unsaid_jobs,
)
from services.resolver.domain.lifecycle import grown, status_at_birth
from services.resolver.domain.model import Claim, IdentifierKey, Job, Said, Source
from shared.events.contact import ContactStatus, VisibleField
from shared.events.signal import Employment, Facts, Identifier, Point

Evidence = Literal["own", "record", "identifier", "name", "person", "none"]
"""Why a delivery belongs where it does: it came while its home stood alone, its record belongs
there, it names an identifier held there, it says the name of whoever is there, a person said so;
or nothing says, and it stays."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One applied delivery of the ledger."""

    claim: Claim
    revision: int
    applied_at: datetime
    import_source: str | None
    identifiers: tuple[tuple[IdentifierKey, Identifier], ...]
    """With their keys, strongest first."""
    home: int | None = None
    """The contact that it would belong to had nothing been merged; None while not asked yet."""
    evidence: Evidence = "none"
    place: int | None = None
    """Its place among the deliveries of its contact, as stored; None while not stored yet."""
    source_version: int | None = None
    import_id: str | None = None
    """The import that brought it."""

    @property
    def facts(self) -> Facts:
        """What it says."""
        return self.claim.facts

    @property
    def source(self) -> Source:
        """Who says it."""
        return self.claim.source


@dataclass(frozen=True, slots=True)
class Bound:
    """How a workspace came to know a contact."""

    import_source: str | None
    since: datetime


@dataclass(slots=True)
class Composite:
    """A contact as its deliveries make it."""

    status: ContactStatus = "incomplete"
    claims: dict[bytes, Claim] = field(default_factory=dict)
    """Record key → what that record says at present."""
    fields: dict[VisibleField, str] = field(default_factory=dict)
    origins: dict[VisibleField, Claim] = field(default_factory=dict)
    """Visible field → the claim that first brought its value."""
    identifiers: dict[IdentifierKey, Identifier] = field(default_factory=dict)
    """Those that a record says at present."""
    said: dict[IdentifierKey, Said | None] = field(default_factory=dict)
    """All that it holds → who says it at present; None: nobody does any more."""
    emails: dict[str, tuple[Point, Source]] = field(default_factory=dict)
    phones: dict[str, tuple[Point, Source]] = field(default_factory=dict)
    jobs: list[Employment] = field(default_factory=list)
    """As events tell them: whatever the first record said, then what later ones told anew."""
    employments: list[tuple[Employment, Source]] = field(default_factory=list)
    """As the table has them: those at an employer that is named."""
    bound: dict[int, Bound] = field(default_factory=dict)
    """Workspace → how it came to know the contact."""

    @property
    def enriched_at(self) -> datetime | None:
        """Return of when the newest is that a vendor tells of it; None: none does."""
        told = [one.asserted_at for one in self.claims.values() if one.source.is_enrichment]
        return max(told, default=None)


def compose(applied: Iterable[Applied], holds: Collection[IdentifierKey]) -> Composite:
    """Replay deliveries in their order; of their identifiers, only those in `holds` are taken.

    Gives what the gate's events fold to, delivery by delivery.
    """
    made = Composite()
    visible, employed = _Visible(made), _Employed(made)
    is_born = False
    for one in applied:
        claim = one.claim
        # What people say for their workspace tells nothing of who somebody is.
        tells = claim.source.name != WORKSPACE_ENTRY
        replaced = made.claims.get(claim.record_key)
        for key, identifier in one.identifiers:
            if key in holds and key not in made.identifiers:
                made.identifiers[key] = identifier
                made.said[key] = (identifier, claim.source, claim.confidence)
        for points, rows in ((claim.facts.emails, made.emails), (claim.facts.phones, made.phones)):
            for point in points:
                rows.setdefault(point.value, (point, claim.source))
        told = (claim.facts, replaced.facts) if replaced is not None else (claim.facts,)
        jobs = jobs_told(made, *told)
        added = employed.add(claim, is_first=tells and not is_born)
        visible.add(claim)
        if jobs or added:
            _tell_jobs(made, retold_jobs(added, jobs, jobs_told(made, *told)))
        if replaced is not None:
            _drop(made, replaced.facts, claim.facts)
        made.bound.setdefault(claim.workspace_id, Bound(one.import_source, claim.asserted_at))
        if tells and not is_born:
            made.status, is_born = status_at_birth(claim.source, claim.facts), True
        elif tells:
            made.status = grown(made.status, claims_showing(made))
    made.said.update((key, None) for key in holds if key not in made.said)
    return made


def _drop(made: Composite, before: Facts, after: Facts) -> None:
    """Take back what a record said before, where no record says it now."""
    claims = claims_telling(made, before)
    gone = {(one.type, one.value) for one in unsaid_identifiers(before, after, claims)}
    for key in [key for key in made.identifiers if key[1:] in gone] if gone else ():
        del made.identifiers[key]
        made.said[key] = None
    for telling, rows in ((EMAILS, made.emails), (PHONES, made.phones)):
        for value, told in retold(telling, before, after, claims).items():
            if told is None:
                rows.pop(value, None)
            else:
                rows[value] = told
    jobs = [Job.of(one) for one in unsaid_jobs(before, after, claims)]
    if jobs:
        _forget_jobs(made, jobs)
        _tell_jobs(made, kept_jobs(jobs, claims_employing(made, jobs)))


def _tell_jobs(made: Composite, told: Collection[ToldJob]) -> None:
    """Tell jobs in place of what was told of them before; they come last, as in events."""
    if told:
        _forget_jobs(made, {Job.of(one) for one, _ in told})
        made.jobs += [one for one, _ in told]
        made.employments += told


def _forget_jobs(made: Composite, jobs: Collection[Job]) -> None:
    made.jobs = [one for one in made.jobs if Job.of(one) not in jobs]
    made.employments = [one for one in made.employments if Job.of(one[0]) not in jobs]


_index: Final = itemgetter(0)


class _Employed:
    """Adds the jobs that no present claim tells of yet."""

    def __init__(self, made: Composite) -> None:
        self._made = made
        self._told: Counter[Job] = Counter()
        """Job → how many jobs of present claims are it."""

    def add(self, claim: Claim, *, is_first: bool) -> list[Employment]:
        """Let a claim tell its jobs, before it takes the place of what its record said before.

        Returns those that were not told of.
        """
        made, jobs = self._made, claim.facts.employments
        if is_first:
            made.jobs.extend(jobs)
        added: dict[Job, Employment] = {}
        for employment in jobs:
            job = Job.of(employment)
            named = employment.company_name or employment.company_domain
            if named and not self._told[job] and job not in added:
                added[job] = employment
                made.employments.append((employment, claim.source))
                if not is_first:
                    made.jobs.append(employment)
        self._told.update(map(Job.of, jobs))
        replaced = made.claims.get(claim.record_key)
        if replaced is not None:
            self._told.subtract(map(Job.of, replaced.facts.employments))
        return [*added.values()]


class _Visible:
    """Brings the visible values forward claim by claim, each group from the weightiest."""

    def __init__(self, made: Composite) -> None:
        self._made = made
        self._best: dict[int, Claim] = {}
        """Group of values → the claim it is taken from."""

    def add(self, claim: Claim) -> None:
        """Let a claim take its place, instead of what its record said before."""
        claims = self._made.claims
        replaced = claims.get(claim.record_key)
        claims[claim.record_key] = claim
        if replaced is None:
            self._rank([claim])
        else:
            if any(best is replaced for best in self._best.values()):
                self._best.clear()
            self._rank(claims_showing(self._made))
        self._show()

    def _rank(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            for index, group in enumerate(claim.groups):
                best = self._best.get(index)
                if group and (best is None or claim.weight > best.weight):
                    self._best[index] = claim

    def _show(self) -> None:
        """Take new values over; one that stayed the same stays with whom it came from.

        By the order of the groups, as a later one overrules an earlier.
        """
        made = self._made
        found = {
            name: (value, claim)
            for index, claim in sorted(self._best.items(), key=_index)
            for name, value in claim.groups[index].items()
        }
        for name in made.fields.keys() - found.keys():
            del made.fields[name], made.origins[name]
        for name, (value, claim) in found.items():
            if made.fields.get(name) != value:
                made.fields[name] = value
                made.origins[name] = claim
