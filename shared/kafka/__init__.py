"""Kafka: connect, deliver batches at least once, send batches, set aside what cannot be read."""

from shared.kafka.broker import build_broker
from shared.kafka.delivery import Batch, ConsumerRecord, Delivery, Handler, OffsetStore, Rejected
from shared.kafka.producer import Outgoing, Producer
from shared.kafka.settings import KafkaSettings

__all__ = [
    "Batch",
    "ConsumerRecord",
    "Delivery",
    "Handler",
    "KafkaSettings",
    "OffsetStore",
    "Outgoing",
    "Producer",
    "Rejected",
    "build_broker",
]
