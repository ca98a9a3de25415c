"""Activities on real PostgreSQL: on whose timelines they are, whatever else happens."""

import asyncio
from random import Random

import pytest

from services.resolver.handlers import signals
from shared.events.command import MergeContacts, SplitContact
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_merging import check, judge, said
from tests.support.activities import somebody

ADA, BOB = "ada@engines.example", "bob@engines.example"


async def timeline(home: Home, email: str) -> list[tuple[str, str]]:
    """Return title and role of what the holder of an address took part in, as it is shown."""
    rows = await home.fetch(
        "SELECT a.subject, p.role FROM contact.contact_identifier i"
        " JOIN contact.contact c ON c.id = i.contact_id OR c.merged_into_id = i.contact_id"
        " JOIN contact.contact_activities p ON p.contact_id = c.id"
        " JOIN contact.activity a ON a.id = p.activity_id"
        " WHERE i.normalized_value = $1 AND i.deleted_at IS NULL ORDER BY 1, 2",
        email,
    )
    return [(row["subject"], row["role"]) for row in rows]


async def contacts(home: Home) -> dict[str, tuple[str, str]]:
    """Return address → (public id, status) of who holds it."""
    rows = await home.fetch(
        "SELECT i.normalized_value AS value, c.public_id, c.status::text"
        " FROM contact.contact_identifier i JOIN contact.contact c ON c.id = i.contact_id"
        " WHERE i.deleted_at IS NULL"
    )
    return {row["value"]: (row["public_id"], row["status"]) for row in rows}


async def events(home: Home) -> list[tuple[str, str]]:
    """Return contact and kind of every event, oldest first."""
    rows = await home.fetch(
        "SELECT entity_public_id, event_type FROM contact.contact_event"
        " ORDER BY entity_id, sequence_number"
    )
    return [tuple(row) for row in rows]


async def test_the_known_get_it_on_their_timeline_and_the_unknown_become_contacts(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal(name="Ada Lovelace", email=ADA))
    mail = resolver.an_activity(
        "m1",
        somebody("from", called="Countess", email=ADA),
        somebody("to", called="Bob Babbage", email=BOB),
        somebody("to", called="Team"),
        title="Engine",
        snippet="Dear Bob",
        duration_s=60,
    )
    assert await resolver.happen(mail) == []
    found = await contacts(home)
    assert (found[ADA][1], found[BOB][1]) == ("active", "incomplete")
    assert await timeline(home, ADA) == [("Engine", "from")]
    assert await timeline(home, BOB) == [("Engine", "to")]
    shown = await home.fetch(
        "SELECT full_name FROM contact.workspace_contact_binding ORDER BY contact_id"
    )
    assert [row[0] for row in shown] == ["Ada Lovelace", "Bob Babbage"], "a record's name stands"
    (stored,) = await home.fetch("SELECT * FROM contact.activity")
    assert (stored["subject"], stored["snippet"], stored["participants"]) == (
        "Engine",
        "Dear Bob",
        3,
    )
    assert (stored["ended_at"] - stored["occurred_at"]).seconds == 60
    (told,) = await home.fetch(
        "SELECT payload, workspace_id FROM contact.contact_event"
        " WHERE event_type = 'ActivityRecorded' AND entity_public_id = $1",
        found[BOB][0],
    )
    assert told["workspace_id"] is not None, "one workspace's own matter"
    assert found[ADA][0] in told["payload"]
    await check(home)


async def test_the_same_again_changes_nothing_and_a_newer_version_replaces(
    home: Home, resolver: Resolver
) -> None:
    people = (somebody("from", email=ADA), somebody("to", email=BOB))
    first = resolver.an_activity("m1", *people, title="Draft")
    await resolver.happen(first, first)
    before = await events(home)
    await resolver.happen(first)
    assert await events(home) == before
    moved = resolver.an_activity("m1", people[0], title="Final", stated=5)
    older = resolver.an_activity("m1", *people, title="Older", stated=2)
    await resolver.happen(moved, older)
    assert await timeline(home, ADA) == [("Final", "from")]
    assert await timeline(home, BOB) == [], "the newest version names Bob no more"
    ledger = await home.fetch(
        "SELECT revision, superseded_at IS NULL AS current FROM contact.activity_record ORDER BY 1"
    )
    assert [tuple(row) for row in ledger] == [(1, False), (2, True), (3, False)]
    await resolver.happen(moved, older)
    again = resolver.an_activity("m1", *people, title="Draft", stated=9)
    await resolver.happen(again)
    assert await timeline(home, BOB) == [("Draft", "to")], "A, B, A applies"
    gone = resolver.an_activity("m1", stated=10, deleted=True)
    await resolver.happen(gone)
    assert await timeline(home, ADA) == await timeline(home, BOB) == []
    assert await home.value("SELECT deleted_at IS NOT NULL FROM contact.activity")
    await check(home)


