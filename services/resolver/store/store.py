"""One transaction per batch: lock, load, apply."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from aiokafka import TopicPartition
from typing_extensions import override

from services.resolver.domain.activity import ActivityDelivery, ActivityPlan, Happened
from services.resolver.domain.cluster import Pair
from services.resolver.domain.company_ledger import CompanyNews, told_of
from services.resolver.domain.foreseeing import Foreseen
from services.resolver.domain.judgements import Answer
from services.resolver.domain.matches import alike_plan
from services.resolver.domain.model import Contact, Delivery, Ids, Known, Plan, Source
from services.resolver.store.activities import (
    ActivityLoader,
    take_activity_ids,
    write_activities,
)
from services.resolver.store.audits import Audits
from services.resolver.store.company_entering import CompanyEntries, EntryAnswer
from services.resolver.store.company_judging import CompanyAnswer, CompanyJudge
from services.resolver.store.company_records import CompanyRecords
from services.resolver.store.erasing import Eraser, ErasureAnswer
from services.resolver.store.ids import IdBlocks
from services.resolver.store.judging import Finding, Found, Judge
from services.resolver.store.labels import by_present_names
from services.resolver.store.loading import Loader
from services.resolver.store.marking import MarkAnswer, Marks
from services.resolver.store.matching import DRIFT, HotKeys, MatchingStore
from services.resolver.store.matching import QUERIES as MATCHING
from services.resolver.store.policies import PolicyStore
from services.resolver.store.queries import QUERIES
from services.resolver.store.reconsidering import STATEMENTS as RECONSIDERING
from services.resolver.store.reconsidering import Reconsiderer
from services.resolver.store.remembering import Remembered
from services.resolver.store.retracting import Retracting, Retraction, Retractor
from services.resolver.store.snapshots import Snapshotter
from services.resolver.store.withdrawing import find_retracted
from services.resolver.store.writing import Writer
from shared.auth import Directory, Place
from shared.events.command import (
    ChangeTag,
    CompanyEntry,
    CompanyOrder,
    DeleteGroup,
    DeleteTag,
    EraseContact,
    Judgement,
    WorkspaceOrder,
)
from shared.identifiers.digests import Digests
from shared.postgres.consumers import ConsumerStore
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool, Scans

SCHEMA: Final = "contact"
"""The schema that the resolver owns."""

MOST_COUNTED: Final = 10_000
"""Contacts that wait to be decided about again, as a gauge tells: two minutes' work, or more."""


