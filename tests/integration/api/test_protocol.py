"""JSON:API's rules, keys and errors, as a client meets them."""

from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import jsonschema
import pytest

from kith.administration import AdministrationError, create_key, revoke_key, rotate_key
from shared.auth import KEY_CACHE_SECONDS, KeyRing, new_key
from shared.postgres.pool import connect
from tests.integration.api.test_fields import DEFINED
from tests.integration.api.test_marks import MARKED
from tests.integration.api.test_review import DESCRIBED
from tests.support.api import World, body
from tests.support.companies import a_company, an_update
from tests.support.contacts import a_contact, identified


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v1/contacts?nonsense=1", "nonsense"),
        ("/api/v1/contacts?tag=", "tag"),
        ("/api/v1/contacts?filter[nonsense]=1", "filter[nonsense]"),
        ("/api/v1/contacts?sort=nonsense", "sort"),
        ("/api/v1/contacts?include=nonsense", "include"),
        ("/api/v1/contacts?fields[contacts]=nonsense", "fields[contacts]"),
        ("/api/v1/contacts?fields[nonsense]=name", "fields[nonsense]"),
        ("/api/v1/contacts?page[size]=101", "page[size]"),
        ("/api/v1/contacts?page[size]=0", "page[size]"),
        ("/api/v1/contacts?page[size]=ten", "page[size]"),
        ("/api/v1/contacts?page[size]=1&page[size]=2", "page[size]"),
        ("/api/v1/contacts?page[after]=nonsense", "page[after]"),
        ("/api/v1/contacts?page[cursor]=bm9uc2Vuc2U", "page[cursor]"),
        ("/api/v1/contacts?page[number]=2", "page[number]"),
        ("/api/v1/contacts?status=nonsense", "status"),
        ("/api/v1/contacts?created_after=yesterday", "created_after"),
        ("/api/v1/contacts?waitFor=nonsense", "waitFor"),
        ("/api/v1/contacts?q=a%00b", "q"),
        ("/api/v1/contacts/search", "q"),
        ("/api/v1/contacts/search?q=", "q"),
    ],
)
async def test_a_wrong_parameter_is_named(world: World, path: str, parameter: str) -> None:
    async with world.client() as client:
        response = await client.get(path)
    [error] = body(response)["errors"]
    assert response.status_code == 400
    assert error["status"] == "400"
    assert error["source"] == {"parameter": parameter}


async def test_a_forged_cursor_is_refused_and_not_run(world: World) -> None:
    """A cursor is of one sort order; its values are data and never SQL."""
    await world.happen(a_contact(world.here))
    async with world.client() as client:
        page = body(await client.get("/api/v1/contacts?sort=created_at"))
        cursor = page["data"][0]["meta"]["page"]["cursor"]
        other = await client.get("/api/v1/contacts", params={"page[after]": cursor})
        forged = await client.get(
            "/api/v1/contacts",
            params={"sort": "created_at", "page[after]": "WyJjcmVhdGVkX2F0LGlkIiwieCIsIid4Il0"},
        )
    assert other.status_code == 400
    assert forged.status_code == 400
    assert "sql" not in forged.text.lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "application/vnd.api+json"}, 200),
        ({"Accept": 'application/vnd.api+json;profile="https://x.test/p"'}, 200),
        ({"Accept": "text/html, */*;q=0.1"}, 200),
        ({"Accept": "application/json"}, 200),
        ({"Accept": 'application/vnd.api+json;ext="https://x.test/e"'}, 406),
        ({"Accept": "application/vnd.api+json;charset=utf-8"}, 406),
        ({"Accept": "text/html"}, 406),
        ({"Content-Type": "application/vnd.api+json;charset=utf-8"}, 415),
    ],
)
async def test_media_types_are_negotiated(
    world: World, headers: dict[str, str], status: int
) -> None:
    async with world.client() as client:
        response = await client.get("/api/v1/contacts", headers=headers)
    assert response.status_code == status
    assert "Accept" in response.headers["vary"]
    body(response)


async def test_paths_and_methods_that_are_not_there(world: World) -> None:
    async with world.client() as client:
        nowhere = await client.get("/api/v1/nowhere")
        posted = await client.post("/api/v1/contacts")
        nobody = await client.get("/api/v1/contacts/con_1")
        stranger = await client.get("/api/v1/contacts/con_01M80K00DVF53XSW9KSSPZAWAW")
    assert [one.status_code for one in (nowhere, posted, nobody, stranger)] == [404, 405, 404, 404]
    assert posted.headers["allow"] == "GET"
    for response in (nowhere, posted, nobody, stranger):
        assert body(response)["errors"][0]["status"] == str(response.status_code)


async def test_without_a_valid_key_nothing_is_said(world: World) -> None:
    made = new_key().token
    async with world.client() as client:
        for authorization in ("", "Basic eDp5", "Bearer nonsense", f"Bearer {made}"):
            response = await client.get(
                "/api/v1/contacts?nonsense=1", headers={"Authorization": authorization}
            )
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert body(response)["errors"][0]["code"] == "unauthorized"


async def test_a_key_without_the_scope_reads_nothing(world: World) -> None:
    async with connect(world.settings("kith_cli"), "test") as cli:
        made = await create_key(cli, world.here.workspace, "sender", ["signals:write"])
    async with world.client() as client:
        headers = {"Authorization": f"Bearer {made.token}"}
        response = await client.get("/api/v1/contacts", headers=headers)
    assert response.status_code == 403
    assert 'scope="contacts:read"' in response.headers["www-authenticate"]


