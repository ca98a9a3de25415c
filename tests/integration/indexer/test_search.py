"""Contacts into search: found by what people type, by nobody else, once and newest."""

import asyncpg
import pytest

from services.indexer.store import Search, rebuild_search
from shared.events.contact import ContactEvent
from shared.events.signal import Employment, Identifier
from tests.integration.indexer.conftest import Indexer
from tests.support.events import born, changed, noted, public_id


async def jose(indexer: Indexer) -> str:
    """Index one contact of the first workspace."""
    contact = public_id("con")
    event = born(
        contact,
        indexer.log.workspace,
        fields={
            "first_name": "José",
            "last_name": "Kowalski",
            "display_name": "José Kowalski",
            "company_name": "Analytical Engines GmbH",
            "job_title": "Head of Sales",
        },
        jobs=(Employment(title="Analyst", company_name="Babbage & Sons"),),
        identifiers=(
            Identifier(type="email", value="jose.k@engines.example"),
            Identifier(type="phone_e164", value="+493012345678"),
        ),
    )
    await indexer.log.append([event])
    await indexer.handle(indexer.log.batch([event], "indexer-search"), Search())
    return contact


@pytest.mark.parametrize(
    "query",
    [
        "José Kowalski", "jose", "kowal", "Kowalsky", "Josè Kowalsk", "analytical", "babbage",
        "jose.k@engines.example", "JOSE.K@Engines.Example", "+49 30 12345678", "030 12345678",
        "12345678", "Kowalski sales", "engines.example", "analitical engins", "JOSÉ",
    ],
)  # fmt: skip
async def test_a_contact_is_found_by_what_people_type(indexer: Indexer, query: str) -> None:
    contact = await jose(indexer)
    assert await indexer.find(query) == [contact]


@pytest.mark.parametrize(
    "query", ["", "   ", "zzqqxy", "'", "(:*&!|", "\\", "%", "nobody@example.org"]
)
async def test_nothing_is_found_by_what_is_not_there(indexer: Indexer, query: str) -> None:
    await jose(indexer)
    assert await indexer.find(query) == []


async def test_no_other_workspace_finds_it(indexer: Indexer) -> None:
    await jose(indexer)
    _, there = indexer.log.workspaces
    assert await indexer.find("kowalski", there) == []


async def test_a_label_is_found_in_its_own_workspace(indexer: Indexer) -> None:
    contact, (here, there) = public_id("con"), indexer.log.workspaces
    events: list[ContactEvent] = [
        born(contact, here),
        changed(contact, 2, there, city="London"),
        noted(contact, 3, here, "x"),
    ]
    await indexer.log.append(events)
    await indexer.handle(indexer.log.batch(events, "indexer-search"), Search())
    assert await indexer.find("vip", here) == [contact]
    assert await indexer.find("vip", there) == []
    assert await indexer.find("london", there) == [contact]


async def test_an_older_delivery_changes_nothing(indexer: Indexer) -> None:
    contact, here = public_id("con"), indexer.log.workspace
    events: list[ContactEvent] = [
        born(contact, here),
        changed(contact, 2, here, display_name="Grace Hopper"),
    ]
    await indexer.log.append(events)
    for batch in (events, events[:1], events):
        await indexer.handle(indexer.log.batch(batch, "indexer-search"), Search())
    assert await indexer.find("hopper") == [contact]
    rows = await indexer.owner.fetch("SELECT version FROM search.document")
    assert [row[0] for row in rows] == [2]


async def test_a_rebuild_finds_the_same(indexer: Indexer) -> None:
    contact = await jose(indexer)
    before = await indexer.owner.fetch("SELECT * FROM search.document")
    await indexer.owner.execute("UPDATE search.document SET words = '', haystack = ''")
    assert await indexer.find("kowalski") == []
    for _ in range(2):
        assert await rebuild_search(indexer.owner_dsn, lambda _count: None) == 1
    assert await indexer.owner.fetch("SELECT * FROM search.document") == before
    event = changed(contact, 2, indexer.log.workspace, city="Oslo")
    await indexer.log.append([event])
    await indexer.handle(indexer.log.batch([event], "indexer-search"), Search())
    assert await indexer.find("oslo") == [contact]


async def test_only_the_api_may_search(indexer: Indexer) -> None:
    await jose(indexer)
    await indexer.owner.execute("SET ROLE kith_ingest")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await indexer.find("kowalski")
    await indexer.owner.execute("SET ROLE kith_api")
    assert await indexer.find("kowalski")
    await indexer.owner.execute("RESET ROLE")


async def test_the_read_models_age_counts_while_signals_come(indexer: Indexer) -> None:
    assert await indexer.store.read_model_age() is None
    await indexer.owner.execute(
        "INSERT INTO read.projection_state (name, recorded_at)"
        " VALUES ('projector', now() - interval '3 seconds')"
    )
    assert await indexer.store.read_model_age() == pytest.approx(3.0)
    await indexer.owner.execute(
        "UPDATE read.projection_state SET updated_at = now() - interval '1 minute'"
    )
    assert await indexer.store.read_model_age() is None
