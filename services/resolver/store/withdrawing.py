"""Take back what an import told of activities, a piece at a time, before its records go."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from services.resolver.domain.activity import ActivityDelivery
from services.resolver.domain.cluster import Order
from services.resolver.domain.model import Contact, Delivery
from services.resolver.domain.withdrawing import (
    Version,
    VersionName,
    tell_withdrawn,
    withdraw_import,
)
from services.resolver.store.activities import ACTIVITIES
from services.resolver.store.loading import lock_key
from services.resolver.store.queries import QUERIES
from services.resolver.store.relocating import stored_of
from services.resolver.store.writing import Writer
from shared.auth import Place
from shared.errors import TransientError
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

WITHDRAWING: Final = Queries.load("services.resolver.sql", "withdrawing.sql")
"""The statements of `services/resolver/sql/withdrawing.sql`, by name."""

PIECE: Final = 200
"""Activities that one transaction takes back."""

PASSED_ON: Final = 2_000
"""Rows of the ledger that one transaction gives to whoever else told the same."""

Columns = tuple[list[bytes], list[int]]


def import_lock(tenant_id: int, workspace_id: int, import_id: str) -> int:
    """Return the key that batches share, and whoever takes their import back holds alone."""
    return lock_key(f"import\0{tenant_id}\0{workspace_id}\0{import_id}")


class ActivityRetractor:
    """Takes activities of one import back inside one transaction."""

    def __init__(self, connection: Connection, place: Place, import_id: str) -> None:
        self._connection = connection
        self._place = place
        self._import_id = import_id
        self._where = (place.tenant_id, place.workspace_id, import_id)

    async def begin(self) -> None:
        """Let nothing of the import in any more; what is being written is waited for."""
        key = import_lock(*self._where)
        await self._connection.execute(WITHDRAWING["lock_import"], key)
        await self._connection.execute(WITHDRAWING["note_retracted"], *self._where)
        await self._connection.execute(WITHDRAWING["forget_also_told"], *self._where)

    async def find(self) -> list[tuple[bytes, int]]:
        """Give to others what they told as well; return activities that are to be taken back."""
        await self._connection.execute(WITHDRAWING["pass_on"], *self._where, PASSED_ON)
        rows = await self._connection.fetch(WITHDRAWING["find_brought"], *self._where, PIECE)
        return [(row["record_key"], row["activity_id"]) for row in rows]

    async def count(self) -> int:
        """Count what is left to be taken back."""
        left: int = await self._connection.fetchval(WITHDRAWING["count_brought"], *self._where)
        return left

    async def carry_out(
        self, brought: Sequence[tuple[bytes, int]], order: Order
    ) -> tuple[int, dict[str, int]]:
        """Take activities back; return how many versions, and contact → version that tells."""
        tenant_id = self._place.tenant_id
        keys = sorted(key for key, _ in brought)
        await self._lock([lock_key(f"activity\0{tenant_id}\0{key.hex()}") for key in keys])
        rows = await self._connection.fetch(WITHDRAWING["find_versions"], tenant_id, keys)
        chosen = withdraw_import((Version(**row) for row in rows), self._import_id)
        undone, restored = _columns(chosen.undone), _columns(chosen.restored)
        shown = {
            row["activity_id"]
            for row in rows
            if (row["record_key"], row["revision"]) in set(chosen.restored)
        } | set(chosen.withdrawn)
        contacts, before = await self._concerned(sorted(shown), restored)
        for name, columns in (
            ("undo_versions", (tenant_id, *undone, order.now)),
            ("return_versions", (tenant_id, *_columns(chosen.present))),
            ("restore_activities", (tenant_id, *restored)),
            ("withdraw_activities", (chosen.withdrawn, order.now)),
        ):
            await self._connection.execute(WITHDRAWING[name], *columns)
        await self._connection.execute(ACTIVITIES["clear_taking_part"], sorted(shown))
        await self._connection.execute(
            WITHDRAWING["restore_taking_part"], tenant_id, *restored, sorted(contacts)
        )
        found = await self._connection.fetch(WITHDRAWING["find_stored"], sorted(shown))
        stored = [stored_of(list(group)) for _, group in groupby(found, key=itemgetter("id"))]
        told = tell_withdrawn(stored, before, contacts, self._place.tenant, order)
        await Writer(self._connection, told.plan).write()
        if told.versions:
            moved = [list(column) for column in zip(*told.versions, strict=True)]
            await self._connection.execute(ACTIVITIES["move_taking_part"], *moved)
        return len(chosen.undone), {
            contacts[one].public_id: contacts[one].version for one in told.plan.updated
        }

    async def _concerned(
        self, activities: list[int], restored: Columns
    ) -> tuple[dict[int, Contact], dict[int, set[int]]]:
        """Lock and read the contacts whose timelines change; say who had which activity."""
        asked = (self._place.tenant_id, activities, *restored)
        rows = await self._connection.fetch(WITHDRAWING["find_concerned"], *asked)
        ids = sorted({row["contact_id"] for row in rows})
        await self._lock([-one for one in ids])
        again = await self._connection.fetch(WITHDRAWING["find_concerned"], *asked)
        if {row["contact_id"] for row in again} - set(ids):
            raise TransientError("contacts were merged or split meanwhile")
        before: dict[int, set[int]] = {}
        for row in again:
            if row["is_before"]:
                before.setdefault(row["activity_id"], set()).add(row["contact_id"])
        contacts = {
            row["id"]: Contact(
                row["id"], row["public_id"], row["tenant_id"], row["version"], row["status"]
            )
            for row in await self._connection.fetch(QUERIES["get_contacts"], ids)
        }
        return contacts, before

    async def _lock(self, keys: Iterable[int]) -> None:
        ordered = sorted(set(keys))
        if ordered:
            await self._connection.fetchval(QUERIES["lock"], ordered)


async def find_retracted(
    connection: Connection, arrived: Iterable[Delivery | ActivityDelivery]
) -> set[tuple[int, int, str]]:
    """Return which imports of a batch were taken back; none is before the batch is written."""
    imports = sorted(
        {
            (one.tenant_id, one.workspace_id, name)
            for one in arrived
            if (name := one.signal.import_id) is not None
        }
    )
    if not imports:
        return set()
    keys = sorted({import_lock(*one) for one in imports})
    await connection.fetchval(WITHDRAWING["lock_imports_shared"], keys)
    columns = [list(column) for column in zip(*imports, strict=True)]
    rows = await connection.fetch(WITHDRAWING["find_retracted"], *columns)
    return {tuple(row) for row in rows}


async def keep_named(
    connection: Connection,
    place: Place,
    import_id: str,
    contacts: Iterable[int],
    records: Iterable[bytes],
) -> set[bytes]:
    """Leave records by which somebody takes part still in other activities; return those.

    They belong to the import that tells of such an activity from now on, and go with it.
    """
    keys = sorted(set(records))
    rows = await connection.fetch(
        WITHDRAWING["find_named"], place.tenant_id, sorted(contacts), keys, import_id
    )
    if rows:
        named = ([row["record_key"] for row in rows], [row["import_id"] for row in rows])
        await connection.execute(WITHDRAWING["pass_on_records"], place.tenant_id, *named, import_id)
    return {row["record_key"] for row in rows}


def _columns(names: Iterable[VersionName]) -> Columns:
    found = list(names)
    return [key for key, _ in found], [revision for _, revision in found]
