"""Whoever is erased is nowhere any more, in no table and in nobody else's history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
from ulid import ULID

from kith.administration import create_key
from services.resolver.handlers.commands import handle_commands
from services.resolver.routes import create_http
from services.resolver.store.erasing import ErasureAnswer
from services.resolver.store.matching import LOCKS
from shared.auth import KeyRing, Scope
from shared.events import topics
from shared.events.codec import encode, parse_event
from shared.events.command import (
    EraseContact,
    MergeContacts,
    RejectMerge,
    RetractImport,
    SplitContact,
)
from shared.events.envelope import Envelope, to_headers
from shared.events.signal import Address, Identifier
from shared.kafka.batch import Batch, next_offsets
from tests.integration.resolver.conftest import Home, Resolver, Terminal, record_of
from tests.integration.resolver.test_merging import check, judge, place_of, said
from tests.support.activities import somebody

PLANTED = ("zeldaquist", "quistmail", "4155550199", "zquist", "Quistville", "1977-07-07", "zq-9")
"""Words that stand in every value that the person's records bring, and nowhere else."""

ZELDA: dict[str, Any] = {
    "name": "Wilma Zeldaquist",
    "email": "wilma.quistmail@gmail.com",
    "phone": "+14155550199",
    "notes": "zeldaquist likes tea",
    "labels": ("zeldaquist-vip",),
    "custom_fields": {"badge": "zq-9"},
    "birthday": "1977-07-07",
    "title": "Keeper of zeldaquist",
    "company": "Acme",
    "websites": ("https://zquist.example/",),
    "addresses": (Address(city="Quistville", country="US"),),
}

MAIL = (Identifier(type="email", value="wilma.quistmail@gmail.com"),)


TURN = (
    "SELECT pg_advisory_xact_lock($1::int, tenant_id::int) FROM contact.contact"
    " WHERE public_id = $2"
)
"""Takes the turn of matching in a contact's tenant."""


async def everywhere(home: Home) -> dict[str, int]:
    """Return the tables in which a planted word stands, as the owner of all sees them."""
    found = {}
    connection = await asyncpg.connect(home.dsn("kith_migrator"))
    try:
        tables = await connection.fetch(
            "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND n.nspname IN"
            " ('contact', 'ingest', 'enrichment', 'app', 'read', 'search')"
        )
        for (name,) in tables:
            count = await connection.fetchval(
                f"SELECT count(*) FROM {name} t WHERE t::text ~* $1 OR t::text ~ $2",
                "|".join(PLANTED),
                "|".join(word.encode().hex() for word in PLANTED),  # as bytea shows them
            )
            if count:
                found[name] = count
    finally:
        await connection.close()
    return found


async def erase(home: Home, resolver: Resolver, contact: str, **more: Any) -> ErasureAnswer:
    command = EraseContact.model_validate(
        said(resolver, contact_id=contact, ground="data_subject", **more)
    )
    return await resolver.store.erase(command, await place_of(home))


