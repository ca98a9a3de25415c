"""Events into read models: what is shown, what a redelivery changes, what a bad record harms."""

from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.projector.store import check, rebuild
from shared.events.codec import Attributes, encode, event_headers
from shared.events.contact import (
    CompaniesMerged,
    CompaniesSplit,
    CompanyCreated,
    CompanyRelation,
    CompanyShape,
    ContactDeleted,
    ContactEvent,
    HistoryErased,
)
from shared.events.signal import Identifier
from shared.kafka.batch import Batch, next_offsets
from tests.integration.projector.conftest import Projector
from tests.support.events import BEGIN, Log, born, changed, left, noted, public_id, took_part


def history(log: Log) -> tuple[str, list[ContactEvent]]:
    contact = public_id("con")
    here, there = log.workspaces
    return contact, [
        born(contact, here, import_source="crm-direct"),
        changed(contact, 2, there, city="London", first_name="Augusta"),
        noted(contact, 3, here, "met at the fair"),
    ]


async def test_a_contact_is_shown_to_each_workspace_that_knows_it(projector: Projector) -> None:
    log = projector.log
    contact, events = history(log)
    await projector.handle(log.batch(events[:1]))
    assert [view["version"] for view in await projector.views()] == [1]
    await projector.handle(log.batch(events[1:]))
    here, there = await projector.views()
    assert (here["version"], there["version"]) == (3, 3)
    assert (here["first_name"], here["city"], here["last_name"]) == (
        "Augusta",
        "London",
        "Lovelace",
    )
    assert (here["import_source"], there["import_source"]) == ("crm-direct", None)
    assert here["emails"] == [f"{contact[-8:].lower()}@example.org"]
    assert "met at the fair" in str(here["detail"])
    assert "met at the fair" not in str(there["detail"])
    origin = orjson.loads(
        await projector.owner.fetchval(
            "SELECT read.provenance(detail) FROM read.contact_view LIMIT 1"
        )
    )
    assert origin["city"]["source_record"] == "b" * 32
    assert origin["last_name"]["source_record"] == "a" * 32


async def test_a_redelivery_changes_nothing(projector: Projector) -> None:
    _, events = history(projector.log)
    batch = projector.log.batch(events)
    await projector.handle(batch)
    before = await projector.everything()
    await projector.handle(batch)
    await projector.handle(Batch(batch.records[:1], "projector", next_offsets(batch.records[:1])))
    assert await projector.everything() == before


async def test_what_is_only_confirmed_is_as_if_it_were_folded(projector: Projector) -> None:
    """One batch folds all at once; event by event the confirming ones move two columns."""
    log = projector.log
    here, there = log.workspaces
    events: list[ContactEvent] = []
    for contact in (public_id("con"), public_id("con")):
        events += [
            born(contact, here),
            changed(contact, 2, here),
            changed(contact, 3, there),  # a workspace that learns of the contact: no confirmation
            changed(contact, 4, there),
            changed(contact, 5, here, city="Paris"),
            changed(contact, 6, here),
        ]
    await projector.handle(log.batch(events))
    at_once = await projector.views()
    await projector.owner.execute("TRUNCATE read.contact_view, read.timeline")
    await log.append(events)
    for event in events:
        assert await projector.handle(log.batch([event])) == []
        await projector.handle(log.batch([event]))
    assert await projector.views() == at_once
    assert {(view["version"], view["city"]) for view in at_once} == {(6, "Paris")}
    assert len(at_once) == 4


async def test_a_confirmation_after_a_gap_waits_for_what_is_missing(projector: Projector) -> None:
    log = projector.log
    contact = public_id("con")
    events: list[ContactEvent] = [
        born(contact, log.workspace),
        changed(contact, 2, log.workspace, city="Paris"),
        changed(contact, 3, log.workspace),
    ]
    await log.append(events)
    await projector.handle(log.batch(events[:1]))
    await projector.handle(log.batch(events[2:]))
    [view] = await projector.views()
    assert (view["version"], view["city"]) == (3, "Paris")


async def test_missing_versions_are_fetched_from_the_event_table(projector: Projector) -> None:
    log = projector.log
    contact, events = history(log)
    await log.append(events)
    await projector.handle(log.batch(events[:1]))
    await projector.handle(log.batch(events[2:]))
    assert {view["version"] for view in await projector.views()} == {3}
    versions = await projector.owner.fetch(
        "SELECT version FROM read.timeline WHERE contact_public_id = $1 ORDER BY 1", contact
    )
    assert [row[0] for row in versions] == [1, 2, 3]


