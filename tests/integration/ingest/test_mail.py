"""Files of mail, meetings and calls over HTTP, on real PostgreSQL and Kafka."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec import structs

from services.ingest.domain.entries import Entry
from services.ingest.handlers.imports import Imports
from services.ingest.handlers.sending_entries import CHANGED, SHORTER, send_entries
from services.ingest.handlers.tools import activity_terms_of
from services.ingest.sources.activity_files import reading
from services.ingest.store.entries import append_entries
from services.ingest.store.imports import QUERIES
from services.ingest.store.vault import Vault, VaultError
from shared.auth import Place
from shared.errors import ServiceError, TransientError
from shared.events.topics import SIGNALS_NORMALIZED_BULK
from shared.kafka import Producer
from tests.support.accounts import KEYS
from tests.support.importing import Caller, Importing
from tests.support.kafka import KafkaLab
from tests.support.mail import a_message, an_mbox

ACTIVITIES = Path(__file__).parents[2] / "fixtures" / "activities"
HANDLERS = "services.ingest.handlers"
SIGNED = "Hello,\n\nBest regards\nAda Lovelace\nHead of Engines\nEngines GmbH\n"
OWN = "me@home.example.com"
BOX = an_mbox(
    a_message(text=SIGNED),
    a_message(message_id="<2@x>", list_id="<l.x.example>"),
    a_message(),
    a_message(message_id="<3@x>", **{"from": "no-reply@x.example"}),
)


@pytest.fixture(params=["read again", "kept"])
def again(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send mailboxes from a second reading, as small ones are, or from what was kept of them."""
    if request.param == "kept":
        never_read_again(monkeypatch)


