"""What all records say of a contact, found without reading every one of them.

Most contacts have a record or two, and reading those is quicker than anything. Who has thousands,
as a mailbox has that everything is sent to, has an index of them: what a signal costs must not
depend on how many came before it (ADR 0067). Whoever asks gets claims enough for the answer.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Final, Protocol

from typing_extensions import override

from services.resolver.domain.model import Claim, IdentifierKey, Job
from shared.events.signal import Facts
from shared.events.structs import changed, to_json

MANY: Final = 32
"""Claims from which an index costs less than reading them all, measured."""

WORKSPACE_ENTRY: Final = "workspace_entry"
"""The source of what people say of a contact for their workspace alone: tags, groups, custom
fields. Of priority 0: it speaks of nothing that is shared."""

PEOPLE: Final = frozenset({WORKSPACE_ENTRY, "manual_entry"})
"""Sources by which people say something themselves."""

_Term = tuple[str, str, str]
"""Something that a record says: what it is, type or company, value or title."""

_MEMBER: Final = ("identifier", "linkedin_urn")

_Said = tuple[str, str] | None
"""Type and value of an identifier that a claim of a name says; None: whatever it says."""

Name = tuple[str | None, ...]
"""A name as its record says it, part by part."""

NAME_OF: Final[Callable[[Facts], Name]] = attrgetter(
    "full_name",
    "first_name",
    "middle_name",
    "last_name",
    "name_prefix",
    "name_suffix",
    "nickname",
)

_Weight = tuple[int, float, datetime, bytes]
_Ranked = list[tuple[_Weight, Claim]]
"""The weightiest last; the record's key is part of a weight, so that no two are equal."""

_Dated = list[tuple[datetime, bytes, Claim]]
"""The newest last."""


class Claimed(Protocol):
    """What records claim something of: a contact at the gate, or one that is composed again."""

    claims: dict[bytes, Claim]
    """Record key → what that record says."""


class IndexedClaims(dict[bytes, Claim]):
    """The claims of one contact by record, and by what they say; set one by one."""

    __slots__ = ("_groups", "_members", "_names", "_private", "_stints", "_terms", "_workspaces")

    def __init__(self, claims: Mapping[bytes, Claim]) -> None:
        super().__init__(claims)
        self._terms: dict[_Term, _Ranked] = {}
        self._groups: dict[int, _Ranked] = {}
        self._workspaces: dict[int, _Ranked] = {}
        self._names: dict[Name, dict[_Said, _Ranked]] = {}
        self._members: set[_Term] = set()
        self._stints: dict[tuple[str, str], set[_Term]] = {}
        self._private: dict[int, dict[bytes, _Dated]] = {}
        # Sorted: what comes to the end of a list moves nothing.
        for claim in sorted(claims.values(), key=attrgetter("weight")):
            self._put(claim)

    @override
    def __setitem__(self, record_key: bytes, claim: Claim) -> None:
        """Take a record's claim, in place of the one that it may have made before."""
        before = self.get(record_key)
        if before is not None:
            self._drop(before)
        self._put(claim)
        super().__setitem__(record_key, claim)

    def telling(self, facts: Facts) -> list[Claim]:
        """Return the weightiest claim that says it too, for each thing that `facts` say."""
        terms = self._terms
        return [terms[term][-1][1] for term in _terms_of(facts) if term in terms]

    def employing(self, jobs: Iterable[Job]) -> list[Claim]:
        """Return the weightiest claim of each job of the employers and titles of these."""
        found = [
            self._terms[term][-1]
            for post in {job.post for job in jobs}
            for term in self._stints.get(post, ())
        ]
        return list({claim.record_key: claim for _, claim in found}.values())

    def showing(self) -> list[Claim]:
        """Return the weightiest claim of each group of visible values."""
        return [ranked[-1][1] for ranked in self._groups.values()]

    def leading(self) -> list[Claim]:
        """Return the weightiest claim of each workspace."""
        return [ranked[-1][1] for ranked in self._workspaces.values()]

    def naming(self, identifiers: Iterable[IdentifierKey]) -> list[Claim]:
        """Return the weightiest claims of each name, alone and with each of these identifiers.

        And of each LinkedIn member.
        """
        said: tuple[_Said, ...] = (None, *((kind, value) for _, kind, value in identifiers))
        found = [
            ranked[-1]
            for spoken in self._names.values()
            for one in said
            if (ranked := spoken.get(one))
        ]
        found += [self._terms[term][-1] for term in self._members]
        return list({claim.record_key: claim for _, claim in found}.values())

    def private(self, workspace: int) -> list[Claim]:
        """Return the first and the last claim that says it, for all that a workspace keeps."""
        dated = self._private.get(workspace, {}).values()
        return [claim for one in dated for *_, claim in (one[0], one[-1])]

    def _put(self, claim: Claim) -> None:
        ranking = (claim.weight, claim)
        for ranked in self._ranked(claim):
            insort(ranked, ranking)
        if is_private(claim.facts):
            kept = self._private.setdefault(claim.workspace_id, {})
            insort(kept.setdefault(_kept(claim), []), _dated(claim))

    def _drop(self, claim: Claim) -> None:
        ranking = (claim.weight, claim)
        for ranked in self._ranked(claim):
            del ranked[bisect_left(ranked, ranking)]
        for lists in (self._groups, self._workspaces):
            for number in [number for number, ranked in lists.items() if not ranked]:
                del lists[number]
        for term in _terms_of(claim.facts):
            if not self._terms[term]:
                del self._terms[term]
                self._members.discard(term)
        for job in map(Job.of, claim.facts.employments):
            if (term := _job_term(job)) not in self._terms:
                self._stints.get(job.post, set()).discard(term)
                if not self._stints.get(job.post):
                    self._stints.pop(job.post, None)
        name = NAME_OF(claim.facts)
        if not self._names[name][None]:
            del self._names[name]
        if is_private(claim.facts):
            kept = self._private[claim.workspace_id]
            dated = kept[_kept(claim)]
            del dated[bisect_left(dated, _dated(claim))]
            if not dated:
                del kept[_kept(claim)]

    def _ranked(self, claim: Claim) -> Iterator[_Ranked]:
        """List all that the claim stands in, or is to."""
        yield self._workspaces.setdefault(claim.workspace_id, [])
        for number, group in enumerate(claim.groups):
            if group:
                yield self._groups.setdefault(number, [])
        for term in _terms_of(claim.facts):
            yield self._terms.setdefault(term, [])
            if term[:2] == _MEMBER:
                self._members.add(term)
        for job in map(Job.of, claim.facts.employments):
            self._stints.setdefault(job.post, set()).add(_job_term(job))
        spoken = self._names.setdefault(NAME_OF(claim.facts), {})
        yield spoken.setdefault(None, [])
        for one in claim.facts.identifiers:
            yield spoken.setdefault((one.type, one.value), [])


