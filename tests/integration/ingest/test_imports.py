"""Imports from upload to report, on the real thing: staged, previewed, chosen about, executed."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from services.ingest.handlers import executing
from services.ingest.handlers.imports import Imports
from services.ingest.sources.survey import Survey
from services.ingest.store import imports as store
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.uploads import DirectoryUploads
from shared.auth import Place
from shared.kafka import Producer
from tests.support.importing import Caller, Importing
from tests.support.ledger import MemoryLedger

HEAD = "Name,Email,Phone,Title\n"


async def test_a_file_is_previewed_imported_and_reported_row_by_row(
    system: Importing, caller: Caller
) -> None:
    data = (
        HEAD + "Ada Byron,ada@x.example,,Countess\n"
        "Bob Bell,bob@x.example,+44 7700 900123,\n"
        "Bob Bell,,+44 7700 900123,Painter\n"
        ",,,\n"
        "Cy Young,not an address,,\n"
        ",nobody,,\n"
    ).encode()
    ready = await caller.preview(data)
    assert ready["state"] == "ready"
    assert (ready["rows"], ready["source"]) == (6, "csv_upload")
    assert ready["classes"] == {"new": 3, "update": 1, "blank": 1, "rejected": 1}
    assert ready["reading"]["columns"]["Title"] == "job.title"
    rows = await caller.rows(ready["import_id"])
    assert [row["class"] for row in rows] == ["new", "new", "update", "blank", "new", "rejected"]
    assert [row["creator"] for row in rows[:3]] == [1, 2, 2], "rows of one file belong together"
    assert (rows[5]["field"], rows[5]["line"]) == ("Email", 7)
    assert rows[4]["warnings"][0]["field"] == "Email"
    assert not await system.fetch(
        "SELECT FROM contact.contact c JOIN app.tenant t ON t.id ="
        " c.tenant_id WHERE t.public_id = $1",
        caller.tenant,
    )

    done = await caller.run(ready["import_id"])
    assert done["verdicts"] == {
        "created": 3,
        "updated": 1,
        "merged": 0,
        "in_review": 0,
        "unchanged": 0,
        "skipped": 1,
        "rejected": 1,
    }
    assert sum(done["verdicts"].values()) == done["rows"]
    assert done["events"] >= 4
    rows = await caller.rows(ready["import_id"])
    assert rows[1]["contact"] == rows[2]["contact"] != rows[0]["contact"]
    report = await caller.get(ready["import_id"], "/report")
    assert [(one["line"], one["field"]) for one in report["rejected"]] == [(7, "Email")]
    assert [one["line"] for one in report["left_out"]] == [6]
    ledger = await system.fetch(
        "SELECT count(*) FROM contact.source_record WHERE import_id = $1", ready["import_id"]
    )
    assert ledger[0][0] == 4

    again = await caller.preview(data)
    assert again["classes"] == {"duplicate": 4, "blank": 1, "rejected": 1}
    assert again["same_file_as"] == ready["import_id"]
    done = await caller.run(again["import_id"])
    assert (done["events"], done["verdicts"]["unchanged"]) == (0, 4)
    turned = "\n".join(",".join(reversed(line.split(","))) for line in data.decode().splitlines())
    lines = turned.splitlines()
    other = await caller.preview("\n".join([lines[0], *reversed(lines[1:])]).encode())
    assert other["classes"] == {"duplicate": 4, "blank": 1, "rejected": 1}
    assert other["same_file_as"] is None
    assert (await caller.run(other["import_id"]))["events"] == 0


async def test_a_conflict_is_shown_side_by_side_and_settled_as_chosen(caller: Caller) -> None:
    """Each of the ways of settling it, on a row of its own."""
    names = ["accept", "skip", "mine", "theirs", "apart", "merge", "fields"]
    known = HEAD + "".join(f"Ada {n.title()},{n}@x.example,,Countess\n" for n in names)
    await caller.run((await caller.preview(known.encode()))["import_id"])
    backup = "Name,Email,Title\n" + "".join(
        f"Ada Z. {n.title()},{n}@x.example,Duke\n" for n in names
    )
    ready = await caller.preview(backup.encode(), import_source="iris-import")
    assert ready["classes"] == {"conflict": 7}
    rows = await caller.rows(ready["import_id"], **{"class": "conflict"})
    [against] = rows[0]["against"]
    values = {one["field"]: one for one in against["values"]}
    assert values["full_name"]["theirs"] == ["Ada Z. Accept"]
    assert values["full_name"]["mine"] == [{"value": "Ada Accept", "source": "csv_upload"}]
    assert values["email"]["agrees"]
    assert against["records"][0]["facts"]["employments"][0]["title"] == "Countess"
    assert rows[0]["reason"].startswith("of an address book a machine takes who")

    for wrong, words in (
        ({"rows": [{"number": 1, "choice": "fields"}]}, "say whose value holds"),
        ({"rows": [{"number": 99, "choice": "skip"}]}, "no row 99"),
        ({"rows": [{"number": 1, "choice": "merge", "contact": "con_" + "0" * 26}]}, "one of"),
        ({"classes": {"rejected": "accept"}}, ""),
    ):
        answer = await caller.choose(ready["import_id"], **wrong)
        assert answer.status_code == 422, wrong
        assert words in answer.text
    chosen = [{"number": n, "choice": name} for n, name in enumerate(names, 1) if name != "accept"]
    chosen[-1]["fields"] = {"name": "mine", "job": "theirs"}
    assert (await caller.choose(ready["import_id"], rows=chosen)).status_code == 200
    done = await caller.run(ready["import_id"])
    assert done["verdicts"] == {
        "created": 1,
        "updated": 0,
        "merged": 3,
        "in_review": 1,
        "unchanged": 0,
        "skipped": 2,
        "rejected": 0,
    }
    rows = await caller.rows(ready["import_id"])
    verdicts = {row["choice"] or "accept": row for row in rows}
    assert verdicts["apart"]["reason"].startswith("kept apart from con_")
    assert verdicts["mine"]["reason"] == "the contact stays as it is, by choice"
    assert verdicts["merge"]["contact"] == rows[5]["against"][0]["contact"]

    again = await caller.preview(backup.encode(), import_source="iris-import")
    assert again["classes"] == {"duplicate": 5, "conflict": 2}
    choices = {
        row["choice"] for row in await caller.rows(again["import_id"], **{"class": "conflict"})
    }
    assert choices == {"skip", "mine"}, "what was left out by choice is left out again"
    assert (await caller.run(again["import_id"]))["events"] == 0


async def test_a_chosen_value_that_is_refused_by_now_is_said_and_holds_nothing_up(
    system: Importing, caller: Caller
) -> None:
    await caller.run((await caller.preview(f"{HEAD}Ada,a@x.example,,\n".encode()))["import_id"])
    ready = await caller.preview(b"Name,Email\nZed,a@x.example\n", import_source="iris-import")
    choice = {"number": 1, "choice": "fields", "fields": {"name": "mine"}}
    assert (await caller.choose(ready["import_id"], rows=[choice])).status_code == 200
    async with inside(system, ready["import_id"]) as (ingest, number):
        await ingest.execute(
            "UPDATE ingest.import_row SET preview ="
            " replace(preview::text, '\"Ada\"', to_json(repeat('a', 5000))::text)::json"
            " WHERE import_id = $1",
            number,
        )
    await caller.run(ready["import_id"])
    [row] = await caller.rows(ready["import_id"])
    assert row["verdict"] == "merged"
    assert "could not be entered: full_name: " in row["reason"]


async def test_what_was_chosen_holds(system: Importing, caller: Caller) -> None:
    """`theirs` makes the row's values the contact's own, `fields` those that were named."""
    await caller.run(
        (await caller.preview(f"{HEAD}Ada Byron,a@x.example,,Countess\n".encode()))["import_id"]
    )
    ready = await caller.preview(
        b"Name,Email,Title\nZed Zulu,a@x.example,Duke\n", import_source="iris-import"
    )
    choice = {"number": 1, "choice": "fields", "fields": {"name": "mine", "job": "theirs"}}
    assert (await caller.choose(ready["import_id"], rows=[choice])).status_code == 200
    await caller.run(ready["import_id"])
    shown = await system.fetch(
        "SELECT b.full_name, b.title FROM contact.workspace_contact_binding b"
        " JOIN app.workspace w ON w.id = b.workspace_id"
        " JOIN contact.contact c ON c.id = b.contact_id AND c.status <> 'merged'"
        " WHERE w.public_id = $1 AND b.deleted_at IS NULL",
        caller.workspace,
    )
    assert [tuple(row) for row in shown] == [("Ada Byron", "Duke")]


async def test_namesakes_are_shown_and_put_up_for_review(caller: Caller) -> None:
    await caller.run(
        (await caller.preview(f"{HEAD}Ada Byron,a@x.example,,\n".encode()))["import_id"]
    )
    ready = await caller.preview(f"{HEAD}ADA BYRON,other@x.example,,\n".encode())
    [row] = await caller.rows(ready["import_id"])
    assert (row["class"], [one["name"] for one in row["alike"]]) == ("new", ["Ada Byron"])
    done = await caller.run(ready["import_id"])
    assert done["verdicts"]["in_review"] == 1


async def test_classes_are_left_out_as_a_whole(caller: Caller) -> None:
    ready = await caller.preview(f"{HEAD}Ada,a@x.example,,\nBob,b@x.example,,\n".encode())
    keep = {"number": 2, "choice": "accept"}
    answer = await caller.choose(ready["import_id"], classes={"new": "skip"}, rows=[keep])
    assert answer.json()["choices"] == {"new": "skip"}
    done = await caller.run(ready["import_id"])
    assert (done["verdicts"]["skipped"], done["verdicts"]["created"]) == (1, 1)
    late = await caller.choose(ready["import_id"], classes={"new": "accept"})
    assert late.status_code == 409
    assert (await caller.order(ready["import_id"], "execute")).status_code == 202


async def test_two_of_one_name_in_a_file_are_two_records(system: Importing, caller: Caller) -> None:
    """Rows that nothing but their content tells apart, wherever they stand in the file."""
    rows = ["Ada Byron,,,Countess", "Ada Byron,,,Painter", "Bob Bell,b@x.example,,"]
    ready = await caller.preview((HEAD + "\n".join(rows)).encode())
    assert ready["classes"] == {"new": 3}
    done = await caller.run(ready["import_id"])
    assert done["verdicts"]["created"] == 3
    again = await caller.preview((HEAD + "\n".join(reversed(rows))).encode())
    assert again["classes"] == {"duplicate": 3}


async def test_a_file_is_read_anew_with_other_columns(caller: Caller) -> None:
    ready = await caller.preview(b"Name,Email,Colour\nAda,a@x.example,blue\n")
    answer = await caller.http.put(
        f"/v1/imports/{ready['import_id']}/mapping", params={"mapping": '{"Colour": "job.title"}'}
    )
    assert answer.status_code == 202, answer.text
    again = await caller.until(ready["import_id"], "ready")
    assert again["reading"]["columns"]["Colour"] == "job.title"
    [row] = await caller.rows(ready["import_id"])
    assert row["says"]["employments"] == [{"title": "blue"}]


async def test_what_is_no_table_of_contacts_is_a_failed_import(caller: Caller) -> None:
    for data, words in (
        (b"<!DOCTYPE html><html><body>sign in</body></html>", "HTML"),
        (b"a,b\n1,2\n", "header"),
        (b"Name,Email\n", "no person"),
        (b"", "empty"),
    ):
        answer = await caller.http.post("/v1/imports", content=data)
        if answer.status_code == 202:
            failed = await caller.until(answer.json()["import_id"], "failed")
            assert words in failed["failure"]["detail"]
        else:
            assert answer.status_code == 422
            assert words in answer.json()["detail"]
    listed = (await caller.http.get("/v1/imports")).json()["imports"]
    assert [one["state"] for one in listed] == ["failed"] * 4


async def test_rejects_come_back_to_be_corrected(caller: Caller) -> None:
    """In the layout of the file, the reason beside each; corrected, they are taken."""
    data = b'Name;Email;Colour\r\nAda;a@x.example;blue\r\n;nobody;red\r\n"Bob;b@x.example;green\r\n'
    ready = await caller.preview(data)
    answer = await caller.http.get(f"/v1/imports/{ready['import_id']}/rejects")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "kith reason;Name;Email;Colour"
    assert [lines[1][-12:], lines[2][-23:]] == [";;nobody;red", ';"Bob;b@x.example;green']
    mended = answer.content.replace(b";nobody;", b"Cy;cy@x.example;").replace(b'"Bob', b"Bob")
    corrected = await caller.preview(mended)
    assert corrected["classes"] == {"new": 2}
    [cy, _] = await caller.rows(corrected["import_id"])
    assert cy["says"]["custom_fields"] == {"Colour": "red"}


async def test_what_was_sent_and_never_decided_comes_back_too(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The preview took it; what it is sent by lost it."""

    async def lost(*_given: object) -> None:
        return

    monkeypatch.setattr(Producer, "send_batch", lost)
    monkeypatch.setattr(executing, "PATIENCE", timedelta(0))
    ready = await caller.preview(f"{HEAD}Ada,a@x.example,,\n".encode())
    done = await caller.run(ready["import_id"])
    assert done["verdicts"]["rejected"] == 1
    given = await caller.http.get(f"/v1/imports/{done['import_id']}/rejects")
    header, row = given.content.decode("utf-8-sig").splitlines()
    assert header == f"kith reason,{HEAD.strip()}"
    assert row.startswith("was sent and not decided within an hour")
    assert row.endswith(",Ada,a@x.example,,")


