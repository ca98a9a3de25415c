"""Apollo's people enrichment over HTTP: `POST /api/v1/people/match` (docs.apollo.io).

A call without answer may have been charged, and Apollo has no idempotency key: whatever fails after
the first byte was sent is `Unknown`, and nothing here ever sends twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from services.enricher.domain.outcome import (
    BadAnswer,
    Fault,
    Ineligible,
    Match,
    NoMatch,
    NotSent,
    RateLimited,
    Unknown,
)
from services.enricher.domain.question import Question
from services.enricher.providers.apollo_person import read_person
from services.enricher.providers.base import EnrichmentError
from services.enricher.providers.retry_after import seconds_of
from shared.errors import PoisonMessageError, SourceUnavailableError
from shared.events.envelope import parse_object
from shared.observability.metrics import VENDOR_REQUESTS, VENDOR_SECONDS

SOURCE: Final = "apollo"
"""Its row of `data_source`."""

MAX_ANSWER_BYTES: Final = 262_144
"""The largest answer that is read, bytes: one person takes some 20 KiB."""

CREDITS_PER_MATCH: Final = 1
"""What a match costs; nothing found costs nothing (docs.apollo.io, pricing of the API)."""

_REFUSES_QUESTION: Final = frozenset({400, 422})
_REFUSES_US: Final = frozenset({401, 402, 403, 404, 405})
_GATEWAY_LOST_IT: Final = frozenset({502, 504, 520, 524})
"""A gateway answers in the vendor's place: the vendor may have got the question, and charged."""


class Apollo:
    """Asks Apollo; one connection per call."""

    source = SOURCE

    def __init__(self, client: httpx.AsyncClient, timeout_seconds: float) -> None:
        self._client = client
        self._timeout = timeout_seconds

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, key: str, timeout_seconds: float) -> AsyncIterator["Apollo"]:
        """Build the adapter; its connections close with the context.

        Connections are not kept open: one that the other side has closed meanwhile fails only
        after the question was written to it, and the outcome would be unknown.
        """
        async with httpx.AsyncClient(
            base_url=url,
            headers={"x-api-key": key, "accept": "application/json", "cache-control": "no-cache"},
            timeout=httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds / 2)),
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=False,
        ) as client:
            yield cls(client, timeout_seconds)

    async def lookup(self, question: Question) -> Match | NoMatch:
        """Ask once about a person."""
        started = time.perf_counter()
        label = "timeout"
        try:
            async with asyncio.timeout(self._timeout):
                status, headers, body = await self._post(_parameters(question))
            label = str(status)
            _check_status(status, headers)
            label = "garbage"
            answer = _read_answer(body)
            label = str(status)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            label = "connection"
            raise EnrichmentError(NotSent()) from None
        except (TimeoutError, httpx.TimeoutException):
            raise EnrichmentError(Unknown()) from None
        except httpx.RequestError:
            label = "connection"
            raise EnrichmentError(Unknown()) from None
        finally:
            VENDOR_REQUESTS.labels(SOURCE, label).inc()
            VENDOR_SECONDS.labels(SOURCE).observe(time.perf_counter() - started)
        return answer

    async def _post(self, parameters: Mapping[str, str]) -> tuple[int, httpx.Headers, bytes]:
        """Send the question and read the answer, up to the size limit."""
        body = bytearray()
        async with self._client.stream("POST", "/api/v1/people/match", params=parameters) as answer:
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    break
            return answer.status_code, answer.headers, bytes(body)


def _parameters(question: Question) -> dict[str, str]:
    """Name what is known in Apollo's words; it takes them in the query."""
    named = {
        "email": question.email,
        "first_name": question.first_name,
        "last_name": question.last_name,
        "organization_name": question.company_name,
        "domain": question.company_domain,
        "linkedin_url": question.linkedin_url,
    }
    return {name: value for name, value in named.items() if value}


def _check_status(status: int, headers: Mapping[str, str]) -> None:
    """Raise for every status but 200."""
    if status == 200:
        return
    if status in _REFUSES_US:
        raise SourceUnavailableError(f"Apollo answers {status}: check its key, plan and URL")
    if status == 429:
        raise EnrichmentError(RateLimited(seconds_of(headers.get("retry-after"))))
    if status in _REFUSES_QUESTION:
        raise EnrichmentError(Ineligible())
    if status in _GATEWAY_LOST_IT:
        raise EnrichmentError(Unknown())
    raise EnrichmentError(Fault() if status >= 500 else BadAnswer())


def _read_answer(body: bytes) -> Match | NoMatch:
    """Tell a match from "not found", which Apollo also answers with 200."""
    try:
        document = parse_object(body) if len(body) <= MAX_ANSWER_BYTES else {}
    except PoisonMessageError:
        document = {}
    person: Any = document.get("person", "absent")
    if person is None:
        return NoMatch()
    findings = read_person(person) if isinstance(person, dict) and person else None
    if findings is None:
        raise EnrichmentError(BadAnswer())
    return Match(findings=findings, raw=_without_nul(document), credits=CREDITS_PER_MATCH)


def _without_nul(value: Any) -> Any:
    """Leave out NUL characters, which no database text can hold; the depth is bounded already."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value
