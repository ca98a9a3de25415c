"""The calendar of an Outlook.com or Exchange Online account (Graph v1.0): delta of its view.

The cursor is `{"link": deltaLink}`; during a full reading `{"reading": name, "link": nextLink}`.  A
link that was forgotten is answered with 410 (`syncStateNotFound`), and everything is read again.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from ulid import ULID

from services.ingest.remote.calendars import CalendarTerms, EventPages
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.outlook_mail import own_addresses
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.calendar_events import read_graph_event
from services.ingest.sources.api.parts import dicts, text

PAGE_SIZE: Final = 100
"""Events of a page: what a killed run repeats at most."""

MAX_LINK: Final = 16_000
"""Characters of a link."""

MAX_SERIES: Final = 2_000
"""Series that are remembered during one run."""

_PREFER: Final = {
    "Prefer": f'odata.maxpagesize={PAGE_SIZE}, IdType="ImmutableId", outlook.timezone="UTC"'
}
_FORGOTTEN: Final = frozenset({"syncStateNotFound", "syncStateInvalid", "resyncRequired"})


class OutlookCalendar:
    """The calendar of one account at Microsoft."""

    def __init__(self, http: RemoteHttp, terms: CalendarTerms) -> None:
        self._http = http
        self._terms = terms
        self._series: dict[str, dict[str, Any]] = {}

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        me = await self._http.get("/me", {"$select": "mail,userPrincipalName,otherMails"})
        own = frozenset(one.casefold() for one in own_addresses(me))
        position = cursor or {}
        if position and not self._terms.is_running_out(position):
            try:
                async for page in self._read(position, own):
                    yield page
            except AnswerError as error:
                if error.status != 410 and not _FORGOTTEN & error.reasons:
                    raise
            else:
                return
        known = {"before": {**position.get("before", {}), **position.get("names", {})}}
        async for page in self._read({"reading": str(ULID()), **known}, own):
            yield page

    async def _read(self, position: dict[str, Any], own: frozenset[str]) -> AsyncIterator[Page]:
        begin, end = self._terms.window
        until, link = position.get("until") or end.isoformat(), position.get("link")
        events = EventPages(self._terms, position, until)
        reading = position.get("reading")
        while True:
            if link is None:
                window = {"startDateTime": begin.isoformat(), "endDateTime": until}
                found = await self._http.get("/me/calendarView/delta", window, _PREFER)
            else:
                found = await self._http.get(link, headers=_PREFER)
            following = text(found.get("@odata.nextLink"), MAX_LINK)
            link = following or text(found.get("@odata.deltaLink"), MAX_LINK)
            if link is None:
                raise RemoteError("bad_answer")
            cursor: dict[str, Any] = {"link": link}
            if following and reading:
                cursor["reading"] = reading
            elif following:
                cursor = {"link": position["link"]}  # changes are told from their beginning again
            items = dicts(found.get("value"))
            await self._learn_series(items)
            yield events.page(
                ((read_graph_event(one, self._series, own), one) for one in items),
                cursor,
                is_last=not following,
            )
            if not following:
                return

    async def _learn_series(self, items: list[dict[str, Any]]) -> None:
        """Remember the series of a page, and ask for those that only occurrences were told of."""
        if len(self._series) > MAX_SERIES:
            self._series.clear()
        for one in items:
            if one.get("type") == "seriesMaster" and isinstance(one.get("id"), str):
                self._series[one["id"]] = _shared(one)
        for one in items:
            master = text(one.get("seriesMasterId"), 1_024)
            if master is None or master in self._series or "@removed" in one:
                continue
            try:
                found = await self._http.get(f"/me/events/{master}", headers=_PREFER)
            except AnswerError as error:
                if error.status != 404:
                    raise
                found = {}
            self._series[master] = _shared(found)


def _shared(series: dict[str, Any]) -> dict[str, Any]:
    """Return what of a series holds for each of its occurrences."""
    own = ("id", "type", "start", "end", "originalStart", "@odata.etag")
    return {name: value for name, value in series.items() if name not in own}
