"""Meilisearch's HTTP protocol, as far as kith writes to it: tasks, settings, documents by key.

Held to the documented answers: 202 with a task summary for every write, 401 without the right
key, `primaryKey` given with the documents, later documents in place of earlier ones of one key.
"""

from typing import Any

import httpx
import orjson


class FakeMeilisearch:
    """One server in memory; `transport` is what a client is given."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.away = False
        self.settings: dict[str, Any] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.tasks = 0
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away", request=request)
        if request.url.path == "/health":
            return httpx.Response(200, json={"status": "available"})
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return httpx.Response(403, json={"code": "invalid_api_key", "type": "auth"})
        body = orjson.loads(request.content)
        match request.method, request.url.path.rsplit("/", 1)[-1]:
            case "PATCH", "settings":
                self.settings.update(body)
                return self._task("settingsUpdate")
            case "POST", "documents":
                name = request.url.params["primaryKey"]
                self.documents.update({one[name]: one for one in body})
                return self._task("documentAdditionOrUpdate")
        return httpx.Response(404, json={"code": "not_found", "type": "invalid_request"})

    def _task(self, kind: str) -> httpx.Response:
        self.tasks += 1
        return httpx.Response(
            202,
            json={
                "taskUid": self.tasks,
                "indexUid": "contacts",
                "status": "enqueued",
                "type": kind,
                "enqueuedAt": "2026-01-01T00:00:00Z",
            },
        )