def never_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every mailbox for a large one, and refuse to read one twice."""

    def refuse(*_given: Any, **_named: Any) -> Iterator[Entry]:
        pytest.fail("the file is read again")

    monkeypatch.setattr(f"{HANDLERS}.reading_entries.is_large", lambda *_given: True)
    monkeypatch.setattr(f"{HANDLERS}.sending_entries.reading", refuse)


async def test_a_mailbox_is_previewed_taken_and_reported_message_by_message(
    caller: Caller, kafka: KafkaLab, system: Importing
) -> None:
    """Nothing is sent before one says so; rows in are the sum of the verdicts; nothing twice."""
    marks = await kafka.marks(SIGNALS_NORMALIZED_BULK)
    ready = await caller.preview(BOX, kind="mail", own=["me@home.example.com"])
    import_id = ready["import_id"]
    assert (ready["state"], ready["rows"], ready["source"]) == ("ready", 4, "email_sync")
    assert ready["classes"] == {"new": 1, "left_out": 3}
    assert ready["activities"] == {
        "left_out": {"again": 1, "list": 1, "no_reply": 1},
        "passed": {"own": 1},
        "signatures": 1,
        "people": {"known": 0, "new": 1},
        "own": ["me@home.example.com"],
    }
    first, *others = await caller.rows(import_id)
    assert (first["class"], first["line"], first["happened"]["title"]) == ("new", 2, "Engines")
    assert first["happened"]["participants"][0]["name"] == "Ada Lovelace"
    assert [one["reason"] for one in others] == ["list", "again", "no_reply"]
    assert await kafka.said_since(marks) == []
    staged = await system.fetch(
        "SELECT signal, raw, preview FROM ingest.import_row r JOIN ingest.import_file f"
        " ON f.id = r.import_id WHERE f.public_id = $1 ORDER BY number",
        import_id,
    )
    assert {(row["signal"], row["raw"]) for row in staged} == {(None, None)}

    done = await caller.run(import_id)
    assert done["verdicts"] == {"recorded": 1, "unchanged": 0, "skipped": 3, "rejected": 0}
    assert done["events"] >= 2
    signals = await kafka.said_since(marks)
    assert sorted("activity" in one for one in signals) == [False, True]
    kept = "SELECT count(*) FROM ingest.import_chunk"
    chunks = await system.fetch(
        f"{kept} c JOIN ingest.import_file f ON f.id = c.import_id WHERE f.public_id = $1",
        import_id,
    )
    assert chunks[0][0] == 0, "what people wrote is kept no longer than it takes"
    nothing = await caller.http.get(f"/v1/imports/{import_id}/rejects")
    assert nothing.status_code == 204
    assert (await caller.order(import_id, "undo")).status_code == 202
    undone = await caller.until(import_id, "undone")
    assert undone["undo"]["remaining"] == 0


async def test_what_a_mailbox_said_before_is_known_and_a_class_may_be_left_out(
    caller: Caller,
) -> None:
    box = an_mbox(a_message(text=SIGNED), a_message(message_id="<2@x>"))
    done = await caller.run((await caller.preview(box, own=OWN))["import_id"])
    assert done["verdicts"]["recorded"] == 2
    more = an_mbox(
        a_message(text=SIGNED), a_message(message_id="<2@x>"), a_message(message_id="<3@x>")
    )
    ready = await caller.preview(more, own=OWN)
    assert ready["classes"] == {"duplicate": 2, "new": 1}
    assert ready["activities"]["people"] == {"known": 1, "new": 0}
    assert (await caller.choose(ready["import_id"], classes={"new": "skip"})).status_code == 200
    done = await caller.run(ready["import_id"])
    assert done["verdicts"] == {"recorded": 0, "unchanged": 2, "skipped": 1, "rejected": 0}
    assert done["events"] == 0
    rows = await caller.rows(ready["import_id"])
    assert rows[2]["reason"] == "left out by choice"
    columns = await caller.http.put(f"/v1/imports/{ready['import_id']}/mapping")
    assert columns.status_code == 409


async def test_killed_in_the_middle_a_mailbox_goes_on_and_sends_nothing_twice(
    system: Importing, caller: Caller, kafka: KafkaLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once while its rows are staged, once when a part of it is sent and noted, once unnoted."""
    box = an_mbox(*(a_message(message_id=f"<{n}@x>") for n in range(90)))
    marks = await kafka.marks(SIGNALS_NORMALIZED_BULK)
    staged, sent = 0, 0
    append, note = append_entries, Producer.send_batch

    async def broken_append(*given: Any) -> bool:
        nonlocal staged
        staged += 1
        if staged == 2:
            raise TransientError("the process is gone")
        return await append(*given)

    async def broken_send(producer: Producer, batch: Any) -> None:
        nonlocal sent
        await note(producer, batch)
        sent += 1
        if sent == 2:
            raise TransientError("the process is gone, with what it sent not noted")

    monkeypatch.setattr(f"{HANDLERS}.reading_entries.append_entries", broken_append)
    monkeypatch.setattr(Producer, "send_batch", broken_send)
    monkeypatch.setattr(f"{HANDLERS}.sending_entries.SLICE", 20)
    monkeypatch.setattr(f"{HANDLERS}.imports.RETRY_SECONDS", 0.1)
    ready = await caller.preview(box, own=OWN)
    assert (ready["rows"], ready["classes"]) == (90, {"new": 90})
    done = await caller.run(ready["import_id"])
    assert (staged, sent) == (3, 6)
    assert done["verdicts"] == {"recorded": 90, "unchanged": 0, "skipped": 0, "rejected": 0}
    assert len(await kafka.said_since(marks)) == 110, "a part was sent twice, and is known by then"
    [[told]] = await system.fetch(
        "SELECT count(*) FROM contact.activity_record WHERE import_id = $1", ready["import_id"]
    )
    assert told == 90


async def whereabouts(system: Importing, import_id: str) -> tuple[int, Place]:
    """Return an import's number, and whose it is."""
    [[number, *place]] = await system.fetch(
        "SELECT f.id, t.id, w.id, t.public_id, w.public_id FROM ingest.import_file f"
        " JOIN app.tenant t ON t.id = f.tenant_id JOIN app.workspace w ON w.id = f.workspace_id"
        " WHERE f.public_id = $1",
        import_id,
    )
    return number, Place(*place)


