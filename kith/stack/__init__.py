"""The local stack: PostgreSQL, Kafka, Valkey and Neo4j as ordinary processes, and our services.

The names below are loaded when they are first used: the supervisor lives in this package and
needs none of the servers' clients (55 MB instead of 125).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kith.stack.errors import StackError
    from kith.stack.fleet import Fleet
    from kith.stack.services import SERVICES, Service
    from kith.stack.stack import PARTS, Stack

__all__ = ["PARTS", "SERVICES", "Fleet", "Service", "Stack", "StackError"]

_HOMES = {
    "PARTS": "stack",
    "SERVICES": "services",
    "Fleet": "fleet",
    "Service": "services",
    "Stack": "stack",
    "StackError": "errors",
}


def __getattr__(name: str) -> object:
    """Load one of the names above from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
