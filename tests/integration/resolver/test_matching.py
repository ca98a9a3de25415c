"""Contacts that share no identifier are compared, merged or put up for review; on real tables."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import asyncpg
import pytest

from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.model import Signal
from services.resolver.domain.matching.weights import default_weights
from services.resolver.handlers.matching import Matching
from shared.events import topics
from shared.events.codec import unpack_headers
from shared.kafka.batch import Batch, Rejected, next_offsets
from shared.kafka.pace import restless
from tests.integration.resolver.conftest import Home, Resolver, record_of
from tests.support.invariants import check_database

ADA = {
    "name": "Adalbert Lovelace",
    "company": "Analytical Engines",
    "title": "Chief Mathematician",
    "addresses": ({"city": "Marylebone"},),
}


class Matched:
    """A resolver whose events are matched as its own second group would."""

    def __init__(self, home: Home, resolver: Resolver) -> None:
        self.home = home
        self.resolver = resolver
        self.matching = Matching(resolver.store, restless)
        self.read = 0

    async def resolve(self, record: str, **said: Any) -> None:
        """Let a signal through the gate, then match."""
        await self.resolver.resolve(self.resolver.a_signal(record, **said))
        await self.match()

    async def match(self, *, again: bool = False, until: int | None = None) -> Sequence[Rejected]:
        """Hand over the events since the last time, or all of them again, until one of them."""
        rows = await self.home.fetch(
            "SELECT seq, headers, value FROM contact.outbox"
            " WHERE seq > $1 AND seq <= coalesce($2, seq) ORDER BY seq",
            0 if again else self.read,
            until,
        )
        self.read = max([self.read, *(row["seq"] for row in rows)])
        records = [
            record_of(row["value"], row["seq"], topics.EVENTS.name, unpack_headers(row["headers"]))
            for row in rows
        ]
        if not records:
            return []
        return await self.matching.handle_events(
            Batch(records, "resolver-matching", next_offsets(records))
        )

    async def statuses(self) -> list[str]:
        """Return the contacts' statuses, oldest first."""
        rows = await self.home.fetch("SELECT status::text FROM contact.contact ORDER BY id")
        return [row["status"] for row in rows]


async def test_two_records_of_one_person_become_one_contact_with_the_evidence_kept(
    home: Home,
) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email="adalbert.lovelace@engines.example", **ADA)
        await matched.resolve("r2", email="adalbert.lovelace@gmail.com", **ADA)
        assert await matched.statuses() == ["active", "merged"]
        (decision,) = await home.fetch(
            "SELECT id, probability, action::text, scorer::text FROM contact.match_decision"
        )
        assert decision["action"] in {"merge", "merge_and_flag"}
        signals = await home.fetch(
            "SELECT signal, level, left_value, right_value, weight FROM contact.match_signal "
            "WHERE decision_id = $1 ORDER BY position",
            decision["id"],
        )
        again = EvidenceScorer(default_weights()).recompute([Signal(*row) for row in signals])
        assert again.probability == decision["probability"]
        (log,) = await home.fetch("SELECT * FROM contact.contact_merge_log")
        assert log["decision_id"] == decision["id"]
        assert log["merged_by"] is None


