"""Scratch databases with the whole schema: the same that `kith eval` works in."""

from urllib.parse import urlsplit, urlunsplit

from kith.evaluation.scratch import Databases, databases


def in_database(dsn: str, database: str) -> str:
    """Point a DSN at another database of the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


__all__ = ["Databases", "databases", "in_database"]
