"""Calendars and logs at the command line: what is sent, what is said of it, what is refused."""

from pathlib import Path

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from kith.__main__ import app
from kith.imports_activities import account_of, activities_in

FILES = Path(__file__).parents[2] / "fixtures" / "activities"
REPORT = {
    "import_id": "imp_" + "0" * 26,
    "layout": "call-log",
    "accepted": 3,
    "rejected_activities": 12,
    "passed_over": 1,
    "rejected": [{"line": n, "field": "Date", "reason": "is no date"} for n in range(12)],
    "warnings": [{"line": 2, "field": "", "reason": "says nothing"}],
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Let ingest answer: logs are taken, everything else is refused."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        requests.append(request)
        if request.content.startswith((b"Name,Number", b"BEGIN:VCALENDAR")):
            return httpx.Response(202, json=REPORT)
        return httpx.Response(422, json={"title": "Refused", "detail": "file: is a PNG image"})

    made = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **more: made(**more, transport=httpx.MockTransport(answer))
    )
    return requests


def test_files_are_sent_and_what_became_of_them_is_said(sent: list[httpx.Request]) -> None:
    arguments = ["activities", str(FILES / "android_calls.csv"), "--region", "DE"]
    key = ["--key", "kith_x", "--url", "http://ingest.test"]
    result = CliRunner().invoke(app, [*arguments, "--timezone", "Europe/Berlin", *key])
    assert result.exit_code == 0, result.output
    assert dict(sent[0].url.params) == {"region": "DE", "timezone": "Europe/Berlin"}
    assert sent[0].headers["authorization"] == "Bearer kith_x"
    assert "3 activities accepted, 12 rejected, 1 passed over" in result.output
    assert "rejected: line 9, Date: is no date" in result.output
    assert "and 2 more" in result.output


def test_one_refused_file_harms_no_other_and_fails_the_command(
    sent: list[httpx.Request], tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG")
    files = [str(picture), str(FILES / "android_calls.csv")]
    key = ["--key", "kith_x", "--url", "http://ingest.test"]
    result = CliRunner().invoke(app, ["activities", *files, *key, "--json"])
    assert result.exit_code == 1
    told = orjson.loads(result.output)["imports"]
    assert [one.get("accepted") for one in told] == [None, 3]
    assert told[0]["detail"] == "file: is a PNG image"
    assert len(sent) == 2


def test_kith_import_knows_a_calendar(sent: list[httpx.Request], tmp_path: Path) -> None:
    calendar = tmp_path / "export.txt"
    calendar.write_bytes(b"\xef\xbb\xbf\r\n" + (FILES / "calendar.ics").read_bytes())
    assert activities_in(calendar) == "calendar"
    assert activities_in(FILES / "android_messages.xml") == "phone-backup"
    assert activities_in(FILES / "android_calls.csv") is None
    key = ["--key", "kith_x", "--url", "http://ingest.test"]
    result = CliRunner().invoke(app, ["import", str(FILES / "calendar.ics"), *key])
    assert result.exit_code == 0, result.output
    assert sent[0].url.path == "/v1/activities"
    assert "3 activities accepted" in result.output
    assert next(account_of("x", REPORT)).startswith("x: call-log")
