"""Take back what an import or single records brought, a piece at a time: load, decide, apply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from services.resolver.domain.cluster import Cluster, Order, pair_of
from services.resolver.domain.model import IdentifierKey, Source
from services.resolver.domain.redeciding import Delivered
from services.resolver.domain.retracting import Import, KeptEdit, asked_again, retract
from services.resolver.store.clusters import ClusterLoader
from services.resolver.store.company_retracting import CompanyRetractor
from services.resolver.store.ids import IdBlocks
from services.resolver.store.queries import QUERIES
from services.resolver.store.reshaping import RETRACTIONS, Reshaper
from services.resolver.store.withdrawing import ActivityRetractor, keep_named
from shared.auth import Place
from shared.errors import TransientError
from shared.events.command import RetractImport, RetractRecords
from shared.postgres.pool import Connection

PIECE: Final = 500
"""Deliveries that one transaction takes back, about: whole contacts only."""

IDS: Final = 100
"""Ids drawn for one piece besides those of its deliveries: bindings of contacts that come apart."""


Retracting = RetractImport | RetractRecords
"""An order to take something back."""


@dataclass(frozen=True, slots=True)
class Retraction:
    """What one piece came to."""

    retracted: int = 0
    """Deliveries that count no more since this piece."""
    remaining: int = 0
    """Those that count still: order the same again."""
    kept_edits: list[KeptEdit] = field(default_factory=list)
    positions: Mapping[str, int] = field(default_factory=dict)
    """Contact → the version that tells of it: what a reader may wait for."""


class Retractor:
    """Takes one piece back inside one transaction."""

    def __init__(
        self, connection: Connection, sources: Mapping[int, Source], ids: IdBlocks
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._ids = ids

    async def carry_out(
        self, command: Retracting, place: Place, trace: str | None, piece: int = PIECE
    ) -> Retraction:
        """Take back the next piece; what is taken back already stays as it is.

        An import's activities go first, then what it told of companies, then people's records.
        """
        done = None
        if isinstance(command, RetractImport):
            done = await self._take_activities(command, place, trace)
            done = done or await self._take_companies(command, place, trace)
        done = done or await self._take_records(command, place, trace, piece)
        return replace(done, remaining=await self._remaining(command, place))

    async def _take_activities(
        self, command: RetractImport, place: Place, trace: str | None
    ) -> Retraction | None:
        activities = ActivityRetractor(self._connection, place, command.import_id)
        await activities.begin()
        brought = await activities.find()
        if not brought:
            return None
        order = await self._order(command, trace, brought)
        retracted, positions = await activities.carry_out(brought, order)
        return Retraction(retracted, positions=positions)

    async def _take_companies(
        self, command: RetractImport, place: Place, trace: str | None
    ) -> Retraction | None:
        companies = CompanyRetractor(self._connection, place, command.import_id)
        told = await companies.carry_out(command, self._ids, trace)
        return None if told is None else Retraction(positions=told)

    async def _take_records(
        self, command: Retracting, place: Place, trace: str | None, piece: int
    ) -> Retraction:
        find, _, named = _named(command, place)
        rows = await self._connection.fetch(RETRACTIONS[find], *named, piece)
        if not rows:
            return Retraction()
        contacts = {row["contact_id"] for row in rows}
        cluster = await self._load(place, contacts)
        # What changed hands before the locks were held is the next piece's.
        held = _deliveries(cluster)
        rows = [row for row in rows if (row["record_key"], row["revision"]) in held]
        if isinstance(command, RetractImport):
            records = {row["record_key"] for row in rows}
            named_still = await keep_named(
                self._connection, place, command.import_id, contacts, records
            )
            rows = [row for row in rows if row["record_key"] not in named_still]
        if not rows:
            return Retraction()
        chosen = frozenset((row["record_key"], row["revision"]) for row in rows)
        others = await self._holders(asked_again(cluster, chosen)) - cluster.contacts.keys()
        if others:
            cluster = await self._load(place, contacts | others)
            if not chosen <= _deliveries(cluster):
                raise TransientError("contacts were merged or split meanwhile")
        order = await self._order(command, trace, rows)
        taken = Import(
            import_id=command.import_id if isinstance(command, RetractImport) else "",
            workspace=place.workspace_id,
            chosen=chosen,
            proposed=await self._proposed(cluster, [row["signal_id"] for row in rows]),
            asked=await self._asked(cluster),
        )
        plan, kept = retract(cluster, taken, order)
        await Reshaper(self._connection, plan).write()
        return Retraction(len(rows), kept_edits=kept, positions=plan.positions)

    async def _order(self, command: Retracting, trace: str | None, rows: Sequence[object]) -> Order:
        return Order(
            command_id=command.command_id,
            ids=await self._ids.take(self._connection, IDS + 2 * len(rows)),
            now=datetime.now(UTC),
            issued_at=command.issued_at,
            by_person=False,
            reason=command.reason,
            traceparent=trace,
        )

    async def _remaining(self, command: Retracting, place: Place) -> int:
        _, count, named = _named(command, place)
        left: int = await self._connection.fetchval(RETRACTIONS[count], *named)
        if isinstance(command, RetractImport):
            left += await ActivityRetractor(self._connection, place, command.import_id).count()
            left += await CompanyRetractor(self._connection, place, command.import_id).count()
        return left

    async def _load(self, place: Place, contacts: set[int]) -> Cluster:
        """Lock and read contacts with the other ends of their candidates, who are told, too."""
        rows = await self._connection.fetch(RETRACTIONS["find_ends"], sorted(contacts))
        loader = ClusterLoader(self._connection, self._sources, place.tenant_id, place.tenant)
        cluster = await loader.load_groups({row["root"] for row in rows})
        missing = {one for pair in cluster.candidates for one in pair} - cluster.contacts.keys()
        ours = contacts & cluster.contacts.keys()
        if any(
            missing.intersection(pair) and ours.intersection(pair) for pair in cluster.candidates
        ):
            raise TransientError("contacts were put up for review meanwhile")
        return cluster

    async def _holders(self, keys: Sequence[IdentifierKey]) -> set[int]:
        rows = await self._connection.fetch(QUERIES["find_holders"], keys) if keys else ()
        return {row["contact_id"] for row in rows}

    async def _proposed(self, cluster: Cluster, signals: list[str]) -> frozenset[tuple[int, int]]:
        if not cluster.candidates:
            return frozenset()
        homes = sorted(cluster.contacts)
        rows = await self._connection.fetch(RETRACTIONS["find_proposed"], homes, signals)
        return frozenset(pair_of(row["entity_id"], row["other_id"]) for row in rows)

    async def _asked(self, cluster: Cluster) -> frozenset[bytes]:
        roots = sorted(cluster.applied)
        rows = await self._connection.fetch(RETRACTIONS["find_asked"], roots)
        return frozenset(row["record_key"] for row in rows)


def _named(command: Retracting, place: Place) -> tuple[str, str, tuple[object, ...]]:
    """Return what finds the rows of an order, what counts them, and what both are given."""
    where = (place.tenant_id, place.workspace_id)
    if isinstance(command, RetractImport):
        return "find_import_rows", "count_import_rows", (*where, command.import_id)
    keys = [bytes.fromhex(one) for one in command.records]
    return "find_record_rows", "count_record_rows", (*where, keys, command.issued_at)


def _deliveries(cluster: Cluster) -> set[Delivered]:
    return {
        (one.claim.record_key, one.revision)
        for each in (*cluster.applied.values(), *cluster.late.values())
        for one in each
    }
