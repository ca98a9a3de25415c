"""What the entrance does before any route, on a real database: quotas, and each request once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request, Response

from kith.administration import Terms, create_key
from services.api.routes.answers import refused
from shared.auth import KeyRing
from shared.entrance import MAX_BODY, Desk, Entrance
from shared.idempotency import MAX_ANSWER, Answers, IdempotencySettings
from shared.limits import Limiter, LimitSettings
from shared.postgres.pool import Pool, connect
from tests.support.api import World, body

NAME = {"Idempotency-Key": '"once"'}


class Shop:
    """An app that counts what it was told, behind the entrance."""

    def __init__(self, pool: Pool, limiter: Limiter, limits: LimitSettings) -> None:
        self.told = 0
        self.answers = [201]
        self.go = asyncio.Event()
        self.go.set()
        self.begun = asyncio.Event()
        self.http = FastAPI()
        self.http.add_middleware(
            Entrance, refuse=refused, once=lambda path: path != "/changes-nothing"
        )
        answers = Answers(pool, IdempotencySettings())
        self.http.state.desk = Desk(KeyRing(pool), limiter, limits, answers)
        self.http.post("/{anything}")(self.take)
        self.http.get("/{anything}")(self.take)

    async def take(self, request: Request) -> Response:
        """Do one thing more than before."""
        sent = await request.body()
        self.told += 1
        self.begun.set()
        await self.go.wait()
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 500:
            raise ValueError("broken")
        text = b"x" * int(sent) if sent.isdigit() else b"number %d" % self.told
        return Response(text, status, {"Location": f"/things/{self.told}"}, "text/plain")

    def client(self, token: str) -> httpx.AsyncClient:
        """Return a client with a key."""
        transport = httpx.ASGITransport(self.http, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers)


@asynccontextmanager
async def a_shop(world: World, limits: LimitSettings | None = None) -> AsyncIterator[Shop]:
    async with connect(world.settings("kith_api"), "test") as pool:
        yield Shop(pool, Limiter(None), limits or LimitSettings())


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    async with a_shop(world) as shop:
        yield shop


@pytest.fixture
async def client(world: World, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.client(world.tokens[world.here.workspace]) as client:
        yield client


async def test_a_request_is_carried_out_once(shop: Shop, client: httpx.AsyncClient) -> None:
    first, again = [await client.post("/things", headers=NAME, content=b"a") for _ in range(2)]
    assert (first.status_code, first.text, shop.told) == (201, "number 1", 1)
    assert (again.status_code, again.text) == (201, "number 1")
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    bare = await client.post("/things", headers={"Idempotency-Key": "once"}, content=b"a")
    assert bare.text == "number 1"


@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        ("/things", b"b", {}),
        ("/others", b"a", {}),
        ("/things?x=1", b"a", {}),
        ("/things", b"a", {"Content-Type": "text/csv"}),
    ],
)
async def test_a_name_is_of_one_request(
    shop: Shop, client: httpx.AsyncClient, path: str, content: bytes, headers: dict[str, str]
) -> None:
    await client.post("/things", headers=NAME, content=b"a")
    other = await client.post(path, headers={**NAME, **headers}, content=content)
    assert other.status_code == 422
    assert body(other)["errors"][0]["code"] == "idempotency_key_reused"
    assert body(other)["errors"][0]["source"] == {"header": "Idempotency-Key"}
    assert shop.told == 1


async def test_while_it_is_worked_on_nobody_else_begins(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    shop.go.clear()
    first = asyncio.create_task(client.post("/things", headers=NAME, content=b"a"))
    await shop.begun.wait()
    second = await client.post("/things", headers=NAME, content=b"a")
    assert (second.status_code, second.headers["retry-after"]) == (409, "2")
    shop.go.set()
    assert (await first).status_code == 201
    assert (await client.post("/things", headers=NAME, content=b"a")).text == "number 1"
    assert shop.told == 1


async def test_many_at_once_are_one(world: World, shop: Shop, client: httpx.AsyncClient) -> None:
    """Two replicas, twenty attempts: one is carried out."""
    async with a_shop(world) as other, other.client(world.tokens[world.here.workspace]) as beside:
        attempts = [
            one.post("/things", headers=NAME, content=b"a")
            for _ in range(10)
            for one in (client, beside)
        ]
        answers = await asyncio.gather(*attempts)
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert shop.told + other.told == 1


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_failed_may_be_tried_anew(
    shop: Shop, client: httpx.AsyncClient, status: int
) -> None:
    shop.answers = [status, 201]
    assert (await client.post("/things", headers=NAME)).status_code == status
    assert (await client.post("/things", headers=NAME)).status_code == 201
    assert (await client.post("/things", headers=NAME)).text == "number 2"


async def test_what_was_wrong_stays_wrong(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.answers = [400, 201]
    answers = [await client.post("/things", headers=NAME) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]


async def test_an_attempt_that_died_gives_its_place_up(
    world: World, shop: Shop, client: httpx.AsyncClient
) -> None:
    shop.go.clear()
    dying = asyncio.create_task(client.post("/things", headers=NAME, content=b"a"))
    await shop.begun.wait()
    await world.admin.execute(
        "UPDATE app.idempotency_key SET claimed_until = now() - interval '1 s' WHERE status IS NULL"
    )
    shop.go.set()
    anew = await client.post("/things", headers=NAME, content=b"a")
    assert anew.status_code == 201
    await dying
    kept = (await client.post("/things", headers=NAME, content=b"a")).text
    assert (kept, shop.told) == (anew.text, 2)


async def test_names_expire_and_are_removed(world: World, client: httpx.AsyncClient) -> None:
    await client.post("/things", headers={"Idempotency-Key": "old"})
    old = "UPDATE app.idempotency_key SET expires_at = now() - interval '1 s' WHERE name = 'old'"
    await world.admin.execute(old)
    await client.post("/things", headers={"Idempotency-Key": "new"})
    names = await world.admin.fetch(
        "SELECT name FROM app.idempotency_key WHERE workspace_id = $1", world.here.workspace_id
    )
    assert [row["name"] for row in names] == ["new"]


async def test_each_key_has_its_own_names(
    world: World, shop: Shop, client: httpx.AsyncClient
) -> None:
    await client.post("/things", headers=NAME, content=b"a")
    async with shop.client(world.tokens[world.beside.workspace]) as other:
        assert (await other.post("/things", headers=NAME, content=b"b")).text == "number 2"


async def test_what_has_no_name_is_not_kept(shop: Shop, client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await client.post("/things", content=b"a")
        await client.post("/changes-nothing", headers=NAME, content=b"a")
        await client.get("/things", headers=NAME)
    assert shop.told == 6


async def test_a_name_or_a_body_that_cannot_be_is_refused(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    bad = await client.post("/things", headers={"Idempotency-Key": "two words"})
    assert (bad.status_code, body(bad)["errors"][0]["code"]) == (400, "invalid_idempotency_key")
    large = await client.post("/things", headers=NAME, content=b" " * (MAX_BODY + 1))
    assert large.status_code == 413
    assert shop.told == 0


async def test_a_large_answer_is_given_once(shop: Shop, client: httpx.AsyncClient) -> None:
    size = str(MAX_ANSWER + 1).encode()
    first = await client.post("/things", headers=NAME, content=size)
    assert len(first.content) == MAX_ANSWER + 1
    again = await client.post("/things", headers=NAME, content=size)
    assert (again.status_code, body(again)["errors"][0]["code"]) == (409, "answer_not_kept")
    assert shop.told == 1


async def test_who_has_no_key_is_passed_on(world: World, shop: Shop) -> None:
    async with shop.client("kith_nonsense") as nobody:
        answer = await nobody.post("/things", headers=NAME)
    assert "ratelimit" not in answer.headers
    assert not await world.admin.fetchval(
        "SELECT count(*) FROM app.idempotency_key WHERE workspace_id = $1", world.here.workspace_id
    )


async def test_limits_are_told_and_kept(world: World) -> None:
    async with connect(world.settings("kith_cli"), "test") as cli:
        terms = Terms(user="ada", per_minute=3, per_day=100)
        key = await create_key(cli, world.here.workspace, "k", ["contacts:read"], terms=terms)
    async with a_shop(world) as shop, shop.client(key.token) as client:
        answers = [await client.get("/things") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[0].headers["ratelimit-policy"] == (
        '"key";q=3;w=60, "key-day";q=100;w=86400, "workspace";q=30000;w=60, "user";q=12000;w=60'
    )
    assert re.match(r'"key";r=2;t=\d+, "key-day";r=99;t=\d+,', answers[0].headers["ratelimit"])
    assert 1 <= int(answers[3].headers["retry-after"]) <= 120  # in this window or the next
    [error] = body(answers[3])["errors"]
    assert (error["code"], error["meta"]) == ("rate_limited", {"violated-policies": ["key"]})
    assert error["links"]["type"].endswith("#quota-exceeded")
    assert shop.told == 3


async def test_keys_of_a_workspace_and_of_a_user_share_a_limit(world: World) -> None:
    async with connect(world.settings("kith_cli"), "test") as cli:
        tokens = [
            (await create_key(cli, world.here.workspace, "k", ["contacts:read"], terms=terms)).token
            for terms in (Terms(user="ada"), Terms(user="ada"), Terms(user="bob"))
        ]
    statuses = []
    limits = LimitSettings(user_per_minute=2, workspace_per_minute=3)
    async with a_shop(world, limits) as shop:
        for token in (tokens[0], tokens[1], tokens[1], tokens[2], tokens[2]):
            async with shop.client(token) as client:
                answer = await client.get("/things")
            meta = (
                [] if answer.is_success else body(answer)["errors"][0]["meta"]["violated-policies"]
            )
            statuses.append((answer.status_code, meta))
    assert statuses == [
        (201, []),
        (201, []),
        (429, ["user"]),
        (201, []),
        (429, ["workspace"]),
    ]


async def test_the_api_itself_stands_behind_it(world: World) -> None:
    pool = world.http.state.store._pool
    answers = Answers(pool, IdempotencySettings())
    limits = LimitSettings(key_per_minute=1)
    world.http.state.desk = Desk(world.http.state.keys, Limiter(None), limits, answers)
    async with world.client() as client:
        first, second = [await client.get("/api/v1/contacts") for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 429)
    assert "ratelimit" in first.headers
    assert body(second)["errors"][0]["code"] == "rate_limited"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM app.idempotency_key",
        "INSERT INTO app.idempotency_key (name) VALUES ('x')",
        "UPDATE app.api_key SET per_minute = 1000000",
    ],
)
async def test_what_is_kept_is_nobodys_to_read(world: World, statement: str) -> None:
    for role in ("kith_api", "kith_ingest"):
        connection = await asyncpg.connect(world.dsn_of(role))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        finally:
            await connection.close()
