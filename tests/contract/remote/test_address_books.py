"""Google People, Outlook contacts, HubSpot and Salesforce as documented, wrong turns included."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import JSONResponse

from services.ingest.remote.address_book import BookTerms
from services.ingest.remote.crms import HubSpot, Salesforce
from services.ingest.remote.google_people import GooglePeople
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.oauth import Tokens
from services.ingest.remote.outlook_contacts import OutlookContacts
from services.ingest.remote.page import Page, RemoteError, RemoteSource
from tests.support.ingest import ORIGIN, RULES
from tests.support.mail import NOW
from tests.support.remote_mail import google_error
from tests.support.remote_people import (
    FakeHubSpot,
    FakeOutlookPeople,
    FakePeople,
    FakeSalesforce,
)

Fake = FakePeople | FakeOutlookPeople | FakeHubSpot | FakeSalesforce

KINDS: dict[type[Fake], tuple[Callable[[RemoteHttp, BookTerms], RemoteSource], str, str, str]] = {
    FakePeople: (GooglePeople, "google_contacts", "/token", "/v1"),
    FakeOutlookPeople: (OutlookContacts, "outlook_api", "/common/oauth2/v2.0/token", "/v1.0"),
    FakeHubSpot: (HubSpot, "hubspot_crm", "/oauth/v1/token", ""),
    FakeSalesforce: (Salesforce, "salesforce_crm", "/services/oauth2/token", ""),
}
ALL: list[type[Fake]] = list(KINDS)
INCREMENTAL: list[type[Fake]] = [FakePeople, FakeOutlookPeople, FakeSalesforce]


class Lab:
    """An adapter, what it talks to, and how long it slept."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.slept: list[float] = []

    @asynccontextmanager
    async def source(self) -> AsyncIterator[RemoteSource]:
        make, source, endpoint, base = KINDS[type(self.fake)]
        credentials = {"client_id": "client", "refresh_token": self.fake.refresh_token}

        async def keep(_renewed: dict[str, Any]) -> None:
            raise AssertionError("nothing was renewed")

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        transport = httpx.ASGITransport(self.fake.app())
        async with httpx.AsyncClient(transport=transport) as client:
            tokens = Tokens(client, f"http://api.example{endpoint}", credentials, keep)
            http = RemoteHttp(client, f"http://api.example{base}", tokens.token, sleep=sleep)
            yield make(http, BookTerms(ORIGIN, source, RULES, NOW, "GB"))

    async def read(self, cursor: dict[str, Any] | None = None) -> list[Page]:
        async with self.source() as source:
            return [page async for page in source.pages(cursor)]


def names(pages: list[Page]) -> list[str]:
    bodies = [orjson.loads(one.normalized.body) for page in pages for one in page.signals]
    return sorted(one["facts"].get("full_name") or one["facts"]["first_name"] for one in bodies)


def gone(pages: list[Page]) -> list[str]:
    return [one for page in pages if page.records for one in page.records.gone]


def a_book(kind: type[Fake], count: int = 5) -> Fake:
    fake = kind()
    for number in range(count):
        fake.put(number, f"Ada {number}")
    return fake


FIVE = [f"Ada {number}" for number in range(5)]


@pytest.mark.parametrize("kind", ALL)
async def test_everybody_is_read_page_by_page(kind: type[Fake]) -> None:
    pages = await Lab(a_book(kind)).read()
    assert names(pages) == FIVE
    assert len(pages) == 3
    assert [page.records.is_last for page in pages if page.records] == [False, False, True]
    assert {page.records.reading for page in pages if page.records} != {""}
    assert all(page.is_bulk for page in pages)
    bodies = [orjson.loads(one.normalized.body) for page in pages for one in page.signals]
    assert {one["source"] for one in bodies} == {KINDS[kind][1]}
    assert len({one["record_key"] for one in bodies}) == 5


@pytest.mark.parametrize("kind", INCREMENTAL)
async def test_afterwards_only_what_changed(kind: type[Fake]) -> None:
    """Somebody new, somebody renamed, somebody deleted, somebody emptied."""
    fake = a_book(kind)
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    fake.put(5, "Grace")
    fake.put(1, "Ada Byron")
    fake.put(2, None)
    if kind is not FakeSalesforce:  # a record there always has a name
        fake.put(3, "")
    pages = await lab.read(cursor)
    assert {"Grace", "Ada Byron"} <= set(names(pages))
    assert len(gone(pages)) == (1 if kind is FakeSalesforce else 2)
    assert pages[-1].records
    assert pages[-1].records.gone == tuple(gone(pages)), "told with the last page only"
    if kind is not FakeSalesforce:  # which asks for the last minutes again
        assert names(pages) == ["Ada Byron", "Grace"]
        assert [page.is_bulk for page in pages] == [False] * len(pages)
        assert names(await lab.read(pages[-1].cursor)) == []


@pytest.mark.parametrize("kind", INCREMENTAL)
async def test_a_run_that_was_broken_off_tells_it_again(kind: type[Fake]) -> None:
    fake = a_book(kind)
    lab = Lab(fake)
    whole = await lab.read()
    for number in range(5, 9):
        fake.put(number, f"Ada {number}")
    fake.put(0, None)
    pages = await lab.read(whole[-1].cursor)
    assert len(pages) >= 3
    again = await lab.read(pages[0].cursor)
    assert names(again) == names(pages)
    assert gone(again) == gone(pages)


@pytest.mark.parametrize("kind", [FakePeople, FakeOutlookPeople, FakeHubSpot])
async def test_a_first_reading_goes_on_where_it_was_broken_off(kind: type[Fake]) -> None:
    lab = Lab(a_book(kind))
    first, *rest = await lab.read()
    more = await lab.read(first.cursor)
    assert names(more) == names(rest)
    assert {page.records.reading for page in (first, *more) if page.records} == {
        first.records.reading if first.records else ""
    }


@pytest.mark.parametrize("kind", [FakePeople, FakeOutlookPeople])
async def test_a_cursor_that_was_forgotten_means_everything_anew(kind: type[Fake]) -> None:
    fake = a_book(kind)
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    assert isinstance(fake, FakePeople | FakeOutlookPeople)
    fake.put(4, None)
    fake.oldest = fake.clock + 1
    pages = await lab.read(cursor)
    assert names(pages) == FIVE[:4]
    assert gone(pages) == [], "who is missing is told by absence"
    assert pages[-1].records
    assert pages[-1].records.reading
    assert pages[-1].records.is_last


async def test_a_first_page_over_quota_is_waited_for() -> None:
    fake = a_book(FakePeople)
    lab = Lab(fake)
    limited = google_error(429, "rateLimitExceeded", **{"retry-after": "7"})
    fake.once("/people/me/connections", limited)
    assert names(await lab.read()) == FIVE
    assert lab.slept == [7.0]


async def test_salesforce_says_by_a_list_that_the_day_is_over() -> None:
    fake = a_book(FakeSalesforce)
    over = [{"message": "…", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    fake.once("/queryAll", JSONResponse(over, 403))
    with pytest.raises(RemoteError) as failed:
        await Lab(fake).read()
    assert failed.value.failure == "rate_limited"
    assert failed.value.retry_after


@pytest.mark.parametrize("kind", ALL)
async def test_an_answer_without_sense_ends_the_run(kind: type[Fake]) -> None:
    fake = a_book(kind)
    for path in ("/connections", "/delta", "/details", "/queryAll"):
        fake.once(path, JSONResponse([1]))
    with pytest.raises(RemoteError) as failed:
        await Lab(fake).read()
    assert failed.value.failure == "bad_answer"