class Transaction:
    """One batch's transaction: everything or nothing."""

    def __init__(self, store: "Store", connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self.known = Known()
        """What was loaded for the gate."""

    async def load(self, deliveries: Sequence[Delivery], alone: Sequence[Delivery] = ()) -> Known:
        """Lock what the batch touches, then read it (DESIGN 4.2, step 1).

        `alone` are deliveries that tell of companies and of nobody.
        """
        loader = Loader(self._connection, self._store.sources, self._store.remembered)
        self.known = await loader.load(deliveries, alone)
        return self.known

    async def find_retracted(
        self, arrived: Sequence[Delivery | ActivityDelivery]
    ) -> set[tuple[int, int, str]]:
        """Return which imports of a batch, (tenant, workspace, import), were taken back."""
        return await find_retracted(self._connection, arrived)

    async def by_present_names(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Let signals that say what a tag was called before say what it is called now."""
        return await by_present_names(self._connection, deliveries)

    def marks(self, place: Place) -> Marks:
        """Return what carries out orders about a workspace's tags and groups."""
        store = self._store
        return Marks(self._connection, store.sources, store.ids, place)

    async def load_happened(
        self, deliveries: Sequence[Delivery], activities: Sequence[ActivityDelivery]
    ) -> tuple[Known, Happened]:
        """Do the same for a batch that brings activities, besides signals or alone."""
        store = self._store
        loader = ActivityLoader(self._connection, store.sources, store.remembered, activities)
        self.known = await loader.load_all(deliveries)
        return self.known, loader.happened

    async def take_activity_ids(self, count: int) -> Iterator[tuple[int, str]]:
        """Return ids for new activities, with public ids."""
        return await take_activity_ids(self._connection, count)

    async def apply_activities(self, plan: ActivityPlan, now: datetime) -> None:
        """Write activities; their events are in the gate's plan."""
        await write_activities(self._connection, plan, now)

    async def load_contacts(self, public_ids: Sequence[tuple[int, str]]) -> list[Contact]:
        """Lock and read contacts by (tenant, public id), for commands."""
        return await Loader(self._connection, self._store.sources).load_named(public_ids)

    async def take_ids(self, count: int) -> Ids:
        """Return ids for `count` signals, drawn in blocks."""
        return await self._store.ids.take(self._connection, count)

    async def load_companies(
        self, deliveries: Sequence[Delivery], *, are_alone: bool = False
    ) -> CompanyNews | None:
        """Lock and read the companies that deliveries tell of; None when they tell of none."""
        told = told_of(deliveries, are_alone=are_alone)
        return await CompanyRecords(self._connection).load(told)

    async def apply(self, plan: Plan, news: CompanyNews | None = None) -> None:
        """Write a plan, table by table."""
        await Writer(self._connection, plan).write()
        if news is not None:
            await CompanyRecords(self._connection).write(news.writes, plan.now)

    async def judge(self, command: Judgement, place: Place, traceparent: str | None) -> Answer:
        """Carry out what a person or a rule says about who is whom."""
        return await self._judge().carry_out(command, place, traceparent)

    async def foresee(self, survivor: str, absorbed: str, place: Place) -> Foreseen | None:
        """Tell what a merge would come to; None when the tenant lacks one of the contacts."""
        return await self._judge().foresee(survivor, absorbed, place)

    async def retract(
        self, command: Retracting, place: Place, traceparent: str | None
    ) -> Retraction:
        """Take back the next piece of what an import brought."""
        store = self._store
        retractor = Retractor(self._connection, store.sources, store.ids)
        return await retractor.carry_out(command, place, traceparent)

    async def erase(
        self, command: EraseContact, place: Place, traceparent: str | None
    ) -> ErasureAnswer:
        """Erase a person everywhere."""
        store = self._store
        eraser = Eraser(self._connection, store.sources, store.ids, store.digests)
        return await eraser.carry_out(command, place, traceparent)

    async def judge_companies(
        self, command: CompanyOrder, place: Place, traceparent: str | None
    ) -> CompanyAnswer:
        """Carry out what a person says about companies."""
        judge = CompanyJudge(self._connection, self._store.ids)
        return await judge.carry_out(command, place, traceparent)

    async def enter_company(
        self, order: CompanyEntry, place: Place, traceparent: str | None
    ) -> EntryAnswer:
        """Carry out what a person says of a company."""
        store = self._store
        entries = CompanyEntries(self._connection, store.sources, store.ids, place, traceparent)
        return await entries.carry_out(order)

    async def merge_found(self, finding: Finding) -> Answer:
        """Merge what the machine found, unless a person keeps the two apart."""
        return await self._judge().merge_found(finding)

    async def may_part(self, found: Found) -> bool:
        """Lock a contact; tell whether nothing but the machine's own word keeps it together."""
        return await self._judge().may_part(found)

    async def part_found(self, found: Found) -> None:
        """Part what the machine found not to be one person."""
        await self._judge().part_found(found)

    def reconsider(self) -> Reconsiderer:
        """Decide again what shared values had joined."""
        return Reconsiderer(self._connection, self._store.sources, self._store.ids)

    def snapshots(self, unreadable: set[int]) -> Snapshotter:
        """Take snapshots of contacts' states."""
        return Snapshotter(self._connection, unreadable)

    @property
    def matching(self) -> MatchingStore:
        """What matching reads and writes."""
        return MatchingStore(self._connection, self._store.hot_keys)

    def policies(self, tenant_id: int) -> PolicyStore:
        """Return what reads and changes what a tenant decides by."""
        return PolicyStore(self._connection, tenant_id)

    def audits(self, tenant_id: int) -> Audits:
        """Return what puts an audit's findings into a tenant's review queue."""
        return Audits(self._connection, tenant_id)

    async def lock_contacts(self, contacts: Collection[int]) -> None:
        """Lock contacts in the order in which everybody does."""
        await self._connection.fetchval(QUERIES["lock"], sorted(-one for one in contacts))

    async def tell_alike(
        self, scores: Mapping[Pair, float], tenant: str, received_at: datetime, now: datetime
    ) -> None:
        """Tell of pairs that wait for review, in the stream of each of both."""
        if not scores:
            return
        contacts = {one for pair in scores for one in pair}
        rows = await self._connection.fetch(QUERIES["get_contacts"], sorted(contacts))
        known = {
            row["id"]: Contact(
                row["id"], row["public_id"], row["tenant_id"], row["version"], row["status"]
            )
            for row in rows
        }
        ids = await self.take_ids(2 * len(scores))
        await self.apply(
            alike_plan(scores, known, ids, tenant=tenant, received_at=received_at, now=now)
        )

    def _judge(self) -> Judge:
        return Judge(self._connection, self._store.sources, self._store.ids)

    async def save_offsets(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store how far the topic was read, with what came of it."""
        places = {(one.topic, one.partition): offset for one, offset in offsets.items()}
        await self._store.offsets.save(self._connection, group, places)

    async def find_commands(self, command_ids: Sequence[str]) -> set[str]:
        """Return which of these commands were already carried out."""
        rows = await self._connection.fetch(QUERIES["find_commands"], command_ids)
        return {row["command_id"] for row in rows}

    async def log_commands(self, rows: Sequence[tuple[str, int, int, int]], plan: Plan) -> None:
        """Remember commands: (command id, tenant, contact, version that it led to)."""
        await self._connection.execute(QUERIES["log_commands"], rows, plan.now)


class Store(ConsumerStore):
    """The schema `contact`."""

    schema = SCHEMA
    directory: Directory
    """Which tenant and workspace a public id stands for."""

    def __init__(self, digests: Digests | None = None) -> None:
        self.digests = digests
        """By which erasing names identifiers to ingest; None: to a process that erases nobody."""
        self.ids = IdBlocks()
        self.sources: dict[int, Source] = {}
        self.remembered = Remembered()
        self.hot_keys = HotKeys()

    @override
    def open(self, pool: Pool) -> None:
        super().open(pool)
        self.directory = Directory(pool)
        self._scans = Scans()

    async def sources_by_name(self) -> dict[str, Source]:
        """Read every source with its priority."""
        with translated():
            rows = await self._pool.fetch(QUERIES["reference"])
        self.sources = {
            row["id"]: Source(
                row["id"], row["source_provider"], row["priority"], row["source_type"]
            )
            for row in rows
        }
        return {source.name: source for source in self.sources.values()}

    async def judge(
        self,
        command: Judgement,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> Answer:
        """Carry out what a person or a rule says about who is whom, in a transaction of its own."""
        async with self.transaction(by) as tx:
            return await tx.judge(command, place, traceparent)

    async def retract(
        self,
        command: Retracting,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> Retraction:
        """Take back the next piece of what an import or records brought, in its own transaction."""
        async with self.transaction(by) as tx:
            return await tx.retract(command, place, traceparent)

    async def erase(
        self,
        command: EraseContact,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> ErasureAnswer:
        """Erase a person everywhere, in a transaction of its own."""
        async with self.transaction(by) as tx:
            return await tx.erase(command, place, traceparent)

    async def judge_companies(
        self,
        command: CompanyOrder,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> CompanyAnswer:
        """Carry out what a person says about companies, in a transaction of its own."""
        async with self.transaction(by) as tx:
            return await tx.judge_companies(command, place, traceparent)

    async def enter_company(
        self,
        order: CompanyEntry,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> EntryAnswer:
        """Carry out what a person says of a company, in a transaction of its own."""
        async with self.transaction(by) as tx:
            return await tx.enter_company(order, place, traceparent)

    async def order_marks(
        self,
        order: WorkspaceOrder,
        place: Place,
        traceparent: str | None = None,
        by: int | None = None,
    ) -> MarkAnswer:
        """Carry out an order about tags, groups or fields; a rename or a deletion piece by piece.

        Who is stopped between two pieces orders the same again, and the rest follows.
        """
        is_deletion = isinstance(order, DeleteTag | DeleteGroup)
        answer = MarkAnswer("done")
        if not is_deletion:
            async with self.transaction(by) as tx:
                answer = await tx.marks(place).carry_out(order, traceparent)
        is_rename = isinstance(order, ChangeTag) and order.name is not None
        if not (is_deletion or is_rename) or answer.outcome != "done":
            return answer
        while True:
            async with self.transaction(by) as tx:
                if await tx.marks(place).rewrite(order, traceparent) is not None:
                    continue
            if not isinstance(order, DeleteTag | DeleteGroup):
                return answer
            async with self.transaction(by) as tx:
                deleted = await tx.marks(place).delete(order)
            if deleted is not None:
                return deleted

    async def reconsider(self) -> bool:
        """Take one step at what shared values had joined; False when nothing is left to do.

        Whoever can't be decided about at present goes to the end of the queue.
        """
        if not self.sources:
            await self.sources_by_name()
        try:
            async with self.transaction() as tx:
                return await tx.reconsider().step()
        except Exception:
            async with self.transaction() as tx:
                await tx.reconsider().postpone()
            raise

    async def take_snapshots(self, unreadable: set[int]) -> int | None:
        """Take one step at the snapshots that are due; None when there is nothing to look at."""
        async with self.transaction() as tx:
            return await tx.snapshots(unreadable).step()

    async def count_reconsiderations(self) -> int:
        """Count the contacts that wait to be decided about again."""
        with translated():
            count: int = await self._pool.fetchval(RECONSIDERING["count_queued"])
        return count

    async def count_drifted(self) -> int:
        """Count the contacts that matching is to decide about again, as far as is of interest."""
        with translated():
            count: int = await self._pool.fetchval(MATCHING["count_drifted"], DRIFT, MOST_COUNTED)
        return count

    async def count_open_candidates(self) -> int:
        """Count the pairs that wait for a decision."""
        with translated():
            count: int = await self._pool.fetchval(QUERIES["count_open_candidates"])
        return count

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Open a transaction that sees one moment and writes nothing."""
        with translated():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection

    @asynccontextmanager
    async def transaction(
        self, by: int | None = None, *, by_key: bool = False
    ) -> AsyncIterator[Transaction]:
        """Open a transaction; errors come out as delivery policy.

        `by` is the user whose order it carries out: rows that say who it was name this one.
        `by_key` is for batches of signals, which look up what they need by key.
        """
        if not self.sources:  # whatever this process is told first, claims name their sources
            await self.sources_by_name()
        with translated():
            async with self._pool.acquire() as connection:
                await self._scans.settle(connection, by_key=by_key)
                async with connection.transaction():
                    if by is not None:
                        await connection.execute(QUERIES["act_for"], str(by))
                    yield (transaction := Transaction(self, connection))
            self.remembered.keep(transaction.known.contacts.values())
