"""An import that was taken back has never been: in tables, events, read model, search and graph."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from random import Random
from typing import Any

import asyncpg
import pytest
from ulid import ULID

from services.resolver.handlers.commands import handle_commands
from services.resolver.store.retracting import Retraction, Retractor
from shared.auth import Place
from shared.errors import TransientError
from shared.events import topics
from shared.events.codec import encode
from shared.events.command import RetractImport, RetractRecords
from shared.events.envelope import Envelope, to_headers
from shared.kafka.batch import Batch, next_offsets
from tests.integration.resolver.conftest import Home, Resolver, record_of
from tests.integration.resolver.test_merging import check, place_of, said
from tests.integration.resolver.test_routes import client
from tests.support.histories import Said, a_said
from tests.support.invariants import check_database
from tests.support.reliving import BY_AN_ORDER, Life, different, lives
from tests.support.signals import MOMENT

IMPORT, LATER = "imp_" + "1" * 26, "imp_" + "2" * 26
HISTORIES, LENGTH = 60, 12


def histories() -> list[list[tuple[Said, bool]]]:
    """Write signals down, a third of them an import's."""
    written = []
    for seed in range(HISTORIES):
        dice = Random(seed)
        steps = []
        for minutes in range(LENGTH):
            one = a_said(dice, LENGTH)
            imported = minutes < LENGTH - 3 and dice.random() < 0.35
            one.said["minutes"] = minutes
            if one.said["source"] == "apollo":  # a vendor speaks of whom it was asked about
                one.said["source"] = "email_sync"
            if imported:  # what a source repeats is a duplicate, whoever said it first
                one.said["labels"] = ("imported",)
            steps.append((one, imported))
        written.append(steps)
    return written


async def known_companies(life: Life) -> None:
    """Let both tenants know the same companies: one that an import made stays."""
    for number, (company, host) in enumerate((("Acme", "acme.io"), ("Engines", "x.org"))):
        said = Said(f"company{number}", 1, {"email": f"z@{host}", "company": company})
        said.said.update(about=None, phone=None, name="Zoe Zed")
        await life.resolve(life.a_signal(9_000 + number, said))


async def live(life: Life, steps: Any) -> None:
    for step in steps:
        heard = [
            life.a_signal(number, one[0], import_id=IMPORT if one[1] else None)
            for number, one in enumerate(step)
            if one is not None and (life.stirred or not one[1])
        ]
        if heard:
            await life.resolve(*heard)


async def taken_back(life: Life) -> Retraction:
    workspace_id, workspace = life.workspaces[0]
    total = Retraction(0, 0)
    for workspace_id, workspace in life.workspaces:
        command = RetractImport(
            command_id=f"cmd_{ULID()}",
            tenant=life.tenant,
            workspace=workspace,
            issued_at=datetime.now(UTC),
            import_id=IMPORT,
        )
        place = Place(life.tenant_id, workspace_id, life.tenant, workspace)
        done = await life.store.retract(command, place)
        total = replace(total, retracted=total.retracted + done.retracted)
        assert done.remaining == 0
    return total


async def whole(life: Life) -> dict[str, Any]:
    """Say all that there is of every contact, named by the records that it is made of."""
    life.born.clear()
    for row in await life.owner.fetch(
        "SELECT c.id, c.public_id, string_agg(concat_ws(' ', r.source_record_id,"
        "   r.workspace_id - $2, r.source_id), ',' "
        "   ORDER BY r.source_record_id, r.workspace_id, r.source_id) AS records"
        " FROM contact.contact c JOIN contact.source_record r"
        "   ON r.contact_id = c.id AND r.superseded_at IS NULL"
        " WHERE c.tenant_id = $1 GROUP BY c.id",
        life.tenant_id,
        life.workspaces[0][0],
    ):
        life.born[row["records"]].append((row["id"], row["public_id"]))
    found = {}
    for name, rows in (await life.state()).items():
        if not name.startswith("con_") and not name.endswith(" records"):
            found[name] = Counter(map(_unordered, rows))
    return found


def _unordered(value: Any) -> str:
    """Write a value down without the order of its parts, nor when it was first heard of."""
    if isinstance(value, list | tuple):
        return "|".join(sorted(map(_unordered, value)))
    text = str(value)
    return " ".join(sorted(text.split())) if not text.startswith(("2026-", BY_AN_ORDER)) else ""


async def test_what_was_taken_back_has_never_been(home: Home, resolver: Resolver) -> None:
    owner = await asyncpg.connect(home.dsn("kith_migrator"))
    try:
        stirred, plain = await lives(owner, resolver.store, resolver.resolve)
        steps = list(zip_longest(*histories()))
        for one in (stirred, plain):
            await known_companies(one)
            await live(one, steps[:-3])
        done = await taken_back(stirred)
        assert done.retracted > HISTORIES
        assert different(await whole(stirred), await whole(plain)) == {}
        assert await check_database(owner) == []
        for one in (stirred, plain):
            await live(one, steps[-3:])
        assert different(await whole(stirred), await whole(plain)) == {}
        assert (await taken_back(stirred)).retracted == 0
        assert await check_database(owner) == []
    finally:
        await owner.close()


async def statuses(home: Home) -> dict[str, int]:
    rows = await home.fetch("SELECT status::text, count(*) FROM contact.contact GROUP BY 1")
    return dict(map(tuple, rows))


