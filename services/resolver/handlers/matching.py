"""Compares new contacts with those that may be the same person, behind the gate.

The gate gives every signal a contact by its identifiers, at once. Whether contacts that share no
identifier are one person is decided here, from the events, in small batches, within a budget of
contacts a second that shrinks as events arrive (ADR 0045).
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder

from services.resolver.domain.blocks import BlockPlan, key_contacts, plan_blocks
from services.resolver.domain.matches import (
    CAUSE,
    Known,
    Matches,
    Parting,
    match,
    repeating,
)
from services.resolver.domain.matching.blocking import HOT
from services.resolver.domain.matching.chains import is_clear
from services.resolver.domain.matching.model import Profile
from services.resolver.store import Store, Transaction
from services.resolver.store.judging import Finding, Found
from services.resolver.store.matching import MOST_RECORDS, Drifted, Named, Policy, Tally, tally
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.contact import (
    ContactCreated,
    ContactDeleted,
    ContactsMerged,
    ContactsSplit,
    FactAsserted,
    FactRetracted,
)
from shared.events.envelope import Envelope, from_record
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.kafka.pace import Resting
from shared.observability import metrics

AT_ONCE: Final = 50
"""Contacts that are decided again in one transaction: half of a batch."""


class _Comparison(NamedTuple):
    """What compares a batch."""

    compare: Callable[[Collection[int]], Matches]
    """Takes contacts that may not be parted."""
    records: int
    """How many the tenant has, with the batch's own."""


_NOTHING: Final = (b"{}", b"[]")
"""No visible value and no identifier, as JSON."""


class _Asserted(Struct, gc=False):
    source_record: str


class _Told(Struct, gc=False):
    """As much of an event as matching has to know."""

    contact_id: str
    cause: str
    asserted: _Asserted | None = None
    fields: Raw = Raw(_NOTHING[0])
    identifiers: Raw = Raw(_NOTHING[1])

    def news(self, kind: bytes) -> Collection[bytes]:
        """Return the records that are new: whoever is born of a split has had its own before.

        That birth names a record, and no value of it.
        """
        is_split = kind == _CREATED and (bytes(self.fields), bytes(self.identifiers)) == _NOTHING
        if self.asserted is None or is_split:
            return ()
        return (bytes.fromhex(self.asserted.source_record),)


class _Mention(NamedTuple):
    """The last event of a batch that tells of a contact, and what all of them told."""

    cause: str
    tenant: str
    recorded_at: datetime
    traceparent: str | None
    records: set[bytes]
    is_reshaped: bool
    """It is new, or holds others' records now: what it repeats is new of it all the same."""
    is_drifted: bool = False
    """Nothing was told of it: the tenant's statistics are others than when it was compared."""


class Matching:
    """Handles the events of contacts whose records changed."""

    def __init__(self, store: Store, rest: Resting) -> None:
        self._store = store
        self._rest = rest

    async def handle_events(self, batch: Batch) -> Sequence[Rejected]:
        """Compare every contact that a batch tells of, and decide."""
        started = time.monotonic()
        told, rejected = _read(batch.records)
        async with self._store.transaction() as tx:
            if told:
                await _Round(tx, told).decide()
            await tx.save_offsets(batch.group, batch.next_offsets)
        await self._rest(len(told), started)
        return rejected

    async def find_drifted(
        self, tenant: int | None = None, later: Collection[int] = ()
    ) -> Drifted | None:
        """Find contacts whose tenant has grown since they were last compared.

        Those of `tenant` come first, then those of whoever has grown most; None when no statistics
        have moved but those of contacts that wait for a `later` turn.
        """
        async with self._store.transaction() as tx:
            return await tx.matching.find_drifted(AT_ONCE, tenant, later)

    async def decide_again(self, drifted: Drifted) -> None:
        """Decide about contacts as if something had been told of them."""
        async with self._store.transaction() as tx:
            found = await tx.matching.still_drifted(*drifted)
            if found is None:
                return
            now = datetime.now(UTC)
            told = {
                contact: _Mention(CAUSE, found.tenant, now, None, set(), True, True)
                for contact in found.contacts.values()
                if contact is not None
            }
            await _Round(tx, told).decide()
            # What is doubtful still was noted anew.
            await tx.matching.forget_matched(found.contacts, found.records)

    async def settle(self) -> int:
        """Decide about the next contacts again; returns how many, 0: no statistics have moved."""
        drifted = await self.find_drifted()
        if drifted is None:
            return 0
        await self.decide_again(drifted)
        return len(drifted.contacts)


