"""What statistics have moved is decided again where nothing arrives; on real tables."""

import asyncio
import time

import pytest
from typing_extensions import override

from services.resolver.handlers.matching import Matching
from services.resolver.handlers.settling import LATER_S, Settling
from services.resolver.store import store
from services.resolver.store.matching import Drifted
from shared.kafka.pace import Pace, Rest, restless
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_matching import ADA, Matched

ONE, OTHER = "adalbert.lovelace@engines.example", "adalbert.lovelace@gmail.com"


async def grow(home: Home, *, records: int, having: int) -> None:
    """Let the tenant have so many records, and what is known of Ada be said by so many."""
    await home.execute("UPDATE contact.attribute_frequency SET occurrences = $1", records)
    await home.execute("UPDATE contact.term_frequency SET occurrences = $1", having)


async def settle(matched: Matched) -> int:
    """Settle until nothing is left, matching what follows; returns how many contacts it were."""
    settled = 0
    while found := await matched.matching.settle():
        settled += found
        while await matched.home.value("SELECT max(seq) FROM contact.outbox") != matched.read:
            await matched.match()
    return settled


async def test_whom_a_grown_base_takes_for_two_is_parted_and_for_one_is_merged(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email=ONE, **ADA)
        await matched.resolve("r2", email=OTHER, **ADA)
        assert await matched.statuses() == ["active", "merged"]
        assert await settle(matched) == 0

        await grow(home, records=4_000, having=3_500)
        assert await settle(matched) == 1
        assert await matched.statuses() == ["active", "active"]
        (split,) = await home.fetch(
            "SELECT payload ->> 'decided_by' AS by, payload ->> 'reason' AS reason"
            " FROM contact.contact_event WHERE event_type = 'ContactsSplit' LIMIT 1"
        )
        assert tuple(split) == ("machine", "evidence")

        await grow(home, records=40_000, having=2)
        assert await settle(matched) > 0
        assert await matched.statuses() == ["active", "merged"]


async def test_a_base_that_hardly_grew_and_who_is_like_nobody_are_left_alone(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email=ONE, **ADA)
        await matched.resolve("r2", email=OTHER, **ADA)
        await matched.resolve("r3", email="bo@li.example", name="Bo Li")
        await grow(home, records=500, having=3)
        assert await settle(matched) == 1
        noted = await home.fetch("SELECT records FROM contact.last_matched")
        assert [row["records"] for row in noted] == [500]
        await grow(home, records=507, having=3)
        assert await settle(matched) == 0
        await grow(home, records=508, having=3)
        assert await settle(matched) == 1


