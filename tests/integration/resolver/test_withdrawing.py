"""Activities of an import that was taken back: off the timelines, unless others tell them too."""

import pytest

from services.resolver.store.withdrawing import ActivityRetractor
from shared.errors import TransientError
from shared.events.activity import NormalizedActivity
from shared.events.command import RetractImport
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_activities import ADA, BOB, contacts, timeline
from tests.integration.resolver.test_merging import check, place_of, said
from tests.support.activities import somebody

FIRST, SECOND, THIRD = ("imp_" + digit * 26 for digit in "123")


async def take_back(home: Home, resolver: Resolver, import_id: str) -> int:
    """Take an import back wholly; return how many deliveries that were."""
    place, retracted = await place_of(home), 0
    for _ in range(50):
        said_ = RetractImport(**said(resolver, import_id=import_id))
        answer = await resolver.store.retract(said_, place)
        retracted += answer.retracted
        if not answer.remaining:
            return retracted
    raise AssertionError("it never ends")


async def statuses(home: Home) -> dict[str, int]:
    rows = await home.fetch("SELECT status::text, count(*) FROM contact.contact GROUP BY 1")
    return dict(map(tuple, rows))


async def test_what_an_import_alone_told_is_nobodys_any_more(
    home: Home, resolver: Resolver
) -> None:
    """Who was known from its activities alone is deleted; imported again, all is there again."""
    await resolver.resolve(resolver.a_signal(name="Ada Lovelace", email=ADA))
    people = (somebody("from", called="Ada", email=ADA), somebody("to", called="Bob", email=BOB))
    mails = [resolver.an_activity(f"m{n}", *people, title=f"{n}", import_id=FIRST) for n in (1, 2)]
    live = resolver.an_activity("live", people[0], title="Live", minutes=7)
    await resolver.happen(*mails, live)
    assert await take_back(home, resolver, FIRST) == 3, "two mails and Bob's record"
    assert await timeline(home, ADA) == [("Live", "from")]
    assert await statuses(home) == {"active": 1, "deleted": 1}
    reasons = await home.fetch(
        "SELECT DISTINCT payload::jsonb ->> 'reason' FROM contact.contact_event"
        " WHERE event_type = 'ActivityWithdrawn'"
    )
    assert [row[0] for row in reasons] == ["retracted"]
    await check(home)
    await resolver.happen(*mails)
    assert await timeline(home, ADA) == [("Live", "from")], "what is still on its way is passed by"
    assert await take_back(home, resolver, FIRST) == 0
    again = [resolver.an_activity(f"m{n}", *people, title=f"{n}", import_id=SECOND) for n in (1, 2)]
    await resolver.happen(*again)
    assert await timeline(home, ADA) == [("1", "from"), ("2", "from"), ("Live", "from")]
    assert await timeline(home, BOB) == [("1", "to"), ("2", "to")]
    assert await home.value("SELECT count(*) FROM contact.activity") == 3
    await check(home)


async def test_what_another_import_told_as_well_stays_until_that_goes_too(
    home: Home, resolver: Resolver
) -> None:
    people = (somebody("from", email=ADA), somebody("to", email=BOB))

    def mail(name: str, import_id: str | None) -> NormalizedActivity:
        return resolver.an_activity(name, *people, title=name, import_id=import_id)

    await resolver.happen(mail("both", FIRST), mail("own", FIRST), mail("lives", FIRST))
    await resolver.happen(mail("both", SECOND), mail("lives", None))
    await take_back(home, resolver, FIRST)
    assert await timeline(home, ADA) == [("both", "from"), ("lives", "from")]
    assert {status for _, status in (await contacts(home)).values()} == {"incomplete"}
    await check(home)
    await take_back(home, resolver, SECOND)
    assert await timeline(home, BOB) == [("lives", "to")]
    assert await statuses(home) == {"incomplete": 2}
    await check(home)


async def test_people_stay_as_long_as_an_import_names_them(home: Home, resolver: Resolver) -> None:
    """A record that the first import brought, and the second names, goes with the second."""
    ada, bob = somebody("from", email=ADA), somebody("to", email=BOB)
    await resolver.happen(resolver.an_activity("m1", ada, bob, title="One", import_id=FIRST))
    await resolver.happen(resolver.an_activity("m2", ada, title="Two", minutes=3, import_id=SECOND))
    await take_back(home, resolver, FIRST)
    assert await statuses(home) == {"incomplete": 1, "deleted": 1}
    assert await timeline(home, ADA) == [("Two", "from")]
    await check(home)
    await take_back(home, resolver, SECOND)
    assert await statuses(home) == {"deleted": 2}
    await check(home)


async def test_a_version_that_an_import_replaced_is_shown_again(
    home: Home, resolver: Resolver
) -> None:
    """A calendar that was imported anew moved a meeting and dropped Bob: both are as before."""
    ada, bob = somebody("organizer", email=ADA), somebody("attendee", email=BOB)
    first = resolver.an_activity(
        "e1", ada, bob, title="Monday", kind="meeting", location="Here", import_id=FIRST
    )
    await resolver.happen(first)
    moved = resolver.an_activity(
        "e1", ada, title="Tuesday", kind="meeting", stated=9, import_id=SECOND
    )
    await resolver.happen(moved)
    assert await timeline(home, BOB) == []
    await take_back(home, resolver, SECOND)
    assert await timeline(home, ADA) == [("Monday", "organizer")]
    assert await timeline(home, BOB) == [("Monday", "attendee")]
    assert await home.value("SELECT location FROM contact.activity") == "Here"
    told = await home.fetch(
        "SELECT payload::jsonb #>> '{activity,title}' FROM contact.contact_event"
        " WHERE event_type = 'ActivityRecorded' ORDER BY recorded_at DESC, event_id DESC LIMIT 2"
    )
    assert {row[0] for row in told} == {"Monday"}
    await check(home)
    await resolver.happen(
        resolver.an_activity("e1", ada, title="Tuesday", kind="meeting", stated=9, import_id=THIRD)
    )
    await take_back(home, resolver, FIRST)
    assert await timeline(home, ADA) == [("Tuesday", "organizer")], "an older version is not shown"
    await take_back(home, resolver, THIRD)
    assert await statuses(home) == {"deleted": 2}
    await check(home)


async def test_it_goes_on_where_it_stopped(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.resolver.store.withdrawing.PIECE", 3)
    mails = [
        resolver.an_activity(f"m{n}", somebody("to", email=f"p{n}@x.org"), import_id=FIRST)
        for n in range(8)
    ]
    await resolver.happen(*mails)
    place, command = await place_of(home), RetractImport(**said(resolver, import_id=FIRST))
    first = await resolver.store.retract(command, place)
    assert (first.retracted, first.remaining) == (3, 13)
    assert len(first.positions) == 3

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(ActivityRetractor, "_concerned", killed)
        with pytest.raises(TransientError):
            await resolver.store.retract(command, place)
    await check(home)
    assert await take_back(home, resolver, FIRST) == 13
    assert await statuses(home) == {"deleted": 8}
    assert await home.value("SELECT count(*) FROM contact.contact_activities") == 0
    await check(home)
