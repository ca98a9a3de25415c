"""Send many messages at once and wait until Kafka has them all, in order per key.

Batches are built here per partition: `send()` of aiokafka costs four times as much (runtime 1.3).
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from shared.errors import PoisonMessageError, SourceUnavailableError, TransientError
from shared.kafka.partitioner import partitions_of
from shared.kafka.settings import KafkaSettings
from shared.observability import metrics
from shared.observability.logs import get_logger

log = get_logger(__name__)

BATCH_BYTES: Final = 512 * 1024
"""Size at which a batch is closed, bytes: half the `max.message.bytes` of a topic."""

DELIVERY_TIMEOUT_S: Final = 60.0
"""After this long without an acknowledgement the connection is given up and made anew, seconds.

aiokafka's idempotent producer retries for ever by itself, and stays broken after a fatal error."""

STOP_TIMEOUT_S: Final = 5.0
"""How long closing a connection may take, seconds."""

_REFUSED: Final = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
)
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)

Header = tuple[str, bytes | None]
"""A Kafka header; its value may be null, and need not be UTF-8."""


class Outgoing(NamedTuple):
    """A message to send; without a key it goes to any partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    timestamp_ms: int | None = None
    """Milliseconds since 1970; None: when it is sent."""


class Producer:
    """One idempotent producer (acks=all), replaced by a new one after a failure."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect; raises `TransientError` when no broker answers."""
        await self._connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect; nothing is buffered, as `send_batch` waits for its acknowledgements."""
        client, self._client = self._client, None
        if client is not None:
            await _stop(client)

    async def send_batch(self, messages: Sequence[Outgoing]) -> None:
        """Return when Kafka has every message; otherwise raise, and then send them all again.

        Messages of one topic and key keep their order.  A failure may leave some of them sent:
        whoever reads them must bear a repetition.
        """
        if not messages:
            return
        client = await self._connected()
        try:
            await self._send(client, messages)
        except KafkaError as error:
            _count(messages, "failed")
            if not isinstance(error, _TOO_LARGE):
                await self._discard(client)
            raise _translated(error) from error
        _count(messages, "acknowledged")

    async def _send(self, client: Any, messages: Sequence[Outgoing]) -> None:
        batches = await _batches(client, messages)
        futures = [
            await client.send_batch(batch, topic, partition=partition)
            for topic, partition, batch in batches
        ]
        _, pending = await asyncio.wait(futures, timeout=DELIVERY_TIMEOUT_S)
        if pending:
            for future in pending:
                future.cancel()
            raise _NotAcknowledgedError
        failures = [error for future in futures if (error := future.exception()) is not None]
        if failures:
            raise failures[0]

    async def _connected(self) -> Any:
        if self._client is not None:
            return self._client
        async with self._lock:
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._settings.client_options(),
                    enable_idempotence=True,
                    acks="all",
                    linger_ms=0,
                    max_batch_size=BATCH_BYTES,
                    compression_type=None
                    if self._settings.compression == "none"
                    else self._settings.compression,
                )
                try:
                    await asyncio.wait_for(client.start(), DELIVERY_TIMEOUT_S)
                except (KafkaError, OSError, TimeoutError) as error:
                    await client.client.close()
                    raise _translated(error) from error
                self._client = client
            return self._client

    async def _discard(self, client: Any) -> None:
        """Drop a connection without waiting for what it holds; the next send makes one."""
        if self._client is client:
            self._client = None
            client._message_accumulator.fail_all(_NotAcknowledgedError())  # noqa: SLF001
            await _stop(client)


async def _stop(client: Any) -> None:
    with contextlib.suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(client.stop(), STOP_TIMEOUT_S)


class _NotAcknowledgedError(KafkaError):  # type: ignore[misc]
    """Kafka did not acknowledge in time."""


async def _batches(client: Any, messages: Sequence[Outgoing]) -> list[tuple[str, int, Any]]:
    """Pack messages into batches, in sending order."""
    partitions: dict[str, list[int]] = {}
    chosen: dict[str, dict[bytes, int]] = {}
    for topic in {message.topic for message in messages}:
        known = partitions[topic] = sorted(await client.partitions_for(topic))
        keys = (one.key for one in messages if one.key is not None and one.topic == topic)
        chosen[topic] = partitions_of(keys, len(known))
    open_batches: dict[tuple[str, int], Any] = {}
    packed: list[tuple[str, int, Any]] = []
    for message in messages:
        known = partitions[message.topic]
        if message.key is None:
            partition = random.choice(known)  # noqa: S311  # spreads load, guards nothing
        else:
            partition = known[chosen[message.topic][message.key]]
        place = (message.topic, partition)
        batch = open_batches.get(place)
        if batch is None or not _append(batch, message):
            batch = open_batches[place] = client.create_batch()
            packed.append((message.topic, partition, batch))
            _append(batch, message)
    return packed


def _append(batch: Any, message: Outgoing) -> bool:
    """Add a message; False when the batch is full.  An empty batch takes any size."""
    return (
        batch.append(
            timestamp=message.timestamp_ms,
            key=message.key,
            value=message.value,
            headers=message.headers,
        )
        is not None
    )


def _count(messages: Sequence[Outgoing], outcome: str) -> None:
    by_topic: dict[str, int] = {}
    for message in messages:
        by_topic[message.topic] = by_topic.get(message.topic, 0) + 1
    for topic, number in by_topic.items():
        metrics.PRODUCED.labels(topic, outcome).inc(number)


def _translated(error: BaseException) -> Exception:
    name = type(error).__name__
    if isinstance(error, _TOO_LARGE):
        return PoisonMessageError("too_large", "makes a message larger than the topic takes")
    if isinstance(error, _REFUSED):
        return SourceUnavailableError(f"Kafka refuses us: {name}")
    return TransientError(f"Kafka did not take the messages: {name}")
