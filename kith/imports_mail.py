"""The mail half of `kith import`: mailboxes, messages and folders of them go to ingest whole."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import typer

from services.ingest.sources.mail.boxes import shown_box

_MAIL_SUFFIXES: Final = frozenset({".eml", ".emlx", ".mbox", ".mbx", ".msg", ".pst", ".ost"})
"""What is meant as mail; what of it cannot be read, ingest says by name."""
_MESSAGE_SUFFIXES: Final = frozenset({".eml", ".emlx"})
_HEADER_END = re.compile(rb"\r?\n\r?\n")


def kind_of(path: Path, said: str | None) -> str | None:
    """Return what a file holds: what is said of it, or mail if it is; None: ingest finds out."""
    if said is not None and not path.is_dir():
        return said
    return "mail" if is_mail(path) else None


def is_mail(path: Path) -> bool:
    """Tell whether a file is mail, or a folder holds messages; a folder of none is refused."""
    if path.is_dir():
        if next(_messages(path), None) is None:
            raise typer.BadParameter(
                f"{path}: holds no messages: neither a Maildir nor .eml files", param_hint="FILES"
            )
        return True
    if path.suffix.lower() in _MAIL_SUFFIXES:
        return True
    with path.open("rb") as file:
        return shown_box(file) is not None


def content_of(path: Path) -> Iterator[bytes]:
    """Yield a file as it is, a folder of messages as one mailbox that says each one's length."""
    if not path.is_dir():
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
        return
    for folder, message in _messages(path):
        raw = message.read_bytes()
        if message.suffix == ".emlx" and raw[:1].isdigit():
            count, _, raw = raw.partition(b"\n")
            raw = raw[: int(count)] if count.strip().isdigit() else raw
        head = _HEADER_END.search(raw)
        body = len(raw) - head.end() if head else 0
        name = quote(folder, safe="")
        yield b"From kith-folder=%b Thu Jan  1 00:00:00 1970\n" % name.encode()
        yield b"Content-Length: %d\n" % body
        yield raw if head else raw.rstrip(b"\r\n") + b"\n\n"
        yield b"\n"


def _messages(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the messages below a folder, each with the name of its mailbox.

    A Maildir has its messages in `cur` and `new` (those in `tmp` are not complete), and further
    mailboxes in folders below, whose names begin with a dot (Maildir++) or not.
    """
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        place = path.parent.name
        if place in ("cur", "new"):
            mailbox_path = path.parent.parent
            yield mailbox_path.name.lstrip(".") if mailbox_path != root else "", path
        elif place != "tmp" and path.suffix.lower() in _MESSAGE_SUFFIXES:
            yield place if path.parent != root else "", path
