"""Merges, splits and rejections on real PostgreSQL."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from ulid import ULID

from services.resolver.domain.judgements import Answer
from services.resolver.handlers.commands import handle_commands
from services.resolver.store.clusters import MERGES
from services.resolver.store.judging import Finding
from shared.auth import Place
from shared.errors import TransientError
from shared.events import topics
from shared.events.codec import encode
from shared.events.command import (
    ApproveMerge,
    ArchiveContact,
    Judgement,
    MergeContacts,
    RejectMerge,
    SplitContact,
)
from shared.events.envelope import Envelope, to_headers
from shared.kafka.batch import Batch, next_offsets
from tests.integration.resolver.conftest import Home, Resolver, record_of
from tests.support.invariants import check_database


async def check(home: Home) -> None:
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        assert await check_database(connection) == []
    finally:
        await connection.close()


async def place_of(home: Home) -> Place:
    (row,) = await home.fetch(
        "SELECT t.id AS tenant_id, t.public_id AS tenant, w.id AS workspace_id,"
        " w.public_id AS workspace FROM app.tenant t JOIN app.workspace w ON w.tenant_id = t.id"
        " ORDER BY w.id LIMIT 1"
    )
    return Place(**dict(row))


def said(resolver: Resolver, **more: Any) -> dict[str, Any]:
    return {
        "command_id": f"cmd_{ULID()}",
        "tenant": resolver.tenant,
        "workspace": resolver.workspace,
        "issued_at": datetime.now(UTC),
        **more,
    }


async def judge(home: Home, resolver: Resolver, command: Judgement) -> Answer:
    return await resolver.store.judge(command, await place_of(home))


async def names(home: Home) -> list[str]:
    return [row[0] for row in await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")]


async def two(resolver: Resolver) -> None:
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", company="Acme", title="CTO", notes="hers"),
        resolver.a_signal("bob", phone="+14155550100", name="Bob Ross", labels=("vip",)),
    )


async def test_merge_and_undo(home: Home, resolver: Resolver) -> None:
    await two(resolver)
    ada, bob = await names(home)
    merge = MergeContacts.model_validate(said(resolver, contact_id=ada, absorbed_id=bob))
    merged = await judge(home, resolver, merge)
    assert merged.outcome == "done"
    assert set(merged.positions) == {ada, bob}
    await check(home)
    assert (
        await home.value(
            "SELECT count(*) FROM contact.contact_identifier i JOIN contact.contact c"
            " ON c.id = i.contact_id WHERE c.public_id = $1",
            ada,
        )
        == 2
    )
    assert (await judge(home, resolver, merge)).outcome == "done"
    assert await home.value("SELECT count(*) FROM contact.contact_merge_log") == 1
    await resolver.resolve(
        resolver.a_signal("bob2", phone="+14155550100", name="Bob Ross", title="Painter")
    )
    await check(home)
    split = SplitContact.model_validate(said(resolver, contact_id=bob))
    assert (await judge(home, resolver, split)).outcome == "done"
    await check(home)
    rows = await home.fetch(
        "SELECT c.public_id, c.status::text, b.title, b.notes, b.labels"
        " FROM contact.contact c JOIN contact.workspace_contact_binding b ON b.contact_id = c.id"
        " WHERE b.deleted_at IS NULL ORDER BY c.id"
    )
    assert [tuple(row) for row in rows] == [
        (ada, "active", "CTO", "hers", []),
        (bob, "active", "Painter", None, ["vip"]),
    ]


async def test_a_decision_on_what_has_changed_is_a_conflict(home: Home, resolver: Resolver) -> None:
    await two(resolver)
    ada, bob = await names(home)
    for expected, outcome in (({ada: 1}, "conflict"), ({ada: 2, bob: 2}, "done")):
        merge = said(resolver, contact_id=ada, absorbed_id=bob, expected=expected)
        answer = await judge(home, resolver, MergeContacts.model_validate(merge))
        assert answer.outcome == outcome
    nobody = said(resolver, contact_id=ada, absorbed_id="con_" + "Z" * 26)
    answer = await judge(home, resolver, MergeContacts.model_validate(nobody))
    assert answer.outcome == "unknown_contact"


async def test_what_a_person_separated_the_machine_leaves(home: Home, resolver: Resolver) -> None:
    """A rejected pair, and one that was merged and split: neither is joined by the machine."""
    await two(resolver)
    await resolver.resolve(resolver.a_signal("both", email="ada@acme.io", phone="+14155550100"))
    ada, bob = await names(home)
    reject = RejectMerge.model_validate(said(resolver, contact_id=ada, other_id=bob))
    assert (await judge(home, resolver, reject)).outcome == "done"
    await check(home)
    assert await machine(home, resolver) == "kept_apart"
    approve = ApproveMerge.model_validate(said(resolver, contact_id=bob, other_id=ada))
    assert (await judge(home, resolver, approve)).outcome == "done"
    await check(home)
    split = SplitContact.model_validate(said(resolver, contact_id=bob))
    assert (await judge(home, resolver, split)).outcome == "done"
    await check(home)
    assert await machine(home, resolver) == "kept_apart"
    judgements = await home.fetch(
        "SELECT judgement::text, withdrawn_at IS NULL AS holds FROM contact.identity_judgement"
        " ORDER BY id"
    )
    assert [tuple(row) for row in judgements] == [
        ("cannot_link", False),
        ("must_link", False),
        ("cannot_link", True),
    ]
    sides = await home.fetch(
        "SELECT side, count(*) FROM contact.identity_judgement_record r"
        " JOIN contact.identity_judgement j ON j.id = r.judgement_id"
        " WHERE j.withdrawn_at IS NULL GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in sides] == [("a", 2), ("b", 1)]


async def test_whom_a_person_separated_nobody_is_asked_about(
    home: Home, resolver: Resolver
) -> None:
    """Nor about whoever absorbed one of them; the pair itself was never put up for review."""
    await two(resolver)
    ada, bob = await names(home)
    merge = MergeContacts.model_validate(said(resolver, contact_id=ada, absorbed_id=bob))
    assert (await judge(home, resolver, merge)).outcome == "done"
    undo = SplitContact.model_validate(said(resolver, contact_id=ada))
    assert (await judge(home, resolver, undo)).outcome == "done"
    await resolver.resolve(resolver.a_signal("both", email="ada@acme.io", phone="+14155550100"))
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 0
    await resolver.resolve(resolver.a_signal("cyd", email="cyd@acme.io", name="Cyd Charisse"))
    cyd = (await names(home))[-1]
    absorb = MergeContacts.model_validate(said(resolver, contact_id=cyd, absorbed_id=bob))
    assert (await judge(home, resolver, absorb)).outcome == "done"
    await resolver.resolve(resolver.a_signal("again", email="ada@acme.io", phone="+14155550100"))
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 0
    await check(home)


async def machine(home: Home, resolver: Resolver) -> str:
    one, other = await home.fetch("SELECT id FROM contact.contact ORDER BY id LIMIT 2")
    place = await place_of(home)
    finding = Finding(
        place.tenant_id,
        place.tenant,
        (one["id"], other["id"]),
        "test#1",
        datetime.now(UTC),
        "alike",
        1,
        97,
    )
    async with resolver.store.transaction() as tx:
        answer = await tx.merge_found(finding)
    return answer.outcome


async def test_the_machine_merges_with_its_decision(home: Home, resolver: Resolver) -> None:
    await two(resolver)
    assert await machine(home, resolver) == "done"
    await check(home)
    (row,) = await home.fetch(
        "SELECT by_person, decision_id, similarity_score, merge_reason FROM"
        " contact.contact_merge_log"
    )
    assert tuple(row) == (False, 1, 97, "alike")


async def test_chosen_records_become_a_new_contact(home: Home, resolver: Resolver) -> None:
    await two(resolver)
    eve = resolver.a_signal("eve", email="ada@acme.io", phone="+14155550101", name="A. Lovelace")
    await resolver.resolve(eve)
    ada, _ = await names(home)
    split = said(resolver, contact_id=ada, records=[eve.record_key], reason="another person")
    answer = await judge(home, resolver, SplitContact.model_validate(split))
    assert answer.outcome == "done"
    await check(home)
    (new,) = set(await names(home)) & answer.positions.keys() - {ada}
    (row,) = await home.fetch(
        "SELECT b.full_name, array_agg(i.normalized_value) AS held FROM contact.contact c"
        " JOIN contact.workspace_contact_binding b ON b.contact_id = c.id"
        " JOIN contact.contact_identifier i ON i.contact_id = c.id"
        " WHERE c.public_id = $1 GROUP BY 1",
        new,
    )
    assert tuple(row) == ("A. Lovelace", ["+14155550101"])
    await resolver.resolve(resolver.a_signal("eve", email="ada@acme.io", name="Ada", minutes=1))
    await check(home)
    assert (
        await home.value(
            "SELECT c.public_id FROM contact.source_record r JOIN contact.contact c"
            " ON c.id = r.contact_id WHERE r.record_key = $1 AND r.superseded_at IS NULL",
            bytes.fromhex(eve.record_key),
        )
        == new
    )


async def test_signals_race_with_merges_and_splits(home: Home) -> None:
    """Nothing is written to a contact that was absorbed while its batch was on its way."""
    async with home.resolver() as resolver, home.resolver() as other:
        await two(resolver)
        ada, bob = await names(home)

        async def feed() -> None:
            for number in range(60):
                await other.resolve(
                    other.a_signal(
                        f"a{number}", email="ada@acme.io", phone=f"+1415555{number:04d}"
                    ),
                    other.a_signal(f"b{number}", phone="+14155550100", name="Bob Ross"),
                )

        async def stir() -> None:
            for _ in range(15):
                merge = said(resolver, contact_id=ada, absorbed_id=bob)
                await tried(home, resolver, MergeContacts.model_validate(merge))
                split = said(resolver, contact_id=ada)
                await tried(home, resolver, SplitContact.model_validate(split))

        await asyncio.gather(feed(), stir())
        await check(home)
        records = await home.fetch(
            "SELECT c.public_id, count(*) FROM contact.source_record r JOIN contact.contact c"
            " ON c.id = r.contact_id WHERE r.superseded_at IS NULL GROUP BY 1"
        )
    assert {row[0]: row[1] for row in records} == {ada: 61, bob: 61}


async def tried(home: Home, resolver: Resolver, command: Judgement) -> None:
    while True:
        try:
            answer = await judge(home, resolver, command)
        except TransientError:
            continue
        assert answer.outcome == "done"
        return


async def test_orders_arrive_by_the_topic_too(home: Home, resolver: Resolver) -> None:
    await two(resolver)
    ada, bob = await names(home)
    merge = MergeContacts.model_validate(said(resolver, contact_id=ada, absorbed_id=bob))
    archive = ArchiveContact.model_validate(said(resolver, contact_id=ada))
    split = SplitContact.model_validate(said(resolver, contact_id=ada))
    records = [
        record_of(
            encode(command),
            offset,
            topics.COMMANDS.name,
            to_headers(
                Envelope(command.command_id, "/test", topics.TYPE_BY_MODEL[type(command)], b"")
            ),
        )
        for offset, command in enumerate((merge, archive, split, merge))
    ]
    batch = Batch(records, "resolver", next_offsets(records))
    assert await handle_commands(batch, resolver.store) == []
    await check(home)
    rows = await home.fetch("SELECT status::text FROM contact.contact ORDER BY id")
    assert [row[0] for row in rows] == ["archived", "active"]


@pytest.mark.parametrize("name", sorted(MERGES.names))
async def test_every_statement_can_be_prepared(resolver: Resolver, name: str) -> None:
    async with resolver.store._pool.acquire() as connection:
        await connection.prepare(MERGES[name])