async def test_columns_of_defined_fields_are_read_by_their_definition(
    system: Importing, caller: Caller
) -> None:
    """Shown with the reading; what fits in the file's manner is so said, the rest has a remark."""
    before = await caller.preview(f"{HEAD}Ada,a@x.example,,\n".encode())
    assert "fields" not in before["reading"]
    place = await place_of(system, before["import_id"])
    fields: tuple[dict[str, Any], ...] = (
        {"key": "Born on", "type": "date"},
        {"key": "Tier", "type": "select", "options": ["Gold", "Silver"]},
        {"key": "Spent", "type": "currency", "currency": "EUR"},
    )
    for number, field in enumerate(fields):
        outcome, _ = await system.tools.resolver.order(
            place, "create_field", {"command_id": f"cmd_{number:026}", **field}
        )
        assert outcome == "done"
    data = (
        "Name,Email,Since,Level,Spent,Hobby\n"
        'Ada,ada@x.example,31.01.2026,gold,"12,34 €",chess\n'
        'Bob,bob@x.example,14.02.2026,Bronze,"1.234,50",31.01.2026\n'
    ).encode()
    mapping = orjson.dumps({"Since": "custom[Born on]", "Level": "custom[Tier]"}).decode()
    ready = await caller.preview(data, mapping=mapping)
    assert ready["reading"]["fields"] == {"Since": "date", "Level": "select", "Spent": "currency"}
    assert (ready["classes"], ready["warnings"]) == ({"new": 2}, 1)
    ada, bob = await caller.rows(ready["import_id"])
    assert ada["says"]["custom_fields"] == {
        "Born on": "2026-01-31",
        "Tier": "gold",
        "Spent": 12.34,
        "Hobby": "chess",
    }
    assert bob["says"]["custom_fields"] == {
        "Born on": "2026-02-14",
        "Tier": "Bronze",
        "Spent": 1234.5,
        "Hobby": "31.01.2026",
    }
    [wrong] = bob["warnings"]
    assert wrong == {
        "line": 3,
        "field": "Level",
        "reason": "must be one of: Gold, Silver; kept as it stands",
    }
    done = await caller.run(ready["import_id"])
    assert done["verdicts"]["created"] == 2
    again = await caller.preview(data, mapping=mapping)
    assert again["classes"] == {"duplicate": 2}


