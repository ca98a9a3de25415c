"""Erase a person everywhere, in one transaction: lock, read, hollow out, tell."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import orjson

from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.erasing import (
    Rewriting,
    Told,
    hollowed,
    records_of,
    relatives_of,
    tell_erasure,
    without_person,
)
from services.resolver.domain.matching.profile import profile_of, terms_of
from services.resolver.domain.model import Contact, Plan, Source
from services.resolver.store.clusters import MERGES, ClusterLoader
from services.resolver.store.ids import IdBlocks
from services.resolver.store.matching import MatchingStore
from services.resolver.store.queries import QUERIES
from services.resolver.store.reshaping import RETRACTIONS
from services.resolver.store.writing import Writer, shard_of
from shared.auth import Place
from shared.errors import PoisonMessageError, TransientError
from shared.events.command import EraseContact
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.identifiers.digests import Digests
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

ERASING: Final = Queries.load("services.resolver.sql", "erasing.sql")
"""The statements of `services/resolver/sql/erasing.sql`, by name."""

MOST_RELATIVES: Final = 1_000
"""Contacts that were ever one with the person; more are nobody's history but a fault's."""

_PORTION: Final = 5_000
"""Events that are rewritten by one statement."""

_OF_CONTACTS: Final = (
    "forget_identifiers",
    "forget_emails",
    "forget_phones",
    "forget_employments",
    "forget_blocks",
    "forget_reconsiderations",
    "forget_last_matched",
    "forget_own",
    "forget_candidates",
    "forget_decisions",
    "forget_bearers",
)
"""Statements that take the erased contacts and nothing else."""

_read_facts: Final = Reader(Facts).read


@dataclass(frozen=True, slots=True)
class ErasureAnswer:
    """What came of an order."""

    outcome: str
    """`done`, `unchanged` where it was done before, `unknown_contact`, or `conflict`."""
    positions: Mapping[str, int] = field(default_factory=dict)
    """Contact → the version that tells of it: what a reader may wait for."""
    erased: Mapping[str, int] = field(default_factory=dict)
    """Store → rows that were erased or hollowed there."""


@dataclass(slots=True)
class _Person:
    """Who is erased, and what hangs on them."""

    homes: list[int]
    streams: dict[int, list[Told]]
    """Events of the homes, and of all who were ever one contact with them."""
    relatives: set[int]
    """Those others."""
    roots: set[int]
    """Who stands for them now."""


class Eraser:
    """Erases one person inside one transaction."""

    def __init__(
        self,
        connection: Connection,
        sources: Mapping[int, Source],
        ids: IdBlocks,
        digests: Digests | None,
    ) -> None:
        self._connection = connection
        self._digests = digests
        self._sources = sources
        self._ids = ids
        self._counts: Counter[str] = Counter()

    async def carry_out(
        self, command: EraseContact, place: Place, trace: str | None
    ) -> ErasureAnswer:
        """Erase whom the order names; the same order again changes nothing."""
        rows = await self._connection.fetch(
            ERASING["find_person"], place.tenant_id, command.contact_id
        )
        if not rows:
            return ErasureAnswer("unknown_contact")
        if rows[0]["is_erased"]:
            return ErasureAnswer("unchanged")
        await self._hold_readers(place)
        root = rows[0]["root"]
        person = await self._find(root, place)
        cluster = await self._lock(person, root, place)
        if any(
            one.version != command.expected.get(one.public_id, one.version)
            for one in cluster.contacts.values()
        ):
            return ErasureAnswer("conflict")
        now = datetime.now(UTC)
        order = Order(
            command_id=command.command_id,
            ids=await self._ids.take(self._connection, 1),
            now=now,
            issued_at=command.issued_at,
            reason=command.ground,
            traceparent=trace,
        )
        names = [cluster.contacts[home].public_id for home in person.homes]
        records = await self._records(person)
        rewritten = await self._rewrite(person, records, names, order)
        await self._ledger(place, person, records, order)
        values = await self._values(person)
        await self._tables(place, person, values, rewritten, order)
        await self._elsewhere(place, records, names, values)
        told = tell_erasure(cluster, person.homes, rewritten, order)
        await self._tell(person, told)
        await self._log(names, cluster.contacts[root], order, command)
        return ErasureAnswer("done", told.positions, dict(self._counts))

    async def _hold_readers(self, place: Place) -> None:
        """Wait for matching and for snapshots, which write down what they read without a lock.

        Matching locks contacts while it has its turn, so its turn is asked for before they are.
        """
        await MatchingStore(self._connection).lock({place.tenant_id})
        await self._connection.execute(ERASING["hold_snapshots"])

    async def _find(self, root: int, place: Place) -> _Person:
        """Find the homes of a contact, and whoever was ever one with them, step by step."""
        homes = await self._connection.fetch(MERGES["find_homes"], [root])
        ids = sorted(row["id"] for row in homes)
        person = _Person(ids, await self._streams(ids), set(), set())
        new = set(ids)
        while new:
            named = relatives_of(event for one in new for event in person.streams.get(one, ()))
            rows = await self._connection.fetch(
                ERASING["find_relatives"], place.tenant_id, sorted(new), sorted(named)
            )
            found = {row["id"]: row["root"] for row in rows}
            new = found.keys() - person.relatives - set(ids)
            person.relatives |= new
            person.roots |= {found[one] for one in new}
            if len(person.relatives) > MOST_RELATIVES:
                raise PoisonMessageError(
                    "invalid",
                    f"was one with over {MOST_RELATIVES} others: split those off that are not",
                    field="contact_id",
                )
            person.streams |= await self._streams(sorted(new))
        return person

    async def _streams(self, contacts: Collection[int]) -> dict[int, list[Told]]:
        if not contacts:
            return {}
        rows = await self._connection.fetch(ERASING["find_streams"], contacts)
        told = (
            Told(
                row["entity_id"],
                row["sequence_number"],
                row["event_type"],
                orjson.loads(row["payload"]),
            )
            for row in rows
        )
        return {contact: list(group) for contact, group in groupby(told, lambda one: one.contact)}

    async def _lock(self, person: _Person, root: int, place: Place) -> Cluster:
        """Lock everybody concerned, the other ends of candidates too, as all who decide do."""
        roots = {root, *person.roots}
        ends = await self._connection.fetch(RETRACTIONS["find_ends"], sorted(roots))
        loader = ClusterLoader(self._connection, self._sources, place.tenant_id, place.tenant)
        cluster = await loader.load_groups(roots | {row["root"] for row in ends})
        again = await self._find(root, place)
        waiting = {
            one
            for pair in cluster.candidates
            if set(pair).intersection(person.homes)
            for one in pair
        }
        if again != person or not (waiting | person.relatives) <= cluster.contacts.keys():
            raise TransientError("contacts were merged, split or put up for review meanwhile")
        return cluster

    async def _records(self, person: _Person) -> list[bytes]:
        """Return the keys of all records that may be the person's."""
        rows = await self._connection.fetch(ERASING["find_held_records"], person.homes)
        held = {row["record_key"] for row in rows}
        return sorted(
            held | records_of(event for home in person.homes for event in person.streams[home])
        )

    async def _rewrite(
        self, person: _Person, records: list[bytes], names: list[str], order: Order
    ) -> dict[int, Rewriting]:
        """Hollow out all events of the person, and of others those that tell of them."""
        rewritten = {
            one: found
            for one in sorted(person.relatives)
            if (
                found := without_person(
                    person.streams.get(one, ()), records, names, order.command_id
                )
            )
        }
        events = [
            hollowed(one, order.command_id) for home in person.homes for one in person.streams[home]
        ]
        await self._write_events(events, order)
        await self._write_events((one for r in rewritten.values() for one in r.events), order)
        shards = sorted({shard_of(name) for name in names})
        await self._run("forget_unsent", "outbox", shards, names)
        await self._run("forget_snapshots", "snapshots", [*person.homes, *sorted(person.relatives)])
        return rewritten

    async def _write_events(self, events: Iterable[Told], order: Order) -> None:
        rows = list(events)
        for begin in range(0, len(rows), _PORTION):
            some = rows[begin : begin + _PORTION]
            await self._run(
                "rewrite_events",
                "contact_event",
                [one.contact for one in some],
                [one.version for one in some],
                [one.kind for one in some],
                [orjson.dumps(one.body).decode() for one in some],
                order.command_id,
            )

    async def _ledger(
        self, place: Place, person: _Person, records: list[bytes], order: Order
    ) -> None:
        """Hollow out what was delivered, and forget the words that only these records had."""
        named = (place.tenant_id, records, person.homes)
        terms: Counter[tuple[str, str]] = Counter()
        labels: set[tuple[int, str]] = set()
        for row in await self._connection.fetch(ERASING["find_records"], *named):
            facts = _read_facts(row["facts"])
            terms.update(set(terms_of(profile_of(facts))))
            said = (*facts.labels, *facts.labels_removed)
            labels.update((row["workspace_id"], label) for label in said)
        if terms:
            columns = [list(column) for column in zip(*terms, strict=True)]
            await self._run(
                "forget_terms", "term_frequency", place.tenant_id, *columns, list(terms.values())
            )
        await self._run("hollow_records", "source_record", *named, order.command_id, order.now)
        if labels:
            columns = [list(column) for column in zip(*sorted(labels), strict=True)]
            await self._run("forget_tags", "tags", place.tenant_id, *columns)
        await self._run("forget_record_homes", "record_home", *named)

    async def _values(self, person: _Person) -> list[tuple[str, str]]:
        """Return the identifiers that the person is or was known by: type, value."""
        rows = await self._connection.fetch(ERASING["find_held_values"], person.homes)
        return [(row["kind"], row["value"]) for row in rows]

    async def _tables(
        self,
        place: Place,
        person: _Person,
        values: Sequence[tuple[str, str]],
        rewritten: Mapping[int, Rewriting],
        order: Order,
    ) -> None:
        homes = person.homes
        await self._run("forget_identifier_homes", "identifier_home", place.tenant_id, homes)
        for name in _OF_CONTACTS:
            await self._run(name, name.removeprefix("forget_"), homes)
        await self._run("forget_judgements", "judgements", place.tenant_id, homes)
        await self._run(
            "forget_shared",
            "shared_identifier",
            place.tenant_id,
            [kind for kind, _ in values],
            [value for _, value in values],
        )
        audited = {**dict.fromkeys(homes, None), **{n: r.before - 1 for n, r in rewritten.items()}}
        await self._run("forget_audit", "audit", list(audited), list(audited.values()))
        await self._run("hollow_bindings", "bindings", homes, order.now)
        await self._run("hollow_activities", "activities", homes, order.now)
        await self._run("end_merges", "merges", homes, order.now)
        await self._run("hollow_merges", "merge_log", [*homes, *sorted(person.relatives)])

    async def _elsewhere(
        self,
        place: Place,
        records: list[bytes],
        names: list[str],
        values: Iterable[tuple[str, str]],
    ) -> None:
        digests = self._digests
        keys = [digests.identifier_key(place.tenant, *one) for one in values] if digests else []
        rows = await self._connection.fetch(
            ERASING["forget_elsewhere"], place.tenant_id, records, names, keys
        )
        self._counts.update({row["store"]: row["rows"] for row in rows if row["rows"]})

    async def _tell(self, person: _Person, told: Reshaping) -> None:
        gone = [told.touched[home] for home in person.homes]
        columns = [[one.id for one in gone], [one.version for one in gone], ["deleted"] * len(gone)]
        await self._connection.execute(MERGES["let_stand"], *columns, told.order.now)
        others = {one: told.touched[one] for one in told.touched.keys() - set(person.homes)}
        plan = Plan(now=told.order.now, events=told.events, contacts=others, updated=set(others))
        await Writer(self._connection, plan).write()

    async def _log(
        self, names: list[str], first: Contact, order: Order, command: EraseContact
    ) -> None:
        """Note that it was done, in words that name nobody: a restored base does it again."""
        await self._connection.execute(
            ERASING["save_erasures"],
            first.tenant_id,
            names,
            command.ground,
            command.issued_at,
            order.now,
            orjson.dumps(self._counts).decode(),
        )
        row = (command.command_id, first.tenant_id, first.id, first.version)
        await self._connection.execute(QUERIES["log_commands"], [row], order.now)

    async def _run(self, name: str, store: str, *values: object) -> None:
        """Run a statement and count its rows."""
        done = await self._connection.execute(ERASING[name], *values)
        if rows := int(done.rpartition(" ")[2]):
            self._counts[store] += rows
