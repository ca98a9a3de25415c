"""Activities in the database: what a batch of them touches, and what it leads to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from typing_extensions import override

from services.resolver.domain.activity import (
    ActivityDelivery,
    ActivityPlan,
    ActivityRecordRow,
    ActivityRevision,
    Happened,
    KnownActivity,
    is_known,
    participants_of,
)
from services.resolver.domain.model import Delivery, Known, Source
from services.resolver.store.loading import Loader, Span, lock_key
from services.resolver.store.remembering import Remembered
from shared.events.structs import to_json
from shared.identifiers.ulids import ulids
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

ACTIVITIES: Final = Queries.load("services.resolver.sql", "activities.sql")
"""The statements of `services/resolver/sql/activities.sql`, by name."""


class ActivityLoader(Loader):
    """Reads for one batch that brings activities, besides signals or alone."""

    def __init__(
        self,
        connection: Connection,
        sources: Mapping[int, Source],
        remembered: Remembered,
        activities: Sequence[ActivityDelivery],
    ) -> None:
        super().__init__(connection, sources, remembered)
        self._activities = activities
        self._people = participants_of(activities)
        self.happened: Happened = {}
        """What the database knows of the activities."""

    async def load_all(self, deliveries: Sequence[Delivery]) -> Known:
        """Lock and read all that the signals and the activities may lead to."""
        return await self.load([*deliveries, *self._people])

    @override
    def _more_locks(self) -> list[int]:
        return [
            lock_key(f"activity\0{one.tenant_id}\0{one.record_key.hex()}")
            for one in self._activities
        ]

    @override
    async def _read_revisions(self, records: Sequence[Span]) -> None:
        await super()._read_revisions(records)
        names = sorted({one.name for one in self._activities})
        self.happened.clear()
        for row in await self._connection.fetch(ACTIVITIES["find_activities"], names):
            found = self.happened.setdefault(
                (row["tenant_id"], row["record_key"]), KnownActivity(row["id"], row["public_id"])
            )
            found.revisions.append(
                ActivityRevision(
                    row["revision"],
                    row["content_hash"],
                    row["stated_at"],
                    row["source_version"],
                    row["current"],
                    row["import_id"],
                    row["is_undone"],
                )
            )
        by_id = {one.id: one for one in self.happened.values()}
        if by_id:
            rows = await self._connection.fetch(ACTIVITIES["find_taking_part"], sorted(by_id))
            for row in rows:
                by_id[row["activity_id"]].contacts.add(row["contact_id"])

    @override
    def _named(self, deliveries: Iterable[Delivery]) -> set[tuple[int, str]]:
        return super()._named(deliveries) | {
            (one.tenant_id, participant.contact_id)
            for one in self._activities
            for participant in one.signal.participants
            if participant.contact_id is not None
        }

    @override
    def _touched(self, deliveries: Sequence[Delivery]) -> set[int]:
        """Contacts that the gate is asked about, and those whose timelines change at most.

        Of the latter nothing is read that they are made of. A participant whose record is known is
        that record's contact: the gate has nothing to decide.
        """
        known = self._known
        people = {(one.tenant_id, one.record_key) for one in self._people}
        touched = super()._touched(
            [
                one
                for one in deliveries
                if (one.tenant_id, one.record_key) not in people or not is_known(one, known)
            ]
        )
        for contact in touched & self._bystanders:
            # Read as a bystander before: now the gate has to know what it is made of.
            known.contacts.pop(contact, None)
        self._bystanders = self._linked() - touched
        return touched | self._bystanders

    def _linked(self) -> set[int]:
        known = self._known
        linked = {contact for one in self.happened.values() for contact in one.contacts}
        for one in self._people:
            linked.update(
                revision.contact_id
                for revision in known.records.get((one.tenant_id, one.record_key), ())
                if revision.current
            )
        for activity in self._activities:
            for participant in activity.signal.participants:
                about = known.about.get((activity.tenant_id, participant.contact_id or ""))
                if about is not None:
                    linked.add(about)
        return linked


async def take_activity_ids(connection: Connection, count: int) -> Iterator[tuple[int, str]]:
    """Return ids for new activities, with public ids."""
    rows = await connection.fetch(ACTIVITIES["take_activity_ids"], count)
    names = ["act_" + ulid for ulid in ulids(count)]
    return iter([(row["id"], name) for row, name in zip(rows, names, strict=True)])


async def write_activities(connection: Connection, plan: ActivityPlan, now: datetime) -> None:
    """Write the ledger and the activities; their events are written with the gate's."""
    if plan.superseded:
        await connection.execute(ACTIVITIES["keep_before"], plan.superseded)
    for name, rows in (
        ("save_activities", [_activity(*one) for one in _new_ones(plan)]),
        ("insert_activity_records", [_record(one) for one in plan.ledger]),
        # After the inserts: a batch may bring two versions of one record.
        ("supersede_activity_records", plan.superseded),
    ):
        if rows:
            await connection.execute(ACTIVITIES[name], rows, now)
    if plan.also_told:
        names, imports = zip(*plan.also_told, strict=True)
        await connection.execute(ACTIVITIES["note_also_told"], names, imports)
    if plan.activities:
        await connection.execute(ACTIVITIES["clear_taking_part"], sorted(plan.activities))
    rows = [
        (
            activity_id,
            one.number,
            delivery.tenant_id,
            delivery.workspace_id,
            one.contact_id,
            delivery.signal.activity.kind,
            one.participant.role,
            one.participant.attendance,
            one.record_key,
            delivery.signal.activity.occurred_at,
            one.applied_version,
        )
        for activity_id, (_, delivery) in plan.activities.items()
        for one in plan.participations[activity_id]
    ]
    if rows:
        await connection.execute(ACTIVITIES["insert_taking_part"], rows)


def _new_ones(plan: ActivityPlan) -> list[tuple[KnownActivity, ActivityDelivery]]:
    """List present versions in the order of their records: two batches must not deadlock."""
    return sorted(plan.activities.values(), key=lambda one: one[1].name)


def _activity(activity: KnownActivity, delivery: ActivityDelivery) -> tuple[Any, ...]:
    signal, happened = delivery.signal, delivery.signal.activity
    length = None if happened.duration_s is None else timedelta(seconds=happened.duration_s)
    return (
        activity.id,
        activity.public_id,
        delivery.tenant_id,
        delivery.workspace_id,
        happened.kind,
        happened.direction,
        happened.status,
        happened.occurred_at,
        None if length is None else happened.occurred_at + length,
        happened.all_day,
        happened.title,
        happened.snippet,
        happened.thread_id,
        happened.location,
        orjson.dumps(happened.attributes).decode(),
        delivery.source.id,
        delivery.record_key,
        len(signal.participants),
        signal.stated_at,
        signal.deleted,
    )


def _record(row: ActivityRecordRow) -> tuple[Any, ...]:
    delivery = row.delivery
    signal = delivery.signal
    return (
        delivery.tenant_id,
        delivery.workspace_id,
        delivery.source.id,
        delivery.record_key,
        row.revision,
        delivery.content_hash,
        signal.source_record_id,
        signal.source_version,
        signal.signal_id,
        signal.stated_at,
        signal.received_at,
        row.activity_id,
        signal.import_id,
        delivery.raw,
        to_json(signal.rejected).decode() if signal.rejected else None,
        row.superseded,
    )
