"""Find the activities that a merge or a split left in the wrong place, and put them right."""

from itertools import groupby
from operator import itemgetter

import asyncpg
import orjson

from services.resolver.domain.cluster import Reshaping
from services.resolver.domain.relocating import Stored, TakingPart, happening, relocate
from services.resolver.store.activities import ACTIVITIES
from services.resolver.store.writing import Writer
from shared.postgres.pool import Connection


async def relocate_activities(connection: Connection, plan: Reshaping) -> None:
    """Move activities to whoever has their participants' records, once the plan is written."""
    cluster = plan.cluster
    rows = await connection.fetch(ACTIVITIES["find_misplaced"], sorted(cluster.contacts))
    if not rows:
        return
    stored = [stored_of(list(group)) for _, group in groupby(rows, key=itemgetter("id"))]
    found = relocate(stored, cluster.contacts, cluster.tenant, plan.order)
    await Writer(connection, found.plan).write()
    columns = [list(column) for column in zip(*found.moves, strict=True)]
    await connection.execute(ACTIVITIES["move_taking_part"], *columns)
    plan.touched.update({one: cluster.contacts[one] for one in found.plan.updated})


def stored_of(rows: list[asyncpg.Record]) -> Stored:
    """Read an activity of a row for each who takes part; of one row without, if nobody does."""
    first = rows[0]
    return Stored(
        id=first["id"],
        public_id=first["public_id"],
        workspace_id=first["workspace_id"],
        workspace=first["workspace"],
        source=first["source"],
        record_key=first["record_key"],
        activity=happening(
            first["kind"],
            first["direction"],
            first["occurred_at"],
            status=first["status"],
            duration_s=first["duration_s"],
            all_day=first["all_day"],
            title=first["title"],
            snippet=first["snippet"],
            thread_id=first["thread_id"],
            location=first["location"],
            attributes=orjson.loads(first["detail"]),
        ),
        participants=first["participants"],
        people=[
            TakingPart(
                number=row["participant_no"],
                role=row["role"],
                attendance=row["attendance"],
                at=row["at"],
                at_name=row["at_name"],
                belongs=row["belongs"],
            )
            for row in rows
            if row["at"] is not None
        ],
    )