async def test_a_resumable_upload_goes_on_where_it_broke(caller: Caller) -> None:
    """By tus 1.0.0, wrong turns included."""
    data = f"{HEAD}Ada Byron,a@x.example,,\n".encode()
    tus = {"Tus-Resumable": "1.0.0"}
    metadata = "import_source aXJpcy1pbXBvcnQ=,filename YS5jc3Y="
    http, place = caller.http, "/api/v1/contacts/import/uploads"
    assert (await http.post(place)).status_code == 412
    about = await http.options(place)
    assert "creation" in about.headers["tus-extension"]
    created = await http.post(
        place, headers={**tus, "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
    )
    assert created.status_code == 201
    url = created.headers["location"]
    assert url.startswith(f"{place}/imp_")
    piece = {**tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    first = await http.patch(url, content=data[:10], headers=piece)
    assert (first.status_code, first.headers["upload-offset"]) == (204, "10")
    assert (await http.patch(url, content=data, headers=piece)).status_code == 409
    assert (await http.patch(url, content=b"", headers=tus)).status_code == 415
    state = await http.head(url, headers=tus)
    assert (state.headers["upload-offset"], state.headers["upload-length"]) == (
        "10",
        str(len(data)),
    )
    more = {**piece, "Upload-Offset": "10"}
    assert (await http.patch(url, content=data[10:] + b"x", headers=more)).status_code == 413
    last = await http.patch(url, content=data[10:], headers=more)
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(data)))
    import_id = url.rpartition("/")[2]
    ready = await caller.until(import_id, "ready")
    assert (ready["classes"], ready["import_source"]) == ({"new": 1}, "iris-import")
    assert (await http.patch(url, content=b"", headers=more)).status_code == 409
    assert (await http.delete(url, headers=tus)).status_code == 204
    assert (await caller.get(import_id))["state"] == "discarded"
    assert (await caller.get(import_id, "/rows"))["rows"][0]["says"] is None


