"""Apollo's answers, in the documented shapes, and what each of them means."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from kith.simulators.people import invent_person
from services.enricher.domain.outcome import (
    BadAnswer,
    Failure,
    Fault,
    Ineligible,
    Match,
    NoMatch,
    NotSent,
    RateLimited,
    Unknown,
)
from services.enricher.domain.question import Question
from services.enricher.providers.apollo import MAX_ANSWER_BYTES, Apollo
from services.enricher.providers.apollo_person import read_person
from services.enricher.providers.base import EnrichmentError
from services.enricher.providers.retry_after import seconds_of
from shared.errors import SourceUnavailableError
from shared.observability.metrics import VENDOR_REQUESTS

RECORDED = orjson.loads((Path(__file__).parent / "apollo_match.json").read_bytes())
QUESTION = Question(email="tim@apollo.io", first_name="Tim", company_domain="apollo.io")

Handler = Callable[[httpx.Request], httpx.Response]


async def ask(handler: Handler) -> Match | NoMatch:
    """Ask an Apollo whose network is `handler`."""
    transport = httpx.MockTransport(handler)
    async with httpx.AsyncClient(transport=transport, base_url="https://api.apollo.io") as client:
        return await Apollo(client, 0.2).lookup(QUESTION)


def answering(status: int, body: bytes = b"", **headers: str) -> Handler:
    return lambda _: httpx.Response(
        status, content=body, headers={name.replace("_", "-"): v for name, v in headers.items()}
    )


def refusing(error: httpx.RequestError) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


async def failure(handler: Handler) -> Failure:
    with pytest.raises(EnrichmentError) as caught:
        await ask(handler)
    return caught.value.failure


async def test_the_question_is_asked_as_documented() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"person": None})

    assert await ask(handler) == NoMatch()
    [request] = seen
    assert (request.method, request.url.path) == ("POST", "/api/v1/people/match")
    assert dict(request.url.params) == {
        "email": "tim@apollo.io",
        "first_name": "Tim",
        "domain": "apollo.io",
    }


async def test_the_key_travels_in_its_own_header() -> None:
    async with Apollo.connect("https://api.apollo.io", "k-1", 1.0) as apollo:
        assert apollo._client.headers["x-api-key"] == "k-1"
        assert "authorization" not in apollo._client.headers


async def test_a_recorded_match_is_read() -> None:
    match = await ask(answering(200, orjson.dumps(RECORDED)))
    assert isinstance(match, Match)
    assert match.credits == 1
    assert match.raw == RECORDED
    found = match.findings
    assert found.source_record_id == "64a7ff0cc4dfae00013df1a5"
    assert (found.first_name, found.last_name) == ("Tim", "Zheng")
    assert [point.value for point in found.emails] == ["tim@apollo.io"]
    assert [point.value for point in found.phones] == ["+14157636055"]
    assert [other.type for other in found.identifiers] == ["twitter_handle"]
    present, before = found.employments
    assert (present.company_domain, present.is_current) == ("apollo.io", True)
    assert (before.company_domain, before.end_date) == (None, date(2014, 1, 1))
    assert found.addresses[0].city == "San Francisco"
    (company,) = found.companies
    assert (company.source_record_id, company.domain) == ("5e66b6381e05b4008c8331b8", "apollo.io")
    assert (company.founded_year, company.employee_count) == (2015, 1600)
    assert [one.name for one in company.technologies] == ["AI", "Cloudflare DNS"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Ineligible()),
        (422, Ineligible()),
        (429, RateLimited(None)),
        (500, Fault()),
        (503, Fault()),
        (502, Unknown()),
        (504, Unknown()),
        (524, Unknown()),
        (204, BadAnswer()),
        (302, BadAnswer()),
        (418, BadAnswer()),
    ],
)
async def test_every_status_has_a_meaning(status: int, expected: Failure) -> None:
    assert await failure(answering(status)) == expected


@pytest.mark.parametrize(
    ("handler", "label"),
    [
        (answering(200, b'{"person": null}'), "200"),
        (answering(503), "503"),
        (answering(401), "401"),
        (answering(200, b"<html>"), "garbage"),
        (refusing(httpx.ConnectError("refused")), "connection"),
        (refusing(httpx.ReadError("reset")), "connection"),
        (refusing(httpx.ReadTimeout("late")), "timeout"),
    ],
)
async def test_every_call_is_counted_by_how_it_ended(handler: Handler, label: str) -> None:
    """The alert on a failing vendor keys on these words."""

    def counted() -> float:
        return float(VENDOR_REQUESTS.labels("apollo", label)._value.get())

    before = counted()
    with contextlib.suppress(EnrichmentError, SourceUnavailableError):
        await ask(handler)
    assert counted() == before + 1


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405])
async def test_a_refusal_of_us_pauses_the_source(status: int) -> None:
    with pytest.raises(SourceUnavailableError):
        await ask(answering(status))


async def test_retry_after_is_read_with_the_429() -> None:
    assert await failure(answering(429, retry_after="17")) == RateLimited(17.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"person": []}',
        b'{"person": {}}',
        b'{"person": "Tim"}',
        b'{"person": {"id": "1"',
        b'{"person": {"id": "\xff"}}',
        b'{"person": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"person": {"name": "' + b"x" * MAX_ANSWER_BYTES + b'"}}',
    ],
    ids=range(11),
)
async def test_nonsense_is_a_bad_answer(body: bytes) -> None:
    assert await failure(answering(200, body)) == BadAnswer()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), NotSent()),
        (httpx.ConnectTimeout("no answer"), NotSent()),
        (httpx.WriteError("reset"), Unknown()),
        (httpx.ReadError("reset"), Unknown()),
        (httpx.ReadTimeout("late"), Unknown()),
        (httpx.RemoteProtocolError("gone"), Unknown()),
        (httpx.DecodingError("not gzip"), Unknown()),
    ],
)
async def test_what_fails_before_the_first_byte_was_not_sent(
    error: httpx.RequestError, expected: Failure
) -> None:
    assert await failure(refusing(error)) == expected


async def test_an_answer_that_drips_is_cut_off() -> None:
    """The limit is on the whole call: a byte now and then does not extend it."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    assert await failure(lambda _: httpx.Response(200, content=drip())) == Unknown()


