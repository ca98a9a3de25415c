"""An operator imports a file, again, takes it back, and kills ingest in the middle."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.e2e.running import Home, Running, until
from tests.support.mail import a_message, an_mbox

HEAD = "Name,Email,Phone,Title\n"


async def imported(running: Running, home: Home, *words: str, code: int = 0) -> dict[str, Any]:
    """Run `kith import … --json`; returns what is said of the one import."""
    said = orjson.loads(
        await running.kith("import", *words, "--json", KITH_API_KEY=home.token, code=code)
    )
    found: dict[str, Any] = said["imports"][0] if "imports" in said else said
    return found


async def state(running: Running, home: Home) -> dict[str, Any]:
    """Return what the API shows of every contact, less what keeps growing."""
    answer = await running.get(home, "/contacts", **{"page[size]": "100"})
    assert answer.status_code == 200, answer.text
    found = {}
    for one in answer.json()["data"]:
        shown = await running.contact(home, one["id"])
        attributes = dict(shown["attributes"])
        for name in ("version", "updated_at"):
            attributes.pop(name, None)
        found[one["id"]] = attributes
    return found


async def test_imported_again_and_taken_back(running: Running, tmp_path: Path) -> None:
    """A preview changes nothing, a second import nothing; after undo all is as it was before."""
    home = await running.home()
    position = await running.push_one(
        home, source_record_id="1", full_name="Ada Byron", emails=[{"value": "ada@undo.example"}]
    )
    await running.get(home, "/contacts", position)
    before = await state(running, home)
    assert len(before) == 1
    file = tmp_path / "contacts.csv"
    file.write_text(
        f"{HEAD}Ada Byron,ada@undo.example,+44 7700 900123,Countess\nBob Bell,bob@undo.example,,\n"
    )
    shown = await imported(running, home, str(file), code=3)
    assert (shown["state"], shown["classes"]) == ("ready", {"update": 1, "new": 1})
    assert await state(running, home) == before
    done = await imported(running, home, "resume", shown["import_id"], "--yes")
    assert (done["verdicts"]["updated"], done["verdicts"]["created"]) == (1, 1)
    assert done["events"] >= 2
    again = await imported(running, home, str(file), "--yes")
    assert (again["events"], again["verdicts"]["unchanged"]) == (0, 2)

    async def changed() -> bool:
        return len(await state(running, home)) == 2

    await until(changed)
    undone = await imported(running, home, "undo", done["import_id"], "--yes")
    assert (undone["state"], undone["undo"]["retracted"]) == ("undone", 2)

    async def restored() -> bool:
        return await state(running, home) == before

    await until(restored)
    anew = await imported(running, home, str(file), "--yes")
    assert (anew["verdicts"]["updated"], anew["verdicts"]["created"]) == (1, 1)


async def test_a_calendar_that_was_taken_back_is_on_no_timeline(
    running: Running, tmp_path: Path
) -> None:
    """Read models follow: who was known from it alone is gone, and comes again with it."""
    home = await running.home()
    file = tmp_path / "meetings.ics"
    file.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:undo-1\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260131T120000Z\r\nSUMMARY:Engine\r\n"
        "ORGANIZER;CN=Ada:mailto:ada@calendar.example\r\n"
        "ATTENDEE;CN=Bob:mailto:bob@calendar.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    def people(count: int) -> Callable[[], Awaitable[bool]]:
        async def found() -> bool:
            return len(await state(running, home)) == count

        return found

    for _ in range(2):
        shown = await imported(running, home, str(file), code=3)
        assert (shown["state"], shown["classes"]) == ("ready", {"new": 1})
        sent = await imported(running, home, "resume", shown["import_id"], "--yes")
        assert sent["verdicts"]["recorded"] == 1
        await until(people(2))
        answer = await running.get(home, "/contacts")
        activities = f"/contacts/{answer.json()['data'][0]['id']}/activities"
        (shown,) = (await running.get(home, activities)).json()["data"]
        assert shown["attributes"]["title"] == "Engine"
        undone = await imported(running, home, "undo", sent["import_id"], "--yes")
        assert (undone["state"], undone["undo"]["retracted"]) == ("undone", 3)
        await until(people(0))


@pytest.mark.timeout(240)
async def test_killed_in_the_middle_they_go_on_and_do_nothing_twice(running: Running) -> None:
    """A table, whose rows are staged, and a mailbox, which is read again where it was kept."""
    home = await running.home()
    counts = {"table": 1_500, "mailbox": 400}
    rows = "".join(f"P{n} Q{n},p{n}@kill.example,,\n" for n in range(counts["table"]))
    letters = (
        a_message(message_id=f"<{n}@kill>", **{"from": f"p{n}@mail.example"})
        for n in range(counts["mailbox"])
    )
    files = {"table": (HEAD + rows).encode(), "mailbox": an_mbox(*letters)}
    ingest = running.fleet.url("ingest")
    places = {}
    for name, content in files.items():
        answer = await running.http.post(
            f"{ingest}/v1/imports",
            params={"execute": "true", "own": "me@home.example.com"},
            content=content,
            headers=home.bearer,
        )
        assert answer.status_code == 202, answer.text
        places[name] = f"{ingest}{answer.headers['location']}"

    async def at(states: set[str], share: float) -> dict[str, dict[str, Any]] | None:
        found: dict[str, dict[str, Any]] = {}
        for name, place in places.items():
            found[name] = (await running.http.get(place, headers=home.bearer)).json()
            if found[name]["state"] not in states or found[name]["rows"] < share * counts[name]:
                return None
        return found

    await until(lambda: at({"reading", "executing", "done"}, 0.02))
    await asyncio.to_thread(running.fleet.restart, "ingest", hard=True)
    await until(running_again(running))
    await until(lambda: at({"executing", "done"}, 1), 60)
    await asyncio.to_thread(running.fleet.restart, "ingest", hard=True)
    await until(running_again(running))
    done = await until(lambda: at({"done"}, 1), 90)
    assert done["table"]["verdicts"]["created"] == counts["table"]
    assert done["mailbox"]["verdicts"]["recorded"] == counts["mailbox"]
    for name, count in counts.items():
        assert sum(done[name]["verdicts"].values()) == done[name]["rows"] == count


def running_again(running: Running) -> Callable[[], Awaitable[bool]]:
    """Ask whether ingest answers."""

    async def ready() -> bool:
        try:
            answer = await running.http.get(f"{running.fleet.url('ingest')}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    return ready