async def test_a_participant_seen_before_is_no_news(home: Home, resolver: Resolver) -> None:
    """Thousands of messages with somebody leave one source record, in whatever order they come."""
    mails = [
        resolver.an_activity(f"m{number}", somebody("to", called="Ada", email=ADA), minutes=-number)
        for number in range(5)
    ]
    await resolver.happen(*mails[:3])
    await resolver.happen(*mails[3:])
    assert await home.value("SELECT count(*) FROM contact.source_record") == 1
    kinds = [kind for _, kind in await events(home)]
    assert kinds == ["ContactCreated", *["ActivityRecorded"] * 5]
    assert await home.value("SELECT status::text FROM contact.contact") == "incomplete"
    await resolver.resolve(resolver.a_signal(name="Ada Lovelace", email=ADA))
    assert await home.value("SELECT status::text FROM contact.contact") == "active"
    await check(home)


async def test_what_others_call_somebody_neither_joins_nor_parts(
    home: Home, resolver: Resolver
) -> None:
    """An address book's "Dad" is whoever has the address, and denies no record its own name."""
    dad = somebody("to", called="Dad", email=ADA)
    boss = somebody("to", called="The Boss", email=ADA)
    await resolver.happen(resolver.an_activity("m1", dad), resolver.an_activity("m2", boss))
    await resolver.resolve(resolver.a_signal(name="John Smith", email=ADA))
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    shown = await home.value("SELECT full_name FROM contact.workspace_contact_binding")
    assert shown == "John Smith"
    await check(home)


async def test_a_contact_named_by_its_id_has_to_be_the_workspaces(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal(name="Ada Lovelace", email=ADA))
    ((ada, _),) = (await contacts(home)).values()
    note = resolver.an_activity("n1", somebody("about", contact_id=ada), kind="note", title="Note")
    stranger = resolver.an_activity("n2", somebody("about", contact_id="con_" + "0" * 26))
    neighbour = resolver.an_activity("n3", somebody("to", email=BOB), title="Mail")
    (rejected,) = await resolver.happen(note, stranger, neighbour)
    assert (rejected.error.reason, rejected.error.field) == ("invalid", "participants")
    assert "no contact of this workspace" in rejected.error.detail
    assert await timeline(home, ADA) == [("Note", "about")]
    assert await timeline(home, BOB) == [("Mail", "to")]
    await home.execute(
        "INSERT INTO app.workspace (public_id, tenant_id, name)"
        " SELECT 'wsp_' || repeat('9', 26), id, 'other' FROM app.tenant"
    )
    elsewhere = resolver.an_activity(
        "n1", somebody("about", contact_id=ada), workspace="wsp_" + "9" * 26
    )
    assert len(await resolver.happen(elsewhere)) == 1, "another workspace does not know her"
    await check(home)


async def test_activities_follow_their_people_through_merge_and_split(
    home: Home, resolver: Resolver
) -> None:
    """What came while two were one goes to whoever it belongs to; the rest was never moved."""
    await resolver.resolve(
        resolver.a_signal("r1", name="Ada Lovelace", email=ADA),
        resolver.a_signal("r2", name="Ada King", email=BOB),
    )
    both = (somebody("from", email=ADA), somebody("to", email=BOB))
    await resolver.happen(resolver.an_activity("before", *both, title="before"))
    found = await contacts(home)
    ada, bob = found[ADA][0], found[BOB][0]
    merge = MergeContacts.model_validate(said(resolver, contact_id=ada, absorbed_id=bob))
    assert (await judge(home, resolver, merge)).outcome == "done"
    assert await timeline(home, ADA) == [("before", "from"), ("before", "to")]
    await resolver.happen(
        resolver.an_activity("while", somebody("cc", called="New", email=BOB), title="while"),
        resolver.an_activity("joint", *both, title="joint", minutes=1),
        resolver.an_activity("before", *both, title="before, moved", stated=3),
    )
    await check(home)
    merged = await home.value("SELECT merge_id FROM contact.contact_merge_log")
    split = SplitContact.model_validate(said(resolver, contact_id=ada, merge_id=merged))
    assert (await judge(home, resolver, split)).outcome == "done"
    assert await timeline(home, ADA) == [("before, moved", "from"), ("joint", "from")]
    assert await timeline(home, BOB) == [
        ("before, moved", "to"),
        ("joint", "to"),
        ("while", "cc"),
    ]
    await check(home)
    kinds = [kind for contact, kind in await events(home) if contact == ada]
    assert kinds[-1] in {"ActivityRecorded", "ActivityWithdrawn"}
    await resolver.happen(resolver.an_activity("while", somebody("cc", called="New", email=BOB)))
    assert (
        await judge(
            home,
            resolver,
            MergeContacts.model_validate(said(resolver, contact_id=bob, absorbed_id=ada)),
        )
    ).outcome == "done"
    await check(home)


