"""No one sees past their tenant and workspace: not over HTTP, not by SQL as the api's role."""

import asyncpg
import pytest

from shared.auth import Place
from shared.events.contact import ContactCreated
from tests.support.api import World, body
from tests.support.contacts import a_contact, a_note, identified

SECRET = "walled-in@acme.test"

PATHS = (
    "/api/v1/contacts?sort=id",
    "/api/v1/contacts?filter[email]=walled-in@acme.test",
    "/api/v1/contacts?status=active,incomplete,archived,merged&include=identifiers",
    "/api/v1/contacts?q=walled",
    "/api/v1/contacts/search?q=walled",
    "/api/v1/contacts/search?q=walled-in@acme.test&include=identifiers",
    "/api/v1/contacts/{id}",
    "/api/v1/contacts/{id}?include=identifiers",
    "/api/v1/contacts/{id}/identifiers",
    "/api/v1/contacts/{id}/history",
    "/api/v1/contacts/{id}/history?at=2030-01-01",
    "/api/v1/contacts/{id}/timeline",
)


@pytest.fixture
async def secret(world: World) -> ContactCreated:
    """Let a contact of the default workspace be, searchable."""
    contact = a_contact(
        world.here,
        fields={"first_name": "Walled", "email_primary": SECRET},
        identifiers=identified("email", SECRET),
    )
    await world.happen(contact, a_note(contact, 2, world.here, SECRET))
    await world.index(contact, "walled in", [SECRET])
    return contact


@pytest.mark.parametrize("path", PATHS)
async def test_no_endpoint_shows_another_workspaces_or_tenants_contact(
    world: World, secret: ContactCreated, path: str
) -> None:
    url = path.format(id=secret.contact_id)
    async with world.client() as ours:
        assert SECRET in (await ours.get(url)).text
    for place in (world.beside, world.elsewhere):
        async with world.client(place) as theirs:
            response = await theirs.get(url)
        document = body(response)
        if "{id}" in path:
            assert response.status_code == 404
            assert document["errors"][0]["code"] == "not_found"
        else:
            assert document["data"] == []
        assert secret.contact_id not in response.text.replace(url, "").replace(
            response.json().get("links", {}).get("self", ""), ""
        )


async def readable(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """List (table, columns) of everything that the role may select from."""
    rows = await connection.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name,"
        " string_agg(quote_ident(a.attname), ', ') AS columns"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE n.nspname IN ('app', 'contact', 'read', 'search', 'enrichment', 'ingest')"
        " AND c.relkind IN ('r', 'p', 'v', 'm') AND has_schema_privilege(n.oid, 'USAGE')"
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT') GROUP BY 1"
    )
    return [(row["name"], row["columns"]) for row in rows]


COMMON = {"contact.data_source", "read.projection_state"}
"""What is the same for all tenants and nobody's secret."""


async def counts(world: World, place: Place | None) -> dict[str, int]:
    """Count what the api's role sees of every table, in a place or in none."""
    connection = await asyncpg.connect(world.dsn_of("kith_api"))
    try:
        async with connection.transaction():
            if place is not None:
                await connection.execute(
                    "SELECT set_config('kith.tenant_id', $1, true),"
                    " set_config('kith.workspace_id', $2, true)",
                    str(place.tenant_id),
                    str(place.workspace_id),
                )
            tables = await readable(connection)
            return {
                name: await connection.fetchval(
                    f"SELECT count(*) FROM (SELECT {columns} FROM {name}) AS t"
                )
                for name, columns in tables
                if name not in COMMON
            }
    finally:
        await connection.close()


async def test_by_sql_the_api_sees_nothing_without_saying_for_whom(
    world: World, secret: ContactCreated
) -> None:
    seen = await counts(world, None)
    assert {"read.contact_view", "contact.contact_event", "app.api_key"} <= seen.keys()
    assert {name: count for name, count in seen.items() if count} == {}


async def test_by_sql_the_api_sees_its_place_only(world: World, secret: ContactCreated) -> None:
    here = await counts(world, world.here)
    assert here["read.contact_view"] == 1
    assert here["read.timeline"] == 2
    assert here["contact.contact_event"] == 2
    assert here["app.workspace"] == 1
    beside = await counts(world, world.beside)
    assert beside["read.contact_view"] == 0
    assert beside["read.timeline"] == 1  # shared facts are the tenant's, notes are not
    assert beside["contact.contact_event"] == 1
    elsewhere = await counts(world, world.elsewhere)
    own = {"app.tenant", "app.workspace", "app.api_key", "app.schema_version"}
    assert {name: n for name, n in elsewhere.items() if n and name not in own} == {}
    crossed = Place(world.elsewhere.tenant_id, world.here.workspace_id, "", "")
    mixed = await counts(world, crossed)
    assert {name: n for name, n in mixed.items() if n and name != "app.tenant"} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO app.tenant (public_id, name) VALUES ('ten_01M80K00DVF53XSW9KSSPZAWAW', 'x')",
        "UPDATE app.api_key SET scopes = '{contacts:write}'",
        "DELETE FROM read.contact_view",
        "UPDATE contact.contact SET status = 'archived'",
        "SELECT hash FROM app.api_key",
        "SELECT raw FROM contact.source_record",
        "SELECT * FROM search.document",
        "SELECT * FROM contact.contact_identifier",
        "SET ROLE kith_migrator",
        "CREATE TABLE read.mine (id int)",
        "CREATE TABLE public.mine (id int)",
    ],
)
async def test_the_api_may_only_read_and_not_everything(world: World, statement: str) -> None:
    connection = await asyncpg.connect(world.dsn_of("kith_api"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