async def test_an_event_that_follows_nothing_is_refused_alone(projector: Projector) -> None:
    log = projector.log
    lost, found = public_id("con"), public_id("con")
    batch = log.batch([changed(lost, 2, log.workspace, city="Paris"), born(found, log.workspace)])
    rejected = await projector.handle(batch)
    assert [(one.record, one.error.reason) for one in rejected] == [(batch.records[0], "invalid")]
    assert [view["public_id"] for view in await projector.views()] == [found]


async def test_bad_records_harm_no_neighbour(projector: Projector) -> None:
    log = projector.log
    good, twisted = born(public_id("con"), log.workspace), born(public_id("con"), log.workspace)
    attributes = Attributes("evt_1", log.tenant, None, BEGIN)
    headers = event_headers(twisted, attributes)
    unfoldable = orjson.loads(encode(twisted))
    del unfoldable["asserted"]
    elsewhere = event_headers(good, Attributes("evt_2", public_id("ten"), None, BEGIN))
    future = [(k, b"kith.contact.ascended.v1" if k == "ce_type" else v) for k, v in headers]
    records = [
        log.record(good),
        log.raw(headers, b"{"),
        log.raw(headers, orjson.dumps(unfoldable)),
        log.raw(elsewhere, encode(good)),
        log.raw(future, encode(twisted)),
        log.raw([], b""),
    ]
    rejected = await projector.handle(Batch(records, "projector", next_offsets(records)))
    assert {one.record.offset - records[0].offset: one.error.reason for one in rejected} == {
        1: "invalid",
        2: "invalid",
        3: "unknown_tenant",
        4: "unknown_version",
        5: "unknown_version",
    }
    assert [view["public_id"] for view in await projector.views()] == [good.contact_id]


async def test_offsets_and_progress_are_stored_with_the_rows(projector: Projector) -> None:
    batch = projector.log.batch([born(public_id("con"), projector.log.workspace)])
    await projector.handle(batch)
    topic = batch.records[0].topic
    assert await projector.store.load("projector", topic) == {0: batch.records[0].offset + 1}
    assert await projector.owner.fetchval("SELECT recorded_at FROM read.projection_state")


async def test_a_company_is_shown_once(projector: Projector) -> None:
    company = CompanyCreated(
        occurred_at=BEGIN,
        cause="test",
        company_id=public_id("cmp"),
        version=1,
        name="Engines",
        domain="example.org",
        source="hubspot_crm",
    )
    await projector.handle(projector.log.batch([company, company]))
    rows = await projector.owner.fetch("SELECT public_id, name FROM read.company_view")
    assert [tuple(row) for row in rows] == [(company.company_id, "Engines")]


async def test_a_merged_company_stands_behind_its_survivor(projector: Projector) -> None:
    """Whatever comes late or twice; a split takes it back."""
    company, survivor = public_id("cmp"), public_id("cmp")
    shape = CompanyShape(
        name="Engines",
        source="hubspot_crm",
        created_at=BEGIN,
        relations=(CompanyRelation(kind="vendor", from_id=company, to_id=survivor),),
    )
    merged = CompaniesMerged(
        occurred_at=BEGIN,
        cause="test",
        company_id=company,
        version=2,
        merge_id="mrg_" + "0" * 26,
        survivor_id=survivor,
        absorbed_id=company,
        decided_by="person",
        reason="test",
        shape=shape.model_copy(update={"survivor_id": survivor}),
    )
    split = CompaniesSplit(
        occurred_at=BEGIN,
        cause="test",
        company_id=company,
        version=3,
        merge_id="mrg_" + "0" * 26,
        original_id=survivor,
        new_id=company,
        shape=shape,
    )
    seen = []
    for event in (merged, split, merged):
        await projector.handle(projector.log.batch([event]))
        (row,) = await projector.owner.fetch(
            "SELECT name, survivor_public_id, relations -> 0 ->> 'kind' AS kind, version"
            " FROM read.company_view"
        )
        seen.append(tuple(row))
    assert seen == [("Engines", survivor, "vendor", 2), *[("Engines", None, "vendor", 3)] * 2]


