"""One message: who wrote to whom and when, which conversation it belongs to, and its text."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.errors import MessageError
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Final, Literal

from fast_mail_parser import ParseError, parse_email
from msgspec import Struct

from services.ingest.sources.mail.addresses import Mailbox, decode_words, read_addresses

Role = Literal["from", "to", "cc", "reply_to"]
"""What a participant has to do with a message."""

ROLES: Final[Mapping[str, Role]] = {
    "from": "from",
    "to": "to",
    "cc": "cc",
    "reply-to": "reply_to",
}
"""Header → role, in the order in which participants are listed."""

MAX_ID: Final = 900
"""Characters of a Message-ID; a longer one stands for itself by its digest."""

MAX_HEADER_BYTES: Final = 512 * 1024
"""Of a header so much is read."""

MAX_BODY: Final = 128 * 1024
"""Characters of a text that are read; a signature that stands further down is not found."""

EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
"""RFC 524 proposed mail in 1973: earlier moments are clocks that were never set."""

FUTURE: Final = timedelta(days=1)
"""So far ahead a clock may go fast; what is beyond is no moment of sending."""

_HEADER_ENDS: Final = (b"\n\n", b"\n\r\n", b"\r\r")
"""A blank line, whatever the ends of lines are."""

_FIELD_PATTERN: Final = r"^([!-9;-~]{1,76})[ \t]*:(.*(?:\n[ \t].*)*)"
_FIELD = re.compile(_FIELD_PATTERN, re.MULTILINE)
_RAW_FIELD = re.compile(_FIELD_PATTERN.encode(), re.MULTILINE)
_ID = re.compile(r"<([^<>\s]{1,2000})>")
_REPLY_INDEX: Final = 22
"""Octets of a `Thread-Index` that a whole conversation shares ([MS-OXOMSG] 2.2.1.3)."""


class Mail(Struct, frozen=True, gc=False):
    """What a message says, values as they are written but for their encoding."""

    headers: Mapping[str, Sequence[str]]
    """Lower-case name → values, unfolded; addresses with their encoded words."""
    mailboxes: Sequence[tuple[Role, Mailbox]]
    sent_at: datetime | None
    """UTC; None: nothing in it says a moment that can be."""
    subject: str
    message_id: str
    """Without angle brackets; empty: it has none."""
    thread_id: str
    """What its conversation is known by; empty: unknown."""
    plain: str
    """The first text/plain part."""
    html: str
    """The first text/html part."""
    is_whole: bool = True
    """Its text could be decoded."""

    @property
    def sender(self) -> Mailbox | None:
        """Return who wrote it: the first mailbox of `From`."""
        return next((box for role, box in self.mailboxes if role == "from"), None)

    def first(self, name: str) -> str:
        """Return the first value of a header; empty without."""
        values = self.headers.get(name)
        return values[0] if values else ""


def read_mail(raw: bytes, now: datetime, *, arrived_at: datetime | None = None) -> Mail:
    """Read a message, as much of it as there is; nothing is so broken that this fails.

    `arrived_at` is when its mailbox got it: that counts where the message has no date that can be.
    """
    headers = read_headers(raw)
    plain, html, is_whole = _texts(raw)
    message_id = _message_id(headers)
    return Mail(
        headers=headers,
        mailboxes=tuple(_mailboxes(headers)),
        sent_at=_sent_at(headers, now, arrived_at),
        subject=_one_line(decode_words(" ".join(headers.get("subject", ("",))[:1]))),
        message_id=message_id,
        thread_id=_thread_id(headers, message_id),
        plain=plain,
        html=html,
        is_whole=is_whole,
    )


def mail_of(
    headers: Mapping[str, Sequence[str]],
    mailboxes: Sequence[tuple[Role, Mailbox]],
    *,
    sent_at: datetime | None,
    subject: str,
    message_id: str,
    thread_id: str,
    plain: str = "",
    html: str = "",
) -> Mail:
    """Return a message whose parts another program has read already."""
    return Mail(
        headers=headers,
        mailboxes=mailboxes,
        sent_at=sent_at,
        subject=_one_line(subject),
        message_id=short_id(message_id.strip("<> \t")),
        thread_id=short_id(thread_id),
        plain=_first([plain]),
        html=_first([html]),
    )


def read_headers(raw: bytes) -> dict[str, list[str]]:
    """Return the fields above the body, by lower-case name, in the order in which they stand."""
    end = min(len(raw), MAX_HEADER_BYTES)
    for blank in _HEADER_ENDS:
        found = raw.find(blank, 0, end + len(blank))
        end = found if 0 <= found < end else end
    head = raw[:end].replace(b"\r", b"").replace(b"\x00", b"")
    headers: dict[str, list[str]] = {}
    for name, value in _fields(head):
        text = value.replace("\n", "") if "\n" in value else value
        headers.setdefault(name.lower(), []).append(text.strip())
    return headers


def _fields(head: bytes) -> list[tuple[str, str]]:
    """Return names and folded values; one that is no UTF-8 is read as cp1252, alone."""
    try:
        return _FIELD.findall(head.decode())
    except UnicodeDecodeError:
        return [(name.decode("ascii"), _decoded(value)) for name, value in _RAW_FIELD.findall(head)]


def digest_of(mail: Mail) -> str:
    """Name a message that has no id by what all copies of it have in common."""
    parts = [
        mail.sent_at.isoformat() if mail.sent_at else "",
        *(f"{role}\0{box.address.lower()}" for role, box in mail.mailboxes if role != "reply_to"),
        mail.subject,
        (mail.plain or mail.html)[:2_000],
    ]
    text = "\x01".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:1_000]


def _mailboxes(headers: Mapping[str, Sequence[str]]) -> Iterator[tuple[Role, Mailbox]]:
    for name, role in ROLES.items():
        for value in headers.get(name, ()):
            for box in read_addresses(value):
                yield role, box


def _sent_at(
    headers: Mapping[str, Sequence[str]], now: datetime, arrived_at: datetime | None
) -> datetime | None:
    stamps = [*headers.get("date", ())[:1]]
    stamps += [one.rpartition(";")[2] for one in headers.get("received", ())[:1]]
    for stamp in stamps:
        found = read_moment(stamp)
        if found is not None and EARLIEST <= found <= now + FUTURE:
            return found
    return arrived_at if arrived_at and EARLIEST <= arrived_at <= now + FUTURE else None


def read_moment(text: str) -> datetime | None:
    """Read a moment as mail writes it (RFC 5322 3.3, obsolete zones too), in UTC."""
    try:
        found = parsedate_to_datetime(text[:200])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _message_id(headers: Mapping[str, Sequence[str]]) -> str:
    value = " ".join(headers.get("message-id", ("",))[:1])
    found = _ID.search(value)
    return short_id(found[1] if found else value.strip("<> \t"))


def short_id(text: str) -> str:
    """Return an id that fits: itself, or its digest."""
    if len(text) <= MAX_ID:
        return text
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _thread_id(headers: Mapping[str, Sequence[str]], message_id: str) -> str:
    """Name the conversation: by the mailbox's own id, else by the message that began it."""
    for thread in headers.get("x-gm-thrid", ())[:1]:
        if thread.isdigit():
            return f"gmail:{thread}"
    for name in ("references", "in-reply-to"):
        found = _ID.search(" ".join(headers.get(name, ())))
        if found:
            return short_id(found[1])
    for index in headers.get("thread-index", ())[:1]:
        try:
            octets = base64.b64decode("".join(index.split())[:400])
        except (binascii.Error, ValueError):
            continue
        if len(octets) > _REPLY_INDEX:
            return f"exchange:{octets[:_REPLY_INDEX].hex()}"
    return message_id


