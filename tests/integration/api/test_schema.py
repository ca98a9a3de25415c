"""The api's statements and schema `app` against the migrated database."""

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from ulid import ULID

from kith.administration import QUERIES as ADMINISTRATION
from services.api.store import QUERIES
from shared.auth import Directory
from shared.errors import PoisonMessageError
from shared.postgres.pool import connect
from shared.postgres.settings import PostgresSettings
from tests.support.api import World
from tests.support.database import Databases


async def test_every_statement_is_valid_for_the_role_that_runs_it(world: World) -> None:
    for role, queries in (("kith_api", QUERIES), ("kith_cli", ADMINISTRATION)):
        connection = await asyncpg.connect(world.dsn_of(role))
        try:
            for name in queries.names:
                await connection.prepare(queries[name])
        finally:
            await connection.close()


def test_every_statement_is_used() -> None:
    code = "".join(
        path.read_text()
        for folder in ("services/api", "kith")
        for path in Path(folder).rglob("*.py")
    )
    for name in QUERIES.names | ADMINISTRATION.names:
        assert f'QUERIES["{name}"]' in code, name


async def test_a_new_install_has_one_place_that_needs_no_name(scratch: Databases) -> None:
    name = await scratch.create()
    admin = await asyncpg.connect(scratch.dsn("postgres", name))
    row = await admin.fetchrow("SELECT id, public_id FROM app.tenant")
    assert row is not None
    for role in ("kith_ingest", "kith_resolver", "kith_projector", "kith_indexer", "kith_enricher"):
        connection = await asyncpg.connect(scratch.dsn(role, name))
        assert await connection.fetchval("SELECT count(*) FROM app.workspace") == 1
        await connection.close()

    await admin.close()
    settings = PostgresSettings(dsn=SecretStr(scratch.dsn("kith_ingest", name)))
    async with connect(settings, "test") as pool:
        directory = Directory(pool)
        place = await directory.resolve(None, None)
        assert (place.tenant_id, place.tenant) == (row["id"], row["public_id"])
        assert await directory.resolve(place.tenant, None) == place
        assert await directory.resolve(None, place.workspace) == place
        assert await directory.resolve(place.tenant, place.workspace) == place


async def test_a_place_that_is_unclear_or_unknown_is_refused(own_world: World) -> None:
    world, now = own_world, 0.0
    here, elsewhere = world.here, world.elsewhere
    async with connect(world.settings("kith_ingest"), "test") as pool:
        directory = Directory(pool, clock=lambda: now)
        assert await directory.resolve(elsewhere.tenant, None) == elsewhere
        for tenant, workspace in (
            (None, None),
            (here.tenant, None),
            (here.tenant, elsewhere.workspace),
            (elsewhere.tenant, here.workspace),
            ("ten_nonsense", None),
        ):
            with pytest.raises(PoisonMessageError) as caught:
                await directory.resolve(tenant, workspace)
            assert caught.value.reason == "unknown_tenant"
        with pytest.raises(PoisonMessageError, match="workspace: is not known here"):
            await directory.resolve(None, "wsp_nonsense")

        added, later = f"wsp_{ULID()}", f"wsp_{ULID()}"
        with pytest.raises(PoisonMessageError):
            await directory.resolve(elsewhere.tenant, later)
        async with connect(world.settings("kith_cli"), "test") as cli:
            for workspace in (added, later):
                await cli.execute(
                    ADMINISTRATION["create_workspace"], workspace, "new", elsewhere.tenant
                )
        # A new one is known from its first signal on, however lately others were looked up.
        assert (await directory.resolve(elsewhere.tenant, added)).workspace == added
        with pytest.raises(PoisonMessageError):
            await directory.resolve(elsewhere.tenant, later)  # asked less than a second ago
        now += 1.0
        assert (await directory.resolve(elsewhere.tenant, later)).workspace == later


async def test_public_ids_made_by_the_database_are_ulids_of_now(world: World) -> None:
    made = [await world.admin.fetchval("SELECT app.new_public_id('ten_')") for _ in range(200)]
    assert len({one[14:] for one in made}) == 200
    times = [one[4:14] for one in made]
    assert times == sorted(times)
