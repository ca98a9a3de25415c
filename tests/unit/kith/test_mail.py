"""The mail half of `kith import`: what is mail, and folders of messages as one stream."""

import io
import mailbox
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import typer

from kith.imports_client import ImportsClient, RefusedError
from kith.imports_mail import content_of, is_mail, mail_report_of
from services.ingest.sources.mail.boxes import Stored, read_box, sniff_box
from tests.support.mail import a_message, an_mbox


def stored(path: Path) -> list[Stored]:
    file = io.BytesIO(b"".join(content_of(path)))
    assert sniff_box(file) == "mbox"
    return list(read_box(file, "mbox"))


def test_a_maildir_is_one_stream_with_its_folders(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Mail", create=True)
    box.add(
        message_from_bytes(
            a_message(text="\nFrom here on\n\nFrom x@y Mon Mar  2 10:12:00 2026\nTo: z\n")
        )
    )
    box.add_folder("Sent").add(message_from_bytes(a_message(message_id="<2@x>")))
    (tmp_path / "Mail" / "tmp" / "half").write_bytes(b"From: a@b.example\n")
    found = stored(tmp_path / "Mail")
    assert sorted(one.folder for one in found) == ["", "Sent"]
    assert sum(b"From here on" in one.raw for one in found) == 1
    assert is_mail(tmp_path / "Mail")


def test_a_folder_of_messages_is_one_stream(tmp_path: Path) -> None:
    folder = tmp_path / "export" / "Gesendete Elemente"
    folder.mkdir(parents=True)
    (folder / "1.eml").write_bytes(a_message().replace(b"\n", b"\r\n"))
    apple = a_message(message_id="<2@x>")
    (folder / "2.emlx").write_bytes(b"%d \n" % len(apple) + apple + b"<plist></plist>")
    (folder / "3.EML").write_bytes(b"From: only@header.example")
    (folder / "notes.txt").write_text("not mail")
    found = stored(tmp_path / "export")
    assert [one.folder for one in found] == ["Gesendete Elemente"] * 3
    assert not any(b"plist" in one.raw for one in found)


def test_what_is_mail(tmp_path: Path) -> None:
    files = {
        "Inbox": (an_mbox(a_message()), True),
        "one.eml": (a_message(), True),
        "one.msg": (b"\xd0\xcf\x11\xe0", True),
        "people.csv": (b"Name,Email\nA,a@b.example\n", False),
        "ada.vcf": (b"BEGIN:VCARD\nFN:Ada\nEND:VCARD\n", False),
    }
    for name, (data, expected) in files.items():
        (tmp_path / name).write_bytes(data)
        assert is_mail(tmp_path / name) is expected, name
    (tmp_path / "empty").mkdir()
    with pytest.raises(typer.BadParameter, match="holds no messages"):
        is_mail(tmp_path / "empty")


REPORT: dict[str, Any] = {
    "import_id": "imp_1",
    "kind": "mbox",
    "messages": 1200,
    "activities": 900,
    "signatures": 30,
    "refused": 0,
    "left_out": {"list": 250, "again": 50},
    "passed": {},
    "own": [],
    "notes": [{"line": 7, "field": "", "reason": "has parts that do not decode"}],
}


def answering(body: bytes, status: int = 202) -> httpx.Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    return httpx.Client(transport=transport, base_url="http://ingest")


def send(body: bytes, status: int = 202) -> tuple[dict[str, Any], list[int]]:
    counted: list[int] = []
    with answering(body, status) as client:
        content = iter([an_mbox(a_message())])
        report = ImportsClient(client).send_mail(content, {}, lambda _, n, __: counted.append(n))
    return report, counted


def test_progress_and_report_are_told_in_words() -> None:
    progress = orjson.dumps({"progress": {"messages": 1_000, "activities": 800}})
    report, counted = send(progress + b"\n" + orjson.dumps({"report": REPORT}) + b"\n")
    assert counted == [1_000]
    told = "\n".join(mail_report_of("Inbox", report))
    assert "1,200 messages" in told
    assert "300 left out: 250 mailing lists and newsletters, 50 read before" in told
    assert "name them with --own" in told
    assert "kith import undo imp_1" in told
    assert "undo" not in "\n".join(mail_report_of("Inbox", report, look=True))


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"title": "Unprocessable", "detail": "the file is empty"}', 422, "the file is empty"),
        (b"<html>", 502, "status 502"),
        (b'{"progress": {"messages": 1}}\n', 202, "ingest broke off"),
    ],
)
def test_what_goes_wrong_is_said(body: bytes, status: int, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        send(body, status)
