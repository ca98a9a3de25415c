"""Take back what an import told of companies, a piece at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from services.resolver.domain.company_ledger import CompanyWrites
from services.resolver.domain.company_telling import tell_again
from services.resolver.domain.model import Plan, RecordedEvent
from services.resolver.store.company_records import STATEMENTS, CompanyRecords
from services.resolver.store.ids import IdBlocks
from services.resolver.store.writing import Writer
from shared.auth import Place
from shared.events.command import RetractImport
from shared.postgres.pool import Connection

PIECE: Final = 500
"""Records that one transaction takes back at most."""


class CompanyRetractor:
    """Takes one piece back inside one transaction."""

    def __init__(self, connection: Connection, place: Place, import_id: str) -> None:
        self._connection = connection
        self._place = place
        self._named = (place.tenant_id, place.workspace_id, import_id)

    async def count(self) -> int:
        """Count the records that still count."""
        left: int = await self._connection.fetchval(
            STATEMENTS["count_company_import"], *self._named
        )
        return left

    async def carry_out(
        self, command: RetractImport, ids: IdBlocks, trace: str | None, piece: int = PIECE
    ) -> Mapping[str, int] | None:
        """Take the next piece back; returns company → the version that tells of it.

        None when there is nothing left. What others told as well becomes theirs and stays.
        Companies that an import made stay, too, as contacts' employers do: what they are known by
        was seen.
        """
        tenant, now = self._place.tenant_id, datetime.now(UTC)
        fetch, run = self._connection.fetch, self._connection.execute
        found_keys = await fetch(STATEMENTS["find_company_import"], *self._named, piece)
        keys = sorted({row["record_key"] for row in found_keys})
        if not keys:
            return None
        records = CompanyRecords(self._connection)
        await records.lock_records(tenant, keys)
        await run(STATEMENTS["forget_company_also_told"], *self._named, keys)
        await run(STATEMENTS["pass_on_company_records"], *self._named, keys)
        rows = await fetch(STATEMENTS["find_company_versions"], *self._named, keys)
        if not rows:
            return {}
        keys = sorted({row["record_key"] for row in rows})
        # Those that records spoke of before may do so again.
        homes = await fetch(STATEMENTS["find_company_homes_of"], tenant, keys)
        found = await records.load_homes(tenant, {row["org_id"] for row in homes})
        before = {one: found.show(one) for one in found.companies}
        names = [[row["record_key"] for row in rows], [row["revision"] for row in rows]]
        await run(STATEMENTS["undo_company_records"], tenant, *names, now)
        await run(STATEMENTS["restore_company_records"], tenant, keys)
        await records.read_claims(found)
        writes = CompanyWrites()
        told = tell_again(found, before, writes, now, command.command_id)
        taken = await ids.take(self._connection, len(told))
        events = [
            RecordedEvent(
                next(taken.events),
                tenant,
                self._place.tenant,
                company,
                event,
                None,
                command.issued_at,
                trace,
            )
            for company, event in told
        ]
        await records.write(writes, now)
        await Writer(self._connection, Plan(now=now, events=events)).write()
        return {event.company_id: event.version for _, event in told}