def claims_telling(contact: Claimed, facts: Facts) -> Collection[Claim]:
    """Return claims enough to say which identifiers, points and jobs of `facts` are told already.

    The weightiest claim that tells of one of them is there.
    """
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.telling(facts)


def claims_employing(contact: Claimed, jobs: Iterable[Job]) -> Collection[Claim]:
    """Return claims enough to say what is told of these employers and titles, of any start.

    The weightiest claim of each job is there.
    """
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.employing(jobs)


def claims_showing(contact: Claimed) -> Collection[Claim]:
    """Return claims enough to choose the visible values, and to say where they come from."""
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.showing()


def claims_naming(contact: Claimed, identifiers: Iterable[IdentifierKey]) -> Collection[Claim]:
    """Return claims enough to tell by which names a contact goes, and which of them have whom.

    The weightiest claim of each name is there, of each name with each of these identifiers, and of
    each LinkedIn member.
    """
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.naming(identifiers)


def leading_claims(contact: Claimed) -> Collection[Claim]:
    """Return claims enough to tell which workspace says the weightiest of a contact."""
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.leading()


def private_claims(contact: Claimed, workspace: int) -> Collection[Claim]:
    """Return claims enough to gather what a workspace keeps about a contact for itself."""
    indexed = _indexed(contact)
    return contact.claims.values() if indexed is None else indexed.private(workspace)


def _indexed(contact: Claimed) -> IndexedClaims | None:
    """Return a contact's claims as they are asked; None where they are few."""
    claims = contact.claims
    if len(claims) < MANY:
        return None
    if not isinstance(claims, IndexedClaims):
        claims = contact.claims = IndexedClaims(claims)
    return claims


def _terms_of(facts: Facts) -> set[_Term]:
    return {
        *(("identifier", one.type, one.value) for one in facts.identifiers),
        *(("email", "", one.value) for one in facts.emails),
        *(("phone", "", one.value) for one in facts.phones),
        *(_job_term(Job.of(one)) for one in facts.employments),
    }


def _job_term(job: Job) -> _Term:
    return "job", "", job.key


def is_private(facts: Facts) -> bool:
    """Tell whether some of it is one workspace's own."""
    return bool(
        facts.labels
        or facts.notes
        or facts.custom_fields
        or facts.labels_removed
        or facts.groups
        or facts.groups_left
    )


def without_private(facts: Facts) -> Facts:
    """Return what all workspaces may know of it."""
    return changed(
        facts,
        labels=(),
        notes=None,
        custom_fields={},
        labels_removed=(),
        groups=(),
        groups_left=(),
    )


def _kept(claim: Claim) -> bytes:
    """Name what a claim says for its workspace alone; of people it counts otherwise."""
    facts = claim.facts
    kept = (facts.labels, facts.notes, facts.custom_fields)
    by_people = (facts.labels_removed, facts.groups, facts.groups_left)
    return to_json((claim.source.name in PEOPLE, *kept, *by_people))


def _dated(claim: Claim) -> tuple[datetime, bytes, Claim]:
    return claim.asserted_at, claim.record_key, claim
