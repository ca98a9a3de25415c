"""Mail of our own making, for tests of the mail source and for its benchmark."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

import orjson

from services.ingest.domain.entries import Taken
from services.ingest.sources.mail.reading import MailReader, MailTerms
from tests.support.ingest import ORIGIN, RULES

NOW: Final = datetime(2026, 3, 9, 12, tzinfo=UTC)
SENT: Final = datetime(2026, 3, 2, 10, 12, tzinfo=UTC)


FIRST: Final = [
    "Anna",
    "Bert",
    "Carla",
    "Dieter",
    "Emma",
    "Frank",
    "Greta",
    "Hans",
    "Ines",
    "Jörg",
    "Karin",
    "Lars",
    "Maria",
    "Nils",
]
LAST: Final = (
    "Müller",
    "Schmidt",
    "Weber",
    "Fischer",
    "Becker",
    "Wolf",
    "Braun",
    "Koch",
    "Lange",
    "Krause",
    "Vogel",
)
WORDS: Final = (
    "the",
    "meeting",
    "we",
    "should",
    "talk",
    "about",
    "project",
    "next",
    "week",
    "budget",
    "please",
    "send",
    "over",
    "draft",
    "before",
    "friday",
    "and",
    "let",
    "me",
    "know",
    "whether",
    "that",
    "works",
    "for",
    "you",
    "otherwise",
    "monday",
    "is",
    "fine",
    "as",
    "well",
)

TITLES: Final = ("Sales Manager", "Engineer", "Head of Operations")


def a_message(**fields: Any) -> bytes:
    """Return a plain message; headers by keyword (`reply_to`), `text`, other lines by `head`."""
    text = fields.pop("text", "Hello,\n\nsee you on Monday.\n")
    head = fields.pop("head", "")
    headers = {
        "from": "Ada Lovelace <ada@engines.example.com>",
        "to": "Me <me@home.example.com>",
        "subject": "Engines",
        "date": format_datetime(SENT),
        "message_id": "<1@engines.example.com>",
        **fields,
    }
    lines = [
        f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items() if value
    ]
    whole: str = head + "\n".join(lines) + "\n\n" + text
    return whole.encode()


def an_mbox(*messages: bytes) -> bytes:
    """Return messages as an mbox (mboxrd)."""
    parts = []
    for message in messages:
        lines = [
            b">" + line if line.lstrip(b">").startswith(b"From ") else line
            for line in message.split(b"\n")
        ]
        parts.append(b"From x@example.com Mon Mar  2 10:12:00 2026\n" + b"\n".join(lines) + b"\n")
    return b"\n".join(parts)


def a_reader(*own: str, region: str | None = None) -> MailReader:
    """Return a reader for whom these addresses are the user's own."""
    return MailReader(MailTerms(ORIGIN, "email_sync", frozenset(own), NOW, region), RULES)


def bodies(taken: Iterator[Taken]) -> list[dict[str, Any]]:
    """Return the normalised signals as JSON."""
    return [orjson.loads(one.normalized.body) for one in taken]


def correspondence(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield messages as people in offices write them: signed, quoted, half of them with HTML."""
    dice = random.Random(seed)
    people = [(f"{first} {last}", number) for number, (first, last) in enumerate(_names())]
    for number in range(count):
        name, place = dice.choice(people)
        message = EmailMessage()
        message["From"] = f'"{name}" <p{place}@firm{place % 50}.example.com>'
        message["To"] = ", ".join(
            f'"{other}" <p{at}@firm{at % 50}.example.com>'
            for other, at in dice.sample(people, dice.randrange(1, 4))
        )
        message["Subject"] = f"Über die Lage der Dinge {number}"
        message["Message-ID"] = f"<{number}.{seed}@example.com>"
        message["Date"] = format_datetime(datetime.fromtimestamp(1_700_000_000 + number * 60, UTC))
        for hop in range(5):
            message["Received"] = (
                f"from mx{hop}.example.com (mx{hop}.example.com [10.0.0.{hop}]) by in.example.com "
                "with ESMTPS id 4XyZ for <x@example.com>; Tue, 3 Mar 2026 10:11:12 +0000"
            )
        message["DKIM-Signature"] = f"v=1; a=rsa-sha256; d=example.com; s=sel; b={'A' * 300}"
        prose = [" ".join(dice.choices(WORDS, k=10)) for _ in range(30)]
        text = "\n".join(
            [
                "Hello,",
                "",
                *prose[:15],
                "",
                "Best regards",
                name,
                TITLES[place % len(TITLES)],
                f"Firm {place % 50} GmbH",
                f"Tel +49 30 55501{place:03d}",
                "",
                "On Mon, Mar 2, 2026 at 10:12 AM Somebody <s@example.com> wrote:",
                *(f"> {line}" for line in prose[15:]),
            ]
        )
        message.set_content(text)
        if number % 2:
            html = "".join(f"<p>{line}</p>" for line in text.split("\n"))
            message.add_alternative(f"<html><body>{html}</body></html>", subtype="html")
        if number % 10 == 0:
            message.add_attachment(
                dice.randbytes(100_000), maintype="application", subtype="pdf", filename="a.pdf"
            )
        yield message.as_bytes()


def _names() -> Iterator[tuple[str, str]]:
    return ((first, last) for first in FIRST for last in LAST)