def _read(records: Sequence[ConsumerRecord]) -> tuple[dict[str, _Mention], list[Rejected]]:
    """Return what is told of each contact; what is no event comes back."""
    told: dict[str, _Mention] = {}
    rejected = []
    for record in records:
        kind = dict(record.headers).get("ce_type")
        if kind not in _TELLING:
            continue
        try:
            envelope = from_record(record.headers, record.value)
            event, tenant = _decode(envelope.data), _tenant(envelope)
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
            continue
        except DecodeError:
            poison = PoisonMessageError("malformed", "is no contact event")
            rejected.append(Rejected(record, poison))
            continue
        before = told.get(event.contact_id)
        known = before.records if before else set()
        known.update(event.news(kind))
        told[event.contact_id] = _Mention(
            event.cause,
            tenant,
            envelope.recordedtime or envelope.time or datetime.now(UTC),
            envelope.traceparent,
            known,
            kind != _ASSERTED or (before is not None and before.is_reshaped),
        )
    return told, rejected


def _tenant(envelope: Envelope) -> str:
    if envelope.tenant is None:
        raise PoisonMessageError("invalid", "is required, a tenant's public id", field="ce_tenant")
    return envelope.tenant


_decode: Final = Decoder(_Told).decode
_CREATED: Final = topics.TYPE_BY_MODEL[ContactCreated].encode()
_ASSERTED: Final = topics.TYPE_BY_MODEL[FactAsserted].encode()
_TELLING: Final = frozenset(
    topics.TYPE_BY_MODEL[model].encode()
    for model in (
        ContactCreated,
        FactAsserted,
        FactRetracted,
        ContactsMerged,
        ContactsSplit,
        ContactDeleted,
    )
)
"""Events after which a contact's records are others than before."""


