"""The resolver over HTTP, on behalf of imports: what rows would lead to, led to, and choices."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import httpx
import orjson

from services.ingest.domain.defined import Definition
from services.ingest.domain.witnessing import Person, Witnessed
from services.ingest.store.imports import ImportStore
from shared.auth import Place, new_key
from shared.errors import TransientError
from shared.events.custom_field import CustomField

SECONDS: Final = 60.0
"""The longest wait for an answer."""

KEY_SECONDS: Final = 45 * 60.0
"""How long a key is used that ends within the hour."""

MOST_SIGNALS: Final = 1_000
"""What the resolver takes in one question."""


class Resolver:
    """Asks in a workspace's name, with a key of ingest's own."""

    def __init__(self, client: httpx.AsyncClient, store: ImportStore) -> None:
        self._client = client
        self._store = store
        self._keys: dict[str, tuple[str, float]] = {}
        self._lock = asyncio.Lock()

    async def decisions(
        self, place: Place, context: Sequence[bytes], signals: Sequence[bytes]
    ) -> list[dict[str, Any]]:
        """Ask what normalised signals would lead to, after those of `context`."""
        body = b'{"context":[%b],"signals":[%b]}' % (b",".join(context), b",".join(signals))
        said = await self._post(place, "/v1/decisions", body)
        found: list[dict[str, Any]] = said["decisions"]
        return found

    async def fields(self, place: Place) -> dict[str, Definition]:
        """Ask what custom fields of contacts are defined, by key."""
        said = await self._ask(place, "GET", "/v1/fields")
        return {
            one["key"]: Definition(
                CustomField(one["key"], one["type"], tuple(one["options"] or ())), one["currency"]
            )
            for one in said["fields"]
        }

    async def verdicts(
        self, place: Place, sent: Sequence[Mapping[str, str]]
    ) -> list[dict[str, Any]]:
        """Ask what became of signals."""
        said = await self._post(place, "/v1/verdicts", orjson.dumps({"signals": sent}))
        found: list[dict[str, Any]] = said["verdicts"]
        return found

    async def standings(
        self, place: Place, activities: Sequence[Witnessed], people: Sequence[Person]
    ) -> tuple[list[str], list[str | None]]:
        """Ask what is known of activities, and whom the workspace knows of those who take part."""
        if not activities:
            return [], []
        asked = {
            "activities": [
                {"record_key": one.record_key, "content_hash": one.content_hash}
                for one in activities
            ],
            "people": [{"type": who.kind, "value": who.value} for who in people],
        }
        said = await self._post(place, "/v1/activities/standings", orjson.dumps(asked))
        return said["activities"], said["people"]

    async def outcomes(
        self,
        place: Place,
        activities: Sequence[Mapping[str, str]],
        records: Sequence[Mapping[str, str]],
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Ask what became of activities, and of records that were sent beside them."""
        body = orjson.dumps({"activities": activities, "records": records})
        said = await self._post(place, "/v1/activities/outcomes", body)
        return said["activities"], said["records"]

    async def order(
        self, place: Place, command: str, body: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Give an order; returns its outcome and all that was said, also where it is refused."""
        said = await self._post(
            place, f"/v1/commands/{command}", orjson.dumps(body), refusals=(404, 409, 422)
        )
        return str(said.get("outcome", "refused")), said

    async def _post(
        self, place: Place, path: str, body: bytes, refusals: Sequence[int] = ()
    ) -> dict[str, Any]:
        return await self._ask(place, "POST", path, body, refusals)

    async def _ask(
        self,
        place: Place,
        method: Literal["GET", "POST"],
        path: str,
        body: bytes = b"",
        refusals: Sequence[int] = (),
    ) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {await self._key(place)}",
            "Content-Type": "application/json",
        }
        try:
            answer = await self._client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise TransientError(f"the resolver does not answer: {type(error).__name__}") from None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._keys.pop(place.workspace, None)
        if answer.is_error and answer.status_code not in refusals:
            raise TransientError(f"the resolver answered {answer.status_code}")
        said: dict[str, Any] = answer.json()
        # An answer and its stream hold each other, with the question: megabytes that only a
        # collection of garbage would find, after some hundred questions (`shared.process`).
        answer.stream = httpx.ByteStream(b"")
        return said

    async def _key(self, place: Place) -> str:
        async with self._lock:
            known = self._keys.get(place.workspace)
            if known is not None and time.monotonic() < known[1]:
                return known[0]
            key = new_key()
            if not await self._store.issue_key(place, key):
                raise TransientError("the workspace of an import is not known any more")
            self._keys[place.workspace] = (key.token, time.monotonic() + KEY_SECONDS)
            return key.token
