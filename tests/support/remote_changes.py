"""Accounts whose entries change: told in pages, then by what changed since a token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.support.remote_mail import Account, graph_error

Entry = dict[str, Any]


@dataclass
class Changing(Account):
    """What Google's and Microsoft's ways of telling changes have in common, and each of them."""

    entries: dict[str, tuple[int, Entry]] = field(default_factory=dict)
    """Id → when it last changed, and the entry as it is told."""
    clock: int = 0
    oldest: int = 0
    """Tokens from before are too old."""
    page_size: int = 2

    def google_page(
        self,
        request: Request,
        name: str,
        *,
        is_gone: Callable[[Entry], bool],
        too_old: Callable[[], JSONResponse],
    ) -> JSONResponse:
        """Answer with entries under a name, by page token, and with a sync token at the end."""
        asked = request.query_params
        since = int(asked.get("syncToken", "0").removeprefix("sync-"))
        if "syncToken" in asked and since < self.oldest:
            return too_old()
        begin = int(asked.get("pageToken", "0"))
        told = self._told(since, is_gone)
        page = told[begin : begin + self.page_size]
        found: dict[str, Any] = {name: page} if page else {}  # Google leaves out what is empty
        if begin + self.page_size < len(told):
            found["nextPageToken"] = str(begin + self.page_size)
        else:
            found["nextSyncToken"] = f"sync-{self.clock}"
        return JSONResponse(found)

    def graph_page(self, request: Request) -> JSONResponse:
        """Answer with entries, by links to the next page and then to what changes."""
        asked = request.query_params
        since, begin = (int(one) for one in asked.get("$token", "0-0").split("-"))
        if since and since < self.oldest:
            return graph_error(410, "syncStateNotFound")
        told = self._told(since, lambda entry: "@removed" in entry)
        base = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
        found: dict[str, Any] = {"value": told[begin : begin + self.page_size]}
        if begin + self.page_size < len(told):
            found["@odata.nextLink"] = f"{base}?$token={since}-{begin + self.page_size}"
        else:
            found["@odata.deltaLink"] = f"{base}?$token={self.clock}-0"
        return JSONResponse(found)

    def _told(self, since: int, is_gone: Callable[[Entry], bool]) -> list[Entry]:
        """Return what changed; who asks for everything is not told of what is gone."""
        return [
            entry
            for changed, entry in self.entries.values()
            if changed > since and (since or not is_gone(entry))
        ]
