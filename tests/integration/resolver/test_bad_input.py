"""Contradictory and enormous input: a clear answer, bounded work, and nobody merged by it."""

import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.resolver.domain import claims
from services.resolver.domain.model import Claim
from services.resolver.store import remembering
from services.resolver.store.loading import Loader
from shared.events.command import MergeContacts, SplitContact
from shared.events.signal import Identifier
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_resolving import check

JOHNS = 300
"""`John Smith`s: each by an address of the own, so that only the name is shared."""

ENORMOUS = 1_000
"""Identifiers of one signal: about as many as its largest body holds."""


async def test_identical_names_stay_apart(home: Home, resolver: Resolver) -> None:
    for start in range(0, JOHNS, 100):
        await resolver.resolve(
            *(
                resolver.a_signal(f"j{n}", email=f"john{n}@x{n}.org", name="John Smith")
                for n in range(start, start + 100)
            )
        )
    assert await home.value("SELECT count(*) FROM contact.contact") == JOHNS
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 0
    await check(home)


async def test_identifiers_swapped_between_two_people_wait_for_a_person(
    home: Home, resolver: Resolver
) -> None:
    """Each record names the other's phone: neither is merged, and nothing changes hands."""
    ada, bob = "+14155550101", "+14155550102"
    await resolver.resolve(
        resolver.a_signal("a1", email="ada@x.org", phone=ada, name="Ada Lovelace"),
        resolver.a_signal("b1", email="bob@x.org", phone=bob, name="Bob Miller"),
    )
    await resolver.resolve(
        resolver.a_signal("a2", email="ada@x.org", phone=bob, name="Ada Lovelace"),
        resolver.a_signal("b2", email="bob@x.org", phone=ada, name="Bob Miller"),
    )
    assert await home.value("SELECT count(*) FROM contact.contact") == 2
    rows = await home.fetch(
        "SELECT array_agg(source_record_id ORDER BY 1) AS records FROM contact.source_record"
        " GROUP BY contact_id ORDER BY 1"
    )
    assert [row["records"] for row in rows] == [["a1", "a2"], ["b1", "b2"]]
    assert await home.value("SELECT status::text FROM contact.contact_dedup_candidates") == "open"
    await check(home)


async def test_a_signal_that_names_a_thousand_is_one_contact_or_many_candidates(
    home: Home, resolver: Resolver
) -> None:
    """It joins nobody that it names, and the next signal is not slower for it."""
    await resolver.resolve(
        *(resolver.a_signal(f"r{n}", email=f"p{n}@x.org", name=None) for n in range(50))
    )
    one = resolver.a_signal("huge", email="p0@x.org", name=None)
    named = tuple(Identifier(type="email", value=f"p{n}@x.org") for n in range(ENORMOUS))
    facts = one.facts.model_copy(update={"identifiers": named})
    await resolver.resolve(one.model_copy(update={"facts": facts}))
    assert await home.value("SELECT count(*) FROM contact.contact") == 50
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 49
    assert await home.value("SELECT count(*) FROM contact.contact_identifier") == ENORMOUS
    began = time.monotonic()
    await resolver.resolve(resolver.a_signal("next", email="next@x.org"))
    assert time.monotonic() - began < 5
    await check(home)


async def test_one_identifier_in_many_signals_costs_each_the_same(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch reads what others told since, and not what it has read already."""
    monkeypatch.setattr(remembering, "LEAST", 50)
    read: list[int] = []
    claim = Loader._claim

    def counted(loader: Loader, row: asyncpg.Record) -> Claim:
        read[-1] += 1
        return claim(loader, row)

    monkeypatch.setattr(Loader, "_claim", counted)
    async with home.resolver() as another:
        for start in range(0, 600, 100):
            read.append(0)
            who = another if start % 200 else resolver
            await who.resolve(
                *(
                    resolver.a_signal(f"r{n}", email="all@x.org", phone=f"+1415555{n:04d}")
                    for n in range(start, start + 100)
                )
            )
    assert read == [0, 100, 100, 100, 100, 100]
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    assert await home.value("SELECT count(*) FROM contact.contact_phones") == 600
    await check(home)


async def test_what_is_remembered_of_a_contact_ends_with_a_merge(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next signal finds what the merge brought, and after the undoing what it took away."""
    monkeypatch.setattr(remembering, "LEAST", 2)
    monkeypatch.setattr(claims, "MANY", 2)

    async def say(*records: str, minutes: int, **said: Any) -> None:
        signals = [resolver.a_signal(one, minutes=minutes, **said) for one in records]
        await resolver.resolve(*signals)

    async def headline() -> str | None:
        found = await home.fetch(
            "SELECT b.headline FROM contact.workspace_contact_binding AS b"
            " JOIN contact.contact_identifier AS i USING (contact_id)"
            " WHERE i.normalized_value = 'ada@x.org'"
        )
        return str(found[0]["headline"])

    await say("a1", "a2", "a3", email="ada@x.org", minutes=0, headline="Analyst")
    await say("b1", email="king@x.org", minutes=9, headline="Countess")
    names = [
        row["public_id"]
        for row in await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ]
    place = await resolver.store.directory.resolve(home.tenant, home.workspace)
    order = {"tenant": home.tenant, "workspace": home.workspace, "issued_at": datetime.now(UTC)}
    merged = MergeContacts.model_validate(
        {
            **order,
            "command_id": "cmd_" + "0" * 25 + "1",
            "contact_id": names[0],
            "absorbed_id": names[1],
        }
    )
    await resolver.store.judge(merged, place)
    await say("a4", email="ada@x.org", minutes=1, headline="Poet")
    assert await headline() == "Countess"
    merge = await home.value("SELECT merge_id FROM contact.contact_merge_log")
    undone = SplitContact.model_validate(
        {**order, "command_id": "cmd_" + "0" * 25 + "2", "contact_id": names[0], "merge_id": merge}
    )
    await resolver.store.judge(undone, place)
    await say("a5", email="ada@x.org", minutes=2, headline="Author")
    assert await headline() == "Author"
    await check(home)


async def test_a_record_told_anew_many_times_is_known_by_its_last(
    home: Home, resolver: Resolver
) -> None:
    """What was replaced long ago is not read again, and what comes late is late all the same."""
    for start in range(0, 200, 50):
        await resolver.resolve(
            *(
                resolver.a_signal("r1", email="ada@x.org", title=f"t{n}", minutes=n)
                for n in range(start, start + 50)
            )
        )
    late = resolver.a_signal("r1", email="ada@x.org", title="late", minutes=20.5)
    again = resolver.a_signal("r1", email="ada@x.org", title="t20", minutes=20)
    await resolver.resolve(late, again)
    await resolver.resolve(late, resolver.a_signal("r1", email="ada@x.org", minutes=300))
    ledger = await home.fetch(
        "SELECT revision, superseded_at IS NULL AS current FROM contact.source_record ORDER BY 1"
    )
    assert [row["revision"] for row in ledger] == list(range(1, 203))
    assert [row["revision"] for row in ledger if row["current"]] == [202]
    await check(home)
