"""The primary calendar of a Google account (Calendar API v3): everything once, then what changed.

The cursor is `{"sync": token}`; during a full reading `{"reading": name, "page": token}`.  A sync
token that is too old is answered with 410 (`fullSyncRequired`), and everything is read again.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from ulid import ULID

from services.ingest.remote.calendars import CalendarTerms, EventPages
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.calendar_events import read_google_event
from services.ingest.sources.api.parts import dicts, text

PAGE_SIZE: Final = 250
"""Events of a page: what a killed run repeats at most; the API's limit is 2,500."""

EVENTS: Final = "/calendars/primary/events"

_EXPIRED: Final = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})


class GoogleCalendar:
    """The calendar of one Google account."""

    def __init__(self, http: RemoteHttp, terms: CalendarTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        position = cursor or {}
        if position and not self._terms.is_running_out(position):
            try:
                async for page in self._read(position):
                    yield page
            except AnswerError as error:
                # A page's token that did not last is answered with 400.
                forgotten = {410} if "sync" in position else {400, 404, 410}
                if error.status not in forgotten and not _EXPIRED & error.reasons:
                    raise
            else:
                return
        known = {"before": {**position.get("before", {}), **position.get("names", {})}}
        async for page in self._read({"reading": str(ULID()), **known}):
            yield page

    async def _read(self, position: dict[str, Any]) -> AsyncIterator[Page]:
        # Every parameter but the page's must be that of the first call, and no window with a token.
        parameters: dict[str, str | int] = {"singleEvents": "true", "maxResults": PAGE_SIZE}
        begin, end = self._terms.window
        until = position.get("until") or end.isoformat()
        if "sync" in position:
            parameters["syncToken"] = position["sync"]
        else:
            parameters["timeMin"] = position.get("from") or begin.isoformat()
            parameters["timeMax"] = until
            parameters["showDeleted"] = "true"
        token = position.get("page", "")
        events = EventPages(self._terms, position, until)
        while True:
            if token:
                parameters["pageToken"] = token
            found = await self._http.get(EVENTS, parameters)
            token = text(found.get("nextPageToken"), 4_000) or ""
            following = text(found.get("nextSyncToken"), 4_000)
            if not token and following is None:
                raise RemoteError("bad_answer")
            if not token:
                cursor: dict[str, Any] = {"sync": following}
            elif "sync" in position:
                cursor = {"sync": position["sync"]}  # changes are told from their beginning again
            else:
                reading = position["reading"]
                cursor = {"reading": reading, "page": token, "from": parameters["timeMin"]}
            yield events.page(
                ((read_google_event(one), one) for one in dicts(found.get("items"))),
                cursor,
                is_last=not token,
            )
            if not token:
                return
