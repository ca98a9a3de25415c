"""The search index in PostgreSQL: full text and trigrams, schema `search`."""

from typing_extensions import override

from services.indexer.domain.changes import Changes
from services.indexer.domain.documents import Document, documents
from services.indexer.store.events import Transaction, queries
from services.indexer.store.index import Index


class Search(Index):
    """Documents in `search.document`, in the same transaction as the offsets."""

    def __init__(self, table: str = "search.document") -> None:
        self._save = queries["save_documents"].replace("search.document", table)
        self._forget = queries["forget_documents"].replace("search.document", table)

    @override
    async def save(self, tx: Transaction, changes: Changes) -> None:
        rows = [
            await _row(tx, document)
            for contact in changes.contacts
            for document in documents(contact.state)
        ]
        if rows:
            rows.sort(key=lambda row: (row[2], row[1]))
            await tx.connection.execute(self._save, *zip(*rows, strict=True))
        reshaped = {one.state.contact_id: one.state.version for one in changes.reshaped}
        if reshaped:
            kept = [(row[2], row[1]) for row in rows if row[2] in reshaped]
            await tx.connection.execute(
                self._forget,
                list(reshaped),
                list(reshaped.values()),
                [contact for contact, _ in kept],
                [workspace for _, workspace in kept],
            )

    @override
    async def ping(self) -> None:
        """Answer at once: the database is asked for by itself."""


async def _row(
    tx: Transaction, document: Document
) -> tuple[int, int, str, int, str, str, str, str, str]:
    tenant_id, workspace_id = await tx.workspace(document.workspace)
    return (
        tenant_id,
        workspace_id,
        document.contact_id,
        document.version,
        document.name,
        document.work,
        document.rest,
        _array(document.emails),
        _array(document.phones),
    )


def _array(values: tuple[str, ...]) -> str:
    """Write a `text[]` as a literal: arrays within a batch's arrays differ in length."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"
