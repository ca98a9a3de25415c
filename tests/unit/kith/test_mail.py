"""The mail half of `kith import`: what is mail, and folders of messages as one stream."""

import io
import mailbox
from base64 import b64encode
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
import typer

from kith.imports_client import ImportsClient
from kith.imports_mail import content_of, is_mail, kind_of
from kith.imports_options import only_kinds
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


def test_what_a_file_is_said_to_hold_goes_over_what_it_looks_like(tmp_path: Path) -> None:
    letter, table = tmp_path / "letter", tmp_path / "table.csv"
    letter.write_bytes(b"From: Ada <ada@x.example>\nSubject: x\n\nhello\n")
    table.write_bytes(b"From: CRM export\nDate: 2024-05-01\n\nName,Email,City\nA,a@x.example,B\n")
    assert [kind_of(one, None) for one in (letter, table)] == ["mail", None]
    assert kind_of(letter, "contacts") == "contacts"
    assert kind_of(table, "activities") == "activities"
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1").write_bytes(letter.read_bytes())
    assert kind_of(tmp_path, "contacts") == "mail", "folders are read as mailboxes alone"
    with pytest.raises(typer.BadParameter, match="contacts, mail, activities"):
        only_kinds("calls")


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


def test_a_folder_is_uploaded_as_one_stream_with_what_is_said_of_it(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(a_message())
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(202, json={"import_id": "imp_1"})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://ingest") as client:
        wishes: dict[str, str | list[str]] = {
            "kind": "mail",
            "own": ["me@x.example", "i@x.example"],
        }
        begun = ImportsClient(client).upload(tmp_path, wishes, lambda *_: None)
    assert begun == {"import_id": "imp_1"}
    assert seen[0].url.path == "/v1/imports"
    assert seen[0].url.params.get_list("own") == ["me@x.example", "i@x.example"]
    assert seen[0].content.startswith(b"From kith-folder= ")


def test_a_large_mailbox_goes_piece_by_piece_with_what_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header may not end in a blank: what is empty is not said."""
    box = tmp_path / "Inbox"
    box.write_bytes(an_mbox(a_message()))
    monkeypatch.setattr("kith.imports_client.WHOLE", 10)
    begun: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            begun.append(request.headers["upload-metadata"])
            return httpx.Response(201, headers={"Location": "/v1/imports/uploads/imp_1"})
        end = str(len(request.read()))
        headers = {"Upload-Offset": end}
        return httpx.Response(200, headers=headers, json={"import_id": "imp_1"})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://ingest") as client:
        for own in ([], ["me@x.example", "i@x.example"]):
            wishes: dict[str, str | list[str]] = {"kind": "mail", "own": own}
            ImportsClient(client).upload(box, wishes, lambda *_: None)
    said = b64encode(b"me@x.example i@x.example").decode()
    assert begun == ["kind bWFpbA==", f"kind bWFpbA==,own {said}"]
