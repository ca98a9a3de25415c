"""What statistics have moved is decided again where nothing arrives; on real tables."""

import asyncio

from services.resolver.handlers.matching import Matching
from services.resolver.handlers.settling import Settling
from shared.kafka.pace import restless
from tests.integration.resolver.conftest import Home
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


async def test_what_cannot_be_decided_lets_others_go_first(home: Home) -> None:
    """Its evidence does not fit the database: the loop notes it and goes on."""
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email=ONE, **ADA)
        await matched.resolve("r2", email=OTHER, **ADA)
        await grow(home, records=4_000, having=3_500)
        await home.execute(
            "ALTER TABLE contact.contact_event ADD CONSTRAINT stop CHECK (false) NOT VALID"
        )
        loop = asyncio.create_task(Settling(matched.matching, restless).run())
        oldest = "SELECT min(records) FROM contact.last_matched"
        async with asyncio.timeout(20):
            while await home.value(oldest) != 4_000:  # noqa: ASYNC110  # another's work
                await asyncio.sleep(0.05)
        loop.cancel()
        assert await matched.statuses() == ["active", "merged"]
        assert await Matching(resolver.store, restless).settle() == 0
