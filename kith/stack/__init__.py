"""The local stack: PostgreSQL, Kafka, Valkey and Neo4j as ordinary processes."""

from kith.stack.errors import StackError
from kith.stack.stack import PARTS, Stack

__all__ = ["PARTS", "Stack", "StackError"]