async def test_a_file_that_cannot_be_read_again_ends_its_import(
    system: Importing, caller: Caller
) -> None:
    """Gone, or another of the same length: nothing of it is sent, each row says why."""
    box = an_mbox(*(a_message(message_id=f"<{n}@x>") for n in range(3)))
    changed = box.replace(b"Engines", b"Engined")
    for data, why in ((None, "0 of its"), (changed, "not the one that was read before")):
        ready = await caller.preview(box, own=OWN)
        number, place = await whereabouts(system, ready["import_id"])
        await system.tools.uploads.delete(place, number)
        if data is not None:
            async with system.tools.store.inside(place) as connection:
                values = (number, place.tenant_id, place.workspace_id, 0, data, None)
                await connection.execute(QUERIES["put_chunk"], *values)
        done = await caller.run(ready["import_id"])
        assert done["verdicts"] == {"recorded": 0, "unchanged": 0, "skipped": 0, "rejected": 3}
        rows = await caller.rows(ready["import_id"], verdict="rejected")
        assert [row["number"] for row in rows] == [1, 2, 3]
        assert all(why in row["reason"] and "import it again" in row["reason"] for row in rows)
        assert (await caller.order(ready["import_id"], "undo")).status_code == 202
        await caller.until(ready["import_id"], "undone")


async def kept_pieces(system: Importing, import_id: str) -> int:
    [[count]] = await system.fetch(
        "SELECT count(*) FROM ingest.import_chunk c JOIN ingest.import_file f"
        " ON f.id = c.import_id WHERE f.public_id = $1",
        import_id,
    )
    number: int = count
    return number