@pytest.mark.parametrize(
    "changes",
    [
        {"email": 7, "employment_history": "none", "contact": []},
        {"employment_history": [None, {"organization_name": "A", "start_date": "soon"}]},
        {"headline": "x" * 5_000, "city": "a\x00b"},
        {"organization": None, "contact": {"phone_numbers": [{"raw_number": None}]}},
        {"employment_history": [{"organization_name": "A"}] * 500},
    ],
)
def test_odd_fields_are_left_out_and_the_rest_is_kept(changes: dict[str, Any]) -> None:
    found = read_person({**RECORDED["person"], **changes})
    assert found is not None
    assert found.last_name == "Zheng"


def test_a_locked_address_is_none() -> None:
    """Apollo shows the same stand-in for everybody whose address the plan does not include."""
    found = read_person({**RECORDED["person"], "email": "email_not_unlocked@domain.com"})
    assert found is not None
    assert found.emails == ()


async def test_nul_characters_are_left_out_of_what_is_kept() -> None:
    body = orjson.dumps({"person": {"id": "1", "name": "A\x00da", "x": ["\x00"]}})
    match = await ask(answering(200, body))
    assert isinstance(match, Match)
    assert "\\u0000" not in orjson.dumps(match.raw).decode()
    assert match.findings.full_name == "Ada"


def test_the_simulators_people_have_the_recorded_shape() -> None:
    """The stand-in says nothing that Apollo would not: the same fields of the same kinds."""

    def compare(invented: dict[str, Any], recorded: dict[str, Any]) -> None:
        for name, value in invented.items():
            assert name in recorded, name
            if isinstance(value, dict) and isinstance(recorded[name], dict):
                known = {**recorded[name], "city": "", "state": "", "country": ""}
                compare(value, known)
            elif value is not None and recorded[name] is not None:
                assert type(value) is type(recorded[name]), name

    invented = invent_person({"email": "match+ada.lovelace@example.com"})
    compare(invented, RECORDED["person"])
    found = read_person(invented)
    assert found is not None
    assert found.employments[0].company_domain == "example.com"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("12", 12.0),
        (" 12 ", 12.0),
        ("-3", None),
        ("1.5", None),
        ("soon", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert seconds_of(value, datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds
