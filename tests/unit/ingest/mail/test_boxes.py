"""Mailboxes of every dialect: each message once, whole, in little memory."""

import io
import tracemalloc
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources.mail.boxes import (
    KEPT_BYTES,
    Heads,
    Stored,
    read_box,
    sniff_box,
    why_no_mail,
)
from services.ingest.sources.mail.message import read_headers
from tests.support.mail import a_message, an_mbox

ONE = a_message(message_id="<1@x.example>", text="one\n")
TWO = a_message(message_id="<2@x.example>", text="two\n")
LINE = b"From x@example.com Mon Mar  2 10:12:00 2026\n"


def texts(data: bytes) -> list[bytes]:
    file = io.BytesIO(data)
    kind = sniff_box(file)
    assert kind is not None
    return [stored.raw.partition(b"\n\n")[2].strip() for stored in read_box(file, kind)]


@pytest.mark.parametrize(
    "separator",
    [
        b"From x@example.com Mon Mar  2 10:12:00 2026\n",
        b"From MAILER-DAEMON Fri Jul  8 12:08:34 2011\n",
        b"From - Tue Mar 03 10:11:12 2026\n",
        b"From 1797254385613234567@xxx Tue Mar 03 10:11:12 +0000 2026\n",
        b"From x@example.com Tue, 3 Mar 2026 10:11:12 +0100\n",
        b"From ???@??? Tue Mar 03 10:11:12 2026\n",
        b'From "odd name"@example.com Tue Mar  3 10:11 2026\n',
        b"From x@example.com\n",
        b"From x@example.com Mon Mar  2 10:12:00 2026\r\n",
    ],
)
def test_separators_of_all_dialects(separator: bytes) -> None:
    data = separator + ONE + b"\n" + separator + TWO + b"\n"
    assert texts(data) == [b"one", b"two"]


def test_a_separator_without_a_blank_line_above_still_separates() -> None:
    assert texts(LINE + ONE.rstrip() + b"\n" + LINE + TWO) == [b"one", b"two"]


def test_text_that_begins_with_from_is_no_separator() -> None:
    """Escaped as in mboxrd, or not at all: what is behind it is no header."""
    raw = a_message(text="\nFrom here on it is easy.\n\nFrom 10:30 until 2026 we wait\nand talk.\n")
    assert texts(an_mbox(raw, TWO))[0].startswith(b"From here on")
    assert len(texts(LINE + raw + b"\n" + LINE + TWO)) == 2


def test_quoted_separators_lose_one_mark() -> None:
    assert texts(an_mbox(a_message(text="a\nFrom b\n>From c\n"))) == [b"a\nFrom b\n>From c"]


def test_a_length_that_is_right_is_believed_and_a_stale_one_is_not() -> None:
    """mboxcl2 escapes nothing: what looks like a message inside of the length belongs to it."""
    inner = LINE + ONE
    body = b"see:\n\n" + inner + b"\n"
    right = b"Content-Length: %d\n" % len(body) + ONE.partition(b"\n\n")[0] + b"\n\n" + body
    assert len(texts(LINE + right + LINE + TWO)) == 2
    stale = b"Content-Length: 7\n" + ONE.partition(b"\n\n")[0] + b"\n\n" + body
    assert len(texts(LINE + stale + LINE + TWO)) == 3


def test_single_messages_and_those_of_apple_mail() -> None:
    assert texts(b"\xef\xbb\xbf\n" + ONE) == [b"one"]
    apple = b"%d      \n" % len(ONE) + ONE + b'<?xml version="1.0"?><plist></plist>'
    assert texts(apple) == [b"one"]
    assert sniff_box(io.BytesIO(apple)) == "emlx"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as .eml"),
        (b"!BDN....", "export its folders"),
        (b"PK\x03\x04....", "unpack"),
        (b"\x1f\x8b....", "unpack"),
        (b"First Name,Last Name,Email\nA,B,c@d.e\n", "holds no mail"),
        (b"From here to there is a long way.\nIt is.\n", "holds no mail"),
        (b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n", "holds no mail"),
        (b"<html><body>From: a@b.c</body></html>", "holds no mail"),
    ],
)
def test_what_is_no_mail_says_so(data: bytes, words: str) -> None:
    file = io.BytesIO(data)
    assert sniff_box(file) is None
    assert words in why_no_mail(file).detail


def test_lines_are_counted_over_the_whole_file() -> None:
    data = an_mbox(*(a_message(message_id=f"<{n}@x>", text="x\n" * 5_000) for n in range(30)))
    assert len(data) > 2 * (1 << 17)
    for stored in read_box(io.BytesIO(data), "mbox"):
        line = data.split(b"\n", stored.line)[stored.line - 1]
        assert line.startswith(b"From: Ada")


class Endless:
    """A mailbox with one message of 300 MB, made as it is read."""

    SIZE = 300 * 1024 * 1024

    def __init__(self) -> None:
        self.at = 0
        self.head = LINE + a_message(text="begins\n")
        self.tail = b"\n" + LINE + TWO

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = self.SIZE + offset if whence == 2 else offset
        return self.at

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "nobody reads all of it at once"
        begin, end = self.at, min(self.at + size, self.SIZE)
        self.at = end
        piece = bytearray(b"A" * max(0, end - begin))
        for place, text in ((0, self.head), (self.SIZE - len(self.tail), self.tail)):
            for index, byte in enumerate(text, start=place):
                if begin <= index < end:
                    piece[index - begin] = byte
        return bytes(piece)