class _Round:
    """One batch: bring blocks up to date, compare, carry out."""

    def __init__(self, tx: Transaction, told: Mapping[str, _Mention]) -> None:
        self._tx = tx
        self._store = tx.matching
        self._told = told
        self._now = datetime.now(UTC)

    async def decide(self) -> None:
        """Compare the contacts, tenant by tenant, and carry out what comes of it."""
        store = self._store
        # Before contacts are read: another batch may merge some of them while this one waits.
        held = await store.lock_named({one.tenant for one in self._told.values()})
        named = [one for one in await store.find_contacts(self._told) if one.tenant_id in held]
        for tenant in sorted({one.tenant_id for one in named}):
            await self._decide_in(tenant, [one for one in named if one.tenant_id == tenant])

    async def _decide_in(self, tenant: int, named: Sequence[Named]) -> None:
        store = self._store
        mentions = self._mentions(named)
        present = mentions.keys() - {one.id for one in named if one.is_absorbed}
        records = await store.find_records(present)
        told = {record for mention in self._told.values() for record in mention.records}
        new = tally(known.profile for record, known in records.items() if record in told)
        still = {one for one in repeating(records, told) & present if not mentions[one].is_reshaped}
        placed = [one for one in mentions if one not in still]
        plan = await self._plan(tenant, placed, present - still, records)
        by = (await store.find_policies([tenant]))[tenant]
        news = {one for one in plan.candidates if mentions[one].records or mentions[one].is_drifted}
        comparison = await self._compare(tenant, records, plan.candidates, by, (new, news))
        found = await self._decide(tenant, comparison.compare, mentions)
        # Writing comes last: a transaction that has written keeps every row alive that anybody
        # deletes meanwhile, and the relay would read all that had been in its queue.
        await store.add_to_counts(tenant, new)
        await store.replace_keys(tenant, plan.added, plan.removed)
        await store.heat_blocks(tenant, plan.heated, self._now)
        await store.note_matched(tenant, found.doubtful, comparison.records)
        for parting in found.partings:
            metrics.MATCHES.labels("part").inc()
            await self._tx.part_found(_found(tenant, parting, mentions))
        await self._carry_out(tenant, found, by, mentions)

    def _mentions(self, named: Sequence[Named]) -> dict[int, _Mention]:
        """Return what is told of each contact.

        What was told of one that has been absorbed since is told of who stands for it: its records
        are new there, and would be counted nowhere.
        """
        mentions = {one.id: self._told[one.public_id] for one in named}
        for one in named:
            mention = mentions[one.id]
            if one.root is not None and mention.records:
                mentions.setdefault(one.root, mention).records.update(mention.records)
        return mentions

    async def _compare(
        self,
        tenant: int,
        records: Mapping[bytes, Known],
        candidates: Mapping[int, Sequence[int]],
        by: Policy,
        told: tuple[Tally, Collection[int]],
    ) -> _Comparison:
        """Compare contacts with whom they share blocks; who was told something, with itself too.

        `told` is what is new of the tenant's statistics, and of whom.
        """
        store = self._store
        new, news = told
        said = _said(records)
        near = {
            one: others
            for one, others in candidates.items()
            if others or (one in news and not is_clear(said.get(one, ())))
        }
        if not near:
            return _Comparison(_nothing_found, 0)
        concerned = near.keys() | {other for found in near.values() for other in found}
        unread = concerned - {one.contact for one in records.values()}
        records = {record: one for record, one in records.items() if one.contact in concerned}
        records |= await store.find_records(unread)
        counts = await store.count(tenant, [one.profile for one in records.values()], new)
        asked = await store.find_asked(tenant, concerned)
        most = {one for one, told in _said(records).items() if len(told) >= MOST_RECORDS}

        def compare(whole: Collection[int]) -> Matches:
            return match(
                records, near, by.matcher, counts, asked, news=news, whole=most.union(whole)
            )

        return _Comparison(compare, counts.records)

    async def _plan(
        self,
        tenant: int,
        named: Collection[int],
        present: Collection[int],
        records: Mapping[bytes, Known],
    ) -> BlockPlan:
        """Plan which blocks contacts come into and leave, and whom each is compared with."""
        store = self._store
        keyed = key_contacts(records, present)
        # Absorbed contacts have no records any more, and so no keys.
        keyed |= {one: {} for one in named if one not in present}
        keys = {key for theirs in keyed.values() for key in theirs}
        members, hot = await store.find_blocks(tenant, keys, HOT + 1)
        return plan_blocks(keyed, await store.find_keys(named), members, hot)

    async def _decide(
        self,
        tenant: int,
        compare: Callable[[Collection[int]], Matches],
        mentions: Mapping[int, _Mention],
    ) -> Matches:
        """Decide the batch; what the machine may not part is held together, and decided again.

        The events of those that are to be parted bring them back, to be compared with others as
        what they are then.
        """
        found = compare(())
        if not found.partings:
            return found
        pairs = [one.pair for one in (*found.merges, *found.reviews)]
        concerned = [one.concerned for one in found.partings]
        await self._tx.lock_contacts({one for each in (*pairs, *concerned) for one in each})
        whole: set[int] = set()
        asked: set[Parting] = set()
        while unasked := [one for one in found.partings if one not in asked]:
            asked.update(unasked)
            held = {
                one.contact
                for one in unasked
                if not await self._tx.may_part(_found(tenant, one, mentions))
            }
            if held:
                whole |= held
                found = compare(whole)
        return found

    async def _carry_out(
        self, tenant: int, found: Matches, by: Policy, mentions: Mapping[int, _Mention]
    ) -> None:
        """Keep what was decided with its evidence, merge, and put up for review."""
        decided = [*found.merges, *found.reviews]
        if not decided:
            return
        mention = next(iter(mentions.values()))
        numbers = await self._store.insert_decisions(tenant, decided, by, CAUSE, self._now)
        await self._tx.lock_contacts({one for decision in decided for one in decision.pair})
        for decision in found.merges:
            metrics.MATCHES.labels(decision.action.name.lower()).inc()
            told = mentions.get(decision.pair[0]) or mentions.get(decision.pair[1]) or mention
            await self._tx.merge_found(
                Finding(
                    tenant_id=tenant,
                    tenant=told.tenant,
                    pair=decision.pair,
                    cause=told.cause,
                    received_at=told.recorded_at,
                    reason=f"alike: {decision.verdict.tier}",
                    decision_id=numbers[decision.pair],
                    similarity=round(100 * decision.verdict.score.probability),
                    traceparent=told.traceparent,
                )
            )
        new = await self._store.put_up_for_review(tenant, found.reviews, numbers, self._now)
        metrics.MATCHES.labels("review").inc(len(new))
        scores = {
            one.pair: one.verdict.score.probability for one in found.reviews if one.pair in new
        }
        await self._tx.tell_alike(scores, mention.tenant, mention.recorded_at, self._now)


def _said(records: Mapping[bytes, Known]) -> dict[int, list[Profile]]:
    """Return contact → what each of its records says."""
    found: dict[int, list[Profile]] = {}
    for known in records.values():
        found.setdefault(known.contact, []).append(known.profile)
    return found


def _nothing_found(_whole: Collection[int]) -> Matches:
    return Matches()


def _found(tenant: int, parting: Parting, mentions: Mapping[int, _Mention]) -> Found:
    """Say why a contact is parted: what was told of it, or of whom it was compared with."""
    told = mentions.get(parting.contact) or next(
        mentions[one] for one in sorted(parting.concerned) if one in mentions
    )
    return Found(tenant, told.tenant, parting, told.cause, told.recorded_at, told.traceparent)