async def test_a_merge_tells_of_labels_on_behalf_of_the_signal_that_led_to_it(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        for record, email in (("r1", "adalbert@engines.example"), ("r2", "adalbert@gmail.com")):
            said = resolver.a_signal(record, email=email, labels=(record,), **ADA)
            await resolver.resolve(said)
        await matched.match()
        assert await matched.statuses() == ["active", "merged"]
        told = "SELECT count(*) FROM contact.contact_event WHERE event_type = 'BindingChanged'"
        survivors = " AND entity_id = (SELECT min(id) FROM contact.contact)"
        assert await home.value(told + survivors) == 2
        owner = await asyncpg.connect(home.dsn("kith_migrator"))
        try:
            assert await check_database(owner) == []
            await owner.execute(
                "UPDATE contact.contact_event SET cause = 'no signal'"
                " WHERE event_type = 'ContactsMerged'"
            )
            doubled = [line for line in await check_database(owner) if line.startswith("I2")]
            assert len(doubled) == 1
        finally:
            await owner.close()


async def test_the_same_events_again_change_nothing(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email="adalbert.lovelace@engines.example", **ADA)
        await matched.resolve("r2", email="adalbert.lovelace@gmail.com", **ADA)
        await matched.match()
        events = await home.value("SELECT count(*) FROM contact.contact_event")
        keys = await home.value("SELECT count(*) FROM contact.blocking_key")
        await matched.match(again=True)
        assert await home.value("SELECT count(*) FROM contact.contact_event") == events
        assert await home.value("SELECT count(*) FROM contact.blocking_key") == keys


async def test_a_name_alone_is_never_enough_to_merge(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", name="Adalbert Lovelace", email="a1@example.com")
        await matched.resolve("r2", name="Adalbert Lovelace", email="zz9@example.org")
        assert await matched.statuses() == ["active", "active"]


async def test_a_pair_that_a_person_keeps_apart_stays_apart(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        for record, email in (("r1", "adalbert.lovelace@engines.example"), ("r2", "al@gmail.com")):
            await resolver.resolve(resolver.a_signal(record, email=email, **ADA))
        await home.execute(
            "INSERT INTO contact.identity_judgement (tenant_id, judgement, entity_id_a, "
            "entity_id_b, cause) SELECT min(tenant_id), 'cannot_link', min(id), max(id), 'test' "
            "FROM contact.contact"
        )
        await matched.match()
        assert await matched.statuses() == ["active", "active"]


async def asked(home: Home) -> list[tuple[str, str, float | None]]:
    """Return what a person was asked, and how likely a yes is."""
    rows = await home.fetch(
        "SELECT reason, status::text, confidence_score FROM contact.contact_dedup_candidates"
        " ORDER BY id"
    )
    return [tuple(row) for row in rows]


BACKUP = {"email": "adalbert.lovelace@engines.example", "import_source": "mark-import"}
"""Of an address book: a contact of the CRM has the mailbox, which is not enough to merge."""


async def test_what_a_phone_backup_asked_a_person_is_not_answered_by_matching(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("crm", email="adalbert.lovelace@engines.example", **ADA)
        await matched.resolve("backup", **BACKUP, **ADA)
        assert await matched.statuses() == ["active", "active"]
        ((reason, status, likely),) = await asked(home)
        assert (reason, status) == ("phone_backup", "open")
        assert likely is not None
        assert likely > 0.9


@pytest.mark.parametrize("phone", [{"phone": "+442079460958"}, {}])
async def test_a_phone_backup_is_not_merged_through_a_third_record(
    home: Home, phone: dict[str, str]
) -> None:
    """By the backup's phone the third is the backup's; without it, the other's whom it is like."""
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("crm", email="adalbert.lovelace@engines.example", **ADA)
        await matched.resolve("backup", phone="+442079460958", **BACKUP, **ADA)
        await matched.resolve("third", email="lovelace@home.example", **phone, **ADA)
        await matched.match()
        with_whom = "backup" if phone else "crm"
        alone = {"crm": "backup", "backup": "crm"}[with_whom]
        assert await together(home) == {frozenset({with_whom, "third"}), frozenset({alone})}
        assert ("phone_backup", "open") in [(one, status) for one, status, _ in await asked(home)]


async def test_whom_a_person_keeps_apart_stays_so_when_one_was_merged_with_somebody(
    home: Home,
) -> None:
    """Nobody decides to merge them, either: a decision that is not carried out misleads."""
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        emails = ("adalbert.lovelace@engines.example", "al@gmail.com", "lovelace@home.example")
        await matched.resolve("r1", email=emails[0], **ADA)
        await matched.resolve("r2", email=emails[1], **ADA)
        assert await matched.statuses() == ["active", "merged"]
        await resolver.resolve(resolver.a_signal("r3", email=emails[2], **ADA))
        await home.execute(
            "INSERT INTO contact.identity_judgement (tenant_id, judgement, entity_id_a, "
            "entity_id_b, cause) SELECT tenant_id, 'cannot_link', "
            "min(id) FILTER (WHERE status = 'merged'), max(id), 'test' "
            "FROM contact.contact GROUP BY tenant_id"
        )
        await matched.match()
        assert await matched.statuses() == ["active", "merged", "active"]
        assert await home.value("SELECT count(*) FROM contact.match_decision") == 1


async def test_a_common_name_heats_its_block_and_stays_fast(home: Home) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        for start in range(0, 150, 50):
            await resolver.resolve(
                *(
                    resolver.a_signal(f"r{n}", name="John Smith", email=f"js{n}@mail{n}.example")
                    for n in range(start, start + 50)
                )
            )
            await matched.match()
        assert set(await matched.statuses()) == {"active"}
        assert await home.value("SELECT count(*) FROM contact.hot_block") > 0


NAMED = b'{"contact_id": "con_1", "cause": "test"}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [*((value, "malformed") for value in (None, b"", b"[]", b"{}", b"\xff")), (NAMED, "invalid")],
)
async def test_what_is_no_event_or_of_no_tenant_is_set_aside(
    home: Home, value: bytes | None, reason: str
) -> None:
    async with home.resolver() as resolver:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", b"e1"),
            ("ce_source", b"/test"),
            ("ce_type", b"kith.contact.created.v1"),
        ]
        record = record_of(value, 0, topics.EVENTS.name, headers)
        batch = Batch([record], "resolver-matching", next_offsets([record]))
        (rejected,) = await Matching(resolver.store, restless).handle_events(batch)
        assert rejected.error.reason == reason


LAMAR = {"name": "Lamar Baker", "company": "Pine Valley Partners"}
CHAIN = {
    "by phone": {"phone": "+14155550187", "email": "lamar.baker@pine.example", **LAMAR},
    "both": {"phone": "+14155550187", "email": "raymond@ward.example", **LAMAR},
    "by mail": {"phone": "+12125550111", "email": "raymond@ward.example", **LAMAR},
}
"""Who has one mailbox with the second and none of the identifiers of the first."""


async def together(home: Home) -> set[frozenset[str]]:
    """Return which records are one contact."""
    rows = await home.fetch(
        "SELECT contact_id, source_record_id AS record FROM contact.source_record"
        " WHERE superseded_at IS NULL"
    )
    contacts: dict[int, set[str]] = {}
    for row in rows:
        contacts.setdefault(row["contact_id"], set()).add(row["record"])
    return set(map(frozenset, contacts.values()))


@pytest.mark.parametrize("order", [*permutations(CHAIN)])
async def test_a_chain_of_identifiers_is_parted_alike_whatever_came_first(
    home: Home, order: Sequence[str]
) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        for record in order:
            await matched.resolve(record, **CHAIN[record])
            while await home.value("SELECT max(seq) FROM contact.outbox") != matched.read:
                await matched.match()
        assert await together(home) == {frozenset({"by mail"}), frozenset({"both", "by phone"})}
        counted = "SELECT sum(occurrences)::int FROM contact.attribute_frequency"
        assert await home.value(counted) == len(CHAIN)


CARMEN = {"name": "Carmen Howard", "company": "Crossbow Ventures"}
BOX, LINE = "jgarza@crossbow.example", "+18325550117;ext=2128"
AT_LINE = {"title": "Executive Assistant", "email": BOX, "phone": LINE}
NAMESAKE = {**CARMEN, "email": "kcaldwell@crossbow.example", "phone": LINE}
"""Who has one line with two records, and another mailbox than any."""


async def test_whom_its_name_brought_to_a_home_without_its_line_comes_apart_all_the_same(
    home: Home,
) -> None:
    """The line is of a home whose record is called otherwise: her name led to her other home."""
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("garbled", **{**CARMEN, **AT_LINE, "name": "Z."})
        await resolver.resolve(resolver.a_signal("mailbox", email=BOX, **CARMEN))
        await matched.resolve("whole", **CARMEN, **AT_LINE)
        assert await matched.statuses() == ["active", "merged", "merged"]
        await resolver.resolve(resolver.a_signal("namesake", **NAMESAKE))
        assert len(await together(home)) == 1
        await matched.match()
        assert await together(home) == {
            frozenset({"garbled", "mailbox", "whole"}),
            frozenset({"namesake"}),
        }


async def test_what_is_told_of_who_was_absorbed_meanwhile_is_told_of_who_stands_for_it(
    home: Home,
) -> None:
    async with home.resolver() as resolver:
        matched = Matched(home, resolver)
        await matched.resolve("r1", email="adalbert.lovelace@engines.example", **ADA)
        mailbox = "adalbert.lovelace@gmail.com"
        await resolver.resolve(resolver.a_signal("r2", email=mailbox, **ADA))
        first = await home.value("SELECT max(seq) FROM contact.outbox")
        await resolver.resolve(resolver.a_signal("r3", email=mailbox, **{**ADA, "title": "Earl"}))
        last = await home.value("SELECT max(seq) FROM contact.outbox")
        await matched.match(until=first)
        assert await matched.statuses() == ["active", "merged"]
        await matched.match(until=last)
        counted = "SELECT sum(occurrences)::int FROM contact.attribute_frequency"
        assert await home.value(counted) == 3
        keys = await home.fetch(
            "SELECT DISTINCT c.status::text FROM contact.blocking_key AS b"
            " JOIN contact.contact AS c ON c.id = b.contact_id"
        )
        assert [row["status"] for row in keys] == ["active"]
