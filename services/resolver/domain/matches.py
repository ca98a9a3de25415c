"""Who else may the people of a batch be? Compares contacts by what their records say (DESIGN 4.3).

The gate has given every record a contact by its identifiers. Here contacts that share a blocking
key are compared, record by record; those that agree well enough become one, doubtful pairs wait
for a person. A contact that is told something new is decided about again: what identifiers alone do
not make one, and the evidence does not either, is parted, so that the outcome follows from the
records and not from the order in which they came (ADR 0074).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations, pairwise, product
from operator import attrgetter
from typing import Final, NamedTuple

from services.resolver.domain.cluster import Pair, pair_of
from services.resolver.domain.matching.chains import Chains, is_clear
from services.resolver.domain.matching.linking import SUREST, Matcher, Verdict
from services.resolver.domain.matching.model import Profile, Statistics
from services.resolver.domain.matching.partitioning import (
    Judgements,
    Link,
    Partition,
    Record,
    components,
    partition,
)
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.model import Contact, Ids, Plan, RecordedEvent
from services.resolver.domain.telling import alike

CAUSE: Final = "matching"
"""What decisions and events name as their cause when no signal named both contacts."""

DRIFT: Final = 2.0
"""Bits below what makes a link from which a pair may become one: a base has to grow manifold."""

HELD: Final = SUREST + 1.0
"""Bits between records of one contact: surer than any comparison."""


class Known(NamedTuple):
    """A current record of a contact, as it is compared."""

    contact: int
    profile: Profile
    is_backup: bool = False
    """It is of a phone backup: an address book, held to a stricter rule (ADR 0085)."""


class Asked(NamedTuple):
    """Pairs of contacts that a person was asked about: no machine joins them."""

    apart: frozenset[Pair] = frozenset()
    """The person keeps them apart."""
    waiting: frozenset[Pair] = frozenset()
    """It waits for the person, as a phone backup is why it is asked (ADR 0085)."""


NOBODY_ASKED: Final = Asked()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of two contacts, and why."""

    pair: Pair
    verdict: Verdict
    """Of the two records that agree best: what is shown, and can be computed again."""
    action: Action
    """What the contacts' records say together."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Records that a contact holds, and that are not one person with the others."""

    contact: int
    records: frozenset[Record]
    """All that the contact was seen to hold: with another one it is to be decided about again."""
    leaving: tuple[frozenset[Record], ...]
    """Those that leave; one another, too. What stays is the larger part."""
    concerned: frozenset[int]
    """The contacts that were compared."""


@dataclass(slots=True)
class Matches:
    """What a batch decided."""

    partings: list[Parting] = field(default_factory=list)
    """To be carried out first; contacts that are parted are merged with nobody yet."""
    merges: list[Decision] = field(default_factory=list)
    """In the order in which they are to be carried out."""
    reviews: list[Decision] = field(default_factory=list)
    doubtful: set[int] = field(default_factory=set, compare=False)
    """Of those that were compared with candidates, who might be decided otherwise with other
    statistics."""


def match(
    records: Mapping[Record, Known],
    candidates: Mapping[int, Collection[int]],
    matcher: Matcher,
    statistics: Statistics,
    asked: Asked = NOBODY_ASKED,
    *,
    news: Collection[int] = (),
    whole: Collection[int] = (),
) -> Matches:
    """Compare contacts with their candidates: those that share a block with them.

    `records` are the current records of every contact concerned; `asked` are pairs among
    them that are no machine's to join. `news` are contacts that were told something new: they, and
    whoever links with them, may be parted, but for those that are to stay `whole`.
    """
    return _Round(records, matcher, statistics, asked, whole).match(candidates, news)


