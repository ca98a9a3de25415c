"""Snapshots of contacts' states: at every fiftieth event, once a day, by one process at a time."""

import orjson

from tests.integration.resolver.conftest import Home, Resolver


async def happen(resolver: Resolver, events: int, since: int = 0, **said: str) -> None:
    """Let a contact have so many events more, one for each version of a record."""
    for number in range(since, since + events):
        await resolver.resolve(
            resolver.a_signal(
                "r1", email="ada@example.com", headline=f"line {number}", minutes=number, **said
            )
        )


async def take_all(resolver: Resolver) -> int:
    """Take all snapshots that are due; returns of how many contacts, step by step."""
    taken = 0
    while (step := await resolver.store.take_snapshots(set())) is not None:
        taken += step
    return taken


async def versions(home: Home) -> list[int]:
    """Read at which versions there are snapshots that all share."""
    rows = await home.fetch(
        "SELECT event_sequence FROM contact.contact_event_snapshots WHERE workspace_id IS NULL"
        " ORDER BY 1"
    )
    return [row["event_sequence"] for row in rows]


async def test_snapshots_are_taken_at_every_fiftieth_event_and_once_a_day(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal("r2", email="bob@example.com", name="Bob Ross"))
    await happen(resolver, 9)
    assert await take_all(resolver) == 0
    await happen(resolver, 3, since=9, notes="private")
    newest = await home.value("SELECT max(version) FROM contact.contact")
    assert await take_all(resolver) == 1
    assert await versions(home) == [newest]
    (private,) = await home.fetch(
        "SELECT s.state, w.public_id FROM contact.contact_event_snapshots s"
        " JOIN app.workspace w ON w.id = s.workspace_id"
    )
    assert orjson.loads(private["state"]) == {"notes": "private"}
    assert private["public_id"] == resolver.workspace
    shared = await home.value(
        "SELECT state FROM contact.contact_event_snapshots WHERE workspace_id IS NULL"
    )
    assert "private" not in shared
    assert orjson.loads(shared)["fields"]["headline"] == "line 11"

    await happen(resolver, 5, since=20, notes="private")
    assert await take_all(resolver) == 0  # the same day, and not fifty events later
    await home.execute("UPDATE contact.contact_event_snapshots SET snapshot_at = '2020-01-01'")
    await happen(resolver, 1, since=30, notes="private")
    assert await take_all(resolver) == 1
    assert len(await versions(home)) == 2


async def test_a_long_history_is_caught_up_with_in_bounded_steps(
    home: Home, resolver: Resolver
) -> None:
    """As after an upgrade: hundreds of events, and no snapshot yet."""
    await happen(resolver, 1)
    await home.execute(
        "INSERT INTO contact.contact_event (tenant_id, entity_id, entity_public_id,"
        " sequence_number, event_id, event_type, payload, cause, occurred_at)"
        " SELECT tenant_id, entity_id, entity_public_id, n, 'evt_' || n, 'ContactArchived',"
        " jsonb_build_object('contact_id', entity_public_id, 'version', n, 'cause', 'c',"
        " 'occurred_at', occurred_at), 'c', occurred_at"
        " FROM contact.contact_event, generate_series(2, 321) AS n"
    )
    await home.execute("UPDATE contact.contact SET version = 321")
    async with resolver.store.transaction() as tx:
        assert await tx.snapshots(set()).step() == 1
        assert await resolver.store.take_snapshots(set()) is None  # another process looks
    assert await versions(home) == [50, 100]
    assert await take_all(resolver) > 0
    assert await versions(home) == [50, 100, 150, 200, 250, 300]
    assert await take_all(resolver) == 0


async def test_events_that_cannot_be_folded_hold_up_nobody(home: Home, resolver: Resolver) -> None:
    await happen(resolver, 12)
    await resolver.resolve(resolver.a_signal("r2", email="bob@example.com", name="Bob Ross"))
    await home.execute(
        "UPDATE contact.contact_event SET event_type = 'OfALaterRelease' WHERE sequence_number = 5"
    )
    unreadable: set[int] = set()
    async with resolver.store.transaction() as tx:
        assert await tx.snapshots(unreadable).step() == 1
    assert len(unreadable) == 1
    assert await versions(home) == []
    while await resolver.store.take_snapshots(unreadable) is not None:
        pass
    assert await home.value("SELECT sequence_number FROM contact.snapshot_cursor") > 0
