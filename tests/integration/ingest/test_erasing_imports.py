"""Whoever is erased comes by no file that was on its way, whatever names them there."""

from typing import Any

import pytest

from services.ingest.handlers import reading, reading_entries
from services.ingest.store.entries import append_entries
from tests.support.importing import Caller, Importing
from tests.support.mail import a_message, an_mbox

HEAD = "Name,Email,Title\n"
OWN = "me@home.example.com"


async def known(caller: Caller, said: bytes = b"Ada L,ada@engines.example.com\n") -> str:
    """Make a contact of Ada, by another source; returns its id."""
    table = await caller.preview(b"Name,Email\n" + said, source="google_contacts")
    await caller.run(table["import_id"])
    [row] = await caller.rows(table["import_id"])
    contact: str = row["contact"]
    return contact


async def mailboxes(system: Importing, caller: Caller) -> list[str]:
    rows = await system.fetch(
        "SELECT e.email FROM contact.contact_email e JOIN contact.contact c ON c.id = e.contact_id"
        " JOIN app.tenant t ON t.id = c.tenant_id WHERE t.public_id = $1 ORDER BY 1",
        caller.tenant,
    )
    return [row["email"] for row in rows]


async def test_a_row_that_took_somebody_for_new_is_theirs_by_whatever_it_names(
    system: Importing, caller: Caller
) -> None:
    """The table waits for a choice; its source is another, and its preview knew nobody."""
    waiting = await caller.preview(
        f"{HEAD}Ada Byron,ada@engines.example.com,Countess\nBob Bell,b@x.example,\n".encode()
    )
    assert waiting["classes"] == {"new": 2}
    erased = await system.erase_contact(caller, await known(caller))
    assert erased.outcome == "done"
    rows = await caller.rows(waiting["import_id"])
    assert [row["says"] and row["says"]["full_name"] for row in rows] == [None, "Bob Bell"]
    done = await caller.run(waiting["import_id"])
    assert (done["verdicts"]["skipped"], done["verdicts"]["created"]) == (1, 1)
    assert await mailboxes(system, caller) == ["b@x.example"]


@pytest.mark.parametrize("is_asked", [False, True], ids=["waiting", "just asked about"])
async def test_rows_of_others_are_no_longer_alike_who_was_erased(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch, *, is_asked: bool
) -> None:
    """A row of somebody new was shown beside two of the name; one of them is left."""
    contact, asked = await known(caller), reading.ask
    twin = await known(caller, b"Ada L,twin@x.example\n")

    async def erased_behind(job: Any, tools: Any, batch: Any) -> Any:
        found = await asked(job, tools, batch)
        await system.erase_contact(caller, contact)
        return found

    if is_asked:
        monkeypatch.setattr(reading, "ask", erased_behind)
    waiting = await caller.preview(f"{HEAD}Ada L,other@x.example,Countess\n".encode())
    if not is_asked:
        [row] = await caller.rows(waiting["import_id"])
        assert [one["contact"] for one in row["alike"]] == [contact, twin]
        await system.erase_contact(caller, contact)
    [row] = await caller.rows(waiting["import_id"])
    assert row["alike"] == [{"contact": twin, "name": "Ada L"}]
    assert row["adds"] == [{"type": "email", "value": "other@x.example"}]
    await caller.run(waiting["import_id"])
    [row] = await caller.rows(waiting["import_id"])
    told = (row["verdict"], contact in row["reason"], twin in row["reason"])
    assert told == ("in_review", False, True)


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        ('[{"contact":"con_A","name":"A"}]', "[]"),
        ('[{"contact":"con_A","name":"A"},{"contact":null}]', '[{"contact":null}]'),
        ("[]", "[]"),
    ],
)
async def test_namesakes_go_whatever_else_a_preview_holds(
    system: Importing, shown: str, left: str
) -> None:
    said = r'{"name":"\u0000 \"alike\":[{","against":[],"alike":'
    preview = f"{said}{shown}}}"
    [[told]] = await system.fetch("SELECT ingest.less_alike($1, $2::text[])", preview, ["con_A"])
    assert told == f"{said}{left}}}"


async def test_rows_that_are_yet_to_be_read_say_nothing_of_who_was_erased(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is just being asked about, and the next ones come behind it."""
    contact = await known(caller)
    asked, batches = reading.ask, []

    async def erased_meanwhile(job: Any, tools: Any, batch: Any) -> Any:
        batches.append(len(batch))
        found = await asked(job, tools, batch)
        if len(batches) == 2:
            await system.erase_contact(caller, contact)
        return found

    monkeypatch.setattr(reading, "ask", erased_meanwhile)
    monkeypatch.setattr(reading, "FIRST", 1)
    monkeypatch.setattr(reading, "BATCH", 1)
    monkeypatch.setattr(reading, "ABREAST", 1)
    ada = "ada@engines.example.com"
    rows_of_ada = f"Ada Byron,{ada},\nA. B.,{ada},\n"
    table = f"{HEAD}Bob Bell,b@x.example,\n{rows_of_ada}Cy Cole,c@x.example,\n"
    ready = await caller.preview(table.encode())
    assert batches == [1, 1, 1, 1]
    rows = await caller.rows(ready["import_id"])
    assert [bool(row["says"]) for row in rows] == [True, False, False, True]
    assert [row["verdict"] for row in rows] == [None, "skipped", "skipped", None]
    done = await caller.run(ready["import_id"])
    assert (done["verdicts"]["skipped"], done["verdicts"]["created"]) == (2, 2)
    assert await mailboxes(system, caller) == ["b@x.example", "c@x.example"]


@pytest.mark.parametrize("first", ["Bob <bob@y.example>", "ada@engines.example.com"])
async def test_messages_that_are_yet_to_be_read_are_of_who_was_erased(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Their file goes as a whole, whether or not they were staged before the erasure."""
    contact = await known(caller)
    portions = []

    async def erased_meanwhile(*given: Any) -> bool:
        portions.append(given)
        if len(portions) == 2:
            await system.erase_contact(caller, contact)
        return await append_entries(*given)

    monkeypatch.setattr(reading_entries, "append_entries", erased_meanwhile)
    monkeypatch.setattr(reading_entries, "FIRST", 1)
    monkeypatch.setattr(reading_entries, "BATCH", 1)
    box = an_mbox(
        a_message(message_id="<1@x>", **{"from": first}),
        a_message(message_id="<2@x>", **{"from": first}),
        a_message(message_id="<3@x>", **{"from": "ada@engines.example.com"}),
    )
    failed = await caller.preview(box, own=OWN)
    assert len(portions) == 3
    assert (failed["state"], failed["failure"]["reason"]) == ("failed", "erased")
    assert all(one["happened"] is None for one in await caller.rows(failed["import_id"]))
    assert await mailboxes(system, caller) == []