async def test_progress_is_told_until_the_import_rests(caller: Caller) -> None:
    found = await caller.upload(f"{HEAD}Ada Byron,a@x.example,,\n".encode())
    answer = await caller.http.get(f"/v1/imports/{found['import_id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]
    assert told[-1]["state"] == "ready"


async def test_each_scope_opens_its_own_doors(system: Importing) -> None:
    """Who may only send signals is not shown contacts, and says nothing of who is whom."""
    async with system.caller("signals:write") as sender:
        ready = await sender.preview(f"{HEAD}Ada Byron,a@x.example,,\n".encode())
        [row] = await sender.rows(ready["import_id"])
        assert "says" not in row
        answer = await sender.choose(ready["import_id"], rows=[{"number": 1, "choice": "merge"}])
        assert answer.status_code == 403
        done = await sender.run(ready["import_id"])
        assert done["verdicts"]["created"] == 1
        assert (await sender.order(ready["import_id"], "undo")).status_code == 403
        async with system.caller() as stranger:
            other = await stranger.http.get(f"/v1/imports/{ready['import_id']}")
            assert other.status_code == 404
            assert (await stranger.http.get("/v1/imports")).json() == {"imports": []}


async def test_no_question_to_the_resolver_stays_in_memory(caller: Caller) -> None:
    """A file of 100,000 rows asks 400 of them, of two megabytes each with the answer."""
    gc.collect()
    gc.disable()
    try:
        await caller.preview(f"{HEAD}Ada,a@memory.example,,\n".encode())
        answers = [one for one in gc.get_objects() if isinstance(one, httpx.Response)]
    finally:
        gc.enable()
    assert not [one for one in answers if one.request.url.path == "/v1/decisions"]


async def test_a_thousand_rows_in_batches(caller: Caller) -> None:
    """People of one file are found to be one across batches, too."""
    rows = [f"P{n} Q{n % 900},p{n % 900}@x.example,,\n" for n in range(1_200)]
    tag = uuid4().hex
    ready = await caller.preview((HEAD + "".join(rows).replace("@x", f"@{tag}")).encode())
    assert ready["rows"] == 1_200
    assert ready["classes"]["new"] == 900
    assert sum(ready["classes"].values()) == 1_200
    done = await caller.run(ready["import_id"])
    assert sum(done["verdicts"].values()) == 1_200
    assert done["verdicts"]["created"] >= 900
    await asyncio.sleep(0)


async def test_what_an_import_brought_is_taken_back(system: Importing, caller: Caller) -> None:
    """Contacts that only it made go, others are as before; then the file may be imported anew."""
    await caller.run((await caller.preview(f"{HEAD}Ada,a@x.example,,\n".encode()))["import_id"])
    data = f"{HEAD}Ada,a@x.example,+44 7700 900123,Countess\nBob,b@x.example,,\n".encode()
    done = await caller.run((await caller.preview(data))["import_id"])
    assert (done["verdicts"]["created"], done["verdicts"]["updated"]) == (1, 1)
    assert (await caller.order(done["import_id"], "undo")).status_code == 202
    undone = await caller.until(done["import_id"], "undone")
    assert (undone["undo"]["retracted"], undone["undo"]["remaining"]) == (2, 0)
    assert (await caller.order(done["import_id"], "undo")).status_code == 202
    assert (await caller.order(done["import_id"], "execute")).status_code == 409
    titles = await system.fetch(
        "SELECT b.title FROM contact.workspace_contact_binding b"
        " JOIN app.workspace w ON w.id = b.workspace_id"
        " JOIN contact.contact c ON c.id = b.contact_id AND c.status = 'active'"
        " WHERE w.public_id = $1 AND b.deleted_at IS NULL",
        caller.workspace,
    )
    assert [row["title"] for row in titles] == [None]
    anew = await caller.preview(data)
    assert anew["classes"] == {"new": 1, "update": 1}
    again = await caller.run(anew["import_id"])
    assert (again["verdicts"]["created"], again["verdicts"]["updated"]) == (1, 1)


async def test_time_is_up_for_what_rows_say_and_not_for_the_report(
    system: Importing, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions; also for what could not be read for a day, and not for what is being read."""
    monkeypatch.setattr(store, "PORTION", 2)
    ready = await caller.preview(
        f"{HEAD}Ada,a@x.example,,\nAl,al@x.example,,\nAm,am@x.example,,\n".encode()
    )
    done = await caller.run(ready["import_id"])
    stuck = await caller.preview(f"{HEAD}Cy,c@x.example,,\n".encode())
    busy = await caller.preview(f"{HEAD}Di,d@x.example,,\n".encode())
    waiting = await caller.preview(f"{HEAD}Bob,b@x.example,,\n".encode())
    ingest = await asyncpg.connect(system.dsns["kith_ingest"])
    await ingest.execute("SELECT set_config('kith.any_place', 'on', false)")
    await ingest.execute("UPDATE ingest.import_file SET expires_at = now() - interval '1 hour'")
    for name, idle in ((stuck["import_id"], "2 days"), (busy["import_id"], "2 hours")):
        await ingest.execute(
            "UPDATE ingest.import_file SET state = 'reading', not_before = 'infinity',"
            " progress_at = now() - $2::text::interval WHERE public_id = $1",
            name,
            idle,
        )
    await ingest.close()
    found = await system.tools.store.find_expired(100)
    for number, place in found:
        await system.tools.uploads.delete(place, number)
        await system.tools.store.forget(place, number)
    forgotten = {done["import_id"]: "done"}
    forgotten |= {one["import_id"]: "discarded" for one in (waiting, stuck)}
    for import_id, state in forgotten.items():
        document = await caller.get(import_id)
        assert (document["state"], document["is_forgotten"]) == (state, True)
        assert [row["says"] for row in await caller.rows(import_id)] in ([None], [None] * 3)
        assert (await caller.http.get(f"/v1/imports/{import_id}/rejects")).status_code == 410
    report = await caller.get(done["import_id"], "/report")
    assert report["verdicts"]["created"] == 3
    assert not (await caller.get(busy["import_id"]))["is_forgotten"]
    [place] = {place for _, place in found if place.workspace == caller.workspace}
    async with system.tools.store.inside(place) as connection:
        left = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM ingest.import_chunk),"
            " (SELECT count(*) FROM ingest.import_row_key),"
            " (SELECT count(*) FROM ingest.import_row WHERE signal IS NOT NULL)"
        )
    assert tuple(left or ()) == (1, 1, 1)  # of the one that is being read


async def test_verdicts_that_stand_with_their_rows_are_told_as_well(
    system: Importing, caller: Caller
) -> None:
    """As imports before had them, and those that were under way while kith was upgraded."""
    ready = await caller.preview(
        f"{HEAD}Ada,a@x.example,,\n,nobody,,\nBob,b@x.example,,\n,,,\n".encode()
    )
    import_id = ready["import_id"]
    done = await caller.run(import_id)
    told = await caller.rows(import_id), await caller.get(import_id, "/report")
    assert [row["verdict"] for row in told[0]] == ["created", "rejected", "created", "skipped"]
    async with inside(system, import_id) as (ingest, number):
        await ingest.execute(
            "UPDATE ingest.import_row AS r SET verdict = v.verdict, contact = v.contact,"
            " reason = v.reason, events = v.events FROM ingest.import_verdict AS v"
            " WHERE v.import_id = r.import_id AND v.number = r.number AND r.import_id = $1"
            " AND r.number = 1",
            number,
        )
        await ingest.execute("DELETE FROM ingest.import_verdict WHERE import_id = $1", number)
        await ingest.execute(
            "UPDATE ingest.import_file SET state = 'executing', concluded_to = 0, verdicts = '{}'"
            " WHERE id = $1",
            number,
        )
    again = await caller.until(import_id, "done")
    assert again["verdicts"] == done["verdicts"]
    assert again["events"] == done["events"]
    found = await caller.rows(import_id), await caller.get(import_id, "/report")
    assert found[0] == told[0]
    assert found[1]["rejected"] == told[1]["rejected"]


async def test_what_a_file_is_said_to_hold_is_kept_when_its_columns_are_said(
    caller: Caller,
) -> None:
    """It was recognised anew, here as a message, and its rows were gone."""
    head = "From: crm@x.example\nTo: me@x.example\nSubject: Export\n\n"
    table = f"{head}First Name,Last Name,Email,Phone\nAda,Byron,ada@x.example,\n".encode()
    ready = await caller.preview(table, kind="contacts")
    assert (ready["state"], ready["classes"]) == ("ready", {"new": 1})
    path = f"/v1/imports/{ready['import_id']}/mapping"
    answer = await caller.http.put(path, params={"region": "DE"})
    assert answer.status_code == 202, answer.text
    ready = await caller.until(ready["import_id"], "ready", "failed")
    assert ready["state"] == "ready"
    assert ready["classes"] == {"new": 1}


async def test_what_was_chosen_for_somebody_who_was_erased_holds_nobody_up(
    system: Importing, caller: Caller
) -> None:
    """Erasing forgets what was chosen: nothing is left to be carried out."""
    ready = await caller.preview(f"{HEAD}Ada,a@x.example,,\n".encode())
    import_id = ready["import_id"]
    await caller.run(import_id)
    async with inside(system, import_id) as (ingest, number):
        await ingest.execute(
            "UPDATE ingest.import_verdict SET settled = false WHERE import_id = $1", number
        )
        await ingest.execute(
            "UPDATE ingest.import_file SET state = 'executing' WHERE id = $1", number
        )
    assert (await caller.until(import_id, "done"))["verdicts"]["created"] == 1


async def test_whoever_is_erased_is_in_no_import(
    system: Importing, caller: Caller, tmp_path: Path
) -> None:
    """What was taken, what waits for a choice, what another row's preview shows, and the files."""
    ada = "Ada Byron,ada@x.example,,Countess\n"
    done = await caller.run((await caller.preview(f"{HEAD}{ada}".encode()))["import_id"])
    contact = (await caller.rows(done["import_id"]))[0]["contact"]
    waiting = await caller.preview(
        f"{HEAD}Ada Byron,ada@x.example,,Duchess of zyx\nBob Bell,b@x.example,,\n".encode()
    )
    shown = await caller.preview(
        f"{HEAD}Zed Bell,ada@x.example,,\n".encode(), import_source="iris-import"
    )
    assert [waiting["classes"], shown["classes"]] == [{"update": 1, "new": 1}, {"conflict": 1}]
    async with inside(system, waiting["import_id"]) as (_, number):
        elsewhere = DirectoryUploads(tmp_path, MemoryLedger())
        place = await place_of(system, waiting["import_id"])
        await elsewhere.put(place, number, 0, 14, b"Duchess of zyx")
    [[keys]] = await system.fetch(
        "SELECT array_agg(r.record_key) FROM contact.source_record r"
        " JOIN contact.contact c ON c.id = r.contact_id WHERE c.public_id = $1",
        contact,
    )
    forget = "SELECT ingest.forget_people($1, $2::bytea[], $3::text[])"
    resolver = await asyncpg.connect(system.dsns["kith_resolver"])
    try:
        assert await resolver.fetchval(forget, place.tenant_id + 1, keys, [contact]) == 0
        assert await resolver.fetchval(forget, place.tenant_id, keys, [contact]) == 2
        assert await resolver.fetchval(forget, place.tenant_id, keys, [contact]) == 0
    finally:
        await resolver.close()

    for import_id in (done["import_id"], waiting["import_id"]):
        rows = await caller.rows(import_id)
        assert (rows[0]["says"], rows[0]["changes"], rows[0]["contact"]) == (None, None, contact)
        for method, part in (("GET", "/rejects"), ("PUT", "/mapping")):
            answer = await caller.http.request(method, f"/v1/imports/{import_id}{part}")
            assert answer.status_code in (409, 410), "nothing is read from a file that is gone"
    [zed] = await caller.rows(shown["import_id"])
    assert (zed["says"]["full_name"], zed["against"]) == ("Zed Bell", None)

    work = Imports(replace(system.tools, uploads=CopiedUploads(elsewhere, Survey)))
    await work.tidy()
    left = [piece async for piece in elsewhere.read(place, number)]
    assert left == [], "the file is gone from wherever it was kept"
    assert await system.tools.store.find_files_to_forget(100) == []
    told = await caller.run(waiting["import_id"])
    assert (told["verdicts"]["skipped"], told["verdicts"]["created"]) == (1, 1)
    rows = await caller.rows(waiting["import_id"])
    assert [row["verdict"] for row in rows] == ["skipped", "created"]
    assert rows[0]["reason"] == "of somebody who was erased"


async def place_of(system: Importing, import_id: str) -> Place:
    """Say whose an import is."""
    [row] = await system.fetch(
        "SELECT t.id, w.id, t.public_id, w.public_id FROM ingest.import_file f"
        " JOIN app.tenant t ON t.id = f.tenant_id JOIN app.workspace w ON w.id = f.workspace_id"
        " WHERE f.public_id = $1",
        import_id,
    )
    return Place(*row)


@asynccontextmanager
async def inside(
    system: Importing, import_id: str
) -> AsyncIterator[tuple["asyncpg.Connection[asyncpg.Record]", int]]:
    """Open a transaction about an import's workspace, and tell the import's number."""
    ingest = await asyncpg.connect(system.dsns["kith_ingest"])
    try:
        async with ingest.transaction():
            await ingest.execute("SELECT set_config('kith.any_place', 'on', true)")
            row = await ingest.fetchrow(
                "SELECT id, tenant_id::text, workspace_id::text FROM ingest.import_file"
                " WHERE public_id = $1",
                import_id,
            )
            assert row
            await ingest.execute(
                "SELECT set_config('kith.tenant_id', $1, true),"
                " set_config('kith.workspace_id', $2, true)",
                row["tenant_id"],
                row["workspace_id"],
            )
            yield ingest, row["id"]
    finally:
        await ingest.close()
