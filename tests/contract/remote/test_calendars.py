"""Calendars at Google and Microsoft as documented, wrong turns included."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import JSONResponse

from services.ingest.remote.calendars import CalendarTerms
from services.ingest.remote.google_calendar import GoogleCalendar
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.oauth import Tokens
from services.ingest.remote.outlook_calendar import OutlookCalendar
from services.ingest.remote.page import Page, RemoteError, RemoteSource
from tests.support.ingest import ORIGIN, RULES
from tests.support.remote_calendars import FakeCalendar, FakeOutlookCalendar
from tests.support.remote_mail import google_error

Fake = FakeCalendar | FakeOutlookCalendar
Make = Callable[[RemoteHttp, CalendarTerms], RemoteSource]

NOW = datetime(2026, 3, 10, tzinfo=UTC)
KINDS: dict[type[Fake], tuple[Make, str, str]] = {
    FakeCalendar: (GoogleCalendar, "/token", "/calendar/v3"),
    FakeOutlookCalendar: (OutlookCalendar, "/common/oauth2/v2.0/token", "/v1.0"),
}
ALL: list[type[Fake]] = list(KINDS)


class Lab:
    """An adapter, what it talks to, and when."""

    def __init__(self, fake: Fake, now: datetime = NOW) -> None:
        self.fake = fake
        self.terms = CalendarTerms(ORIGIN, "calendar", RULES, now)
        self.slept: list[float] = []

    @asynccontextmanager
    async def source(self) -> AsyncIterator[RemoteSource]:
        make, endpoint, base = KINDS[type(self.fake)]
        credentials = {"client_id": "client", "refresh_token": self.fake.refresh_token}

        async def keep(_renewed: dict[str, Any]) -> None:
            raise AssertionError("nothing was renewed")

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        transport = httpx.ASGITransport(self.fake.app())
        async with httpx.AsyncClient(transport=transport) as client:
            tokens = Tokens(client, f"http://api.example{endpoint}", credentials, keep)
            http = RemoteHttp(client, f"http://api.example{base}", tokens.token, sleep=sleep)
            yield make(http, self.terms)

    async def read(self, cursor: dict[str, Any] | None = None) -> list[Page]:
        async with self.source() as source:
            return [page async for page in source.pages(cursor)]

    def later(self, days: int) -> "Lab":
        lab = Lab(self.fake)
        lab.terms = replace(self.terms, now=NOW + timedelta(days=days))
        return lab


def bodies(pages: list[Page]) -> list[dict[str, Any]]:
    return [orjson.loads(one.normalized.body) for page in pages for one in page.signals]


def titles(pages: list[Page]) -> list[str]:
    return sorted(
        "gone" if one.get("deleted") else one["activity"].get("title", "") for one in bodies(pages)
    )


def a_calendar(kind: type[Fake]) -> Fake:
    fake = kind()
    for number in range(5):
        fake.put(f"e{number}", f"2026-03-{number + 8:02}", f"Engine {number}")
    return fake


@pytest.mark.parametrize("kind", ALL)
async def test_everything_is_read_page_by_page(kind: type[Fake]) -> None:
    pages = await Lab(a_calendar(kind)).read()
    assert titles(pages) == [f"Engine {number}" for number in range(5)]
    assert [page.is_bulk for page in pages] == [True, True, False]
    first = bodies(pages)[0]
    assert (first["source"], first["source_record_id"]) == ("calendar", "e0@google.com")
    assert first["stated_at"].startswith("2026-03-01T10:01:00")
    assert first["activity"] == {
        "kind": "meeting",
        "title": "Engine 0",
        "thread_id": "e0@google.com",
        "status": "confirmed",
        "occurred_at": "2026-03-08T11:00:00Z",
        "duration_s": 3600,
    }
    (ada,) = first["participants"]
    assert (ada["role"], ada["name"], ada["attendance"]) == (
        "attendee",
        "Ada Lovelace",
        "needs_action",
    ), "the owner takes no part, nor does a room"


async def test_both_tell_of_one_meeting_by_one_name() -> None:
    """Whoever's calendar it is in, it is stored once."""
    keys = [
        {one["record_key"] for one in bodies(await Lab(a_calendar(kind)).read())} for kind in ALL
    ]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("kind", ALL)
async def test_afterwards_only_what_changed(kind: type[Fake]) -> None:
    """A new one, one that moved; one called off goes, unless it has begun."""
    fake = a_calendar(kind)
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    fake.put("e5", "2026-03-20", "New")
    fake.put("e3", "2026-03-21", "Moved")
    fake.put("e4", None)
    fake.put("e0", None)
    pages = await lab.read(cursor)
    assert titles(pages) == ["Moved", "New", "gone"]
    (gone,) = [one for one in bodies(pages) if one.get("deleted")]
    assert gone["source_record_id"] == "e4@google.com"
    assert not any(page.is_bulk for page in pages)
    assert await lab.read(pages[-1].cursor) != []
    assert bodies(await lab.read(pages[-1].cursor)) == []


