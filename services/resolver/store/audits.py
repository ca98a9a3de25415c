"""What an audit of a whole base found: compared by the tenant's own scorer, then reviewed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Final, NamedTuple

from services.resolver.domain.cluster import Pair, pair_of
from services.resolver.domain.matches import Decision, Known
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Profile, Statistics
from services.resolver.domain.matching.tiers import Action
from services.resolver.store.matching import MatchingStore, Policy
from services.resolver.store.review import ReviewStore
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "audits.sql")

CAUSE: Final = "audit"
"""What decisions name as their cause, and candidates as their reason."""

PAGE: Final = 500
"""Contacts read at a time."""


class AuditFinding(NamedTuple):
    """Two contacts that an audit takes for one person."""

    one: str
    other: str
    score: float


class Audited(NamedTuple):
    """A contact with what its records say."""

    contact: str
    profiles: Sequence[Profile]


async def read_base(connection: Connection, tenant: int, most: int) -> AsyncIterator[list[Audited]]:
    """Yield a tenant's contacts with their records, at most so many, page by page."""
    matching = MatchingStore(connection)
    after = 0
    while most > 0:
        rows = await connection.fetch(QUERIES["find_page"], tenant, after, min(PAGE, most))
        if not rows:
            return
        profiles: dict[int, list[Profile]] = {row["id"]: [] for row in rows}
        for known in (await matching.find_records(profiles)).values():
            profiles[known.contact].append(known.profile)
        yield [Audited(row["public_id"], profiles[row["id"]]) for row in rows]
        after, most = rows[-1]["id"], most - len(rows)


class Chosen(NamedTuple):
    """Findings that are to be reviewed, with the evidence of the tenant's own scorer."""

    decisions: Sequence[Decision]
    policy: Policy
    scores: Mapping[Pair, float]
    """Pair → what the audit itself says."""
    told: dict[str, int]
    """What became of the findings → how many."""


class Audits:
    """Puts findings into a tenant's review queue, inside one transaction."""

    def __init__(self, connection: Connection, tenant_id: int) -> None:
        self._connection = connection
        self._matching = MatchingStore(connection)
        self._tenant = tenant_id

    async def choose(self, findings: Sequence[AuditFinding]) -> Chosen:
        """Leave out what is settled, waits already or is one contact, and compare the rest."""
        matching = self._matching
        await matching.lock([self._tenant])
        scores, told = await self._named(findings)
        rows = await self._connection.fetch(
            QUERIES["find_known"], self._tenant, *_sides(sorted(scores))
        )
        known = {(row["a"], row["b"]) for row in rows}
        asked = await matching.find_asked(self._tenant, {one for pair in scores for one in pair})
        apart = asked.apart
        pairs = sorted(scores.keys() - known - apart)
        records = await matching.find_records({one for pair in pairs for one in pair})
        policy = (await matching.find_policies([self._tenant]))[self._tenant]
        counts = await matching.count(self._tenant, [one.profile for one in records.values()])
        decisions = _decide(pairs, records, policy.matcher, counts)
        told |= {
            "known": len(known),
            "kept_apart": len((apart & scores.keys()) - known),
            "nothing_to_compare": len(pairs) - len(decisions),
            "put_up": len(decisions),
        }
        return Chosen(decisions, policy, scores, told)

    async def put_up(self, chosen: Chosen, now: datetime) -> dict[Pair, float]:
        """Keep the decisions and put the pairs into the queue; returns pair → the tenant's score.

        Their contacts are locked by the caller.
        """
        pairs = [one.pair for one in chosen.decisions]
        numbers = await self._matching.insert_decisions(
            self._tenant, chosen.decisions, chosen.policy, CAUSE, now
        )
        await self._connection.execute(
            QUERIES["put_up"],
            self._tenant,
            *_sides(pairs),
            [round(100 * chosen.scores[pair]) for pair in pairs],
            now,
            list(numbers.values()),
        )
        return {one.pair: one.verdict.score.probability for one in chosen.decisions}

    async def _named(
        self, findings: Sequence[AuditFinding]
    ) -> tuple[dict[Pair, float], dict[str, int]]:
        """Find the contacts that are meant, by whoever stands for them; count what falls away."""
        store = ReviewStore(self._connection)
        found = await store.find_contacts({name for one in findings for name in one[:2]})
        named = {name: one for name, one in found.items() if one.tenant_id == self._tenant}
        scores: dict[Pair, float] = {}
        told = {"unknown": 0, "one_contact": 0}
        for finding in findings:
            one, other = named.get(finding.one), named.get(finding.other)
            if one is None or other is None:
                told["unknown"] += 1
            elif one.root == other.root:
                told["one_contact"] += 1
            else:
                pair = pair_of(one.root, other.root)
                scores[pair] = max(finding.score, scores.get(pair, 0.0))
        return scores, told


def _decide(
    pairs: Sequence[Pair], records: Mapping[bytes, Known], matcher: Matcher, statistics: Statistics
) -> list[Decision]:
    """Compare the records of each pair; the two that agree best are its evidence."""
    profiles: dict[int, list[Profile]] = {}
    for known in records.values():
        profiles.setdefault(known.contact, []).append(known.profile)
    decisions = []
    for low, high in pairs:
        verdicts = [
            matcher.judge(left, right, statistics)
            for left, right in product(profiles.get(low, ()), profiles.get(high, ()))
        ]
        if verdicts:
            best = max(verdicts, key=lambda found: (found.link.allowed, found.link.weight))
            decisions.append(Decision((low, high), best, Action.REVIEW))
    return decisions


def _sides(pairs: Sequence[Pair]) -> tuple[list[int], list[int]]:
    return [low for low, _ in pairs], [high for _, high in pairs]