async def test_a_pair_that_a_person_keeps_apart_stays_apart(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        for record, email in (("r1", ONE), ("r2", OTHER)):
            await resolver.resolve(resolver.a_signal(record, email=email, **ADA))
        await home.execute(
            "INSERT INTO contact.identity_judgement (tenant_id, judgement, entity_id_a, "
            "entity_id_b, cause) SELECT min(tenant_id), 'cannot_link', min(id), max(id), 'test' "
            "FROM contact.contact"
        )
        await matched.match()
        await grow(home, records=4_000, having=2)
        assert await settle(matched) > 0
        assert await matched.statuses() == ["active", "active"]


async def test_who_is_gone_is_forgotten(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email=ONE, **ADA)
        tenant = await home.value("SELECT min(tenant_id) FROM contact.contact")
        await home.execute("INSERT INTO contact.last_matched VALUES (999999999, $1, 0)", tenant)
        assert await settle(matched) == 1
        assert await home.value("SELECT count(*) FROM contact.last_matched") == 0


OTHERS = {**ADA, "name": "Bertram Babbage", "company": "Difference Ltd", "title": "Clerk"}
OLD = "SELECT count(*) FROM contact.last_matched WHERE records < 4000"


class Silence:
    """A topic on which nothing arrives, for as long as its consumer lasts."""

    stopping = False

    async def arrived(self) -> int | None:
        """Count nothing."""
        return 0

    def moved(self) -> None:
        """Note nothing."""


class Leaving(Silence):
    """Its consumer has to go."""

    stopping = True


class Unknown(Silence):
    """Nobody says what arrives on it."""

    @override
    async def arrived(self) -> int | None:
        raise OSError("Kafka does not say what arrived")


def settling(matched: Matched, traffic: Silence) -> Settling:
    """Return what settles at once whatever it finds, beside a topic."""
    rest = Rest(Pace(linger=0, most=1e9, least=1e9, busy=1e9))
    rest.traffic = traffic
    return Settling(matched.matching, rest)


async def two_people(home: Home, resolver: Resolver) -> Matched:
    """Return Ada and Bertram, two records of each merged, in a base that takes them for four."""
    matched = Matched(home, resolver)
    await matched.resolve("r1", email=ONE, **ADA)
    await matched.resolve("r2", email=OTHER, **ADA)
    await matched.resolve("r3", email="bertram@difference.example", **OTHERS)
    await matched.resolve("r4", email="bertram.babbage@gmail.com", **OTHERS)
    assert await matched.statuses() == ["active", "merged"] * 2
    await grow(home, records=4_000, having=3_500)
    return matched


async def test_who_waits_is_counted_up_to_a_bound(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.resolver() as resolver:
        await two_people(home, resolver)
        assert await home.value(OLD) == await resolver.store.count_drifted() == 2
        monkeypatch.setattr(store, "MOST_COUNTED", 1)
        assert await resolver.store.count_drifted() == 1


async def test_who_cannot_be_decided_about_holds_up_nobody_and_comes_back_without_growth(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses what would be told of Ada: Bertram is decided about all the same."""
    async with home.resolver() as resolver:
        matched = await two_people(home, resolver)
        await home.execute(
            "ALTER TABLE contact.contact_event ADD CONSTRAINT stop CHECK (entity_id <> "
            + str(await home.value("SELECT min(id) FROM contact.contact"))
            + ") NOT VALID"
        )
        steps = settling(matched, Silence())
        assert await steps.step()
        assert await matched.statuses() == ["active", "merged", "active", "active"]
        assert await home.value(OLD) == await resolver.store.count_drifted() > 0
        assert not await steps.step()

        await home.execute("ALTER TABLE contact.contact_event DROP CONSTRAINT stop")
        assert not await steps.step()
        clock = time.monotonic
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: clock() + LATER_S)
            assert await steps.step()
        assert await matched.statuses() == ["active"] * 4
        assert await home.value(OLD) == 0


async def test_what_is_only_out_of_reach_postpones_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another batch keeps its turn in the tenant: as soon as it is over, all are decided about."""
    monkeypatch.setattr("services.resolver.store.matching.PATIENCE_S", 0.1)
    async with home.resolver() as resolver:
        matched = await two_people(home, resolver)
        tenant = await home.value("SELECT min(tenant_id) FROM contact.contact")
        steps = settling(matched, Silence())
        async with resolver.store.transaction() as tx:
            await tx.matching.lock([tenant])
            assert not await steps.step()
        assert await steps.step()
        assert await home.value(OLD) == 0
        assert await matched.statuses() == ["active"] * 4


async def test_the_loop_outlives_whatever_a_step_or_a_rest_runs_into(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.resolver.handlers.settling.LOOK_AGAIN_S", 0.01)

    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email=ONE, **ADA)
        tenant = await home.value("SELECT min(tenant_id) FROM contact.contact")
        loop = asyncio.create_task(settling(matched, Unknown()).run())
        async with asyncio.timeout(20):
            for gone in (999_999_998, 999_999_999):
                await home.execute(
                    "INSERT INTO contact.last_matched VALUES ($1, $2, 0)", gone, tenant
                )
                while await home.value(OLD):  # noqa: ASYNC110  # another's work
                    await asyncio.sleep(0.05)
        assert not loop.done()
        loop.cancel()


async def test_nothing_is_decided_again_while_nobody_may_rest(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.resolver.handlers.settling.LOOK_AGAIN_S", 0.01)
    async with home.resolver() as resolver:
        matched = await two_people(home, resolver)
        old = await home.value(OLD)
        loop = asyncio.create_task(settling(matched, Leaving()).run())
        await asyncio.sleep(0.5)
        loop.cancel()
        assert await home.value(OLD) == old > 0


async def test_a_tenant_is_stayed_with_until_it_is_done(home: Home) -> None:
    """Another has grown more meanwhile: to choose one reads what all have."""
    await home.execute(
        "WITH t AS (INSERT INTO app.tenant (public_id, name)"
        " SELECT left(public_id, 29) || n, 'Other'"
        " FROM app.tenant, (VALUES ('0'), ('1'), ('2')) AS v (n)"
        " WHERE left(public_id, 29) || n <> public_id LIMIT 2 RETURNING id)"
        " INSERT INTO contact.attribute_frequency (tenant_id, attribute, slot, occurrences)"
        " SELECT id, 'record', 0, 1000 FROM t"
    )
    rows = await home.fetch("SELECT tenant_id FROM contact.attribute_frequency ORDER BY 1")
    first, second = (row["tenant_id"] for row in rows)
    await home.execute(
        "INSERT INTO contact.last_matched (contact_id, tenant_id, records)"
        " VALUES (1, $1, 900), (2, $1, 800), (3, $2, 10), (4, $2, 990)",
        first,
        second,
    )
    async with home.resolver() as resolver:
        find = Matching(resolver.store, restless).find_drifted
        assert await find() == Drifted(second, [3])
        assert await find(first) == Drifted(first, [2, 1])
        assert await find(first, [1, 2]) == Drifted(second, [3])
        assert await find(second, [3]) == Drifted(first, [2, 1])
        assert await find(None, [1, 2, 3]) is None
