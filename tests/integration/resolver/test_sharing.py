"""Identifiers that several people use, on real PostgreSQL: found out, counted, told, kept."""

import asyncio
from typing import Any

from services.resolver.domain.matching.statistics import SHARED_BY
from shared.events.signal import NormalizedSignal
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_resolving import check
from tests.unit.resolver.test_gate_vetoes import people

PHONE = "+14155550100"
MAILBOX = "info@acme.example"


def staff(resolver: Resolver, count: int, first: int = 0) -> list[NormalizedSignal]:
    """Make a record of each of so many people, all with the switchboard and a role's mailbox."""
    return [
        resolver.a_signal(f"r{first + n}", phone=PHONE, email=MAILBOX, name=name)
        for n, name in enumerate(people(first + count)[first:])
    ]


async def contents(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Read all rows of the resolver's tables, but for where it stands in Kafka."""
    tables = await home.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'contact' AND c.relkind IN ('r', 'p')"
        " AND c.relname NOT IN ('kafka_offset', 'schema_version')"
    )
    return {
        table: [
            dict(row)
            for row in await home.fetch(f"SELECT t::text FROM contact.{table} t ORDER BY 1")
        ]
        for (table,) in tables
    }


async def test_a_switchboard_is_found_out_over_batches(home: Home, resolver: Resolver) -> None:
    """One batch suspects it, the next one is sure, a third takes it for what it is."""
    await resolver.resolve(*staff(resolver, 3))
    assert await home.value("SELECT sharing::text FROM contact.shared_identifier") == "suspected"
    assert await home.value("SELECT contacts FROM contact.shared_identifier") == 3
    assert await home.value("SELECT count(*) FROM contact.contact_identifier") == 1
    await check(home)
    await resolver.resolve(*staff(resolver, 9, first=3))
    await resolver.resolve(*staff(resolver, 9, first=12))
    await check(home)
    (shared,) = await home.fetch(
        "SELECT identifier_type::text, sharing::text, reason, contacts"
        " FROM contact.shared_identifier"
    )
    assert tuple(shared) == ("phone_e164", "shared", "fan_out", SHARED_BY)
    assert await home.value("SELECT count(*) FROM contact.shared_identifier_contact") == SHARED_BY
    assert (
        await home.value("SELECT count(*) FROM contact.contact_identifier WHERE deleted_at IS NULL")
        == 0
    )
    assert await home.value("SELECT count(*) FROM contact.contact") == 21
    assert await home.value("SELECT count(*) FROM contact.contact_email") == 21
    assert await home.value("SELECT count(*) FROM contact.contact_phones") == 21
    assert {
        row["reason"]: row["count"]
        for row in await home.fetch(
            "SELECT reason, count(*) FROM contact.contact_dedup_candidates GROUP BY 1"
        )
    } == {"names_in_conflict": SHARED_BY - 1}
    assert (
        await home.value(
            "SELECT count(*) FROM contact.contact_event WHERE event_type = 'IdentifierRemoved'"
        )
        == 1
    )


async def test_the_same_signals_again_change_nothing(home: Home, resolver: Resolver) -> None:
    signals = staff(resolver, 12)
    await resolver.resolve(*signals)
    before = await contents(home)
    await resolver.resolve(*signals)
    for signal in reversed(signals):
        await resolver.resolve(signal)
    assert await contents(home) == before
    await check(home)


async def test_an_identifier_may_come_and_be_found_out_in_one_batch(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(*staff(resolver, SHARED_BY))
    assert await home.value("SELECT deleted_at IS NOT NULL FROM contact.contact_identifier") is True
    await check(home)


async def test_a_family_keeps_its_contacts_over_batches(home: Home, resolver: Resolver) -> None:
    """The second of a family is found by name among those who were seen with the phone."""
    for n, name in enumerate(["John Smith", "Susan Smith"] * 4):
        await resolver.resolve(resolver.a_signal(f"r{n}", phone=PHONE, name=name))
    assert await home.value("SELECT count(*) FROM contact.contact") == 2
    assert await home.value("SELECT contacts FROM contact.shared_identifier") == 2
    await check(home)


async def test_what_a_person_said_of_a_value_stands(home: Home, resolver: Resolver) -> None:
    """Cleared: it gates, however many have it. Blocked: it never does."""
    await resolver.resolve(resolver.a_signal("seed"))
    tenant = await home.value("SELECT id FROM app.tenant")
    blocked = "+14155550199"
    for value, sharing in ((PHONE, "cleared"), (blocked, "blocked")):
        await home.execute(
            "INSERT INTO contact.shared_identifier"
            " (tenant_id, identifier_type, normalized_value, sharing, reason)"
            " VALUES ($1, 'phone_e164', $2, $3::text::contact.sharing, 'person')",
            tenant,
            value,
            sharing,
        )
    await resolver.resolve(*staff(resolver, SHARED_BY + 2))
    await resolver.resolve(
        *(resolver.a_signal(f"b{n}", phone=blocked, name=None) for n in range(3))
    )
    held = await home.fetch(
        "SELECT normalized_value FROM contact.contact_identifier WHERE deleted_at IS NULL"
    )
    assert [value for (value,) in held] == [PHONE]
    assert await home.value("SELECT count(*) FROM contact.shared_identifier_contact") == 0
    assert await home.value("SELECT count(*) FROM contact.contact") == 1 + SHARED_BY + 2 + 3
    await check(home)


async def test_racing_resolvers_find_it_out_once(home: Home) -> None:
    async with home.resolver() as one, home.resolver() as another:
        said = staff(one, 24)
        await asyncio.gather(
            *(
                resolver.resolve(*part)
                for resolver, part in ((one, said[:12]), (another, said[12:]))
            )
        )
    assert await home.value("SELECT count(*) FROM contact.contact") == 24
    assert (
        await home.value(
            "SELECT count(*) FROM contact.contact_event WHERE event_type = 'IdentifierRemoved'"
        )
        == 1
    )
    await check(home)