def compare(
    records: Mapping[Record, Known],
    pair: Pair,
    matcher: Matcher,
    statistics: Statistics,
    asked: Asked = NOBODY_ASKED,
) -> Decision | None:
    """Decide about two contacts alone; None where one of them has no record to compare.

    What speaks for and against a pair is told even where nothing is done with it.
    """
    left, right = pair
    verdicts = [
        matcher.judge(one.profile, other.profile, statistics)
        for one in records.values()
        for other in records.values()
        if one.contact == left and other.contact == right
    ]
    if not verdicts:
        return None
    found = match(records, {left: [right]}, matcher, statistics, asked)
    actions = [one.action for one in (*found.merges, *found.reviews)]
    best = max(verdicts, key=attrgetter("rank"))
    return Decision(pair_of(left, right), best, max(actions, default=Action.NOTHING))


class _Round:
    """One batch of comparisons; every pair of records is compared once."""

    def __init__(
        self,
        records: Mapping[Record, Known],
        matcher: Matcher,
        statistics: Statistics,
        asked: Asked,
        whole: Collection[int],
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._statistics = statistics
        self._asked = asked
        self._verdicts: dict[tuple[Record, Record], Verdict] = {}
        self._said = _distinct(records)
        self._of_contact = {contact: list(said) for contact, said in self._said.items()}
        self._backups = {
            first
            for said in self._said.values()
            for first, repeating in said.items()
            if all(records[one].is_backup for one in repeating)
        }
        self._whole = frozenset(whole)
        self._least = matcher.least(Action.FLAG)
        self._chains = Chains({}, self._compare)
        self._open: set[int] = set()
        """Contacts of the component at hand that may be parted."""

    def match(self, candidates: Mapping[int, Collection[int]], news: Collection[int]) -> Matches:
        told = {one for new in candidates for one in (new, *candidates[new])}
        # Who merges nobody parts nobody: no evidence could hold what an identifier holds together.
        open_to = told - self._whole if self._matcher.joins else set()
        matches = Matches()
        links = self._links(candidates, news, open_to, matches.doubtful)
        for part in components(links, links, self._matcher.floor):
            profiles = {record: self._records[record].profile for record in part}
            self._chains = Chains(profiles, self._compare)
            self._open = open_to
            found = self._partition(part, links)
            if self._contacts(part).isdisjoint(news):
                # Only news part a contact; who merges is decided by records all the same.
                found = self._hold(part, links, found)
            parted = self._part(part, self._parts(found), matches)
            matches.merges += self._merges(found, parted)
            matches.reviews += [
                self._decision(proposal.left, proposal.right, Action.REVIEW)
                for proposal in found.proposals
                if parted.isdisjoint(self._contacts(proposal.left + proposal.right))
                and self._contacts(proposal.left).isdisjoint(self._contacts(proposal.right))
            ]
        return matches

    def _merges(self, found: Partition, parted: set[int]) -> Iterable[Decision]:
        """Return which steps make contacts one; contacts that are parted are left out.

        Contacts may meet by several of their records before all of these are one group: they are
        merged once.
        """
        standing: dict[int, int] = {}
        for step in found.steps:
            left, right = (
                {standing.get(one, one) for one in self._contacts(side)}
                for side in (step.left, step.right)
            )
            if left.isdisjoint(right) and parted.isdisjoint(self._contacts(step.left + step.right)):
                yield self._decision(step.left, step.right, step.action)
                both, first = left | right, min(left | right)
                standing |= {one: first for one, by in standing.items() if by in both}
                standing |= dict.fromkeys(both, first)

    def _partition(
        self, part: Sequence[Record], links: Mapping[Record, Mapping[Record, float]]
    ) -> Partition:
        return partition(part, self._link, self._matcher.rules(), self._judgements(part), links)

    def _hold(
        self,
        part: Sequence[Record],
        links: Mapping[Record, Mapping[Record, float]],
        found: Partition,
    ) -> Partition:
        """Hold together whoever would come apart; to hold one may make another come apart."""
        while apart := self._parts(found).keys() & self._open:
            self._open = self._open - apart
            found = self._partition(part, links)
        return found

    def _parts(self, found: Partition) -> dict[int, list[list[Record]]]:
        """Return the records of each contact that would come apart, part by part."""
        parts: dict[int, list[list[Record]]] = {}
        for group in found.groups:
            theirs: dict[int, list[Record]] = {}
            for record in group:
                contact = self._records[record].contact
                theirs.setdefault(contact, []).extend(self._said[contact][record])
            for contact, records in theirs.items():
                parts.setdefault(contact, []).append(records)
        return {contact: theirs for contact, theirs in parts.items() if len(theirs) > 1}

    def _part(
        self, part: Iterable[Record], parts: Mapping[int, list[list[Record]]], matches: Matches
    ) -> set[int]:
        """Note which contacts of a component come apart; the larger part of each stays."""
        concerned = frozenset(self._contacts(part))
        for contact in sorted(parts):
            _, *leaving = sorted(parts[contact], key=lambda one: (-len(one), min(one)))
            matches.partings.append(
                Parting(
                    contact,
                    frozenset(record for one in parts[contact] for record in one),
                    tuple(frozenset(one) for one in leaving),
                    concerned,
                )
            )
        return set(parts)

    def _links(
        self,
        candidates: Mapping[int, Collection[int]],
        news: Collection[int],
        open_to: Collection[int],
        doubtful: set[int],
    ) -> dict[Record, dict[Record, float]]:
        """Link the records of contacts with those of their candidates, and every contact's own.

        Who links, or nearly does, is doubtful.
        """
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
                    if weight >= floor - DRIFT:
                        doubtful.update((contact, other))
                    if weight >= floor:
                        _join(links, one, another, weight)
        unclear = {one for one in news if one in open_to and not self._is_clear(one)}
        doubtful |= unclear
        doubtful.intersection_update(candidates)
        for contact in self._contacts(links) | unclear:
            own = combinations if contact in open_to else _neighbours
            for one, another in own(self._of(contact), 2):
                _join(links, one, another, HELD)
        return links

    def _is_clear(self, contact: int) -> bool:
        """Tell whether a contact need not be partitioned that links with nobody."""
        return is_clear([self._records[one].profile for one in self._of(contact)])

    def _of(self, contact: int) -> Sequence[Record]:
        return self._of_contact.get(contact, ())

    def _judgements(self, part: Sequence[Record]) -> Judgements:
        """Hold together what is one contact, and apart what a person separated."""
        contacts = self._contacts(part)
        same = {
            pair
            for contact in contacts
            if contact not in self._open
            for pair in pairwise(self._of(contact))
        }
        different, waiting = (
            frozenset(
                (min(one, other), max(one, other))
                for left, right in pairs
                if left in contacts and right in contacts
                for one, other in product(self._of(left), self._of(right))
            )
            for pairs in self._asked
        )
        return Judgements(frozenset(same), different, waiting)

    def _contacts(self, records: Iterable[Record]) -> set[int]:
        return {self._records[record].contact for record in records}

    def _link(self, one: Record, other: Record) -> Link:
        contact = self._records[one].contact
        if contact == self._records[other].contact and contact not in self._open:
            return Link(0.0, Action.NOTHING)
        link = self._chains.link(one, other, self._least)
        return link._replace(allowed=Action.REVIEW) if self._is_withheld(one, other, link) else link

    def _is_withheld(self, one: Record, other: Record, link: Link) -> bool:
        """Tell whether a phone backup's record would join another contact by less than a phone."""
        if link.allowed <= Action.REVIEW or self._backups.isdisjoint((one, other)):
            return False
        left, right = self._records[one], self._records[other]
        phones = left.profile.values.get("phone", ())
        return left.contact != right.contact and (
            set(phones).isdisjoint(right.profile.values.get("phone", ()))
        )

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
            verdict=max(verdicts, key=attrgetter("rank")),
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


def _distinct(records: Mapping[Record, Known]) -> dict[int, dict[Record, list[Record]]]:
    """Return contact → its records, one for those that say the same: to repeat proves nothing."""
    found: dict[int, dict[Record, list[Record]]] = {}
    for record in sorted(records):
        contact, profile, _ = records[record]
        said = found.setdefault(contact, {})
        first = next((one for one in said if records[one].profile == profile), record)
        said.setdefault(first, []).append(record)
    return found


def _neighbours(records: Sequence[Record], _: int) -> Iterable[tuple[Record, Record]]:
    return pairwise(records)


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
