"""Contradictory and enormous input: a clear answer, bounded work, and nobody merged by it."""

import time

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
