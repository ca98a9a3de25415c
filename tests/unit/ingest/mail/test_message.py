"""One message: its moment, its conversation, its text; nothing is so broken that it fails."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources.mail.message import digest_of, read_mail
from tests.support.mail import NOW, SENT, a_message

MIXED = (
    "Content-Type: multipart/mixed; boundary=x\n\n--x\n"
    "Content-Type: text/plain; charset={charset}\n"
    "Content-Transfer-Encoding: {encoding}\n\n{text}\n--x\nContent-Type: message/rfc822\n\n"
    "From: inner@y.example\nSubject: inner\n\ninner text\n--x\n"
    "Content-Type: application/ms-tnef; name=winmail.dat\n\nnothing\n--x--\n"
)


def mixed(text: str, encoding: str = "8bit", charset: str = "utf-8") -> bytes:
    body = MIXED.format(text=text, encoding=encoding, charset=charset)
    return a_message(text="").rstrip(b"\n") + b"\n" + body.encode()


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Mon, 02 Mar 2026 10:12:00 +0000", SENT),
        ("2 Mar 26 11:12 +0100", SENT),
        ("Mon, 2 Mar 2026 05:12:00 EST (Eastern)", SENT),
        ("Mon, 02 Mar 2026 10:12:00", SENT),
    ],
)
def test_dates_as_programs_write_them(date: str, moment: datetime) -> None:
    assert read_mail(a_message(date=date), NOW).sent_at == moment


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Thu, 1 Jan 1970 00:00:00 +0000",
        "Fri, 31 Dec 9999 23:59:59 +0000",
        "Mon, 99 Foo 2026",
        "Tue, 30 Feb 2026 10:00:00 +9999",
    ],
)
def test_an_absurd_date_gives_way_to_when_it_was_received(date: str) -> None:
    received = "Received: from a by b; Mon, 2 Mar 2026 10:12:00 +0000\n"
    assert read_mail(a_message(date=date, head=received), NOW).sent_at == SENT
    assert read_mail(a_message(date=date), NOW).sent_at is None
    arrived = datetime(2026, 3, 3, tzinfo=UTC)
    assert read_mail(a_message(date=date), NOW, arrived_at=arrived).sent_at == arrived


def test_a_conversation_is_named_by_the_message_that_began_it() -> None:
    assert read_mail(a_message(), NOW).thread_id == "1@engines.example.com"
    answer = a_message(message_id="<3@x>", references="<1@x>\n <2@x>", in_reply_to="<2@x>")
    assert read_mail(answer, NOW).thread_id == "1@x"
    assert read_mail(a_message(message_id="<3@x>", in_reply_to="<2@x>"), NOW).thread_id == "2@x"
    gmail = a_message(head="X-GM-THRID: 1797254385613234567\n", references="<1@x>")
    assert read_mail(gmail, NOW).thread_id == "gmail:1797254385613234567"
    index = base64.b64encode(bytes(range(27))).decode()
    exchange = read_mail(a_message(message_id="<3@x>", thread_index=index), NOW).thread_id
    assert exchange == f"exchange:{bytes(range(22)).hex()}"
    assert read_mail(a_message(thread_index="???"), NOW).thread_id == "1@engines.example.com"


def test_a_message_without_an_id_is_named_by_its_content() -> None:
    """The same in two folders is one, another text is another."""
    one = read_mail(a_message(message_id=""), NOW)
    again = read_mail(a_message(message_id="", head="X-Folder: other\n"), NOW)
    other = read_mail(a_message(message_id="", text="else\n"), NOW)
    assert one.message_id == ""
    assert digest_of(one) == digest_of(again) != digest_of(other)


def test_text_is_the_messages_own_and_not_an_attached_ones() -> None:
    mail = read_mail(mixed("Grüße"), NOW)
    assert mail.plain.strip() == "Grüße"
    assert mail.is_whole


def test_charsets_and_encodings() -> None:
    assert (
        read_mail(mixed("Gr=FC=DFe", "quoted-printable", "iso-8859-1"), NOW).plain.strip()
        == "Grüße"
    )
    encoded = base64.b64encode("Grüße".encode()).decode()
    assert read_mail(mixed(encoded, "base64"), NOW).plain.strip() == "Grüße"
    raw = b"From: a@b.example\nSubject: \xfcber\n\n\x00text\x00"
    mail = read_mail(raw, NOW)
    assert (mail.subject, mail.plain) == ("über", "text")


@pytest.mark.parametrize(
    "kind", ["", "Content-Type: text/plain\n", "Content-Type: text/plain; charset=iso-8859-1\n"]
)
def test_a_text_that_names_no_charset_or_a_wrong_one_is_utf_8_if_all_of_it_is(kind: str) -> None:
    head = f"From: a@b.example\n{kind}Content-Transfer-Encoding: 8bit\n\n"
    text = "Grüße, à bientôt, Ásta – 東京"
    assert read_mail(head.encode() + text.encode(), NOW).plain.strip() == text
    latin = "Grüße, Ásta"
    assert read_mail(head.encode() + latin.encode("cp1252"), NOW).plain.strip() == latin


def test_what_does_not_decode_is_read_as_far_as_possible() -> None:
    mail = read_mail(mixed("!!! no base64 !!!", "base64"), NOW)
    assert not mail.is_whole
    assert mail.sender is not None


def test_a_header_alone_and_nesting_without_end() -> None:
    assert read_mail(b"From: a@b.example", NOW).sender is not None
    deep = b"".join(
        b"--x%d\nContent-Type: multipart/mixed; boundary=x%d\n\n" % (n, n + 1) for n in range(5_000)
    )
    begun = time.process_time()
    mail = read_mail(
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x0\n\n" + deep, NOW
    )
    assert time.process_time() - begun < 2.0
    assert mail.sender is not None
    assert not mail.is_whole


def test_a_message_cut_off_anywhere_is_read() -> None:
    whole = mixed("Hello there")
    for percent in range(101):
        read_mail(whole[: len(whole) * percent // 100], NOW)


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    mail = read_mail(raw, NOW)
    assert "\x00" not in mail.subject + mail.plain + mail.html


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "From",
                "To",
                "Date",
                "Subject",
                "Message-ID",
                "References",
                "Thread-Index",
                "Received",
                "Content-Type",
                "X",
            ]
        ),
        max_size=8,
    ),
    st.lists(
        st.text(max_size=60)
        | st.sampled_from(
            [
                "=?utf-8?B?/w==?=",
                "=?utf-7?Q?+2D0-?=",
                "multipart/mixed; boundary=",
                "text/html; charset=utf-7",
            ]
        ),
        min_size=8,
        max_size=8,
    ),
)
def test_any_fields_are_a_header(names: list[str], values: list[str]) -> None:
    lines = [f"{name}: {value}" for name, value in zip(names, values, strict=False)]
    mail = read_mail("\n".join([*lines, "", "text"]).encode("utf-8", "surrogatepass"), NOW)
    mail.subject.encode()
