"""The bench's signals: half of them of somebody new, half of somebody seen before.

Every person comes twice, from two sources, under the same e-mail, phone and LinkedIn address; the
second time late enough that the first has been resolved.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from shared.events.envelope import Envelope, to_headers
from shared.events.signal import ContactSignal
from shared.events.topics import TYPE_BY_MODEL
from shared.kafka import Outgoing, Producer

FIRST_NAMES: Final = (
    *("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tim", "Frances", "Niklaus"),
    *("Anita", "Kenneth", "Shafrira", "Leslie", "Margaret", "Dennis", "Katherine", "Ivan", "Lynn"),
    *("Robert", "Adele", "Whitfield", "Hedy", "Linus", "Joan", "Vinton", "Karen", "Guido", "Jean"),
)
SYLLABLES: Final = (
    *("ba", "chen", "dor", "el", "fitz", "gra", "hol", "is", "jor", "kov", "lam", "mar", "nak"),
    *("ost", "pet", "qui", "ros", "sten", "tor", "ul", "vas", "wil", "xan", "yam", "zel", "bruck"),
)
CHUNK: Final = 1_000
"""Signals handed to Kafka at a time when nothing paces them."""

TICK_S: Final = 0.02
"""Between two sends of a paced run, seconds."""


def signals(count: int, seed: int) -> Iterator[bytes]:
    """Make `count` signal bodies of about 600 bytes."""
    half = max(1, count // 2)
    for number in range(count):
        person, again = number % half, number >= half
        yield a_person(seed, person, "salesforce_crm" if again else "hubspot_crm")


def a_person(seed: int, person: int, source: str, record: str | None = None) -> bytes:
    """Make what one source says of one person: the same of the same one, but for who says it."""
    dice = random.Random(f"{seed}-{person}")
    first = dice.choice(FIRST_NAMES)
    last = "".join(dice.choices(SYLLABLES, k=4)).capitalize()
    company = dice.randrange(977)
    domain = f"company{company}.example.com" if person % 3 else "gmail.com"
    return orjson.dumps(
        {
            "source": source,
            "source_record_id": record or f"{seed}-{person}",
            "first_name": first,
            "last_name": last,
            "emails": [{"value": f"{first}.{last}.{seed}.{person}@{domain}", "label": "work"}],
            "phones": [{"value": f"+1415{_line(seed, person)}", "label": "mobile"}],
            "linkedin_url": f"https://www.linkedin.com/in/{first}-{last}-{seed}-{person}/",
            "employments": [
                {"company_name": f"Company {company}", "title": "Chief Technology Officer"}
            ],
            "addresses": [{"city": "Paris", "country": "FR"}],
            "crm_stage": "prospect",
            "crm_score": dice.randrange(100),
        }
    )


def _line(seed: int, person: int) -> int:
    """Return a phone number of seven digits that nobody else has."""
    return 2_000_000 + (seed * 1_234_577 + person) * 7_919 % 7_999_993


def messages(
    topic: str, count: int, seed: int, tenant: str | None = None, workspace: str | None = None
) -> list[Outgoing]:
    """Make the messages as an upstream system would send them, CloudEvents in binary mode.

    Without a tenant they are of the only one there is.
    """
    ce_type = TYPE_BY_MODEL[ContactSignal]
    return [
        Outgoing(
            topic,
            f"{seed}-{number % max(1, count // 2)}".encode(),
            body,
            to_headers(
                Envelope(
                    f"{seed}-{number}",
                    "/bench",
                    ce_type,
                    b"",
                    tenant=tenant,
                    workspace=workspace,
                )
            ),
        )
        for number, body in enumerate(signals(count, seed))
    ]


async def feed(producer: Producer, outgoing: Sequence[Outgoing], rate: float | None) -> float:
    """Send everything, as fast as it goes or at a steady rate; returns the seconds it took."""
    started = time.perf_counter()
    sent = 0
    while sent < len(outgoing):
        if rate is None:
            part = outgoing[sent : sent + CHUNK]
        else:
            due = int((time.perf_counter() - started) * rate) + 1
            part = outgoing[sent:due]
        if part:
            await producer.send_batch(part)
            sent += len(part)
        if rate is not None:
            await asyncio.sleep(TICK_S)
    return time.perf_counter() - started
