"""Real Kafka for the tests of delivery."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.kafka import KafkaSettings
from tests.support.kafka import KafkaLab, kafka_lab
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def kafka_settings() -> Iterator[KafkaSettings]:
    with running_stack(["kafka"]) as stack:
        yield KafkaSettings(bootstrap_servers=stack.kafka_bootstrap)


@pytest.fixture(scope="session")
async def lab(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaLab]:
    async with kafka_lab(kafka_settings) as lab:
        yield lab
