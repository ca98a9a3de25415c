"""What people ask before and after a decision: the review queue, why, why not, and how.

Reads only, as the resolver or as an operator at the command line. With a place, nothing is told of
contacts that its workspace does not know; without one, everything.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple, cast

import asyncpg
import orjson

from services.resolver.domain.explaining import Evidence, evidence_of
from services.resolver.domain.matches import compare
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.holding import threads
from services.resolver.domain.matching.linking import Verdict
from services.resolver.domain.matching.model import Scorer, Signal
from services.resolver.domain.matching.profile import profile_of
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.tiers import Action, Thresholds
from services.resolver.domain.matching.weights import (
    FIRST,
    Weights,
    default_weights,
    release_weights,
    weights_from,
)
from services.resolver.domain.reviewing import (
    EVEN,
    MOST_RANKED,
    MOST_RECORDS,
    Filters,
    Joined,
    MergeOf,
    Said,
    Side,
    Step,
    Waiting,
    joined_by,
    retell,
)
from services.resolver.store.matching import MatchingStore, Policy
from shared.auth import Place
from shared.events.contact import ContactEvent
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.events.topics import EVENTS
from shared.postgres.errors import translated
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "review.sql")

_read_facts: Final = Reader(Facts).read
_EVENTS: Final = {model.__name__: model for model in EVENTS.messages.values()}


class Named(NamedTuple):
    """A contact by its public id."""

    id: int
    tenant_id: int
    public_id: str
    version: int
    status: str
    root: int
    """Who stands for it."""
    root_name: str


class Explained(NamedTuple):
    """Evidence with the scorer that it came from, to make the score again."""

    evidence: Evidence
    scorer: Scorer


class Why(NamedTuple):
    """Why records are one contact."""

    contact: Named
    joins: Sequence[Joined]
    scorer: Scorer
    """By which their threads were found thin."""
    merges: Sequence[tuple[MergeOf, Scorer | None]]


class WhyNot(NamedTuple):
    """How two contacts compare now."""

    left: Named
    right: Named
    is_one: bool
    """They are one contact already."""
    is_kept_apart: bool
    """By a person."""
    explained: Explained | None
    """None where one of them has no record to compare."""


class ReviewStore:
    """Answers questions on one connection."""

    def __init__(self, connection: Connection, place: Place | None = None) -> None:
        self._connection = connection
        self._tenant = place.tenant_id if place else None
        self._workspace = place.workspace_id if place else None
        self.is_walled: Final = place is not None
        """Whether what only workspaces know is to be kept back."""

    async def find_queue(
        self, filters: Filters, after: tuple[float, int] | None, limit: int
    ) -> list[Waiting]:
        """Return pairs, those worth most first, beginning after (value, number)."""
        value, number = after or (None, None)
        contacts = None
        if filters.contacts is not None:
            found = await self.find_contacts(filters.contacts)
            if len(found) < len(filters.contacts):  # one is unknown here, or named twice
                return []
            contacts = sorted(one.id for one in found.values())
        rows = await self._connection.fetch(
            QUERIES["find_queue"],
            self._tenant,
            self._workspace,
            filters.statuses,
            filters.tiers,
            filters.least,
            contacts,
            filters.numbers,
            EVEN,
            MOST_RANKED,
            value,
            number,
            limit,
        )
        return [_waiting(row) for row in rows]

    async def find_contacts(self, public_ids: Collection[str]) -> dict[str, Named]:
        """Return public id → contact; those unknown here are left out."""
        rows = await self._connection.fetch(
            QUERIES["find_contacts"], sorted(public_ids), self._tenant, self._workspace
        )
        return {row["public_id"]: Named(*row) for row in rows}

    async def knows(self, public_ids: Collection[str]) -> bool:
        """Tell whether all these contacts are known here."""
        return (await self.find_contacts(public_ids)).keys() >= {*public_ids}

    async def find_said(self, contacts: Collection[int]) -> dict[int, list[Said]]:
        """Return what the newest records of contacts say, the newest first."""
        found: dict[int, list[Said]] = {contact: [] for contact in contacts}
        for row in await self._connection.fetch(
            QUERIES["find_said"], sorted(contacts), MOST_RECORDS
        ):
            found[row["contact_id"]].append(_said(row))
        return found

    async def find_evidence(self, decisions: Collection[int]) -> dict[int, Explained]:
        """Return decisions as they were stored, each with its scorer."""
        rows = await self._connection.fetch(QUERIES["find_evidence"], sorted(decisions))
        return {row["id"]: explained_of(row) for row in rows}

    async def why(self, public_id: str) -> Why | None:
        """Tell why the records of a contact are one contact; an absorbed one is its survivor."""
        named = (await self.find_contacts([public_id])).get(public_id)
        if named is None:
            return None
        rows = await self._connection.fetch(QUERIES["find_merges_of"], named.root)
        decided = await self.find_evidence(
            {row["decision_id"] for row in rows if row["decision_id"] is not None}
        )
        merges = []
        for row in rows:
            explained = decided.get(row["decision_id"])
            merge = MergeOf(
                merge_id=row["merge_id"],
                survivor=row["named_into"],
                absorbed=row["named_from"],
                by_person=row["by_person"],
                reason=row["merge_reason"],
                merged_at=row["merged_at"],
                decision_id=row["decision_id"],
                evidence=explained.evidence if explained else None,
            )
            merges.append((merge, explained.scorer if explained else None))
        said = await self.find_said([named.root])
        matching = MatchingStore(self._connection)
        policy = (await matching.find_policies([named.tenant_id]))[named.tenant_id]
        hanging = await self._threads(named, said[named.root], policy)
        joins = [
            replace(one, thread=hanging.get(one.record.record))
            for one in joined_by(said[named.root])
        ]
        return Why(named, joins, policy.matcher.scorer, merges)

    async def _threads(
        self, named: Named, said: Sequence[Said], policy: Policy
    ) -> dict[str, Evidence]:
        """Return record → how it hangs on the others, for those that hang on a thread."""
        profiles = {one.record: profile_of(one.facts) for one in said}
        counts = await MatchingStore(self._connection).count(named.tenant_id, profiles.values())
        found = threads(profiles, policy.matcher, counts)
        return {record: _evidence(one, Action.FLAG, policy) for record, one in found.items()}

    async def why_not(self, one: str, other: str) -> WhyNot | None:
        """Compare two contacts as matching would now; None when one is unknown here."""
        found = await self.find_contacts([one, other])
        if one not in found or other not in found:
            return None
        left, right = found[one], found[other]
        if left.tenant_id != right.tenant_id:
            return None
        if left.root == right.root:
            return WhyNot(left, right, is_one=True, is_kept_apart=False, explained=None)
        matching = MatchingStore(self._connection)
        records = await matching.find_records([left.root, right.root])
        policy = (await matching.find_policies([left.tenant_id]))[left.tenant_id]
        counts = await matching.count(left.tenant_id, [known.profile for known in records.values()])
        asked = await matching.find_asked(left.tenant_id, [left.root, right.root])
        decided = compare(records, (left.root, right.root), policy.matcher, counts, asked)
        explained = None
        if decided is not None:
            evidence = _evidence(decided.verdict, decided.action, policy)
            explained = Explained(evidence, policy.matcher.scorer)
        return WhyNot(
            left, right, is_one=False, is_kept_apart=bool(asked.apart), explained=explained
        )

    async def how(self, public_id: str) -> list[Step] | None:
        """Replay a contact from its events; None when it is unknown here."""
        named = (await self.find_contacts([public_id])).get(public_id)
        if named is None:
            return None
        rows = await self._connection.fetch(QUERIES["find_stream"], named.id, self._workspace)
        return retell(
            (
                cast(
                    "ContactEvent", _EVENTS[row["event_type"]].model_validate_json(row["payload"])
                ),
                row["recorded_at"],
            )
            for row in rows
        )


@asynccontextmanager
async def reading(pool: Pool, place: Place | None) -> AsyncIterator[ReviewStore]:
    """Answer questions in one read-only transaction: all of an answer is of one moment."""
    with translated():
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield ReviewStore(connection, place)


def _evidence(verdict: Verdict, action: Action, policy: Policy) -> Evidence:
    """Write a comparison of now as it would be stored."""
    matcher, scorer, version = policy
    return evidence_of(verdict, action, matcher.thresholds, scorer, version)


def _waiting(row: asyncpg.Record) -> Waiting:
    evidence = orjson.loads(row["evidence"])
    named = () if row["decision_id"] else tuple((one["type"], one["value"]) for one in evidence)
    return Waiting(
        number=row["id"],
        tenant_id=row["tenant_id"],
        left=Side(row["contact_id_a"], row["name_a"], row["version_a"], row["shown_a"]),
        right=Side(row["contact_id_b"], row["name_b"], row["version_b"], row["shown_b"]),
        reason=row["reason"],
        status=row["status"],
        tier=row["tier"],
        score=row["confidence_score"],
        stake=row["stake"],
        value=row["value"],
        decision_id=row["decision_id"],
        named=named,
        created_at=row["created_at"],
        reviewed_at=row["reviewed_at"],
    )


def _said(row: asyncpg.Record) -> Said:
    return Said(
        contact=row["contact_id"],
        record=row["record_key"].hex(),
        record_id=row["source_record_id"],
        source=row["source"],
        priority=row["priority"],
        confidence=row["confidence"],
        at=row["occurred_at"],
        received_at=row["received_at"],
        workspace_id=row["workspace_id"],
        facts=_read_facts(row["facts"]),
    )


@lru_cache(maxsize=64)
def _weights(document: str) -> Weights:
    return weights_from(orjson.loads(document))


def _released(version: str | None) -> Weights:
    return release_weights(version or FIRST) or default_weights()


def explained_of(row: asyncpg.Record) -> Explained:
    """Read a decision, and the scorer that made it with the weights that it names.

    Those of a release that came after this one are not known: then it shows as not recomputed.
    """
    weights = _weights(row["weights"]) if row["weights"] else _released(row["weights_release"])
    scorer: Scorer = SpecScorer() if row["scorer"] == "spec" else EvidenceScorer(weights)
    evidence = Evidence(
        scorer=row["scorer"],
        weights_version=row["weights_version"],
        probability=row["probability"],
        weight=row["weight"],
        tier=row["tier"],
        action=row["action"],
        thresholds=Thresholds(
            row["merge_threshold"], row["merge_and_flag_threshold"], row["review_threshold"]
        ),
        signals=tuple(
            Signal(one["signal"], one["level"], one["left"], one["right"], one["weight"])
            for one in orjson.loads(row["signals"])
        ),
        vetoes=tuple(row["vetoes"]),
    )
    return Explained(evidence, scorer)
