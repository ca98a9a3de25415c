"""`kith keys` and `kith tenants` on a real database."""

import asyncio
import re

from typer import Typer
from typer.testing import CliRunner

from kith.keys import keys, tenants
from shared.auth import KeyRing, Scope
from shared.postgres.pool import connect
from tests.support.api import World

RUNNER = CliRunner()
SENDING: Scope = "signals:write"


async def run(app: Typer, world: World, *words: str) -> tuple[int, str, str]:
    """Run a command in a thread of its own, as it starts an event loop."""
    dsn = world.dsn_of("kith_cli")
    result = await asyncio.to_thread(RUNNER.invoke, app, [*words, "--dsn", dsn])
    return result.exit_code, result.stdout.strip(), result.stderr


async def test_a_key_is_made_used_rotated_and_revoked(world: World) -> None:
    place = world.here
    code, token, said = await run(
        keys, world, "create", "--name", "crm", "--workspace", place.workspace, "--scope", SENDING
    )
    assert code == 0
    assert token not in said
    async with connect(world.settings("kith_ingest"), "test") as pool:
        caller = await KeyRing(pool).check(token)
        assert caller is not None
        assert (caller.place, caller.scopes) == (place, frozenset({SENDING}))

        code, successor, _ = await run(keys, world, "rotate", caller.key_id, "--hours", "0")
        assert code == 0
        assert await KeyRing(pool).check(token) is None
        follower = await KeyRing(pool).check(successor)
        assert follower is not None
        assert follower.scopes == {SENDING}

        code, listed, _ = await run(keys, world, "list")
        assert token.rsplit("_", 1)[1] not in listed
        assert re.search(rf"{caller.key_id}  expired", listed)
        assert re.search(rf"{follower.key_id}  valid", listed)

        assert (await run(keys, world, "revoke", follower.key_id))[0] == 0
        assert await KeyRing(pool).check(successor) is None


async def test_what_cannot_be_done_is_said(world: World) -> None:
    code, _, said = await run(keys, world, "revoke", "key_nonsense")
    assert code == 1
    assert "kith keys list" in said
    code, _, said = await run(keys, world, "create", "--name", "x")
    assert code == 1  # the test database has several workspaces
    assert "kith tenants list" in said
    code, _, said = await run(
        keys, world, "create", "--name", "x", "--workspace", world.here.workspace, "--scope", "all"
    )
    assert code == 1
    assert "contacts:read" in said


async def test_tenants_and_workspaces_are_made_and_listed(world: World) -> None:
    code, made, _ = await run(tenants, world, "create", "Acme")
    assert code == 0
    tenant, workspace = made.split()
    code, second, _ = await run(tenants, world, "create", "Sales", "--workspace-of", tenant)
    assert code == 0
    _, listed, _ = await run(tenants, world, "list")
    assert f"{tenant}  Acme  {workspace}  default" in listed
    assert f"{tenant}  Acme  {second}  Sales" in listed
    assert (await run(tenants, world, "create", "x", "--workspace-of", "ten_x"))[0] == 1
