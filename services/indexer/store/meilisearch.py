"""The search index in Meilisearch, spoken to over HTTP: its own client would stall the loop.

Meilisearch carries tasks out one after another in the order it took them. Every document is the
whole fold of a contact's events at the moment of writing, written by the one consumer of the
contact's partition, so that the later task is never the older version.
"""

from typing import Any, Final

import httpx
from typing_extensions import override

from services.indexer.domain.changes import Changes
from services.indexer.domain.documents import Document, documents
from services.indexer.settings import MeilisearchSettings
from services.indexer.store.events import Transaction
from services.indexer.store.index import Index
from shared.errors import SourceUnavailableError, TransientError

INDEX_SETTINGS: Final = {
    "searchableAttributes": [
        "display_name", "emails", "phones", "company_name", "job_title", "work", "rest",
    ],
    "filterableAttributes": [
        "contact_id", "tenant_id", "workspace_id", "status", "company_name", "job_title",
    ],
    "sortableAttributes": ["display_name", "company_name"],
}  # fmt: skip
"""Spec 003, 14.1; tenant and workspace are filtered by, as tenant tokens demand."""


class Meilisearch(Index):
    """One index of one server, for all tenants."""

    def __init__(
        self, settings: MeilisearchSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        key = settings.api_key.get_secret_value()
        self._path = f"/indexes/{settings.index}"
        self._client = httpx.AsyncClient(
            base_url=settings.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=10.0,
            transport=transport,
        )
        self._prepared = False

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()

    @override
    async def save(self, tx: Transaction, changes: Changes) -> None:
        if not self._prepared:
            await self._request("PATCH", f"{self._path}/settings", INDEX_SETTINGS)
            self._prepared = True
        rows = [
            await _document(tx, document)
            for contact in changes.contacts
            for document in documents(contact.state)
        ]
        # In this order: tasks are carried out one after another.
        for contact in changes.reshaped:
            condition = f"contact_id = {contact.state.contact_id}"
            await self._request("POST", f"{self._path}/documents/delete", {"filter": condition})
        if rows:
            await self._request("POST", f"{self._path}/documents?primaryKey=id", rows)

    @override
    async def ping(self) -> None:
        await self._request("GET", "/health")

    async def _request(self, method: str, path: str, body: Any = None) -> None:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise TransientError(f"Meilisearch: {type(error).__name__}") from error
        if answer.status_code in {401, 403, 404}:
            raise SourceUnavailableError(
                f"Meilisearch answers {answer.status_code}; check MEILISEARCH_*"
            )
        if answer.is_error:
            raise TransientError(f"Meilisearch answers {answer.status_code}")


async def _document(tx: Transaction, document: Document) -> dict[str, Any]:
    tenant_id, workspace_id = await tx.workspace(document.workspace)
    fields = document.fields
    return {
        "id": f"{document.contact_id}-{workspace_id}",
        "contact_id": document.contact_id,
        "tenant_id": tenant_id,
        "workspace_id": workspace_id,
        "version": document.version,
        "status": document.status,
        "display_name": fields.get("display_name"),
        "job_title": fields.get("job_title"),
        "company_name": fields.get("company_name"),
        "emails": document.emails,
        "phones": document.phones,
        "work": document.work,
        "rest": document.rest,
    }
