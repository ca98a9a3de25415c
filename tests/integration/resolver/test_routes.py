"""Orders over HTTP: who may give them, and what comes back."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from kith.administration import create_key
from services.resolver.routes import create_http
from shared.auth import KeyRing
from tests.integration.resolver.conftest import Home, Resolver


@pytest.fixture
async def client(home: Home, resolver: Resolver) -> AsyncIterator[httpx.AsyncClient]:
    http = create_http()
    http.state.store = resolver.store
    http.state.keys = KeyRing(resolver.store._pool)
    transport = httpx.ASGITransport(app=http)
    async with httpx.AsyncClient(transport=transport, base_url="http://resolver") as client:
        client.headers["Authorization"] = f"Bearer {await key_for(home, 'contacts:write')}"
        yield client


async def key_for(home: Home, scope: str) -> str:
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        return (await create_key(connection, home.workspace, "test", [scope], None)).token
    finally:
        await connection.close()


async def test_a_person_merges_and_splits_and_waits(
    home: Home, resolver: Resolver, client: httpx.AsyncClient
) -> None:
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=1),
        resolver.a_signal("bob", phone="+14155550100", name="Bob Ross"),
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ada, bob = (row[0] for row in rows)
    order = {"contact_id": ada, "absorbed_id": bob, "command_id": "cmd_" + "1" * 26}
    merged = await client.post("/v1/commands/merge_contacts", json=order)
    assert merged.status_code == 200
    assert merged.json()["outcome"] == "done"
    assert merged.json()["positions"] == {ada: 2, bob: 2}
    audited = await home.fetch(
        "SELECT field_name, old_value, new_value, source_id, cause FROM contact.contact_field_audit"
    )
    phone = ("primary_phone", None, "+14155550100", None, order["command_id"])
    assert [tuple(row) for row in audited] == [phone]
    again = await client.post("/v1/commands/merge_contacts", json=order)
    assert (again.status_code, again.json()["positions"]) == (200, {ada: 2})
    late = await client.post(
        "/v1/commands/split_contact", json={"contact_id": bob, "expected": {ada: 1}}
    )
    assert (late.status_code, late.json()["outcome"]) == (409, "conflict")
    split = await client.post("/v1/commands/split_contact", json={"contact_id": bob})
    assert (split.status_code, split.json()["merge_id"]) == (200, merged.json()["merge_id"])
    nothing = await client.post("/v1/commands/split_contact", json={"contact_id": bob})
    assert (nothing.status_code, nothing.json()["outcome"]) == (422, "unknown_merge")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("merge_contacts", b'{"contact_id": "con_X"}', 422),
        ("merge_contacts", b"[]", 400),
        ("merge_contacts", b"{" + b" " * 300_000, 413),
        ("delete_everything", b"{}", 404),
        (
            "reject_merge",
            b'{"contact_id": "con_%b", "other_id": "con_%b"}' % (b"1" * 26, b"2" * 26),
            404,
        ),
    ],
)
async def test_what_cannot_be_done_says_why(
    client: httpx.AsyncClient, path: str, body: bytes, status: int
) -> None:
    answer = await client.post(f"/v1/commands/{path}", content=body)
    assert answer.status_code == status
    assert answer.json().get("detail") or answer.json()["outcome"] == "unknown_contact"


async def test_a_key_that_may_only_read_orders_nothing(
    home: Home, client: httpx.AsyncClient
) -> None:
    client.headers["Authorization"] = f"Bearer {await key_for(home, 'contacts:read')}"
    assert (await client.post("/v1/commands/reject_merge", json={})).status_code == 403
    client.headers["Authorization"] = "Bearer kith_nobody"
    refused = await client.post("/v1/commands/reject_merge", json={})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="kith"'
