"""The feeder, a process of its own: publishes a workload at a steady pace, whatever is down.

    python -m tests.chaos.feeder '{"bootstrap": …, "seed": …, "count": …, "rate": …, "place": […]}'

Prints how many signals Kafka has acknowledged, whenever that has changed.
"""

import asyncio
import logging
import sys
import time
from dataclasses import dataclass
from typing import Final

import orjson

from shared.errors import TransientError
from shared.kafka import KafkaSettings, Producer
from tests.chaos.workload import Place, make

TICK_S: Final = 0.05
"""Between two sends, seconds."""
AT_MOST: Final = 500
"""Signals in one send: after an outage what has piled up goes out in pieces."""
RETRY_S: Final = 0.2
"""After a send that failed, seconds; the same signals are sent again, as upstream would."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to feed."""

    bootstrap: str
    seed: int
    count: int
    rate: int
    """Signals a second."""
    place: tuple[str, str]
    """Tenant and workspace."""
    named: bool = False


async def feed(order: Order) -> None:
    """Send everything."""
    made = make(order.seed, order.count, Place(*order.place), named=order.named)
    outgoing = [one.message for one in made.fed]
    async with Producer(KafkaSettings(bootstrap_servers=order.bootstrap)) as producer:
        started, sent = time.perf_counter(), 0
        while sent < len(outgoing):
            due = int((time.perf_counter() - started) * order.rate) + 1
            part = outgoing[sent : min(due, sent + AT_MOST)]
            if part:
                try:
                    await producer.send_batch(part)
                except TransientError:
                    await asyncio.sleep(RETRY_S)
                    continue
                sent += len(part)
                print(sent, flush=True)
            await asyncio.sleep(TICK_S)


if __name__ == "__main__":
    # The client says at length that the broker is away, which is the point here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(feed(Order(**orjson.loads(sys.argv[1]))))
