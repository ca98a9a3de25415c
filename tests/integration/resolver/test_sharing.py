"""Identifiers that several people use, on real PostgreSQL: found out, counted, told, kept."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from services.resolver.domain.matching.statistics import SHARED_BY
from services.resolver.domain.reconsidering import MOST_PARTS
from services.resolver.handlers import reconsidering
from services.resolver.handlers.reconsidering import Reconsideration
from services.resolver.store.judging import Finding
from shared.auth import Place
from shared.events.command import MergeContacts
from shared.events.signal import NormalizedSignal
from tests.integration.resolver.conftest import Home, Resolver, new_home
from tests.integration.resolver.test_resolving import check
from tests.support.database import Databases
from tests.unit.resolver.test_gate_vetoes import people

PHONE = "+14155550100"
MAILBOX = "info@acme.example"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the steps after a batch be taken at once, however slow the machine is."""
    monkeypatch.setattr(reconsidering, "AT_ONCE_S", 60.0)


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


async def partition(home: Home) -> set[frozenset[str]]:
    """Return which source records are one contact."""
    rows = await home.fetch(
        "SELECT array_agg(source_record_id) FROM contact.source_record"
        " WHERE superseded_at IS NULL GROUP BY contact_id"
    )
    return {frozenset(row[0]) for row in rows}


async def test_whatever_the_order_a_shared_value_joins_nobody(made: Databases) -> None:
    """Found out early or late, in one batch or in many: the same people."""
    names = people(SHARED_BY)
    said: list[dict[str, Any]] = [
        {"record": f"p{n}", "name": name, "email": f"p{n}@x.org"} for n, name in enumerate(names)
    ]
    for number in range(20):
        who = number % 4
        said.append(
            {
                "record": f"r{number}",
                "name": names[who] if number % 3 else None,
                "email": f"m{who}@x.org" if number % 2 else None,
            }
        )
    found = []
    for seed, size in ((0, 1), (1, 7), (2, 100)):
        home = await new_home(made)
        dice = Random(seed)
        dice.shuffle(said)
        async with home.resolver() as resolver:
            signals = [resolver.a_signal(phone=PHONE, **one) for one in said]
            for start in range(0, len(signals), size):
                await resolver.resolve(*signals[start : start + size])
        await check(home)
        assert await home.value("SELECT count(*) FROM contact.reconsideration") == 0
        found.append(await partition(home))
    assert found[0] == found[1] == found[2]
    assert {len(one) for one in found[0]} == {1, 5}


async def test_a_process_killed_midway_leaves_the_rest_to_another(
    home: Home, resolver: Resolver
) -> None:
    """In steps of bounded size, each a transaction: what is done stays done."""
    nameless = MOST_PARTS + 50
    await resolver.resolve(
        *(resolver.a_signal(f"n{n}", phone=PHONE, name=None) for n in range(nameless))
    )
    assert await home.value("SELECT count(*) FROM contact.contact") == 1

    class KilledError(Exception):
        pass

    async def killed() -> None:
        raise KilledError

    resolver.signals.reconsideration.begin = killed  # type: ignore[method-assign]
    with suppress(KilledError):
        await resolver.resolve(*staff(resolver, SHARED_BY))
    assert await home.value("SELECT count(*) FROM contact.reconsideration") > 0
    async with home.resolver() as other:
        assert await other.store.reconsider()
        assert await home.value("SELECT count(*) FROM contact.contact") > MOST_PARTS
        await check(home)
        loop = asyncio.create_task(Reconsideration(other.store).run())
        async with asyncio.timeout(20):
            while await other.store.count_reconsiderations():  # noqa: ASYNC110  # another's work
                await asyncio.sleep(0.05)
        loop.cancel()
    assert await home.value("SELECT count(*) FROM contact.contact") == nameless + SHARED_BY
    await check(home)


async def test_what_a_person_merged_is_parted_by_no_machine(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(
        resolver.a_signal("a", phone=PHONE, name="John Smith"),
        resolver.a_signal("n", phone=PHONE, name=None),
        resolver.a_signal("b", email="b@x.org", name="John Smith"),
    )
    a, b = [
        row["public_id"]
        for row in await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ]
    workspace = (await home.fetch("SELECT id, tenant_id FROM app.workspace"))[0]
    command = MergeContacts(
        command_id="cmd_" + "0" * 26,
        tenant=home.tenant,
        workspace=home.workspace,
        issued_at=datetime.now(UTC),
        contact_id=a,
        absorbed_id=b,
    )
    place = Place(workspace["tenant_id"], workspace["id"], home.tenant, home.workspace)
    await resolver.store.judge(command, place)
    await resolver.resolve(resolver.a_signal("later", phone=PHONE, name=None))
    await resolver.resolve(*staff(resolver, SHARED_BY + 1, first=0)[1:])
    assert frozenset({"a", "n", "b"}) in await partition(home)
    assert frozenset({"later"}) in await partition(home)
    await check(home)


async def test_what_the_machine_merged_by_a_value_is_undone(home: Home, resolver: Resolver) -> None:
    """Matching hears of it and decides anew, with what is known of the value by now."""
    await resolver.resolve(
        resolver.a_signal("a", phone=PHONE, name="John Smith"),
        resolver.a_signal("b", email="b@x.org", name="Jon Smith"),
        resolver.a_signal("n", phone=PHONE, name=None),
    )
    tenant = await home.value("SELECT id FROM app.tenant")
    a, b = [row["id"] for row in await home.fetch("SELECT id FROM contact.contact ORDER BY id")]
    await home.execute(
        "INSERT INTO contact.match_decision (id, tenant_id, entity_id_a, entity_id_b, scorer,"
        " probability, tier, action, merge_threshold, merge_and_flag_threshold, review_threshold,"
        " match_signals, cause) VALUES (7, $1, $2, $3, 'evidence', 0.97, 'exact', 'merge', 0.95,"
        " 0.6, 0.2, $4::jsonb, 'matching')",
        tenant,
        a,
        b,
        f'[{{"signal": "phone", "level": "equal", "left": "{PHONE}", "right": "{PHONE}"}}]',
    )
    finding = Finding(
        tenant,
        home.tenant,
        (a, b),
        "sig_1",
        datetime.now(UTC),
        "alike",
        decision_id=7,
        similarity=97,
    )
    async with resolver.store.transaction() as tx:
        assert (await tx.merge_found(finding)).outcome == "done"
    await resolver.resolve(*staff(resolver, SHARED_BY + 1)[1:])
    assert {frozenset({"a"}), frozenset({"b"}), frozenset({"n"})} <= await partition(home)
    assert (
        await home.value("SELECT count(*) FROM contact.contact_merge_log WHERE split_at IS NULL")
        == 0
    )
    assert {
        row["decided_by"]
        for row in await home.fetch(
            "SELECT payload ->> 'decided_by' AS decided_by FROM contact.contact_event"
            " WHERE event_type = 'ContactsSplit'"
        )
    } == {"machine"}
    await check(home)