@asynccontextmanager
async def client(
    resolver: Resolver, home: Home, *scopes: Scope
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client with a key of these scopes."""
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        key = await create_key(connection, home.workspace, "test", list(scopes), None)
    finally:
        await connection.close()
    http = create_http()
    http.state.store = resolver.store
    http.state.keys = KeyRing(resolver.store._pool)
    transport = httpx.ASGITransport(app=http)
    async with httpx.AsyncClient(transport=transport, base_url="http://resolver") as client:
        client.headers["Authorization"] = f"Bearer {key.token}"
        yield client


async def called(home: Home, record: str) -> str:
    name: str = await home.value(
        "SELECT c.public_id FROM contact.source_record r JOIN contact.contact c"
        " ON c.id = r.contact_id WHERE r.source_record_id = $1 AND r.superseded_at IS NULL",
        record,
    )
    return name


async def events_of(home: Home, contact: str) -> list[tuple[str, str]]:
    rows = await home.fetch(
        "SELECT event_type, payload::text FROM contact.contact_event"
        " WHERE entity_public_id = $1 ORDER BY sequence_number",
        contact,
    )
    return [(row[0], row[1]) for row in rows]


async def test_every_table_forgets_whom_an_order_erases(home: Home, resolver: Resolver) -> None:
    """Merged, split, proposed, asked of vendors, imported and told of activities: all of it."""
    await resolver.resolve(
        resolver.a_signal("z1", **ZELDA),
        resolver.a_signal("ada", email="ada@acme.io", name="Ada Lovelace", notes="hers"),
        resolver.a_signal("bob", email="bob@acme.io", name="Bob Ross"),
    )
    await resolver.resolve(
        resolver.a_signal("z1", **{**ZELDA, "title": "Zeldaquist emerita"}, version=2),
        resolver.a_signal("z2", name="Wilma Zeldaquist", phone="+14155550199"),
        resolver.a_signal("both", name=None, email="ada@acme.io", more_identifiers=MAIL),
    )
    zelda, ada, bob = [await called(home, one) for one in ("z1", "ada", "bob")]
    for absorbed in (ada, bob):
        merge = MergeContacts.model_validate(
            said(resolver, contact_id=zelda, absorbed_id=absorbed, reason="zeldaquist said so")
        )
        assert (await judge(home, resolver, merge)).outcome == "done"
    await resolver.happen(
        resolver.an_activity(
            "a1", somebody("from", email="wilma.quistmail@gmail.com"), title="Tea with zeldaquist"
        )
    )
    split = SplitContact.model_validate(said(resolver, contact_id=bob))
    assert (await judge(home, resolver, split)).outcome == "done"
    await home.execute(
        "INSERT INTO enrichment.enrichment_requests (public_id, tenant_id, workspace_id,"
        " entity_type, entity_public_id, source, status, idempotency_key, question)"
        " SELECT 'req_' || repeat('0', 26), t.id, w.id, 'contact', $1, 'apollo', 'pending', 'k',"
        """ '{"email": "wilma.quistmail@gmail.com"}' FROM app.tenant t, app.workspace w LIMIT 1""",
        zelda,
    )
    before = await everywhere(home)
    assert {"contact.source_record", "contact.contact_event", "contact.outbox"} <= before.keys()

    left = await home.fetch(
        "SELECT b.full_name, b.notes FROM contact.workspace_contact_binding b"
        " JOIN contact.contact c ON c.id = b.contact_id"
        " WHERE c.public_id = $1 AND b.deleted_at IS NULL",
        bob,
    )
    answer = await erase(home, resolver, zelda)
    assert answer.outcome == "done"
    assert answer.positions.keys() == {zelda, bob, ada}
    # Who had not been published yet is another matter: the queue is Bob's and the companies' too.
    await home.execute("DELETE FROM contact.outbox WHERE key <> $1", zelda)
    assert await everywhere(home) == {}
    await check(home)
    assert left == await home.fetch(
        "SELECT b.full_name, b.notes FROM contact.workspace_contact_binding b"
        " JOIN contact.contact c ON c.id = b.contact_id"
        " WHERE c.public_id = $1 AND b.deleted_at IS NULL",
        bob,
    )
    types = {model.__name__: name for name, model in topics.EVENTS.messages.items()}
    for contact in (zelda, bob, ada):
        told = await events_of(home, contact)
        assert told[-1][0] == ("HistoryErased" if contact == bob else "ContactDeleted")
        for kind, body in told:
            parse_event(types[kind], body)
    rows = await home.fetch("SELECT * FROM contact.contact_erasure ORDER BY contact_public_id")
    assert {row["contact_public_id"] for row in rows} == {zelda, ada}
    assert all(row["erased_at"] and row["ground"] == "data_subject" for row in rows)
    assert orjson.loads(rows[0]["erased_rows"])["source_record"] >= 3
    assert (await erase(home, resolver, ada)).outcome == "unchanged"


async def test_what_comes_again_is_a_duplicate_and_what_is_new_is_somebody_new(
    home: Home, resolver: Resolver
) -> None:
    signal = resolver.a_signal("z1", **ZELDA)
    await resolver.resolve(signal)
    zelda = await called(home, "z1")
    assert (await erase(home, resolver, zelda)).outcome == "done"
    await resolver.resolve(signal)
    assert await everywhere(home) == {}
    vendor = resolver.a_signal("v", source="apollo", about=zelda, name="Wilma Zeldaquist")
    await resolver.resolve(vendor)
    assert await everywhere(home) == {}
    await resolver.resolve(resolver.a_signal("z3", name="Wilma Zeldaquist", phone="+14155550199"))
    assert await called(home, "z3") != zelda
    await check(home)


async def test_candidates_are_withdrawn_from_whoever_waited(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(
        resolver.a_signal("z1", **ZELDA),
        resolver.a_signal("ada", email="ada@acme.io", name="Ada Lovelace"),
        resolver.a_signal("bob", email="bob@acme.io", name="Bob Ross"),
    )
    await resolver.resolve(
        resolver.a_signal("x", email="ada@acme.io", more_identifiers=MAIL),
        resolver.a_signal("y", name="Bob Ross", email="bob@acme.io", more_identifiers=MAIL),
    )
    zelda, bob = await called(home, "z1"), await called(home, "bob")
    reject = RejectMerge.model_validate(said(resolver, contact_id=zelda, other_id=bob))
    await judge(home, resolver, reject)
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") >= 1
    await erase(home, resolver, zelda)
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 0
    assert await home.value("SELECT count(*) FROM contact.identity_judgement") == 0
    await check(home)


async def test_what_an_import_had_brought_and_lost_is_erased_too(
    home: Home, resolver: Resolver
) -> None:
    brought = "imp_" + "1" * 26
    await resolver.resolve(resolver.a_signal("z1", **ZELDA, import_id=brought))
    zelda = await called(home, "z1")
    retract = RetractImport.model_validate(said(resolver, import_id=brought))
    await resolver.store.retract(retract, await place_of(home))
    assert "contact.source_record" in await everywhere(home)
    assert (await erase(home, resolver, zelda)).outcome == "done"
    await home.execute("DELETE FROM contact.outbox WHERE key LIKE 'cmp_%'")
    assert await everywhere(home) == {}
    await check(home)


async def test_an_order_over_http_needs_a_scope_of_its_own_and_the_version_that_was_seen(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal("z1", **ZELDA))
    zelda = await called(home, "z1")
    order = {"contact_id": zelda, "ground": "data_subject"}
    async with client(resolver, home, "contacts:write") as writer:
        assert (await writer.post("/v1/commands/erase_contact", json=order)).status_code == 403
    async with client(resolver, home, "contacts:write", "contacts:erase") as eraser:
        wrong = await eraser.post("/v1/commands/erase_contact", json={**order, "ground": "whim"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "ground")
        seen = {**order, "expected": {zelda: 9}}
        assert (await eraser.post("/v1/commands/erase_contact", json=seen)).status_code == 409
        unknown = {**order, "contact_id": "con_" + "0" * 26}
        assert (await eraser.post("/v1/commands/erase_contact", json=unknown)).status_code == 404
        done = await eraser.post("/v1/commands/erase_contact", json=order)
        assert (done.status_code, done.json()["outcome"]) == (200, "done")
        assert done.json()["erased"]["source_record"] == 1
        again = await eraser.post("/v1/commands/erase_contact", json=order)
        assert again.json()["outcome"] == "unchanged"


async def test_an_order_on_the_topic_is_carried_out_once_and_listed(
    home: Home, resolver: Resolver, terminal: Terminal, tmp_path: Path
) -> None:
    await resolver.resolve(resolver.a_signal("z1", **ZELDA))
    zelda = await called(home, "z1")
    looked = await terminal.kith("erase", zelda)
    assert (looked.exit_code, "would be erased" in looked.output) == (0, True)
    refused = await terminal.kith("erase", f"{zelda}@1", "--yes")
    assert (refused.exit_code, "contacts:erase" in refused.output) == (1, True)
    command = EraseContact.model_validate(said(resolver, contact_id=zelda, ground="retention"))
    envelope = Envelope(
        id=f"evt_{ULID()}",
        source="/test",
        type=topics.TYPE_BY_MODEL[EraseContact],
        data=b"",
        time=datetime.now(UTC),
    )
    for offset in range(2):
        records = [record_of(encode(command), offset, topics.COMMANDS.name, to_headers(envelope))]
        batch = Batch(records, "resolver", next_offsets(records))
        assert list(await handle_commands(batch, resolver.store)) == []
    assert await home.value("SELECT count(*) FROM contact.contact_erasure") == 1
    kinds = [kind for kind, _ in await events_of(home, command.contact_id)]
    assert kinds.count("ContactDeleted") == 1
    (listed,) = await terminal.read("erased")
    assert (listed["contact_id"], listed["ground"]) == (zelda, "retention")
    file = tmp_path / "erased.jsonl"
    file.write_bytes(orjson.dumps(listed))
    again = await terminal.kith("erase", "--from", str(file))
    assert f"{zelda}  would be erased for good (retention)" in again.output
    file.write_text("no list")
    assert (await terminal.kith("erase", "--from", str(file))).exit_code == 2
    assert (await terminal.kith("erase", zelda, "--ground", "whim")).exit_code == 2


async def test_a_record_that_was_taken_out_is_not_in_the_others_history(
    home: Home, resolver: Resolver
) -> None:
    """A record of the person that once was another contact's: it goes from there too."""
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", name="Ada Lovelace", notes="hers"),
        resolver.a_signal("wrong", **{**ZELDA, "email": "ada@acme.io", "name": None}),
    )
    ada = await called(home, "ada")
    (key,) = await home.fetch(
        "SELECT encode(record_key, 'hex') AS hex FROM contact.source_record"
        " WHERE source_record_id = 'wrong'"
    )
    split = SplitContact.model_validate(said(resolver, contact_id=ada, records=(key["hex"],)))
    assert (await judge(home, resolver, split)).outcome == "done"
    wrong = await called(home, "wrong")
    assert wrong != ada
    assert (await erase(home, resolver, wrong)).outcome == "done"
    await home.execute("DELETE FROM contact.outbox WHERE key <> $1", wrong)
    assert await everywhere(home) == {}
    await check(home)


async def test_who_has_read_of_the_person_writes_it_down_before_it_is_erased(
    home: Home, resolver: Resolver
) -> None:
    """Snapshots and matching lock no contact while they read: erasing takes its turn with them."""
    busy = await asyncpg.connect(home.dsn("kith_resolver"))
    try:
        snapshots = "SELECT $1::int, $2::text FROM contact.snapshot_cursor FOR UPDATE"
        for number, lock in enumerate((TURN, snapshots)):
            await resolver.resolve(resolver.a_signal(f"z{number}", **ZELDA))
            zelda = await called(home, f"z{number}")
            async with busy.transaction():
                await busy.execute(lock, LOCKS, zelda)
                erasing = asyncio.create_task(erase(home, resolver, zelda))
                await asyncio.sleep(0.2)
                assert not erasing.done()
                await busy.execute(
                    "INSERT INTO contact.contact_event_snapshots (tenant_id, entity_id,"
                    " event_sequence, state, snapshot_at) SELECT tenant_id, id, 1,"
                    """ '{"name": "zeldaquist"}', now() FROM contact.contact"""
                    " WHERE public_id = $1",
                    zelda,
                )
            assert (await erasing).outcome == "done"
            assert await everywhere(home) == {}
    finally:
        await busy.close()