async def test_what_was_kept_goes_with_the_end_of_an_import(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed right behind the end leaves none of it, nor does an import that fails."""
    never_read_again(monkeypatch)

    async def kept(import_id: str) -> int:
        [[count]] = await system.fetch(
            "SELECT count(*) FROM ingest.import_chunk c JOIN ingest.import_file f"
            " ON f.id = c.import_id WHERE f.public_id = $1 AND c.begins < 0",
            import_id,
        )
        number: int = count
        return number

    ready = await caller.preview(an_mbox(a_message(message_id="<end@x>", text=SIGNED)), own=OWN)
    assert await kept(ready["import_id"]) == 1
    over: set[object] = set()
    fetchrow = system.tools.store.fetchrow

    async def killed(place: Place, query: str, *values: Any) -> Any:
        if over.intersection(values[:1]):
            raise TransientError("killed")
        row = await fetchrow(place, query, *values)
        if query == "finish":
            over.add(values[0])
        return row

    with monkeypatch.context() as dying:
        dying.setattr(system.tools.store, "fetchrow", killed)
        await caller.run(ready["import_id"])
    assert await kept(ready["import_id"]) == 0

    failing = await caller.preview(an_mbox(a_message(message_id="<fail@x>", text=SIGNED)), own=OWN)
    number, place = await whereabouts(system, failing["import_id"])
    assert await kept(failing["import_id"]) == 1
    async with system.tools.store.inside(place) as connection:
        await connection.execute(
            "UPDATE ingest.import_file SET state = 'reading', not_before = now() + interval '1 day'"
            " WHERE id = $1",
            number,
        )
    assert await system.tools.store.fail(place, number, {"reason": "internal"})
    assert await kept(failing["import_id"]) == 0


async def test_no_file_stays_that_nobody_needs(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is no mail, of what failed, and of what is done where its storage failed then."""
    answer = await caller.http.post("/v1/mail", content=b"\x00\x01 no mail at all")
    assert answer.status_code == 422
    [refused] = (await caller.http.get("/v1/imports")).json()["imports"]
    failed = await caller.preview(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert [refused["state"], failed["state"]] == ["failed", "failed"]
    assert await kept_pieces(system, refused["import_id"]) == 0
    for _ in range(100):
        if not await kept_pieces(system, failed["import_id"]):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("what was said in a file that failed is kept")

    async def fails(*_given: Any) -> None:
        raise TransientError("storage fails")

    with monkeypatch.context() as broken:
        broken.setattr(system.tools.uploads, "delete", fails)
        done = await caller.run((await caller.preview(BOX, kind="mail", own=OWN))["import_id"])
        await Imports(system.tools).tidy()
    assert await kept_pieces(system, done["import_id"]) == 1
    await Imports(system.tools).tidy()
    assert await kept_pieces(system, done["import_id"]) == 0
    number, _ = await whereabouts(system, done["import_id"])
    assert number not in {found for found, _ in await system.tools.store.find_files_to_forget(100)}


async def test_each_entry_is_held_to_the_row_that_was_previewed(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release reads a file differently: what changed is not sent, nor what is missing."""

    def differently(*given: Any, **named: Any) -> Iterator[Entry]:
        first, second, *others = reading(*given, **named)
        swapped = structs.replace(second, signals=others[0].signals)
        return iter([first, swapped, *others[:5]])

    monkeypatch.setattr(f"{HANDLERS}.sending_entries.reading", differently)
    monkeypatch.setattr(f"{HANDLERS}.sending_entries.SLICE", 3)
    box = an_mbox(*(a_message(message_id=f"<{n}@x>") for n in range(9)))
    done = await caller.run((await caller.preview(box, own=OWN))["import_id"])
    assert done["verdicts"] == {"recorded": 6, "unchanged": 0, "skipped": 0, "rejected": 3}
    rows = await caller.rows(done["import_id"], verdict="rejected")
    assert [(row["number"], row["reason"]) for row in rows] == [
        (2, CHANGED),
        (8, SHORTER),
        (9, SHORTER),
    ]
    await Imports(system.tools).tidy()
    given = await caller.http.get(f"/v1/imports/{done['import_id']}/rejects")
    stored = re.split(rb"^(?=From )", given.content, flags=re.MULTILINE)[1:]
    messages = [BytesParser().parsebytes(one) for one in stored]
    assert [(one["Message-ID"], one["X-Kith-Reason"]) for one in messages] == [
        ("<1@x>", CHANGED),
        ("<7@x>", SHORTER),
        ("<8@x>", SHORTER),
    ]


async def test_a_log_that_is_refused_half_way_keeps_what_was_sent(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound was lowered since its preview."""
    lines = [f"+1415555010{n},outgoing,2026-01-0{n} 10:00,60" for n in range(1, 8)]
    log = "\n".join(["number,direction,date,duration", *lines]).encode()
    terms = activity_terms_of
    monkeypatch.setattr(
        f"{HANDLERS}.sending_entries.activity_terms_of",
        lambda *given: replace(terms(*given), max_rows=4),
    )
    monkeypatch.setattr(f"{HANDLERS}.sending_entries.SLICE", 2)
    ready = await caller.preview(log, kind="activities", region="US")
    assert ready["classes"] == {"new": 7}
    done = await caller.run(ready["import_id"])
    assert done["verdicts"] == {"recorded": 4, "unchanged": 0, "skipped": 0, "rejected": 3}
    [row, *_] = await caller.rows(ready["import_id"], verdict="rejected")
    assert row["number"] == 5
    assert row["reason"].startswith("was not sent, as the file cannot be read again: ")


@pytest.mark.parametrize(("fault", "expires_in"), [(VaultError, "1 day"), (TransientError, "-1s")])
async def test_an_import_whose_key_or_storage_is_gone_waits_for_it_but_not_for_ever(
    system: Importing,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[ServiceError],
    expires_in: str,
) -> None:
    tries = asyncio.Queue[None]()

    def closed(*_given: Any) -> None:
        tries.put_nowait(None)
        raise fault("is gone")

    ready = await caller.preview(BOX, kind="mail", own=OWN)
    monkeypatch.setattr(f"{HANDLERS}.imports.RETRY_SECONDS", 0.1)
    monkeypatch.setattr(system.tools.uploads, "opened", closed)
    assert (await caller.order(ready["import_id"], "execute")).status_code == 202
    async with asyncio.timeout(10):
        for _ in range(2):
            await tries.get()
    assert (await caller.get(ready["import_id"]))["state"] == "executing"
    await system.fetch(
        "UPDATE ingest.import_file SET progress_at = now() - interval '25 hours',"
        " expires_at = now() + $2::text::interval WHERE public_id = $1",
        ready["import_id"],
        expires_in,
    )
    done = await caller.until(ready["import_id"], "done")
    assert done["verdicts"] == {"recorded": 0, "unchanged": 0, "skipped": 3, "rejected": 1}
    assert (
        fault.__name__ in (await caller.rows(ready["import_id"], verdict="rejected"))[0]["reason"]
    )


@pytest.mark.parametrize("lost", [None, 1, 4])
async def test_a_large_mailbox_is_sent_as_it_was_found_and_read_again_where_that_is_lost(
    system: Importing,
    caller: Caller,
    kafka: KafkaLab,
    monkeypatch: pytest.MonkeyPatch,
    lost: int | None,
) -> None:
    """Sealed, where there is a key; gone when the import is done, also where its file stays."""
    monkeypatch.setattr(f"{HANDLERS}.reading_entries.FIRST", 3)
    monkeypatch.setattr(f"{HANDLERS}.reading_entries.BATCH", 2)
    monkeypatch.setattr(system.tools.vault, "_cipher", Vault(KEYS)._cipher)
    never_read_again(monkeypatch)
    box = an_mbox(*(a_message(message_id=f"<{n}@x>", text=SIGNED) for n in range(8)))
    ready = await caller.preview(box, own=OWN)
    pieces = await system.fetch(
        "SELECT c.begins, c.data FROM ingest.import_chunk c JOIN ingest.import_file f"
        " ON f.id = c.import_id WHERE f.public_id = $1 AND begins < 0 ORDER BY begins DESC",
        ready["import_id"],
    )
    assert [one["begins"] for one in pieces] == [-1, -4, -6, -8]
    assert all(Vault(KEYS).unseal_bytes(one["data"]) for one in pieces)
    if lost is not None:
        monkeypatch.setattr(f"{HANDLERS}.sending_entries.reading", reading)
        number, place = await whereabouts(system, ready["import_id"])
        broken = (number, place.tenant_id, place.workspace_id, -lost, b"of another release", None)
        async with system.tools.store.inside(place) as connection:
            await connection.execute(QUERIES["put_chunk"], *broken)
    marks = await kafka.marks(SIGNALS_NORMALIZED_BULK)
    done = await caller.run(ready["import_id"])
    assert done["verdicts"] == {"recorded": 8, "unchanged": 0, "skipped": 0, "rejected": 0}
    assert len(await kafka.said_since(marks)) == 9
    assert await kept_pieces(system, ready["import_id"]) == 0


@pytest.mark.usefixtures("again")
async def test_what_a_signature_says_goes_with_whatever_message_is_sent(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that has it is left out; so it comes with the next, also after a crash between."""
    box = an_mbox(*(a_message(message_id=f"<{n}@x>", text=SIGNED) for n in range(3)))
    send, sent = Producer.send_batch, 0

    async def broken_send(producer: Producer, batch: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            raise TransientError("the process is gone")
        await send(producer, batch)

    monkeypatch.setattr(Producer, "send_batch", broken_send)
    monkeypatch.setattr(f"{HANDLERS}.sending_entries.SLICE", 1)
    monkeypatch.setattr(f"{HANDLERS}.imports.RETRY_SECONDS", 0.1)
    ready = await caller.preview(box, own=OWN)
    choice = {"number": 1, "choice": "skip"}
    assert (await caller.choose(ready["import_id"], rows=[choice])).status_code == 200
    done = await caller.run(ready["import_id"])
    assert (done["verdicts"]["recorded"], done["verdicts"]["skipped"], sent) == (2, 1, 4)
    titles = (
        "SELECT title FROM contact.workspace_contact_binding b"
        " JOIN app.workspace w ON w.id = b.workspace_id WHERE w.public_id = $1"
    )
    async with asyncio.timeout(10):
        while True:
            found = [row["title"] for row in await system.fetch(titles, caller.workspace)]
            if found == ["Head of Engines"]:
                break
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("again")
async def test_whoever_is_erased_is_sent_by_no_mailbox(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that waits goes as a whole; of one that is being sent, their messages are left out."""
    ada, bob = a_message(), a_message(message_id="<2@x>", **{"from": "Bob <bob@y.example>"})
    waiting = await caller.preview(an_mbox(ada, bob), own=OWN)
    going = await caller.preview(an_mbox(ada, bob), own=OWN)
    [[tenant, keys]] = await system.fetch(
        "SELECT p.tenant_id, array_agg(DISTINCT p.record_key) FROM ingest.import_person p"
        " JOIN ingest.import_file f ON f.id = p.import_id"
        " JOIN ingest.import_row r ON r.import_id = f.id AND r.number = 1"
        " WHERE f.public_id = $1 AND p.key = (SELECT min(key) FROM ingest.import_person"
        " WHERE import_id = f.id) GROUP BY 1",
        going["import_id"],
    )
    forget = "SELECT ingest.forget_participants($1, $2::bytea[], '{}')"

    async def erase() -> None:
        resolver = await asyncpg.connect(system.dsns["kith_resolver"])
        try:
            assert await resolver.fetchval(forget, tenant + 1, keys) == 0
            assert await resolver.fetchval(forget, tenant, keys) == 2
            assert await resolver.fetchval(forget, tenant, keys) == 0
        finally:
            await resolver.close()

    async def erased_first(*given: Any) -> None:
        if not erased:
            erased.append(True)
            await erase()
        await send_entries(*given)

    erased: list[bool] = []
    monkeypatch.setattr(f"{HANDLERS}.executing.send_entries", erased_first)
    done = await caller.run(going["import_id"])
    assert done["verdicts"] == {"recorded": 1, "unchanged": 0, "skipped": 1, "rejected": 0}
    rows = await caller.rows(going["import_id"])
    told = {one["verdict"]: one["reason"] for one in rows}
    assert told == {"recorded": "", "skipped": "of somebody who was erased"}
    failed = await caller.get(waiting["import_id"])
    assert (failed["state"], failed["failure"]["reason"]) == ("failed", "erased")
    assert all(one["happened"] is None for one in await caller.rows(waiting["import_id"]))
    assert (await caller.order(waiting["import_id"], "execute")).status_code == 409


async def test_whoever_is_erased_is_sent_by_no_other_name(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of somebody new only those records were known that had been sent: one for every name."""
    ada = a_message(message_id="<a@x>")
    bare = a_message(message_id="<b@x>", **{"from": "ada@engines.example.com"})
    bob = a_message(message_id="<c@x>", **{"from": "Bob <bob@y.example>"})
    elsewhere = await caller.preview(an_mbox(bare, bob), own=OWN, source="gmail_api")
    going = await caller.preview(an_mbox(ada, bare, bob), own=OWN)
    assert going["activities"]["people"] == {"known": 0, "new": 2}
    table = await caller.preview(b"Name,Email\nAda L,ada@engines.example.com\n")
    await caller.run(table["import_id"])
    [row] = await caller.rows(table["import_id"])

    async def erased_first(*given: Any) -> None:
        if not erased:
            erased.append(True)
            done = await system.erase_contact(caller, row["contact"])
            assert (done.outcome, done.erased["import_person"]) == ("done", 3)
        await send_entries(*given)

    erased: list[bool] = []
    monkeypatch.setattr(f"{HANDLERS}.executing.send_entries", erased_first)
    done = await caller.run(going["import_id"])
    assert done["verdicts"] == {"recorded": 1, "unchanged": 0, "skipped": 2, "rejected": 0}
    failed = await caller.get(elsewhere["import_id"])
    assert (failed["state"], failed["failure"]["reason"]) == ("failed", "erased")
    people = await system.fetch(
        "SELECT e.email FROM contact.contact_email e JOIN contact.contact c ON c.id = e.contact_id"
        " JOIN app.tenant t ON t.id = c.tenant_id WHERE t.public_id = $1",
        caller.tenant,
    )
    assert [one["email"] for one in people] == ["bob@y.example"]


async def test_whoever_is_erased_while_a_mailbox_is_read_is_so_by_every_name(
    system: Importing, caller: Caller
) -> None:
    """One name was staged and erased; the next one is read afterwards."""
    ready = await caller.preview(an_mbox(a_message()), own=OWN)
    find = "SELECT p.* FROM ingest.import_person p JOIN ingest.import_file f ON f.id = p.import_id"
    [one] = await system.fetch(f"{find} WHERE f.public_id = $1", ready["import_id"])
    resolver = await asyncpg.connect(system.dsns["kith_resolver"])
    try:
        forget = "SELECT ingest.forget_participants($1, $2::bytea[], '{}')"
        assert await resolver.fetchval(forget, one["tenant_id"], [one["record_key"]]) == 1
    finally:
        await resolver.close()
    place = Place(one["tenant_id"], one["workspace_id"], caller.tenant, caller.workspace)
    values = (one["import_id"], place.tenant_id, place.workspace_id)
    later = (bytes(16), bytes([1]) * 16)
    await system.tools.store.fetch(
        place, "insert_people", *values, list(later), [one["key"], one["key"] + 1], ["con_1", None]
    )
    found = await system.tools.store.fetch(place, "find_erased", one["import_id"])
    assert {row["record_key"] for row in found} == {one["record_key"], later[0]}


async def test_people_of_a_mailbox_are_contacts_with_it_on_their_timelines(
    system: Importing, caller: Caller
) -> None:
    """Whoever is unknown becomes a contact at once; the same mail again changes nothing.

    Both times are imports that can be taken back: with the second one the people go, too.
    """
    raw = a_message(text=SIGNED, cc="Bob <bob@y.example.org>")
    box = an_mbox(raw, a_message(message_id="<2@x>", list_id="<l.x.example>", cc="eve@x.example"))

    async def people() -> list[str]:
        found = await system.fetch(
            "SELECT email.email, contact.status FROM contact.contact"
            " JOIN contact.contact_email AS email ON email.contact_id = contact.id"
            " JOIN app.tenant ON tenant.id = contact.tenant_id WHERE tenant.public_id = $1"
            " ORDER BY 1",
            caller.tenant,
        )
        return [f"{row['email']} {row['status']}" for row in found]

    expected = ["ada@engines.example.com active", "bob@y.example.org incomplete"]
    events, done = [], []
    for _ in range(2):
        answer = await caller.http.post("/v1/mail", params={"own": OWN}, content=box)
        assert answer.status_code == 202, answer.text
        done.append(await caller.until(answer.json()["import_id"], "done"))
        assert await people() == expected
        ((count,),) = await system.fetch(
            "SELECT count(*) FROM contact.contact_event JOIN app.tenant"
            " ON tenant.id = contact_event.tenant_id WHERE tenant.public_id = $1",
            caller.tenant,
        )
        events.append(count)
    assert events[0] == events[1] == done[0]["events"]
    assert (done[1]["events"], done[1]["verdicts"]["unchanged"]) == (0, 1)
    # What a signature said goes with the import that said it first.
    known_by_mail = [one.replace(" active", " incomplete") for one in expected]
    for one, left in zip(done, (known_by_mail, []), strict=True):
        asked = await caller.order(one["import_id"], "undo")
        assert asked.status_code == 202, asked.text
        undone = await caller.until(one["import_id"], "undone")
        assert undone["undo"]["remaining"] == 0
        assert await people() == left


async def test_how_mail_is_read_is_told_and_nothing_kept(caller: Caller) -> None:
    answer = await caller.http.post("/v1/imports/reading", content=BOX)
    assert answer.json()["layout"] == "mbox"
    assert (await caller.http.get("/v1/imports")).json()["imports"] == []


@pytest.mark.parametrize(
    ("parameters", "body", "status", "field"),
    [
        ({"kind": "mail"}, b"a,b\n1,2\n", 422, "file"),
        ({"kind": "mail"}, b"", 422, "file"),
        ({"own": "nobody"}, BOX, 422, "own.0"),
        ({"region": "Germany"}, BOX, 422, None),
        ({"timezone": "Mars/Olympus"}, BOX, 422, None),
        ({"kind": "activities"}, b"\x89PNG", 422, "file"),
    ],
)
async def test_what_is_no_mail_is_refused_with_a_reason(
    caller: Caller, parameters: dict[str, str], body: bytes, status: int, field: str | None
) -> None:
    answer = await caller.http.post("/v1/imports", params=parameters, content=body)
    assert answer.status_code == status, answer.text
    if field:
        assert answer.json()["field"] == field


async def test_a_log_of_calls_is_known_by_its_columns(caller: Caller) -> None:
    """It was refused with a word of another command."""
    log = (ACTIVITIES / "android_calls.csv").read_bytes()
    ready = await caller.preview(log, region="DE", timezone="Europe/Berlin")
    assert (ready["state"], ready["reading"]["layout"]) == ("ready", "call-log")
    assert ready["classes"] == {"new": 4, "left_out": 1, "rejected": 1}
    said = await caller.http.post("/v1/imports", params={"kind": "contacts"}, content=log)
    assert (said.status_code, said.json()["field"]) == (422, "file")


async def test_rejected_entries_are_given_back_also_when_their_import_is_done(
    system: Importing, caller: Caller
) -> None:
    """Where nothing was rejected, the file is gone by then."""
    log = (ACTIVITIES / "android_calls.csv").read_bytes()
    done = await caller.run((await caller.preview(log, region="DE"))["import_id"])
    await Imports(system.tools).tidy()
    answer = await caller.http.get(f"/v1/imports/{done['import_id']}/rejects")
    assert answer.status_code == 200
    assert f"{done['import_id']}-rejects.csv" in answer.headers["content-disposition"]
    header, row = answer.content.decode("utf-8-sig").splitlines()
    assert header.startswith("kith reason,Name,")
    assert "Eve,+442079460959,not a date" in row
    bad = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    failed = await caller.preview(bad)
    await Imports(system.tools).tidy()
    answer = await caller.http.get(f"/v1/imports/{failed['import_id']}/rejects")
    assert answer.content.count(b"X-KITH-REASON:") == 1
    await caller.order(done["import_id"], "undo")
    await caller.until(done["import_id"], "undone")
    await Imports(system.tools).tidy()
    answer = await caller.http.get(f"/v1/imports/{done['import_id']}/rejects")
    assert answer.status_code == 410


async def test_a_calendar_of_which_nothing_can_be_taken_fails_with_the_first_reason(
    caller: Caller,
) -> None:
    event = b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART:soon\r\nEND:VEVENT\r\n"
    failed = await caller.preview(b"BEGIN:VCALENDAR\r\n" + event + b"END:VCALENDAR\r\n")
    assert failed["state"] == "failed"
    assert "of 1 read; line 2, DTSTART: is missing or no date" in failed["failure"]["detail"]
    empty = await caller.preview(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert (empty["state"], empty["failure"]["field"]) == ("failed", "file")