async def test_it_is_done_in_pieces_and_goes_on_where_it_stopped(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = [resolver.a_signal(f"r{n}", email=f"p{n}@x.org", import_id=IMPORT) for n in range(20)]
    await resolver.resolve(*signals, resolver.a_signal("live", email="p7@x.org", name="Ada L."))
    place, command = await place_of(home), RetractImport(**said(resolver, import_id=IMPORT))
    monkeypatch.setattr(Retractor.carry_out, "__defaults__", (8,))
    first = await resolver.store.retract(command, place)
    assert (first.retracted, first.remaining) == (8, 12)

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr("services.resolver.store.reshaping.Reshaper._bindings", killed)
        with pytest.raises(TransientError):
            await resolver.store.retract(command, place)
    await check(home)
    headers = to_headers(
        Envelope(
            id="1",
            source="/test",
            type=topics.TYPE_BY_MODEL[RetractImport],
            data=encode(command),
        )
    )
    records = [record_of(encode(command), 0, topics.COMMANDS.name, headers)]
    batch = Batch(records, "resolver", next_offsets(records))
    assert list(await handle_commands(batch, resolver.store)) == []
    assert await statuses(home) == {"active": 1, "deleted": 19}
    assert (
        await home.value(
            "SELECT string_agg(normalized_value, ',') FROM contact.contact_identifier"
            " WHERE deleted_at IS NULL"
        )
        == "p7@x.org"
    )
    await check(home)
    await resolver.resolve(*signals)
    assert await home.value("SELECT count(*) FROM contact.contact") == 20
    await resolver.resolve(
        *(resolver.a_signal(f"r{n}", email=f"p{n}@x.org", import_id=LATER) for n in range(20))
    )
    assert await statuses(home) == {"active": 20, "deleted": 19}
    await check(home)


async def test_over_http_it_says_what_remains_and_whose_edits_stay(
    home: Home, resolver: Resolver, client: Any
) -> None:
    await resolver.resolve(
        resolver.a_signal("r1", email="a@x.org", import_id=IMPORT),
        resolver.a_signal("r2", email="b@x.org", name="Bob Ross", import_id=IMPORT),
    )
    await resolver.resolve(
        resolver.a_signal("r3", email="a@x.org", name=None, source="manual_entry", headline="hers")
    )
    answer = await client.post("/v1/commands/retract-import", json={"import_id": IMPORT})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["retracted"], told["remaining"]) == (2, 0)
    (kept,) = told["kept_edits"]
    assert kept["fields"] == ["email_primary", "headline"]
    assert told["positions"][kept["contact"]] == 3
    again = await client.post("/v1/commands/retract-import", json={"import_id": IMPORT})
    assert (again.status_code, again.json()["retracted"]) == (200, 0)
    bad = await client.post("/v1/commands/retract-import", json={"import_id": "imp_1"})
    assert (bad.status_code, bad.json()["field"]) == (422, "import_id")
    gone = await home.value("SELECT public_id FROM contact.contact WHERE status = 'deleted'")
    order = {"contact_id": kept["contact"], "absorbed_id": gone}
    merged = await client.post("/v1/commands/merge_contacts", json=order)
    assert merged.status_code == 404
    await check(home)


async def test_another_workspaces_import_is_not_touched(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", import_id=IMPORT))
    place = await place_of(home)
    command = RetractImport(**said(resolver, import_id=IMPORT))
    other = replace(place, workspace_id=place.workspace_id + 1)
    assert (await resolver.store.retract(command, other)).retracted == 0
    assert (await resolver.store.retract(command, place)).retracted == 1


async def test_a_vendors_late_answer_makes_no_stranger(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", import_id=IMPORT))
    ada = await home.value("SELECT public_id FROM contact.contact")
    command = RetractImport(**said(resolver, import_id=IMPORT))
    await resolver.store.retract(command, await place_of(home))
    await resolver.resolve(
        resolver.a_signal("v1", source="apollo", name=None, title="CTO", about=ada)
    )
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    await check(home)


__all__ = ["client"]


async def test_records_that_their_source_has_no_more_are_taken_back(
    home: Home, resolver: Resolver
) -> None:
    """Every version, unless said after the order; what they say anew counts again."""
    gone = [
        resolver.a_signal("r1", email="a@x.org", title="Clerk", minutes=1),
        resolver.a_signal("r2", email="b@x.org", name="Bob Ross", headline="painter"),
    ]
    stays = resolver.a_signal("r3", email="b@x.org", name="Bob Ross", source="email_sync")
    later = resolver.a_signal("r4", email="c@x.org", name="Cy Lee", minutes=90)
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", title="Analyst"), *gone)
    await resolver.resolve(stays, later)
    order = RetractRecords(
        **said(
            resolver,
            issued_at=MOMENT + timedelta(hours=1),
            records=tuple(one.record_key for one in (*gone, later)),
        )
    )
    headers = to_headers(
        Envelope(
            id=order.command_id,
            source="/test",
            type=topics.TYPE_BY_MODEL[RetractRecords],
            data=encode(order),
        )
    )
    records = [record_of(encode(order), 0, topics.COMMANDS.name, headers)]
    batch = Batch(records, "resolver", next_offsets(records))
    for _ in range(2):
        assert list(await handle_commands(batch, resolver.store)) == []
        assert await statuses(home) == {"active": 1, "incomplete": 1, "deleted": 1}
    assert (
        await home.value(
            "SELECT count(*) FROM contact.contact_identifier"
            " WHERE deleted_at IS NULL AND normalized_value = 'a@x.org'"
        )
        == 0
    )
    assert (
        await home.value(
            "SELECT count(*) FROM contact.workspace_contact_binding"
            " WHERE headline = 'painter' AND deleted_at IS NULL"
        )
        == 0
    )
    await check(home)
    await resolver.resolve(gone[0])
    assert await statuses(home) == {"active": 1, "incomplete": 1, "deleted": 1}, (
        "the same again says nothing"
    )
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", title="Clerk", minutes=120))
    assert (await statuses(home))["active"] == 2
    await check(home)
