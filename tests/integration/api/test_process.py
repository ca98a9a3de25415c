"""The api as a process: it starts, answers, keeps quiet about people, and stops when told."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from kith.cli import app
from tests.support.api import World, body
from tests.support.contacts import a_contact

RUNNER = CliRunner()
SECRET = "planted@acme.test"


@dataclass
class Running:
    """A process of the api."""

    process: asyncio.subprocess.Process
    url: str
    log: Path


@asynccontextmanager
async def running(world: World, port: int, log: Path) -> AsyncIterator[Running]:
    """Run `python -m services.api` until the block ends."""
    env = {**os.environ, "POSTGRES_DSN": world.dsn_of("kith_api"), "HTTP_PORT": str(port)}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.api", env=env, stderr=output, stdout=output
        )
        one = Running(process, f"http://127.0.0.1:{port}", log)
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                for _ in range(200):
                    assert process.returncode is None
                    try:
                        if (await client.get(f"{one.url}/readyz")).status_code == 200:
                            break
                    except httpx.TransportError:
                        await asyncio.sleep(0.1)
            yield one
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_it_serves_says_nothing_of_people_and_stops_when_told(
    world: World, unused_tcp_port: int, tmp_path: Path
) -> None:
    contact = a_contact(world.here, fields={"email_primary": SECRET})
    await world.happen(contact)
    token = world.tokens[world.here.workspace]
    async with (
        running(world, unused_tcp_port, tmp_path / "log") as api,
        httpx.AsyncClient(
            base_url=api.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as client,
    ):
        for probe in ("/healthz", "/readyz"):
            assert (await client.get(probe)).status_code == 200
        answer = await client.get("/api/v1/contacts", params={"filter[email]": SECRET})
        assert [one["id"] for one in body(answer)["data"]] == [contact.contact_id]
        await client.get("/api/v1/contacts", params={"filter[nonsense]": SECRET})
        await client.get(f"/api/v1/contacts/{SECRET}")
        await client.get("/api/v1/contacts", headers={"Authorization": f"Bearer {SECRET}"})
        file = tmp_path / "contacts.vcf"
        words = [
            "export",
            "--format",
            "vcard",
            "--out",
            str(file),
            "--key",
            token,
            "--url",
            api.url,
        ]
        exported = await asyncio.to_thread(RUNNER.invoke, app, words)
        assert (exported.exit_code, exported.stderr[:11]) == (0, "1 contacts,")
        assert f"EMAIL;PREF=1:{SECRET}\r\n" in file.read_bytes().decode()
        assert file.stat().st_mode & 0o777 == 0o600
        assert not file.with_name(f"{file.name}.part").exists()
        refused = await asyncio.to_thread(RUNNER.invoke, app, [*words, "--filter", "x=y"])
        assert (refused.exit_code, "no such parameter" in refused.stderr) == (1, True)
        metrics = (await client.get("/metrics")).text
        api.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(api.process.wait(), 15) == 0
    said = api.log.read_text() + metrics
    assert "/api/v1/contacts/{contact_id}" in metrics
    assert SECRET not in said
    assert SECRET.partition("@")[0] not in said
    assert contact.contact_id not in metrics
    assert token not in said


async def test_a_missing_setting_is_named(world: World) -> None:
    env = {name: value for name, value in os.environ.items() if name != "POSTGRES_DSN"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.api", env=env, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert b"POSTGRES_DSN" in said


async def test_it_is_not_ready_with_a_role_that_may_not_read(
    world: World, unused_tcp_port: int
) -> None:
    dsn = world.dsn_of("kith_relay")
    env = {**os.environ, "POSTGRES_DSN": dsn, "HTTP_PORT": str(unused_tcp_port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.api", env=env)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(200):
                try:
                    ready = await client.get(f"http://127.0.0.1:{unused_tcp_port}/readyz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            else:
                pytest.fail("it never listened")
            alive = await client.get(f"http://127.0.0.1:{unused_tcp_port}/healthz")
    finally:
        process.kill()
        await process.wait()
    assert ready.status_code == 503
    assert alive.status_code == 200
