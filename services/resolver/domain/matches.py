"""Who else may the people of a batch be? Compares contacts by what their records say (DESIGN 4.3).

The gate has given every record a contact by its identifiers. Here contacts that share a blocking
key are compared, record by record; those that agree well enough become one, doubtful pairs wait
for a person. What a contact already holds is one person here: parting it again is a split.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, product
from typing import Final, NamedTuple

from services.resolver.domain.cluster import Pair, pair_of
from services.resolver.domain.matching.cluster import (
    Judgements,
    Link,
    Record,
    components,
    partition,
)
from services.resolver.domain.matching.linking import SUREST, Matcher, Verdict
from services.resolver.domain.matching.model import Profile, Statistics
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.model import Contact, Ids, Plan, RecordedEvent
from services.resolver.domain.telling import alike

CAUSE: Final = "matching"
"""What decisions and events name as their cause when no signal named both contacts."""

HELD: Final = SUREST + 1.0
"""Bits between records of one contact: surer than any comparison."""


class Known(NamedTuple):
    """A current record of a contact, as it is compared."""

    contact: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of two contacts, and why."""

    pair: Pair
    verdict: Verdict
    """Of the two records that agree best: what is shown, and can be computed again."""
    action: Action
    """What the contacts' records say together."""


@dataclass(slots=True)
class Matches:
    """What a batch decided."""

    merges: list[Decision] = field(default_factory=list)
    """In the order in which they are to be carried out."""
    reviews: list[Decision] = field(default_factory=list)


def match(
    records: Mapping[Record, Known],
    candidates: Mapping[int, Collection[int]],
    matcher: Matcher,
    statistics: Statistics,
    apart: Collection[Pair] = (),
) -> Matches:
    """Compare contacts with their candidates: those that share a block with them.

    `records` are the current records of every contact concerned; `apart` are pairs of contacts
    that a person keeps apart.
    """
    return _Round(records, matcher, statistics, apart).match(candidates)


class _Round:
    """One batch of comparisons; every pair of records is compared once."""

    def __init__(
        self,
        records: Mapping[Record, Known],
        matcher: Matcher,
        statistics: Statistics,
        apart: Collection[Pair],
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._statistics = statistics
        self._apart = frozenset(apart)
        self._verdicts: dict[tuple[Record, Record], Verdict] = {}
        self._of_contact = _distinct(records)

    def match(self, candidates: Mapping[int, Collection[int]]) -> Matches:
        links = self._links(candidates)
        matches = Matches()
        for part in components(links, links, self._matcher.floor):
            found = partition(
                part, self._link, self._matcher.rules(), self._judgements(part), links
            )
            for step in found.steps:
                if self._contacts(step.left).isdisjoint(self._contacts(step.right)):
                    matches.merges.append(self._decision(step.left, step.right, step.action))
            matches.reviews += [
                self._decision(proposal.left, proposal.right, Action.REVIEW)
                for proposal in found.proposals
            ]
        return matches

    def _links(
        self, candidates: Mapping[int, Collection[int]]
    ) -> dict[Record, dict[Record, float]]:
        """Link the records of contacts with those of their candidates, and every contact's own."""
        links: dict[Record, dict[Record, float]] = {}
        weighed: set[tuple[Record, Record]] = set()
        floor = self._matcher.floor
        for contact, others in candidates.items():
            for other in others:
                for pair in product(self._of(contact), self._of(other)):
                    one, another = min(pair), max(pair)
                    if (one, another) in weighed:
                        continue
                    left, right = self._records[one].profile, self._records[another].profile
                    weight = self._matcher.weigh(left, right, self._statistics)
                    weighed.add((one, another))
                    if weight >= floor:
                        _join(links, one, another, weight)
        for contact in self._contacts(links):
            for one, another in pairwise(self._of(contact)):
                _join(links, one, another, HELD)
        return links

    def _of(self, contact: int) -> Sequence[Record]:
        return self._of_contact.get(contact, ())

    def _judgements(self, part: Sequence[Record]) -> Judgements:
        """Hold together what is one contact, and apart what a person separated."""
        contacts = self._contacts(part)
        same = {pair for contact in contacts for pair in pairwise(self._of(contact))}
        different = {
            (min(one, other), max(one, other))
            for left, right in self._apart
            if left in contacts and right in contacts
            for one, other in product(self._of(left), self._of(right))
        }
        return Judgements(frozenset(same), frozenset(different))

    def _contacts(self, records: Iterable[Record]) -> set[int]:
        return {self._records[record].contact for record in records}

    def _link(self, one: Record, other: Record) -> Link:
        if self._records[one].contact == self._records[other].contact:
            return Link(0.0, Action.NOTHING)
        return self._compare(one, other).link

    def _compare(self, one: Record, other: Record) -> Verdict:
        low, high = sorted((one, other))
        verdict = self._verdicts.get((low, high))
        if verdict is None:
            left, right = self._records[low].profile, self._records[high].profile
            verdict = self._matcher.judge(left, right, self._statistics)
            self._verdicts[low, high] = verdict
        return verdict

    def _decision(
        self, left: Sequence[Record], right: Sequence[Record], action: Action
    ) -> Decision:
        verdicts = [self._compare(*pair) for pair in product(left, right)]
        return Decision(
            pair=pair_of(min(self._contacts(left)), min(self._contacts(right))),
            verdict=max(verdicts, key=lambda found: (found.link.allowed, found.link.weight)),
            action=action,
        )


def repeating(records: Mapping[Record, Known], told: Collection[Record]) -> set[int]:
    """Return the contacts of whom the records just told say nothing that others did not say."""
    before: dict[int, list[Profile]] = {}
    for record, known in records.items():
        if record not in told:
            before.setdefault(known.contact, []).append(known.profile)
    new = {
        records[record].contact
        for record in told
        if record in records
        and records[record].profile not in before.get(records[record].contact, ())
    }
    return before.keys() - new


def _distinct(records: Mapping[Record, Known]) -> dict[int, list[Record]]:
    """Return contact → its records, one of those that say the same: to repeat proves nothing."""
    found: dict[int, list[Record]] = {}
    for record in sorted(records):
        contact, profile = records[record]
        said = found.setdefault(contact, [])
        if all(records[other].profile != profile for other in said):
            said.append(record)
    return found


def _join(
    links: dict[Record, dict[Record, float]], one: Record, other: Record, weight: float
) -> None:
    links.setdefault(one, {})[other] = weight
    links.setdefault(other, {})[one] = weight


def alike_plan(
    scores: Mapping[Pair, float],
    contacts: Mapping[int, Contact],
    ids: Ids,
    *,
    tenant: str,
    received_at: datetime,
    now: datetime,
) -> Plan:
    """Plan the events that tell of pairs which wait for review, in the streams of both."""
    plan = Plan(now=now)
    for (low, high), score in sorted(scores.items()):
        for one, other in ((low, high), (high, low)):
            contact = contacts[one]
            contact.version += 1
            plan.contacts[one] = contact
            plan.updated.add(one)
            plan.events.append(
                RecordedEvent(
                    event_id=next(ids.events),
                    tenant_id=contact.tenant_id,
                    tenant=tenant,
                    entity_id=one,
                    event=alike(CAUSE, now, (contact, contacts[other]), score),
                    private_to=None,
                    received_at=received_at,
                    traceparent=None,
                )
            )
    return plan