async def test_a_key_lives_until_it_is_revoked_or_expires(world: World) -> None:
    now = 0.0
    async with (
        connect(world.settings("kith_cli"), "test") as cli,
        connect(world.settings("kith_ingest"), "test") as ingest,
    ):
        keys = KeyRing(ingest, clock=lambda: now)
        place = world.here
        made = await create_key(cli, place.workspace, "t", ["signals:write"])
        past = datetime.now(UTC) - timedelta(seconds=1)
        ended = await create_key(cli, place.workspace, "t", ["signals:write"], past)
        caller = await keys.check(made.token)
        assert caller is not None
        assert caller.place == place
        assert caller.scopes == {"signals:write"}
        assert await keys.check(ended.token) is None
        assert await keys.check(made.token[:-1] + ("0" if made.token[-1] != "0" else "1")) is None

        after = await rotate_key(cli, made.public_id, datetime.now(UTC) + timedelta(hours=1))
        successor = await keys.check(after.token)
        assert successor is not None
        assert successor.scopes == caller.scopes
        await revoke_key(cli, made.public_id)
        assert await keys.check(made.token) is not None  # remembered, for half a minute
        now += KEY_CACHE_SECONDS
        assert await keys.check(made.token) is None
        with pytest.raises(AdministrationError):
            await revoke_key(cli, made.public_id)
        used = await cli.fetchval(
            "SELECT last_used_at FROM app.api_key WHERE public_id = $1", made.public_id
        )
        assert used is not None
        tables = await cli.fetch(
            "SELECT a::text AS row FROM (SELECT public_id, name, scopes FROM app.api_key) AS a"
        )
        assert not any(made.token in row["row"] for row in tables)


async def test_only_the_hash_of_a_key_is_stored(world: World) -> None:
    token = world.tokens[world.here.workspace]
    stored = await world.admin.fetchval("SELECT string_agg(k::text, ' ') FROM app.api_key AS k")
    assert token not in stored
    assert token.rsplit("_", 1)[1] not in stored


async def test_a_bug_answers_with_an_id_and_no_more(world: World) -> None:
    class Broken:
        """A store with a bug that quotes a person."""

        async def find_contacts(self, *_: object) -> None:
            raise ValueError("ada@acme.test")

    world.http.state.store = Broken()
    async with world.client() as client:
        response = await client.get("/api/v1/contacts")
    [error] = body(response)["errors"]
    assert response.status_code == 500
    assert error["id"].startswith("err_")
    assert "acme" not in response.text


async def test_a_database_that_is_away_is_not_a_bug(world: World) -> None:
    async with world.client() as client:
        await client.get("/api/v1/contacts")
        pool = world.http.state.store._pool
        await pool.close()
        response = await client.get("/api/v1/contacts")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert body(response)["errors"][0]["code"] == "unavailable"


async def test_answers_are_what_openapi_says(world: World) -> None:
    contact = a_contact(
        world.here, fields={"first_name": "Ada"}, identifiers=identified("email", "a@acme.test")
    )
    await world.happen(contact)
    async with world.client() as client:
        openapi = (await client.get("/api/v1/openapi.json")).json()
        docs = await client.get("/api/v1/docs")
        answers: dict[str, httpx.Response] = {
            "/api/v1/contacts": await client.get("/api/v1/contacts?include=identifiers"),
            "/api/v1/contacts/search": await client.get("/api/v1/contacts/search?q=ada"),
        }
        for tail in ("", "/identifiers", "/history", "/timeline", "/activities", "/background"):
            path = f"/api/v1/contacts/{{contact_id}}{tail}"
            answers[path] = await client.get(f"/api/v1/contacts/{contact.contact_id}{tail}")
        posts = f"/api/v1/contacts/{contact.contact_id}/social-posts"
        answers["/api/v1/contacts/{contact_id}/social-posts"] = await client.get(posts)
        company = a_company("acme.test")
        await world.happen_to_companies(company, an_update(company))
        answers["/api/v1/companies"] = await client.get("/api/v1/companies")
        for tail in ("", "/contacts", "/history", "/binding"):
            path = f"/api/v1/companies/{{company_id}}{tail}"
            answers[path] = await client.get(f"/api/v1/companies/{company.company_id}{tail}")
        refused = await client.get("/api/v1/contacts?page[size]=1000")
    files = {"/api/v1/contacts/export"}  # no documents; held by test_export.py
    asked_of_the_resolver = {path for path in openapi["paths"] if path not in {*answers, *files}}
    # Held to their descriptions in test_review.py, test_marks.py and test_fields.py.
    assert asked_of_the_resolver == DESCRIBED | MARKED | DEFINED
    for path, response in answers.items():
        described = openapi["paths"][path]["get"]["responses"]["200"]["content"]
        schema = described["application/vnd.api+json"]["schema"]
        assert response.status_code == 200, response.text
        jsonschema.validate(response.json(), {**schema, "components": openapi["components"]})
    errors = openapi["paths"]["/api/v1/contacts"]["get"]["responses"]["400"]["content"]
    schema = errors["application/vnd.api+json"]["schema"]
    jsonschema.validate(refused.json(), {**schema, "components": openapi["components"]})
    assert "HTTPValidationError" not in str(openapi["paths"])
    assert "filter[company]" in docs.text
    assert "<script" not in docs.text


async def test_the_keys_check_costs_one_query_while_it_is_remembered(world: World) -> None:
    async with connect(world.settings("kith_api"), "test") as pool:
        keys = KeyRing(pool)
        token = world.tokens[world.here.workspace]
        assert await keys.check(token) is not None
        await pool.close()
        assert await keys.check(token) is not None
        with pytest.raises(Exception) as caught:
            await keys.check(new_key().token)
    assert not isinstance(caught.value, asyncpg.InterfaceError)