async def test_the_api_sees_its_workspace_only(
    projector: Projector, api: asyncpg.Connection
) -> None:
    log = projector.log
    _, events = history(log)
    await projector.handle(log.batch(events))
    count = "SELECT count(*) FROM read.contact_view"
    lines = "SELECT array_agg(version ORDER BY version) FROM read.timeline"
    assert await api.fetchval(count) == 0
    seen = {}
    for workspace, number in log.workspaces.items():
        async with api.transaction():
            await api.execute(
                "SELECT set_config('kith.tenant_id', $1, true),"
                " set_config('kith.workspace_id', $2, true)",
                str(log.tenant_id),
                str(number),
            )
            seen[workspace] = (await api.fetchval(count), await api.fetchval(lines))
    assert list(seen.values()) == [(1, [1, 2, 3]), (1, [1, 2])]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await api.execute("DELETE FROM read.contact_view")


async def test_any_text_survives_in_an_array(projector: Projector) -> None:
    contact, odd = public_id("con"), ('a"b', "c\\d", "e,{f}", "")
    emails = tuple(Identifier(type="email", value=value) for value in odd)
    event = born(contact, projector.log.workspace, identifiers=emails)
    assert not await projector.handle(projector.log.batch([event]))
    [view] = [one for one in await projector.views() if one["public_id"] == contact]
    assert (view["emails"], view["phones"]) == (list(odd), [])


async def test_what_a_contact_took_part_in_is_listed_as_it_is_now(projector: Projector) -> None:
    """The newest event of an activity counts, in whatever batches and however often they come."""
    log = projector.log
    here, _ = log.workspaces
    contact, mail, call = public_id("con"), public_id("act"), public_id("act")
    events: list[ContactEvent] = [
        born(contact, here),
        took_part(contact, 2, here, mail, title="Draft"),
        took_part(contact, 3, here, call, kind="call", duration_s=60, direction="inbound"),
        took_part(contact, 4, here, mail, title="Final", others=(public_id("con"),)),
        left(contact, 5, here, call),
    ]
    await log.append(events)
    await projector.handle(log.batch(events[:3]))
    await projector.handle(log.batch(events[3:]))
    rows = {
        row["activity_public_id"]: row
        for row in await projector.owner.fetch("SELECT * FROM read.activity")
    }
    assert rows[mail]["version"] == 4
    assert orjson.loads(rows[mail]["detail"])["title"] == "Final"
    assert rows[mail]["occurred_at"] == BEGIN + timedelta(hours=4)
    assert rows[call]["is_withdrawn"]
    assert orjson.loads(rows[call]["detail"]) == {}, "nothing of it is kept"
    (view,) = await projector.views()
    assert view["version"] == 5
    before = await projector.everything()
    await projector.handle(log.batch(events[1:3]))
    assert await projector.everything() == before
    await projector.owner.execute("DELETE FROM read.activity WHERE kind = 'email'")
    assert await check(projector.owner_dsn, lambda _: None) == [contact]
    await rebuild(projector.owner_dsn, lambda _: None)
    assert await check(projector.owner_dsn, lambda _: None) == []
    assert len(await projector.owner.fetch("SELECT FROM read.activity")) == 2


async def test_what_told_of_an_erased_person_is_forgotten(projector: Projector) -> None:
    log = projector.log
    here, _ = log.workspaces
    gone, other = public_id("con"), public_id("con")
    said: dict[str, Any] = {"occurred_at": BEGIN, "cause": "cmd_1"}
    await projector.handle(
        log.batch(
            [
                born(gone, here),
                took_part(gone, 2, here, "act_" + "0" * 26),
                born(other, here),
                changed(other, 2, here, city="London"),
                changed(other, 3, here, city="Paris"),
            ]
        )
    )
    erased = ContactDeleted(contact_id=gone, version=3, reason="erased", **said)
    cut = HistoryErased(contact_id=other, version=4, before=3, **said)
    await projector.handle(log.batch([erased, cut]))
    (view,) = await projector.views()
    assert (view["public_id"], view["version"], view["city"]) == (other, 4, "Paris")
    rows = await projector.owner.fetch(
        "SELECT contact_public_id, version, summary FROM read.timeline ORDER BY 1, 2"
    )
    told = {(row[0], row[1]) for row in rows if orjson.loads(row[2])}
    assert told == {(gone, 3), (other, 3)}
    assert len(rows) == 7
    (activity,) = await projector.owner.fetch("SELECT is_withdrawn, detail FROM read.activity")
    assert (activity["is_withdrawn"], activity["detail"]) == (True, "{}")
