"""The statements of `services/resolver/sql/queries.sql`."""

from typing import Final

from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql")
"""By name."""
