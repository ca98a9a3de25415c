"""Mail, calendars and logs at the command line: what is sent, said of it, and refused."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from kith.cli import app
from kith.imports_text import preview_of, report_of

FILES = Path(__file__).parents[2] / "fixtures" / "activities"
KEY = ["--key", "kith_x", "--url", "http://ingest.test"]
IMPORT: dict[str, Any] = {
    "import_id": "imp_" + "0" * 26,
    "state": "ready",
    "reading": {"layout": "mbox", "encoding": "", "encoding_assumed": False},
    "rows": 1_200,
    "classes": {"new": 880, "duplicate": 19, "left_out": 300, "rejected": 1},
    "choices": {"duplicate": "skip"},
    "warnings": 2,
    "verdicts": {"recorded": 0, "unchanged": 0, "skipped": 0, "rejected": 0},
    "activities": {
        "left_out": {"again": 50, "list": 250},
        "passed": {"own": 880, "bot": 3, "too_many": 101},
        "signatures": 30,
        "people": {"known": 1, "new": 2},
        "own": ["me@x.example"],
    },
    "events": 0,
    "undo": None,
    "failure": None,
    "same_file_as": None,
}
ROW = {
    "line": 7,
    "field": "",
    "reason": "",
    "happened": {
        "occurred_at": "2026-03-02T10:12:00Z",
        "title": "Engines",
        "participants": [
            {"role": "from", "name": "Ada", "reached_by": "ada@x.example"},
            {"role": "to", "name": None, "reached_by": "bob@x.example"},
        ],
    },
}
REFUSED = {"line": 9, "field": "participants", "reason": "names nobody"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Let ingest answer: logs and calendars are taken, everything else is refused."""
    requests: list[httpx.Request] = []
    done = {**IMPORT, "state": "done", "verdicts": {"recorded": 880, "skipped": 320}}

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        requests.append(request)
        path = request.url.path
        if path.endswith("/events"):
            is_executed = any(one.url.path.endswith("/execute") for one in requests)
            data = orjson.dumps(done if is_executed else IMPORT)
            return httpx.Response(200, content=b"data: " + data + b"\n\n")
        if path.endswith("/report"):
            return httpx.Response(200, json={**done, "rejected": [], "left_out": []})
        if path.endswith("/rows"):
            return httpx.Response(200, json={"rows": []})
        if request.content.startswith(b"\x89PNG"):
            return httpx.Response(422, json={"title": "Refused", "detail": "file: is a PNG image"})
        return httpx.Response(202, json=IMPORT)

    made = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **more: made(**more, transport=httpx.MockTransport(answer))
    )
    return requests


def test_a_log_is_previewed_and_waits_until_one_says_so(sent: list[httpx.Request]) -> None:
    arguments = ["activities", str(FILES / "android_calls.csv"), "--region", "DE", *KEY]
    result = CliRunner().invoke(app, [*arguments, "--timezone", "Europe/Berlin"])
    assert result.exit_code == 3, result.output
    wished = {"kind": "activities", "region": "DE", "timezone": "Europe/Berlin"}
    assert dict(sent[0].url.params) == wished
    assert sent[0].headers["authorization"] == "Bearer kith_x"
    assert "nothing is imported yet" in result.output
    assert not any(one.url.path.endswith("/execute") for one in sent)
    result = CliRunner().invoke(app, [*arguments, "--yes"])
    assert result.exit_code == 0, result.output
    assert "880 are on the timelines of who took part" in result.output


def test_one_refused_file_harms_no_other_and_fails_the_command(
    sent: list[httpx.Request], tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG")
    files = [str(picture), str(FILES / "android_calls.csv")]
    result = CliRunner().invoke(app, ["activities", *files, *KEY, "--yes", "--json"])
    assert result.exit_code == 1
    told = orjson.loads(result.output)["imports"]
    assert [one.get("state") for one in told] == [None, "done"]
    assert told[0]["detail"] == "file: is a PNG image"


def test_a_preview_and_a_report_count_every_message_by_what_becomes_of_it() -> None:
    text = "\n".join(preview_of(IMPORT, {"new": [ROW], "rejected": [REFUSED]}))
    for words in (
        "1,200 messages",
        "880 are not known yet",
        "line 7: 2026-03-02 10:12 Engines (Ada, bob@x.example)",
        "… and 879 more",
        "19 are known already: at most their signatures say something new, left out",
        "250 mailing lists and newsletters",
        "line 9, participants: names nobody",
        "30 signatures say something new",
        "3 people take part: 1 known, 2 new",
        "104 mailboxes take no part in such messages",
        "101 above the 500 that may take part",
        "your own addresses: me@x.example",
    ):
        assert words in text
    verdicts = {"recorded": 880, "unchanged": 0, "skipped": 319, "rejected": 1}
    done = {**IMPORT, "state": "done", "verdicts": verdicts, "events": 1_000}
    text = "\n".join(report_of({**done, "rejected": [REFUSED], "left_out": []}))
    for words in ("319 were left out", "1,000 events", "rejected: line 9", "kith import undo imp_"):
        assert words in text
    assert "kith import rejects" in text
    quiet = {**IMPORT, "activities": {**IMPORT["activities"], "own": []}}
    assert "name them with --own" in "\n".join(preview_of(quiet, {}))
