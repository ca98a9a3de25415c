"""Carry out a decision about who is whom: load, decide, apply, whichever way it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from ulid import ULID

from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.foreseeing import Foreseen, foresee, no_ids
from services.resolver.domain.judgements import Answer, answer, contacts_of, judge
from services.resolver.domain.matches import Parting
from services.resolver.domain.merge import Refused, merge, oldest
from services.resolver.domain.model import Source
from services.resolver.domain.parting import may_part, part
from services.resolver.store.clusters import MERGES, ClusterLoader
from services.resolver.store.ids import IdBlocks
from services.resolver.store.queries import QUERIES
from services.resolver.store.reconsidering import STATEMENTS as RECONSIDERING
from services.resolver.store.reshaping import Reshaper
from shared.auth import Place
from shared.events.command import Judgement
from shared.postgres.pool import Connection

IDS: Final = 100
"""Ids drawn for one decision: a contact, and bindings for as many workspaces."""

PARTED: Final = "evidence"
"""What splits say that come of records which are not one person's after all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Two contacts that the machine takes for one person, and its decision with the evidence."""

    tenant_id: int
    tenant: str
    """The tenant's public id."""
    pair: tuple[int, int]
    cause: str
    """The signal that led to it."""
    received_at: datetime
    """When kith first saw that signal."""
    reason: str
    decision_id: int
    similarity: int
    """The score, 0 to 100."""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Records of a contact that the machine takes for somebody else's."""

    tenant_id: int
    tenant: str
    """The tenant's public id."""
    parting: Parting
    cause: str
    """The signal that led to it."""
    received_at: datetime
    """When kith first saw that signal."""
    traceparent: str | None = None


class Judge:
    """Decides and writes inside one transaction."""

    def __init__(
        self, connection: Connection, sources: Mapping[int, Source], ids: IdBlocks
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._ids = ids

    async def merge_found(self, finding: Finding) -> Answer:
        """Merge what the machine found, unless a person keeps the two apart; the older survives."""
        cluster = await self._load(finding, finding.pair)
        order = replace(
            await self._order(finding, finding.reason),
            decision_id=finding.decision_id,
            similarity=finding.similarity,
        )
        plan = merge(cluster, *oldest(cluster, *finding.pair), f"mrg_{ULID()}", order)
        if isinstance(plan, Reshaping):
            await Reshaper(self._connection, plan).write()
        return answer(plan)

    async def may_part(self, found: Found) -> bool:
        """Lock a contact; tell whether nothing but the machine's own word keeps it together."""
        cluster = await self._load(found, [found.parting.contact])
        held = await self._connection.fetch(
            RECONSIDERING["find_held_by_people"], found.tenant_id, sorted(cluster.contacts)
        )
        records = {row["record_key"] for row in held}
        return found.parting.contact in cluster.contacts and may_part(
            cluster, found.parting, records
        )

    async def part_found(self, found: Found) -> None:
        """Part what the machine found not to be one person; whether it may was asked before."""
        homes = [found.parting.contact]
        for leaving in found.parting.leaving:
            cluster = await self._load(found, homes)
            homes = sorted(cluster.contacts)
            plan = part(cluster, leaving, await self._order(found, PARTED))
            if isinstance(plan, Reshaping):
                await Reshaper(self._connection, plan).write()

    async def _load(self, found: Finding | Found, contacts: Sequence[int]) -> Cluster:
        loader = self._loader(found.tenant_id, found.tenant)
        return await loader.load_groups(await loader.roots_of(contacts))

    async def _order(self, found: Finding | Found, reason: str) -> Order:
        """Order what the machine found to be carried out."""
        return Order(
            command_id=found.cause,
            ids=await self._ids.take(self._connection, IDS),
            now=datetime.now(UTC),
            issued_at=found.received_at,
            by_person=False,
            reason=reason,
            traceparent=found.traceparent,
        )

    async def carry_out(self, command: Judgement, place: Place, trace: str | None) -> Answer:
        """Carry out one judgement; the same command again answers what it led to."""
        done = await self._connection.fetch(
            MERGES["find_command"], command.command_id, place.tenant_id
        )
        if done:
            return Answer("done", {row["public_id"]: row["applied_version"] for row in done})
        cluster, named = await self._loader(place.tenant_id, place.tenant).load(
            contacts_of(command)
        )
        now = datetime.now(UTC)
        order = Order(
            command_id=command.command_id,
            ids=await self._ids.take(self._connection, IDS),
            now=now,
            issued_at=command.issued_at,
            reason=command.reason,
            traceparent=trace,
        )
        plan = judge(command, cluster, named, f"mrg_{ULID()}", order)
        if isinstance(plan, Reshaping):
            await Reshaper(self._connection, plan).write()
        if isinstance(plan, Reshaping) or plan == Refused("unchanged"):
            contact = cluster.contacts[named[command.contact_id]]
            row = (command.command_id, place.tenant_id, contact.id, contact.version)
            await self._connection.execute(QUERIES["log_commands"], [row], now)
        return answer(plan)

    async def foresee(self, survivor: str, absorbed: str, place: Place) -> Foreseen | None:
        """Tell what a merge would come to, by public ids; None when the tenant lacks one of them.

        Nothing is written. The contacts are locked until the transaction ends, as for the merge.
        """
        cluster, named = await self._loader(place.tenant_id, place.tenant).load(
            [survivor, absorbed]
        )
        if not {survivor, absorbed} <= named.keys():
            return None
        now = datetime.now(UTC)
        order = Order(command_id="", ids=no_ids(), now=now, issued_at=now)
        return foresee(cluster, named[survivor], named[absorbed], order)

    def _loader(self, tenant_id: int, tenant: str) -> ClusterLoader:
        return ClusterLoader(self._connection, self._sources, tenant_id, tenant)