def _texts(raw: bytes) -> tuple[str, str, bool]:
    """Return the first plain and the first HTML text, and whether all could be decoded."""
    try:
        parsed = parse_email(raw, mode="lazy")
        return _first(parsed.text_plain), _first(parsed.text_html), True
    except ParseError:
        return _texts_of_broken(raw)


def _first(texts: list[str]) -> str:
    text = next((text for text in texts if text.strip()), "")
    return _mended(text)[:MAX_BODY].replace("\x00", "")


def _mended(text: str) -> str:
    """Read as UTF-8 what was read as cp1252 since its part named no charset, or a wrong one.

    Letters of cp1252 that are UTF-8 as well, all of them, are not written by chance.
    """
    if text.isascii():
        return text
    try:
        return text.encode("cp1252", _C1).decode()
    except UnicodeError:
        return text


def _as_octet(error: UnicodeError) -> tuple[bytes, int]:
    """Write the control characters that stand for the five octets that cp1252 leaves undefined."""
    if isinstance(error, UnicodeEncodeError):
        found = error.object[error.start : error.end]
        if all("\x80" <= letter <= "\x9f" for letter in found):
            return found.encode("latin-1"), error.end
    raise error


_C1: Final = "kith.c1"
codecs.register_error(_C1, _as_octet)


def _texts_of_broken(raw: bytes) -> tuple[str, str, bool]:
    """Read the texts of a message whose parts do not decode, with the library that forgives."""
    found: dict[str, str] = {}
    try:
        for part in message_from_bytes(raw).walk():
            kind = part.get_content_type()
            if kind in found or kind not in ("text/plain", "text/html") or part.get_filename():
                continue
            body = part.get_payload(decode=True)
            if isinstance(body, bytes) and body.strip():
                found[kind] = body.decode("utf-8", "replace")[:MAX_BODY].replace("\x00", "")
    except (MessageError, ValueError, LookupError, AssertionError, RecursionError):
        pass
    return found.get("text/plain", ""), found.get("text/html", ""), False
