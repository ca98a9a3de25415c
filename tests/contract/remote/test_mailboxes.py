"""Gmail and Microsoft Graph as they are documented, wrong turns included."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import JSONResponse, Response

from services.ingest.remote.gmail import Gmail
from services.ingest.remote.http import MAX_ANSWER_BYTES, RemoteHttp, seconds_of
from services.ingest.remote.mailbox import MailboxTerms
from services.ingest.remote.oauth import Tokens
from services.ingest.remote.outlook_mail import OutlookMail
from services.ingest.remote.page import AnswerError, Page, RemoteError, RemoteSource
from tests.support.ingest import ORIGIN, RULES
from tests.support.mail import NOW, a_message
from tests.support.remote_mail import (
    FakeGmail,
    FakeGraph,
    google_error,
    graph_error,
    graph_message,
)

SIGNED = "Hello,\n\nBest regards\nAda Lovelace\nHead of Engines\nEngines GmbH\n"


class Lab:
    """An adapter, what it talks to, and how long it slept."""

    def __init__(self, fake: FakeGmail | FakeGraph) -> None:
        self.fake = fake
        self.slept: list[float] = []
        self.kept: list[dict[str, Any]] = []

    @asynccontextmanager
    async def source(self) -> AsyncIterator[RemoteSource]:
        transport = httpx.ASGITransport(self.fake.app())
        credentials = {
            "client_id": "client",
            "client_secret": "secret",
            "refresh_token": self.fake.refresh_token,
        }

        async def keep(renewed: dict[str, Any]) -> None:
            self.kept.append(renewed)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        async with httpx.AsyncClient(transport=transport) as client:
            is_gmail = isinstance(self.fake, FakeGmail)
            host = "http://gmail.example" if is_gmail else "http://graph.example"
            endpoint = f"{host}/token" if is_gmail else f"{host}/common/oauth2/v2.0/token"
            tokens = Tokens(client, endpoint, credentials, keep)
            base = f"{host}/gmail/v1" if is_gmail else f"{host}/v1.0"
            http = RemoteHttp(client, base, tokens.token, sleep=sleep)
            name = "gmail_api" if is_gmail else "outlook_api"
            terms = MailboxTerms(ORIGIN, name, RULES, NOW)
            yield Gmail(http, terms) if is_gmail else OutlookMail(http, terms)

    async def read(self, cursor: dict[str, Any] | None = None) -> list[Page]:
        async with self.source() as source:
            return [page async for page in source.pages(cursor)]


def subjects(pages: list[Page]) -> list[str]:
    bodies = [orjson.loads(one.normalized.body) for page in pages for one in page.signals]
    return sorted(one["activity"]["title"] for one in bodies if "activity" in one)


def inbox(count: int = 5) -> FakeGmail:
    fake = FakeGmail()
    for number in range(count):
        fake.receive(a_message(message_id=f"<{number}@x>", subject=f"Engines {number}"))
    return fake


def outlook(count: int = 5) -> FakeGraph:
    fake = FakeGraph()
    fake.folders["INBOX"] = [
        graph_message(number, "ada@engines.example.com", "me@home.example.com")
        for number in range(count)
    ]
    return fake


ALL = [f"Engines {number}" for number in range(5)]


@pytest.mark.parametrize("fake", [inbox(), outlook()], ids=["gmail", "graph"])
async def test_everything_is_read_once_page_by_page(fake: FakeGmail | FakeGraph) -> None:
    lab = Lab(fake)
    pages = await lab.read()
    assert subjects(pages) == ALL
    assert len(pages) >= 3
    assert all(page.is_bulk for page in pages if page.signals)
    assert sum(page.counts.get("messages", 0) for page in pages) == 5
    again = await lab.read(pages[-1].cursor)
    assert subjects(again) == []
    assert again[-1].cursor == pages[-1].cursor


@pytest.mark.parametrize("fake", [inbox(), outlook()], ids=["gmail", "graph"])
async def test_what_is_new_comes_by_itself_and_at_once(fake: FakeGmail | FakeGraph) -> None:
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    for number in (5, 6, 7):
        if isinstance(fake, FakeGmail):
            fake.receive(a_message(message_id=f"<{number}@x>", subject=f"Engines {number}"))
        else:
            fake.folders["INBOX"].append(
                graph_message(number, "ada@engines.example.com", "me@home.example.com")
            )
    pages = await lab.read(cursor)
    assert subjects(pages) == ["Engines 5", "Engines 6", "Engines 7"]
    assert not any(page.is_bulk for page in pages if page.signals) or isinstance(fake, FakeGraph)
    assert subjects(await lab.read(pages[-1].cursor)) == []


@pytest.mark.parametrize("fake", [inbox(), outlook()], ids=["gmail", "graph"])
async def test_a_run_that_was_broken_off_goes_on_after_its_last_page(
    fake: FakeGmail | FakeGraph,
) -> None:
    lab = Lab(fake)
    first = (await lab.read())[0]
    rest = await lab.read(first.cursor)
    assert sorted(subjects([first]) + subjects(rest)) == ALL


async def test_a_history_that_is_too_old_means_all_of_it_again() -> None:
    fake = inbox()
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    fake.receive(a_message(message_id="<new@x>", subject="New"))
    fake.oldest = fake.history + 1
    pages = await lab.read(cursor)
    assert subjects(pages) == [*ALL, "New"]
    assert pages[-1].cursor == {"history": str(fake.history)}


async def test_a_page_whose_name_is_forgotten_means_from_the_beginning() -> None:
    pages = await Lab(inbox()).read({"history": "100", "page": "gone"})
    assert subjects(pages) == ALL


@pytest.mark.parametrize("status", [410, 400])
async def test_a_delta_that_is_forgotten_means_that_folder_again(status: int) -> None:
    fake = outlook()
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    fake.once(
        "/INBOX/messages/delta",
        graph_error(status, "SyncStateNotFound" if status == 410 else "syncStateInvalid"),
    )
    pages = await lab.read(cursor)
    assert subjects(pages) == ALL


async def test_folders_within_folders_are_read_and_junk_is_not() -> None:
    fake = outlook(1)
    me, ada = "me@home.example.com", "ada@engines.example.com"
    fake.folders["SUB"] = [graph_message(20, ada, me)]
    fake.folders["JUNK"] = [graph_message(21, ada, me)]
    fake.folders["SENT"] = [graph_message(22, me, ada), graph_message(23, me, ada, isDraft=True)]
    pages = await Lab(fake).read()
    assert subjects(pages) == ["Engines 0", "Engines 20", "Engines 22"]
    bodies = [orjson.loads(one.normalized.body) for page in pages for one in page.signals]
    directions = {one["activity"]["title"]: one["activity"]["direction"] for one in bodies}
    assert directions["Engines 22"] == "outbound"
    assert directions["Engines 0"] == "inbound"
    assert bodies[0]["activity"]["thread_id"] == "graph:AAQk1"


async def test_a_folder_that_is_gone_is_no_error_and_its_link_is_dropped() -> None:
    fake = outlook()
    lab = Lab(fake)
    cursor = (await lab.read())[-1].cursor
    del fake.folders["SUB"]
    fake.once("/SENT/messages/delta", graph_error(404, "ErrorItemNotFound"))
    pages = await lab.read(cursor)
    assert set(pages[-1].cursor["folders"]) == {"INBOX", "SENT"}


async def test_deleted_messages_and_changed_marks_are_passed_over() -> None:
    fake = outlook(1)
    fake.folders["INBOX"] += [
        {"id": "AAMk9", "@removed": {"reason": "deleted"}},
        {"id": "AAMk0", "isRead": True},
    ]
    assert subjects(await Lab(fake).read()) == ["Engines 0"]


async def test_messages_of_graph_are_left_out_for_the_same_reasons() -> None:
    fake = FakeGraph()
    listed = [{"name": "List-Unsubscribe", "value": "<https://x.example/u>"}]
    fake.folders["INBOX"] = [
        graph_message(1, "ada@x.example.com", "me@home.example.com", internetMessageHeaders=listed),
        graph_message(2, "no-reply@x.example.com", "me@home.example.com"),
        graph_message(
            3,
            "ada@x.example.com",
            "me@home.example.com",
            body={"contentType": "html", "content": "<p>Ada</p>"},
        ),
        graph_message(4, "ada@x.example.com", "alias@home.example.com", sentDateTime="nonsense"),
        graph_message(
            5, "ada@x.example.com", "me@home.example.com", subject=None, body=None, replyTo="x"
        ),
    ]
    pages = await Lab(fake).read()
    counts: dict[str, int] = {}
    for page in pages:
        for name, count in page.counts.items():
            counts[name] = counts.get(name, 0) + count
    assert counts == {"messages": 5, "activities": 3, "left_out_list": 1, "left_out_no_reply": 1}


async def test_labels_of_gmail_tell_and_signatures_are_read() -> None:
    fake = FakeGmail()
    fake.receive(a_message(message_id="<1@x>", text=SIGNED))
    fake.receive(a_message(message_id="<2@x>"), "SPAM")
    fake.receive(a_message(message_id="<3@x>"), "DRAFT")
    fake.receive(
        a_message(
            message_id="<4@x>", **{"from": "me@home.example.com", "to": "ada@engines.example.com"}
        ),
        "SENT",
    )
    pages = await Lab(fake).read()
    bodies = [orjson.loads(one.normalized.body) for page in pages for one in page.signals]
    assert sorted(one["source"] for one in bodies) == ["gmail_api"] * 3
    assert sum("facts" in one for one in bodies) == 1
    directions = sorted(one["activity"]["direction"] for one in bodies if "activity" in one)
    assert directions == ["inbound", "outbound"]


async def test_a_message_that_is_gone_or_too_large_costs_only_itself() -> None:
    fake = inbox(3)
    ids = sorted(fake.messages)
    fake.once(f"/messages/{ids[0]}", google_error(404, "notFound"))
    fake.once(f"/messages/{ids[1]}", Response(b"x" * (MAX_ANSWER_BYTES + 1)))
    assert subjects(await Lab(fake).read()) == ["Engines 1", "Engines 2"]
    assert any("format=metadata" in asked for asked in fake.asked)


@pytest.mark.parametrize(
    "answer",
    [
        google_error(429, "rateLimitExceeded", **{"retry-after": "3"}),
        google_error(403, "userRateLimitExceeded"),
        google_error(500, "backendError"),
        Response(status_code=503),
    ],
)
async def test_what_passes_is_waited_for(answer: Response) -> None:
    fake = inbox()
    fake.once("/messages", answer, times=2)
    lab = Lab(fake)
    assert subjects(await lab.read()) == ALL
    assert len(lab.slept) == 2
    if answer.headers.get("retry-after"):
        assert lab.slept == [3.0, 3.0]
    else:
        assert 0.5 <= lab.slept[0] <= 1.0 <= lab.slept[1] <= 2.0


@pytest.mark.parametrize(
    ("answer", "failure", "retry_after"),
    [
        (google_error(429, "rateLimitExceeded", **{"retry-after": "900"}), "rate_limited", 900.0),
        (google_error(403, "dailyLimitExceeded"), "rate_limited", 3_600.0),
        (google_error(403, "insufficientPermissions"), "refused", None),
        (google_error(401, "authError"), "refused", None),
        (Response(status_code=502), "unavailable", None),
        (Response(b"<html>", 200), "bad_answer", None),
        (Response(b"[1, 2]", 200), "bad_answer", None),
        (Response(b"x" * (MAX_ANSWER_BYTES + 1), 200), "bad_answer", None),
    ],
)
async def test_what_does_not_pass_ends_the_run_with_its_reason(
    answer: Response, failure: str, retry_after: float | None
) -> None:
    fake = inbox()
    fake.once("/profile", answer, times=99)
    with pytest.raises(RemoteError) as raised:
        await Lab(fake).read()
    assert raised.value.failure == failure
    assert raised.value.retry_after == retry_after


async def test_a_token_that_ended_early_is_renewed_once() -> None:
    fake = inbox()
    fake.once("/profile", JSONResponse({"error": {"code": 401}}, 401))
    assert subjects(await Lab(fake).read()) == ALL
    assert fake.tokens == 2


async def test_a_permission_that_microsoft_renews_is_kept() -> None:
    fake = outlook()
    fake.renews_refresh_token = True
    lab = Lab(fake)
    await lab.read()
    assert [one["refresh_token"] for one in lab.kept] == ["refresh-2"]
    assert lab.kept[0]["client_id"] == "client"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (JSONResponse({"error": "invalid_grant"}, 400), "consent_withdrawn"),
        (JSONResponse({"error": "invalid_client"}, 401), "refused"),
        (Response(status_code=503), "unavailable"),
        (Response(b"<html>", 200), "bad_answer"),
        (JSONResponse({"access_token": 5}), "bad_answer"),
        (JSONResponse({"error": "slow_down"}, 429), "rate_limited"),
    ],
)
async def test_why_there_is_no_token(answer: Response, failure: str) -> None:
    fake = inbox()
    fake.token_answer = answer
    with pytest.raises(RemoteError) as raised:
        await Lab(fake).read()
    assert raised.value.failure == failure


async def test_a_link_that_leads_elsewhere_does_not_get_our_token() -> None:
    fake = outlook()
    fake.base = "http://elsewhere.example/v1.0"
    with pytest.raises(RemoteError) as raised:
        await Lab(fake).read()
    assert raised.value.failure == "bad_answer"


async def test_an_error_carries_the_code_and_not_the_message() -> None:
    fake = outlook()
    fake.once("/me", graph_error(400, "ErrorInvalidRequest"))
    with pytest.raises(AnswerError) as raised:
        await Lab(fake).read()
    assert (raised.value.status, raised.value.reasons) == (
        400,
        frozenset({"ErrorInvalidRequest"}),
    )


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert seconds_of("7", now) == 7.0
    assert seconds_of("Mon, 02 Mar 2026 10:00:30 GMT", now) == 30.0
    assert seconds_of("Mon, 02 Mar 2020 10:00:30 GMT", now) == 0.0
    assert seconds_of("soon", now) is None
    assert seconds_of(None) is None