@pytest.mark.parametrize("kind", ALL)
async def test_a_forgotten_cursor_means_everything_again(kind: type[Fake]) -> None:
    fake = a_calendar(kind)
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    fake.put("e5", "2026-03-20", "New")
    fake.oldest = fake.clock
    del fake.entries["e3"], fake.entries["e0"]
    pages = await lab.read(cursor)
    assert titles(pages) == ["Engine 1", "Engine 2", "Engine 4", "New", "gone"], "missing: e3 went"
    assert pages[0].is_bulk
    assert "before" not in pages[-1].cursor
    fake.put("e4", None)
    assert titles(await lab.read(pages[-1].cursor)) == ["gone"], "names are known still"


@pytest.mark.parametrize("kind", ALL)
async def test_the_window_moves_on(kind: type[Fake]) -> None:
    fake = a_calendar(kind)
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    assert bodies(await lab.later(20).read(cursor)) == []
    again = await lab.later(40).read(cursor)
    assert len(titles(again)) == 5
    assert again[-1].cursor["until"] > cursor["until"]


@pytest.mark.parametrize("kind", ALL)
async def test_a_run_that_broke_off_goes_on_at_its_page(kind: type[Fake]) -> None:
    fake = a_calendar(kind)
    lab = Lab(fake)
    async with lab.source() as source:
        pages = source.pages(None)
        first = await anext(aiter(pages))
    rest = await lab.read(first.cursor)
    assert titles([first, *rest]) == [f"Engine {number}" for number in range(5)]
    if kind is FakeCalendar:  # a page's token that did not last
        fake.once("/events", google_error(400, "invalid"))
        assert len(titles(await lab.read(first.cursor))) == 5


async def test_nonsense_in_a_field_costs_that_field() -> None:
    cases: list[tuple[Fake, dict[str, Any]]] = [
        (FakeCalendar(), {"status": ["x"], "visibility": {}, "summary": 7, "sequence": "9"}),
        (FakeOutlookCalendar(), {"sensitivity": ["x"], "subject": 7, "location": "here"}),
    ]
    for fake, odd in cases:
        fake.put("e0", "2026-03-09", "", **odd)
        (one,) = bodies(await Lab(fake).read())
        assert "title" not in one["activity"]


async def test_occurrences_of_a_series_at_google_are_each_their_own() -> None:
    fake = FakeCalendar(page_size=9)
    moved = {
        "recurringEventId": "s",
        "iCalUID": "s@google.com",
        "originalStartTime": {"dateTime": "2026-03-11T12:00:00+01:00"},
    }
    fake.put("s_1", "2026-03-12", "Moved", **moved)
    fake.put("s_2", "2026-03-18", "Alone", attendees=[{"email": "me@x.example", "self": True}])
    fake.put("s_3", "2026-03-19", "Secret", visibility="private", description="<b>psst</b>")
    fake.put("s_4", "2026-03-20", "Told", description="<p>Dear&nbsp;all</p><ul><li>one</ul>")
    fake.put("s_5", "2026-03-21", "All day", start={"date": "2026-03-21"}, end={"date": "nonsense"})
    fake.entries["bad"] = (9, {"status": "confirmed"})
    (page,) = await Lab(fake).read()
    told = {one["source_record_id"]: one["activity"] for one in bodies([page])}
    assert list(told) == [
        "s@google.com/20260311T110000Z",
        "s_3@google.com",
        "s_4@google.com",
        "s_5@google.com",
    ]
    assert "title" not in told["s_3@google.com"], "nobody else may read it"
    assert "psst" not in orjson.dumps(bodies([page])).decode()
    assert "one" in told["s_4@google.com"]["snippet"]
    assert told["s_5@google.com"]["all_day"] is True
    assert page.counts == {"events": 5, "activities": 4, "left_out_nobody_else": 1}


async def test_an_occurrence_at_microsoft_says_only_what_differs_from_its_series() -> None:
    fake = FakeOutlookCalendar(page_size=9)
    fake.put("m", "2026-03-04", "Weekly", type="seriesMaster", iCalUId="weekly")
    fake.entries["o1"] = (
        2,
        {
            "id": "o1",
            "type": "occurrence",
            "seriesMasterId": "m",
            "start": {"dateTime": "2026-03-11T11:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": "2026-03-11T12:00:00.0000000", "timeZone": "UTC"},
        },
    )
    fake.clock = 2
    lab = Lab(fake)
    (page,) = await lab.read()
    (one,) = bodies([page])
    assert (one["activity"]["title"], one["source_record_id"]) == (
        "Weekly",
        "weekly/20260311T110000Z",
    )
    fake.entries["o2"] = (3, {**fake.entries["o1"][1], "id": "o2"})
    fake.clock = 3
    (page,) = await lab.read(page.cursor)
    assert titles([page]) == ["Weekly"], "the series was asked for"
    assert any(path.startswith("/v1.0/me/events/m") for path in fake.asked)


@pytest.mark.parametrize("kind", ALL)
async def test_what_cannot_be_read_ends_the_run(kind: type[Fake]) -> None:
    fake = a_calendar(kind)
    path = "/events" if kind is FakeCalendar else "/delta"
    fake.once(path, JSONResponse({"items": []}))
    with pytest.raises(RemoteError) as caught:
        await Lab(fake).read()
    assert caught.value.failure == "bad_answer"
    fake.once(path, JSONResponse({}, 429, headers={"retry-after": "7"}))
    lab = Lab(fake)
    assert len(titles(await lab.read())) == 5
    assert lab.slept == [7.0]