def test_memory_does_not_grow_with_a_message() -> None:
    tracemalloc.start()
    found = [
        (stored.size, len(stored.raw)) for stored in read_box(cast("BinaryIO", Endless()), "mbox")
    ]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[0][0] > 299 * 1024 * 1024
    assert len(found) == 2
    assert max(kept for _, kept in found) <= KEPT_BYTES
    assert peak < 24 * 1024 * 1024


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text(st.sampled_from("From >:\nax 2026 10:12"), max_size=60), max_size=5))
def test_what_is_escaped_comes_back_message_by_message(bodies: list[str]) -> None:
    messages = [a_message(text=f"begin\n{body}\nend\n") for body in bodies]
    found = texts(an_mbox(*messages)) if messages else []
    assert found == [message.partition(b"\n\n")[2].strip() for message in messages]


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=3_000)
    | st.lists(
        st.sampled_from([LINE, ONE, TWO, b"\n", b">", b"From ", b"\x00", b"Content-Length: 99\n"]),
        max_size=12,
    ).map(b"".join)
)
def test_any_bytes_are_read_to_their_end(data: bytes) -> None:
    file = io.BytesIO(data)
    kind = sniff_box(file)
    if kind is None:
        assert why_no_mail(file).detail
        return
    stored = list(read_box(file, kind))
    assert stored
    assert all(one.line >= 1 and one.size >= len(one.raw) - 64 for one in stored)


@given(
    st.lists(
        st.sampled_from(
            [
                b"X: y\n",
                b"Content-Length: 9\n",
                b" folded\r\n",
                b"\n",
                b"\r\n",
                b"\r\r",
                b">From x\n",
            ]
        ),
        max_size=12,
    ),
    st.integers(0, 2),
)
def test_heads_alone_say_what_whole_messages_say(lines: list[bytes], long: int) -> None:
    """Also where a header is longer than what is read at first."""
    filling = b"X-Long: " + b"x" * 900 + b"\n"
    one = b"From ada@x.example Mon Jan  5 10:00:00 2026\nFrom: ada@x.example\n"
    one += filling * (long * 20) + b"".join(lines) + b"\n" + b"text\n" * 5_000
    file = io.BytesIO(one * 3)
    whole = list(read_box(file, "mbox"))
    heads = list(read_box(file, "mbox", heads=True))
    assert [(m.line, m.size) for m in heads] == [(m.line, m.size) for m in whole]
    assert [read_headers(m.raw) for m in heads] == [read_headers(m.raw) for m in whole]
    assert all(
        len(head.raw) <= len(all_of_it.raw) for head, all_of_it in zip(heads, whole, strict=True)
    )


def heads_of(data: bytes, cuts: list[int]) -> list[Stored]:
    """Read heads as far as a mailbox came, again and again, then all of it."""
    heads = Heads()
    found = [
        stored for cut in cuts for stored in heads.read(io.BytesIO(data[:cut]), is_whole=False)
    ]
    return [*found, *heads.read(io.BytesIO(data), is_whole=True)]


def a_stored(body: bytes, length: int | None) -> bytes:
    """Make a message with its separator, nothing escaped; `length`: what it says its body has."""
    said = b"" if length is None else b"Content-Length: %d\n" % length
    return LINE + said + ONE.partition(b"\n\n")[0] + b"\n\n" + body


BODIES = st.lists(
    st.sampled_from(
        [b"x" * 9_000 + b"\n", b"see:\n\n" + LINE + ONE + b"\n", b"\nFrom here\n", b"y\n"]
    ),
    max_size=4,
).map(b"".join)


@settings(max_examples=150)
@given(
    messages=st.lists(
        st.tuples(BODIES, st.sampled_from(["right", "stale", "huge", None])), min_size=1, max_size=9
    ),
    shares=st.lists(st.floats(0, 1), max_size=5),
)
def test_a_mailbox_that_grows_shows_the_same_heads_as_when_it_is_whole(
    messages: list[tuple[bytes, str | None]], shares: list[float]
) -> None:
    """Wherever it stopped: within a separator, a header, or a message that says its length."""
    lengths = {"stale": 7, "huge": 10**9}
    data = b"".join(
        a_stored(body, len(body) if said == "right" else lengths.get(said or ""))
        for body, said in messages
    )
    cuts = sorted(round(len(data) * share) for share in shares)
    assert heads_of(data, cuts) == list(read_box(io.BytesIO(data), "mbox", heads=True))


def test_a_growing_mailbox_is_looked_at_as_it_comes_and_no_part_of_it_many_times() -> None:
    data = b"".join(a_stored(b"x" * 30_000 + b"\n", None) for _ in range(20))
    heads = Heads()
    assert not heads.is_due(1_000)
    assert len(list(heads.read(io.BytesIO(data), is_whole=False))) == 19
    one, looks = b"From x@example.com\n" + ONE + b"z" * (60 << 20), 0
    heads = Heads()
    for size in range(1 << 20, len(one), 1 << 20):
        if heads.is_due(size):
            looks += 1
            assert not list(heads.read(io.BytesIO(one[:size]), is_whole=False))
    assert looks == 3
