"""What tenants decide by, version by version, and what was decided by it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from services.resolver.domain.hindsight import labelled
from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.matching.training import LabelledPair
from services.resolver.domain.matching.weights import (
    Weights,
    default_weights,
    to_document,
    weights_from,
)
from services.resolver.domain.policies import Settings, changed, read_weights
from services.resolver.store.review import Explained, explained_of
from shared.errors import PoisonMessageError
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "policies.sql")

LOCKS: Final = 0x6B70
"""Class of the advisory locks under which tenants' policies are changed."""

PAGE: Final = 1_000
"""Decisions read at a time."""

_NEWEST: Final = 2**63 - 1


class WeightsVersion(NamedTuple):
    """A version of a tenant's weights."""

    version: int
    learned_from: dict[str, Any]
    created_at: datetime


class Decided(NamedTuple):
    """A decision about two contacts, and whether a person has decided about them since."""

    pair: tuple[int, int]
    contacts: tuple[str, str]
    """Public ids."""
    explained: Explained
    is_settled: bool


class PolicyStore:
    """Reads and writes what one tenant decides by, on one connection."""

    def __init__(self, connection: Connection, tenant_id: int) -> None:
        self._connection = connection
        self._tenant = tenant_id

    async def settings(self) -> Settings:
        """Return what is in force."""
        row = await self._connection.fetchrow(QUERIES["get_settings"], self._tenant)
        if row is None:
            return Settings()
        thresholds = Thresholds(
            row["merge_threshold"], row["merge_and_flag_threshold"], row["review_threshold"]
        )
        return Settings(row["version"], row["scorer"], row["weights_version"], thresholds)

    async def versions(self) -> list[WeightsVersion]:
        """Return the versions of the weights, the newest first."""
        rows = await self._connection.fetch(QUERIES["list_weights"], self._tenant)
        return [
            WeightsVersion(row["version"], orjson.loads(row["learned_from"]), row["created_at"])
            for row in rows
        ]

    async def weights(self, version: int | None) -> Weights | None:
        """Return a version of the weights; without a number, the release's; None: there is none."""
        if version is None:
            return default_weights()
        text = await self._connection.fetchval(QUERIES["get_weights"], self._tenant, version)
        return None if text is None else weights_from(orjson.loads(text))

    async def change(self, wishes: dict[str, Any]) -> Settings | None:
        """Put a changed version of the settings in force, for later matches.

        `expected` in the wishes names the version that was seen; None when it is another by now.
        """
        expected = wishes.pop("expected", None)
        await self._connection.execute(QUERIES["lock_policy"], LOCKS, self._tenant)
        present = await self.settings()
        if expected is not None and expected != present.version:
            return None
        new = changed(present, wishes)
        if new.weights_version is not None and await self.weights(new.weights_version) is None:
            raise PoisonMessageError(
                "invalid", "is no version of this tenant's weights", field="weights_version"
            )
        await self._connection.execute(
            QUERIES["insert_settings"],
            self._tenant,
            new.version,
            new.scorer,
            new.weights_version,
            new.thresholds.merge,
            new.thresholds.merge_and_flag,
            new.thresholds.review,
            datetime.now(UTC),
        )
        return new

    async def keep_weights(self, document: Any, learned_from: dict[str, Any]) -> int:
        """Keep a table of weights as a new version, not in force; returns its number."""
        weights = read_weights(document)
        await self._connection.execute(QUERIES["lock_policy"], LOCKS, self._tenant)
        version = max((one.version for one in await self.versions()), default=0) + 1
        kept = to_document(weights) | {"version": f"learned-{version}"}
        await self._connection.execute(
            QUERIES["insert_weights"],
            self._tenant,
            version,
            orjson.dumps(kept).decode(),
            orjson.dumps(learned_from).decode(),
            datetime.now(UTC),
        )
        return version

    async def find_labels(self, most: int) -> list[LabelledPair]:
        """Return what people decided, each with the evidence that the machine had, the newest."""
        rows = await self._connection.fetch(QUERIES["find_labels"], self._tenant, most)
        found = []
        for row in rows:
            evidence, scorer = explained_of(row)
            pair = labelled(evidence, scorer, is_match=row["is_match"])
            if pair is not None:
                found.append(pair)
        return found

    async def find_history(self, most: int) -> AsyncIterator[Sequence[Decided]]:
        """Yield the newest decisions, at most so many, page by page, the newest first."""
        before = _NEWEST
        while most > 0:
            rows = await self._connection.fetch(
                QUERIES["find_history"], self._tenant, before, min(PAGE, most)
            )
            if not rows:
                return
            yield [
                Decided(
                    (row["one"], row["other"]),
                    (row["one_name"], row["other_name"]),
                    explained_of(row),
                    row["is_settled"],
                )
                for row in rows
            ]
            before, most = rows[-1]["id"], most - len(rows)
