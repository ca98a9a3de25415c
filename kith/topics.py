"""`kith topics`: make every topic and dead-letter topic what `shared.events.topics` says.

Running it again changes nothing.  It never deletes a topic and never changes a partition count: a
key must keep its partition (DESIGN 3.2).
"""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from kith.reach import kafka_settings
from shared.events import topics
from shared.kafka import KafkaSettings

DEAD_LETTER_PARTITIONS: Final = 1
"""Dead letters are few, and their order says nothing."""

DEAD_LETTER_RETENTION_MS: Final = 30 * topics.DAY_MS
"""Personal data in a topic expire within 30 days (DESIGN 7)."""

COPIES: Final = 3
"""Copies of each partition where the cluster has that many brokers."""

Replication = Annotated[
    int, typer.Option(min=0, help="Copies of each partition; 0: three, or one per broker.")
]


class TopicsError(Exception):
    """Kafka's topics cannot be made what they should be; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A topic as it should be."""

    name: str
    partitions: int
    config: Mapping[str, str]


def specs(declared: Iterable[topics.Topic] = topics.ALL) -> list[Spec]:
    """List every topic, each followed by the dead-letter topics of its consumers."""
    found = []
    for topic in declared:
        found.append(
            Spec(
                topic.name,
                topic.partitions,
                _compacted(topic) if topic.is_compacted else _config(topic.retention_ms),
            )
        )
        found += [
            Spec(
                topic.dead_letters(group),
                DEAD_LETTER_PARTITIONS,
                _config(DEAD_LETTER_RETENTION_MS, topics.MAX_DEAD_LETTER_BYTES),
            )
            for group in topic.consumers
        ]
    return found


def _compacted(topic: topics.Topic) -> dict[str, str]:
    """Keep the newest message of each key; what it replaced goes in time, however little comes."""
    return {
        "cleanup.policy": "compact",
        "delete.retention.ms": str(topic.retention_ms),
        "max.compaction.lag.ms": str(topic.retention_ms),
        "max.message.bytes": str(topics.MAX_MESSAGE_BYTES),
    }


def _config(retention_ms: int, max_bytes: int = topics.MAX_MESSAGE_BYTES) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "max.message.bytes": str(max_bytes),
    }


async def ensure_topics(
    settings: KafkaSettings, wanted: Iterable[Spec], replication: int = 0
) -> list[str]:
    """Create what is missing and set what differs; return one line for each change."""
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    try:
        return await _ensure(admin, list(wanted), replication)
    finally:
        await admin.close()


async def _ensure(admin: Any, wanted: list[Spec], replication: int) -> list[str]:
    existing = {
        found["topic"]: len(found["partitions"])
        for found in await admin.describe_topics([spec.name for spec in wanted])
        if found["error_code"] == 0
    }
    wrong = [
        f"{spec.name} has {existing[spec.name]} partitions and must have {spec.partitions}"
        for spec in wanted
        if existing.get(spec.name, spec.partitions) != spec.partitions
    ]
    if wrong:
        raise TopicsError("\n".join(wrong) + "\nA count cannot change: use a new topic name.")
    missing = [spec for spec in wanted if spec.name not in existing]
    await _create(admin, missing, replication)
    differing = await _differing(admin, [spec for spec in wanted if spec.name in existing])
    for spec in differing:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, spec.name, configs=dict(spec.config))]
        )
    return [f"created {spec.name}" for spec in missing] + [
        f"configured {spec.name}" for spec in differing
    ]


async def _create(admin: Any, missing: list[Spec], replication: int) -> None:
    if not missing:
        return
    if not replication:
        replication = min(COPIES, len((await admin.describe_cluster())["brokers"]))
    answer = await admin.create_topics(
        [
            NewTopic(spec.name, spec.partitions, replication, topic_configs=dict(spec.config))
            for spec in missing
        ]
    )
    for name, code, *message in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicsError(f"{name}: {error.__name__} {message[0] if message else ''}")


async def _differing(admin: Any, specs_: list[Spec]) -> list[Spec]:
    if not specs_:
        return []
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs_]
    )
    actual = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return [
        spec
        for spec in specs_
        if any(actual[spec.name].get(name) != value for name, value in spec.config.items())
    ]


def create(replication_factor: Replication = 0) -> None:
    """Create every topic and dead-letter topic; running it again changes nothing."""
    try:
        changes = asyncio.run(ensure_topics(kafka_settings(), specs(), replication_factor))
    except (TopicsError, KafkaError) as error:
        print(f"topics: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print("\n".join(changes) or f"all {len(specs())} topics are as they should be")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("topics")(create)
