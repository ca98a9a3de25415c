"""Labels that signals bring: each is a tag, by the name that it goes by now."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from services.resolver.domain.marking import SAID_IN, renamed
from services.resolver.domain.model import Delivery
from shared.events.structs import changed
from shared.identifiers.ulids import ulids
from shared.postgres.pool import Connection, bitmap_scans
from shared.postgres.queries import Queries

MARKS: Final = Queries.load("services.resolver.sql", "marks.sql")

LOCKS: Final = 0x6D6B
"""Class of the advisory locks under which a workspace's tags and groups are changed."""


async def insert_tags(
    connection: Connection, labels: Collection[tuple[int, int, str]], now: datetime
) -> None:
    """Note labels, (tenant, workspace, label), that sources brought, where they are new."""
    rows = [
        (tenant, workspace, f"tag_{ulid}", label)
        for (tenant, workspace, label), ulid in zip(sorted(labels), ulids(len(labels)), strict=True)
        if label
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        async with bitmap_scans(connection):
            await connection.execute(MARKS["insert_tags"], *columns, now)


async def by_present_names(connection: Connection, deliveries: list[Delivery]) -> list[Delivery]:
    """Let signals that say what a tag was called before say what it is called now.

    Nobody renames or deletes a tag of theirs from here until they are written: locked before the
    contacts, as orders about tags do.
    """
    labels = {
        (one.tenant_id, one.workspace_id, label)
        for one in deliveries
        for label in one.signal.facts.labels
    }
    if not labels:
        return deliveries
    workspaces = sorted({workspace for _, workspace, _ in labels})
    await connection.execute(MARKS["lock_marks_shared"], LOCKS, workspaces)
    columns = [list(column) for column in zip(*labels, strict=True)]
    async with bitmap_scans(connection):
        rows = await connection.fetch(MARKS["find_renamed"], *columns)
    names = {(row["tenant_id"], row["workspace_id"], row["label"]): row["name"] for row in rows}
    return [_renamed(one, names) for one in deliveries] if names else deliveries


def _renamed(delivery: Delivery, names: Mapping[tuple[int, int, str], str]) -> Delivery:
    facts = delivery.signal.facts
    for label in facts.labels:
        name = names.get((delivery.tenant_id, delivery.workspace_id, label))
        if name is not None:
            facts = renamed(facts, SAID_IN["tag"], label, name)
    if facts is delivery.signal.facts:
        return delivery
    return replace(delivery, signal=changed(delivery.signal, facts=facts))
