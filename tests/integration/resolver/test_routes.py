"""Orders over HTTP: who may give them, and what comes back."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from kith.administration import Terms, create_key
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


async def key_for(home: Home, scope: str, user: str | None = None) -> str:
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    terms = Terms(user=user)
    try:
        made = await create_key(connection, home.workspace, "test", [scope], None, terms=terms)
        return made.token
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


WHO = """
SELECT 'audit' AS what, changed_by::text AS who FROM contact.contact_field_audit
UNION ALL SELECT 'merged', merged_by::text FROM contact.contact_merge_log
UNION ALL SELECT 'split', split_by::text FROM contact.contact_merge_log
UNION ALL SELECT judgement::text, decided_by::text FROM contact.identity_judgement
UNION ALL SELECT 'withdrawn', withdrawn_by::text FROM contact.identity_judgement
    WHERE withdrawn_at IS NOT NULL
UNION ALL SELECT 'order', ordered_by::text FROM contact.command_log
UNION ALL SELECT event_type, actor_id FROM contact.contact_event
"""


async def test_what_a_user_orders_says_who_it_was(
    home: Home, resolver: Resolver, client: httpx.AsyncClient
) -> None:
    """Ada merges, Bob splits; what signals or a key without user did is nobody's."""
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=1),
        resolver.a_signal("bob", phone="+14155550100", name="Bob Ross"),
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ada, bob = (row[0] for row in rows)
    for user, name, order in (
        ("ada", "merge_contacts", {"contact_id": ada, "absorbed_id": bob}),
        ("bob", "split_contact", {"contact_id": bob}),
    ):
        key = await key_for(home, "contacts:write", user)
        answer = await client.post(
            f"/v1/commands/{name}", json=order, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200
    users = {
        str(row["id"]): row["name"]
        for row in await home.fetch("SELECT id, name FROM app.user_account")
    }
    found = {(row["what"], users.get(row["who"])) for row in await home.fetch(WHO)}
    assert found == {
        ("ContactCreated", None),
        ("audit", "ada"),
        ("audit", "bob"),
        ("merged", "ada"),
        ("must_link", "ada"),
        ("order", "ada"),
        ("ContactsMerged", "ada"),
        ("withdrawn", "bob"),
        ("split", "bob"),
        ("cannot_link", "bob"),
        ("order", "bob"),
        ("ContactsSplit", "bob"),
    }
    # Nothing of it stays with the connection, which others use after.
    await resolver.resolve(resolver.a_signal("eve", email="eve@acme.io", name="Eve Moss"))
    await client.post("/v1/commands/merge_contacts", json={"contact_id": ada, "absorbed_id": bob})
    newest = await home.fetch(
        "SELECT ordered_by FROM contact.command_log ORDER BY applied_at DESC LIMIT 1"
    )
    assert [row["ordered_by"] for row in newest] == [None]
    assert await home.value(
        "SELECT bool_and(actor_id IS NULL) FROM contact.contact_event"
        " WHERE event_type = 'ContactCreated'"
    )


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
