"""Decide again what a shared value had joined: one contact and one bounded step at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.matching.profile import attribute_of
from services.resolver.domain.merge import Refused, undo
from services.resolver.domain.model import IdentifierKey, Source
from services.resolver.domain.reconsidering import MOST_PARTS, Doubt, outside, part
from services.resolver.store.clusters import ClusterLoader
from services.resolver.store.ids import IdBlocks
from services.resolver.store.queries import QUERIES
from services.resolver.store.reshaping import Reshaper
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

STATEMENTS: Final = Queries.load("services.resolver.sql", "reconsidering.sql")

REASON: Final = "shared_identifier"
"""What splits say that come of it."""

IDS: Final = 100
"""Ids drawn to undo a merge: bindings for as many workspaces."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """A contact that waits, and the value that it is asked about."""

    value: IdentifierKey
    contact: int
    root: int | None
    """Who stands for the contact now; None when it is gone."""
    tenant: str
    cause: str
    received_at: datetime
    traceparent: str | None
    since: datetime

    @property
    def name(self) -> tuple[int, str, str, int]:
        """What its row is found by."""
        return (*self.value, self.contact)


class Reconsiderer:
    """Takes one step inside one transaction."""

    def __init__(
        self, connection: Connection, sources: Mapping[int, Source], ids: IdBlocks
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._ids = ids

    async def step(self) -> bool:
        """Decide again about whoever has waited longest; False when nobody waits."""
        queued = await self._oldest()
        if queued is None:
            return False
        if queued.root is None:
            await self._connection.execute(STATEMENTS["dequeue"], *queued.name)
            return True
        cluster = await self._load(queued, {queued.root})
        # The locks are held only now: another process may have done it meanwhile.
        if await self._connection.fetchval(STATEMENTS["is_queued"], *queued.name):
            plan = await self._decide(queued, cluster)
            if plan is not None:
                await Reshaper(self._connection, plan).write()
                return True
        await self._connection.execute(STATEMENTS["dequeue"], *queued.name)
        return True

    async def postpone(self) -> None:
        """Let others go before whoever has waited longest: it can't be decided at present."""
        queued = await self._oldest()
        if queued is not None:
            now = datetime.now(UTC)
            await self._connection.execute(STATEMENTS["postpone"], *queued.name, now)

    async def _oldest(self) -> _Queued | None:
        row = await self._connection.fetchrow(STATEMENTS["find_oldest"])
        if row is None:
            return None
        return _Queued(
            (row["tenant_id"], row["kind"], row["value"]),
            row["contact_id"],
            row["root"],
            row["tenant"],
            row["cause"],
            row["received_at"],
            row["traceparent"],
            row["created_at"],
        )

    async def _load(self, queued: _Queued, roots: set[int]) -> Cluster:
        loader = ClusterLoader(self._connection, self._sources, queued.value[0], queued.tenant)
        return await loader.load_groups(roots)

    async def _decide(self, queued: _Queued, cluster: Cluster) -> Reshaping | None:
        assert queued.root is not None
        merges = await self._connection.fetch(
            STATEMENTS["find_merges_through"],
            queued.value[0],
            [one.public_id for one in cluster.merges if not one.by_person],
            attribute_of(queued.value[1]),
            queued.value[2],
            queued.since,
        )
        if merges:
            merge, *ends = merges[0]
            await self._queue_ends(queued, ends)
            undone = undo(cluster, queued.root, merge, await self._order(queued, IDS))
            return None if isinstance(undone, Refused) else undone
        return await self._part(queued, queued.root, cluster)

    async def _part(self, queued: _Queued, root: int, cluster: Cluster) -> Reshaping | None:
        doubt = await self._doubt(queued, cluster)
        assigned = Assigned.of(cluster)
        named = outside(assigned, root, doubt)
        elsewhere = await self._find_elsewhere(named, root)
        if elsewhere:
            others = {contact for each in elsewhere.values() for contact in each}
            assigned = Assigned.of(await self._load(queued, {root, *others}))
            doubt = replace(doubt, elsewhere=elsewhere)
        order = await self._order(queued, MOST_PARTS * (1 + len(cluster.workspaces)))
        return part(assigned, root, doubt, order)

    async def _doubt(self, queued: _Queued, cluster: Cluster) -> Doubt:
        """Find out what else of the contact's identifiers is shared, and what people said of it."""
        tenant = queued.value[0]
        named = {
            key
            for applied in cluster.applied.values()
            for one in applied
            for key, _ in one.identifiers
        }
        idle = await self._connection.fetch(STATEMENTS["find_idle"], sorted(named))
        held = await self._connection.fetch(
            STATEMENTS["find_held_by_people"], tenant, sorted(cluster.contacts)
        )
        return Doubt(
            queued.value,
            frozenset((row["tenant_id"], row["kind"], row["value"]) for row in idle),
            frozenset(row["record_key"] for row in held),
        )

    async def _find_elsewhere(
        self, named: Sequence[IdentifierKey], root: int
    ) -> dict[IdentifierKey, list[int]]:
        """Return which other contacts hold these identifiers, or were seen with them."""
        found: dict[IdentifierKey, set[int]] = {}
        for row in await self._connection.fetch(QUERIES["find_gating"], named):
            at = found.setdefault((row["tenant_id"], row["kind"], row["value"]), set())
            at.update(row["contacts"])
            if row["contact_id"] is not None:
                at.add(row["contact_id"])
        others = {key: sorted(contacts - {root}) for key, contacts in found.items()}
        return {key: contacts for key, contacts in others.items() if contacts}

    async def _queue_ends(self, queued: _Queued, ends: Sequence[int]) -> None:
        """Look at both sides of a merge that is undone, for records that the value had joined."""
        await self._connection.execute(
            QUERIES["queue_reconsideration"],
            *queued.value,
            ends,
            None,
            queued.tenant,
            queued.cause,
            queued.received_at,
            queued.traceparent,
            queued.since,
        )

    async def _order(self, queued: _Queued, ids: int) -> Order:
        return Order(
            command_id=queued.cause,
            ids=await self._ids.take(self._connection, ids),
            now=datetime.now(UTC),
            issued_at=queued.received_at,
            by_person=False,
            reason=REASON,
            traceparent=queued.traceparent,
        )
