"""Rebuilding while serving: the same result, no empty moment, nothing lost on the way."""

import asyncio

import asyncpg
import pytest

from services.projector.store import check, derive, deriving, rebuild
from shared.events.contact import ContactEvent
from shared.events.derived import Derived
from tests.integration.projector.conftest import Projector
from tests.support.events import born, changed, noted, public_id

WITHOUT_CLOCK = (
    "SELECT contact_public_id, version, workspace_id, event_type, occurred_at, source, "
    "summary::jsonb::text FROM read.timeline ORDER BY 1, 2"
)


def silent(_count: int) -> None:
    """Say nothing."""


async def some_contacts(projector: Projector, count: int) -> list[str]:
    log = projector.log
    here, there = log.workspaces
    ids = [public_id("con") for _ in range(count)]
    for contact in ids:
        events: list[ContactEvent] = [
            born(contact, here),
            changed(contact, 2, there, city="London"),
            noted(contact, 3, here, "x"),
        ]
        await log.append(events)
        await projector.handle(log.batch(events))
    return ids


async def test_a_rebuild_makes_what_was_there(projector: Projector) -> None:
    await some_contacts(projector, 30)
    before = (await projector.views(), await projector.owner.fetch(WITHOUT_CLOCK))
    await projector.owner.execute("DELETE FROM read.contact_view WHERE random() < 0.5")
    await projector.owner.execute("UPDATE read.contact_view SET city = 'Paris'")
    assert await check(projector.owner_dsn, silent)
    assert await rebuild(projector.owner_dsn, silent) == 90
    assert (await projector.views(), await projector.owner.fetch(WITHOUT_CLOCK)) == before
    assert await check(projector.owner_dsn, silent) == []


async def test_it_can_be_done_again_and_events_go_on(projector: Projector) -> None:
    (contact,) = await some_contacts(projector, 1)
    await rebuild(projector.owner_dsn, silent)
    await rebuild(projector.owner_dsn, silent)
    event = changed(contact, 4, projector.log.workspace, city="Rome")
    await projector.log.append([event])
    assert await projector.handle(projector.log.batch([event])) == []
    assert {view["city"] for view in await projector.views()} == {"Rome"}
    assert await check(projector.owner_dsn, silent) == []


async def test_readers_never_see_an_empty_table_and_batches_are_not_lost(
    projector: Projector, api: asyncpg.Connection
) -> None:
    log = projector.log
    await some_contacts(projector, 40)
    await api.execute(
        "SELECT set_config('kith.tenant_id', $1, false),"
        " set_config('kith.workspace_id', $2, false)",
        str(log.tenant_id),
        str(log.workspaces[log.workspace]),
    )
    seen: list[int] = []
    over = asyncio.Event()

    async def read() -> None:
        while not over.is_set():
            seen.append(await api.fetchval("SELECT count(*) FROM read.contact_view"))

    async def write() -> int:
        written = 0
        while not over.is_set():
            event = born(public_id("con"), log.workspace)
            await log.append([event])
            assert await projector.handle(log.batch([event])) == []
            written += 1
        return written

    reader, writer = asyncio.create_task(read()), asyncio.create_task(write())
    await asyncio.sleep(0.1)
    for _ in range(3):
        await rebuild(projector.owner_dsn, silent)
    await asyncio.sleep(0.1)
    over.set()
    await reader
    written = await writer
    assert written > 0
    assert min(seen) >= 40
    assert seen == sorted(seen)
    views = await projector.views()
    assert len({view["public_id"] for view in views}) == 40 + written
    assert await check(projector.owner_dsn, silent) == []


async def test_the_log_is_read_across_a_digit_boundary_and_below_open_transactions(
    projector: Projector, api: asyncpg.Connection
) -> None:
    """An event of a transaction that still runs is neither skipped for good nor read too early."""
    log = projector.log
    early, late = (born(public_id("con"), log.workspace) for _ in range(2))
    other = await asyncpg.connect(projector.owner_dsn)
    slow = other.transaction()
    await slow.start()
    late_log = type(log)(other, log.tenant_id, log.tenant, log.workspaces)
    await late_log.append([late])
    await log.append([early])
    await projector.owner.execute(
        "UPDATE contact.contact_event SET xid = '99'::xid8 WHERE entity_public_id = $1",
        early.contact_id,
    )
    assert await rebuild(projector.owner_dsn, silent) == 1
    await slow.commit()
    await other.close()
    await projector.handle(log.batch([late]))
    assert {view["public_id"] for view in await projector.views()} == {
        early.contact_id,
        late.contact_id,
    }


async def test_rows_of_before_get_what_follows_from_them(
    projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pages, past what a batch holds, and nothing is written twice or for nothing."""
    log = projector.log
    events: list[ContactEvent] = []
    for number in range(25):
        contact = public_id("con")
        events.append(born(contact, log.workspace))
        said = {"job_title": f"Head of Sales {number}", "city": "Berlin", "country": "DE"}
        events.append(changed(contact, 2, log.workspace, **said))
    await log.append(events)
    await projector.handle(log.batch(events))
    right = await projector.views()
    found = {(view["timezone"], *view["departments"]) for view in right}
    assert found == {("Europe/Berlin", "sales")}
    await projector.owner.execute(
        "UPDATE read.contact_view SET seniority = NULL, departments = NULL, timezone = NULL"
    )
    assert await check(projector.owner_dsn, silent)
    monkeypatch.setattr(deriving, "PAGE", 7)
    batch = await asyncpg.connect(projector.owner_dsn)
    await batch.execute("BEGIN")
    await batch.execute("SELECT FROM read.contact_view ORDER BY public_id LIMIT 2 FOR UPDATE")
    pages: list[int] = []
    deriving_all = asyncio.create_task(derive(projector.owner_dsn, pages.append))
    await asyncio.sleep(0.3)
    assert pages == [], "two of the first page are not free"
    await batch.execute("COMMIT")
    await batch.close()
    assert await deriving_all == 25
    assert pages == [7, 14, 21, 25]
    assert await projector.views() == right
    assert await check(projector.owner_dsn, silent) == []
    assert await derive(projector.owner_dsn, silent) == 0


async def test_a_department_may_have_a_comma_in_its_name(
    projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as the projector goes it may: so it must where rows are derived anew."""
    await some_contacts(projector, 1)
    found = Derived(None, ("research, development", "sales"), None)
    monkeypatch.setattr(deriving, "derived", lambda _fields: found)
    assert await derive(projector.owner_dsn, silent) > 0
    for view in await projector.views():
        assert tuple(view["departments"]) == found.departments