async def test_whatever_was_merged_and_undone_everybody_has_their_own(
    home: Home, resolver: Resolver
) -> None:
    """In the end every timeline is what the addresses of the activities say, and nothing else."""
    dice = Random(54)
    people = [f"p{number}@x.example" for number in range(5)]
    await resolver.resolve(
        *[resolver.a_signal(email, name="Ada Lovelace", email=email) for email in people]
    )
    names = {email: name for email, (name, _) in (await contacts(home)).items()}
    expected: dict[str, dict[str, str]] = {email: {} for email in people}
    merges: list[tuple[str, str]] = []
    merged = 0
    for step in range(60):
        match dice.randrange(4):
            case 0:
                one, other = dice.sample(list(names.values()), 2)
                merge = MergeContacts.model_validate(
                    said(resolver, contact_id=one, absorbed_id=other)
                )
                answer = await judge(home, resolver, merge)
                if answer.merge_id is not None:
                    merges.append((one, answer.merge_id))
                    merged += 1
            case 1 if merges:
                await undo(home, resolver, *merges.pop(dice.randrange(len(merges))))
            case _:
                record = f"m{dice.randrange(25)}"
                taking_part = dice.sample(people, dice.randint(1, 3))
                called = [dice.choice([None, "Dad", "Boss"]) for _ in taking_part]
                mail = resolver.an_activity(
                    record,
                    *[
                        somebody("cc", called=name, email=email)
                        for email, name in zip(taking_part, called, strict=True)
                    ],
                    title=f"{record} {step}",
                    stated=step,
                )
                assert await resolver.happen(mail) == []
                for email in people:
                    expected[email].pop(record, None)
                    if email in taking_part:
                        expected[email][record] = f"{record} {step}"
    assert merged > 5
    while merges:
        await undo(home, resolver, *merges.pop(dice.randrange(len(merges))))
    await check(home)
    for email in people:
        titles = [title for title, _ in await timeline(home, email)]
        assert titles == sorted(expected[email].values()), email


async def undo(home: Home, resolver: Resolver, contact: str, merge: str) -> None:
    split = SplitContact.model_validate(said(resolver, contact_id=contact, merge_id=merge))
    assert (await judge(home, resolver, split)).outcome == "done"


async def test_a_batch_of_circulars_is_cut_and_applied_once(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "PORTION", 8)
    mails = [
        resolver.an_activity(
            f"m{number}", *[somebody("bcc", email=f"p{n}@x.example") for n in range(number, 5)]
        )
        for number in range(5)
    ]
    signal = resolver.a_signal(name="Ada Lovelace", email="p3@x.example")
    await resolver.happen(mails[0], signal, *mails[1:])
    before = await events(home)
    assert await home.value("SELECT count(*) FROM contact.contact_activities") == 15
    assert await home.value("SELECT count(*) FROM contact.contact") == 5
    await resolver.happen(mails[0], signal, *mails[1:])
    assert await events(home) == before
    await check(home)


async def test_racing_resolvers_agree_on_activities(home: Home) -> None:
    """Two see the same participants and the same activity at once: one contact, one activity."""
    people = [somebody("to", email=f"p{n}@x.example") for n in range(4)]

    async def run(resolver: Resolver, numbers: range) -> None:
        for number in numbers:
            await resolver.happen(resolver.an_activity(f"m{number}", *people))

    async with home.resolver() as one, home.resolver() as other:
        await asyncio.gather(run(one, range(8)), run(other, range(7, -1, -1)))
    assert await home.value("SELECT count(*) FROM contact.contact") == 4
    assert await home.value("SELECT count(*) FROM contact.contact_activities") == 32
    await check(home)


async def test_what_is_unreadable_is_set_aside(resolver: Resolver) -> None:
    good = resolver.an_activity("m1", somebody("to", email=ADA))
    unknown = good.model_copy(update={"source": "nowhere"})
    unnamed = good.model_copy(update={"record_key": "xyz"})
    refused = await resolver.happen(unknown, unnamed)
    assert [(one.error.reason, one.error.field) for one in refused] == [
        ("unknown_source", "source"),
        ("invalid", "record_key"),
    ]
