"""What matching reads and writes: blocks, counts, policies, decisions."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from services.resolver.domain.admission import PHONE_BACKUPS
from services.resolver.domain.cluster import Pair, pair_of
from services.resolver.domain.matches import Asked, Decision, Known
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import IDENTIFIERS, Profile, Term
from services.resolver.domain.matching.profile import profile_of, terms_of
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.statistics import Counts, countable
from services.resolver.domain.matching.tiers import Action, Thresholds, Tier
from services.resolver.domain.matching.weights import default_weights, weights_from
from shared.errors import TransientError
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.postgres.pool import Connection, let_go
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("services.resolver.sql", "matching.sql")

PROFILES: Final = 4_096
"""Profiles that a process remembers: those of a batch's candidates come again in the next."""

LONGEST: Final = 4_096
"""Characters of the facts of a profile that is remembered: some 10 kB, all of them 40 MB."""

MOST_RECORDS: Final = 20
"""Records of one contact that are compared: the newest say who it is."""

MOST_HOT: Final = 50_000
"""Hot keys that a process remembers, some 4 MB: half of what a new contact is looked up by."""

SLOT: Final = 0
"""The counters that matching writes: a tenant has one writer at a time."""

LOCKS: Final = 0x6B69
"""Class of the advisory locks of tenants."""

TURN_S: Final = 0.05
"""Between two looks whether a tenant is free, seconds."""

PATIENCE_S: Final = 10.0
"""How long a batch waits for its turn before it is tried again as a whole, seconds."""

DRIFT: Final = 64
"""A tenant that has grown by more than one record in so many has other statistics: a fortieth of a
bit, where they move by quarters."""

_TIERS: Final = {tier: str(tier) for tier in Tier} | {Tier.MEDIUM_PLACE: "medium"}
_ACTIONS: Final = {
    Action.MERGE: "merge",
    Action.FLAG: "merge_and_flag",
    Action.REVIEW: "review",
    Action.NOTHING: "keep_apart",
}
_read_facts: Final = Reader(Facts).read


class Named(NamedTuple):
    """A contact as its row says."""

    id: int
    tenant_id: int
    public_id: str
    is_absorbed: bool
    root: int | None
    """Who stands for it, where it was absorbed."""


class Drifted(NamedTuple):
    """Contacts of a tenant whose statistics have moved since they were last compared."""

    tenant_id: int
    contacts: Sequence[int]


class Standing(NamedTuple):
    """Those of them that nobody has decided about meanwhile."""

    tenant: str
    """The tenant's public id."""
    records: int
    """How many the tenant has now."""
    contacts: Mapping[int, str | None]
    """Contact → the public id of who stands for it now; None when it is gone."""


class Policy(NamedTuple):
    """What a tenant decides by, with what decisions note of it."""

    matcher: Matcher
    scorer: str
    weights_version: int | None

    @property
    def weights_release(self) -> str | None:
        """The release whose weights these are; None: the tenant's own, or none at all."""
        scorer = self.matcher.scorer
        if self.weights_version is None and isinstance(scorer, EvidenceScorer):
            return scorer.weights.version
        return None


DEFAULT: Final = Policy(Matcher(EvidenceScorer(default_weights())), "evidence", None)
"""What a tenant decides by that never said anything else."""


class Tally(NamedTuple):
    """What new records add to a tenant's statistics."""

    terms: Counter[Term]
    records: int


_NOTHING: Final = Tally(Counter(), 0)


def tally(profiles: Iterable[Profile]) -> Tally:
    """Count the terms of new records; identifiers are counted among those compared."""
    terms: Counter[Term] = Counter()
    records = 0
    for profile in profiles:
        records += 1
        terms.update(term for term in terms_of(profile) if term[0] not in IDENTIFIERS)
    return Tally(terms, records)


class HotKeys:
    """Blocking keys that a process has read to be hot: what is hot once stays so (ADR 0099)."""

    def __init__(self) -> None:
        self._of: dict[int, set[int]] = {}

    def known(self, tenant: int, keys: set[int]) -> set[int]:
        """Return those of a tenant's keys that need not be asked for."""
        return keys & self._of.get(tenant, frozenset())

    def keep(self, tenant: int, keys: Collection[int]) -> None:
        """Remember what was read; before it is too much, all that was is forgotten."""
        if sum(map(len, self._of.values())) + len(keys) > MOST_HOT:
            self._of.clear()
        if 0 < len(keys) <= MOST_HOT:
            self._of.setdefault(tenant, set()).update(keys)


class MatchingStore:
    """Reads and writes for one batch of matching, inside its transaction."""

    def __init__(self, connection: Connection, hot: HotKeys | None = None) -> None:
        self._connection = connection
        self._hot = hot or HotKeys()

    async def lock(self, tenants: Collection[int]) -> set[int]:
        """Let one batch of matching at a time into a tenant, in the order of their numbers."""
        return await self._take_turns(QUERIES["try_tenant"], sorted(tenants))

    async def lock_named(self, tenants: Collection[str]) -> set[int]:
        """Do the same by public ids, in their order; returns the numbers of those there are."""
        return await self._take_turns(QUERIES["try_named_tenant"], sorted(tenants))

    async def _take_turns(self, statement: str, tenants: Sequence[int | str]) -> set[int]:
        held = set()
        deadline = time.monotonic() + PATIENCE_S
        for tenant in tenants:
            while row := await self._connection.fetchrow(statement, LOCKS, tenant):
                number, is_ours = row
                if is_ours:
                    held.add(number)
                    break
                if time.monotonic() > deadline:
                    raise TransientError("another batch of matching takes its time in the tenant")
                await let_go(self._connection)
                await asyncio.sleep(TURN_S)
        return held

    async def find_contacts(self, public_ids: Collection[str]) -> list[Named]:
        """Find contacts by public id; those gone are left out."""
        rows = await self._connection.fetch(QUERIES["find_contacts"], sorted(public_ids))
        return [Named(*row) for row in rows]

    async def find_policies(self, tenants: Collection[int]) -> dict[int, Policy]:
        """Return what each tenant decides by."""
        found = dict.fromkeys(tenants, DEFAULT)
        for row in await self._connection.fetch(QUERIES["find_policies"], sorted(tenants)):
            weights = weights_from(orjson.loads(row["weights"])) if row["weights"] else None
            scorer = (
                SpecScorer()
                if row["scorer"] == "spec"
                else EvidenceScorer(weights or default_weights())
            )
            thresholds = Thresholds(
                row["merge_threshold"], row["merge_and_flag_threshold"], row["review_threshold"]
            )
            found[row["tenant_id"]] = Policy(
                Matcher(scorer, thresholds), row["scorer"], row["weights_version"]
            )
        return found

    async def find_records(self, contacts: Collection[int]) -> dict[bytes, Known]:
        """Read the current records of these contacts, as they are compared."""
        rows = await self._connection.fetch(QUERIES["find_facts"], sorted(contacts), MOST_RECORDS)
        return {
            record: Known(
                contact,
                _profile(facts) if len(facts) <= LONGEST else _read(facts),
                is_backup=import_source in PHONE_BACKUPS,
            )
            for contact, record, facts, import_source in rows
        }

    async def find_keys(self, contacts: Collection[int]) -> dict[int, set[int]]:
        """Return contact → the keys that are written of it."""
        found: dict[int, set[int]] = {}
        for contact, key in await self._connection.fetch(QUERIES["find_keys"], sorted(contacts)):
            found.setdefault(contact, set()).add(key)
        return found

    async def find_blocks(
        self, tenant: int, keys: set[int], most: int
    ) -> tuple[dict[int, set[int]], set[int]]:
        """Return key → the contacts that have it, at most so many of each; and which are hot."""
        found: dict[int, set[int]] = {}
        hot = self._hot.known(tenant, keys)
        unasked = sorted(keys - hot)
        news = set()
        for key, contacts in await self._connection.fetch(
            QUERIES["find_blocks"], tenant, unasked, most
        ):
            if contacts is None:
                news.add(key)
            else:
                found[key] = set(contacts)
        self._hot.keep(tenant, news)
        return found, hot | news

    async def replace_keys(
        self,
        tenant: int,
        added: Collection[tuple[int, int, bytes]],
        removed: Collection[tuple[int, int]],
    ) -> None:
        """Write (key, contact, record) rows, and delete (contact, key) ones."""
        if removed:
            await self._connection.execute(QUERIES["delete_keys"], *_columns(removed, 2))
        if added:
            await self._connection.execute(QUERIES["insert_keys"], tenant, *_columns(added, 3))

    async def heat_blocks(self, tenant: int, keys: Collection[int], now: datetime) -> None:
        """Ask and write these keys no more."""
        if ordered := sorted(keys):
            await self._connection.execute(QUERIES["heat_blocks"], tenant, ordered, now)
            await self._connection.execute(QUERIES["cool_down"], tenant, ordered)

    async def count(
        self, tenant: int, profiles: Iterable[Profile], new: Tally = _NOTHING
    ) -> Counts:
        """Return how common what these profiles say is in the tenant, with what is new there.

        Identifiers are counted among the profiles themselves: a block shows all who have one.
        """
        terms: set[Term] = set()
        seen: dict[Term, set[str]] = {}
        for profile in profiles:
            for term, holder in countable(profile):
                if holder is None:
                    terms.add(term)
                else:
                    seen.setdefault(term, set()).add(holder)
        counts: dict[Term, int] = {term: len(people) for term, people in seen.items()}
        counts |= {term: new.terms[term] for term in terms & new.terms.keys()}
        records = new.records
        rows = await self._connection.fetch(QUERIES["count_terms"], tenant, *_columns(terms, 2))
        for attribute, value, occurrences in rows:
            if attribute is None:
                records += occurrences
            else:
                counts[attribute, value] = occurrences + new.terms[attribute, value]
        return Counts(records, counts)

    async def add_to_counts(self, tenant: int, new: Tally) -> None:
        """Count the terms of new records."""
        if new.records:
            rows = [(*term, occurrences) for term, occurrences in new.terms.items()]
            await self._connection.execute(
                QUERIES["add_terms"], tenant, *_columns(rows, 3), SLOT, new.records
            )

    async def note_matched(self, tenant: int, contacts: Collection[int], records: int) -> None:
        """Note with how many records in the tenant these contacts were compared."""
        if contacts:
            await self._connection.execute(
                QUERIES["note_matched"], tenant, sorted(contacts), records
            )

    async def forget_matched(self, contacts: Collection[int], before: int) -> None:
        """Forget those of whom nothing was noted since the tenant had so many records."""
        await self._connection.execute(QUERIES["forget_matched"], sorted(contacts), before)

    async def find_drifted(
        self, most: int, tenant: int | None, later: Collection[int]
    ) -> Drifted | None:
        """Find contacts that were compared when their tenant was smaller; None: there are none.

        Those of this tenant come first: to choose one reads what all tenants have. `later` are
        contacts that wait for another turn.
        """
        waiting = sorted(later)
        chosen = tenant
        for _ in range(2):
            if chosen is not None:
                found = await self._connection.fetch(
                    QUERIES["find_drifted"], chosen, DRIFT, most, waiting
                )
                if found:
                    return Drifted(chosen, [row["contact_id"] for row in found])
            chosen = await self._connection.fetchval(QUERIES["find_drifted_tenant"], DRIFT, waiting)
        return None

    async def still_drifted(self, tenant: int, contacts: Collection[int]) -> Standing | None:
        """Return which of these contacts are to be decided about still; None: none of them.

        The tenant has its turn: what another batch does to its contacts has been done.
        """
        await self.lock([tenant])
        rows = await self._connection.fetch(
            QUERIES["find_still_drifted"], tenant, DRIFT, sorted(contacts)
        )
        if not rows:
            return None
        standing = {row["contact_id"]: row["public_id"] for row in rows}
        return Standing(rows[0]["tenant"], rows[0]["records"], standing)

    async def find_asked(self, tenant: int, contacts: Collection[int]) -> Asked:
        """Return the pairs of these contacts that no machine joins.

        A pair names contacts as they were when somebody was asked; it is told of those that stand
        for them now.
        """
        rows = await self._connection.fetch(QUERIES["find_asked"], tenant, sorted(contacts))
        apart, waiting = (
            frozenset(pair_of(one, other) for one, other, waits in rows if waits is is_waiting)
            for is_waiting in (False, True)
        )
        return Asked(apart, waiting)

    async def insert_decisions(
        self,
        tenant: int,
        decisions: Sequence[Decision],
        by: Policy,
        cause: str,
        now: datetime,
    ) -> dict[Pair, int]:
        """Keep decisions with all their evidence; returns pair → id."""
        thresholds = by.matcher.thresholds
        rows: list[tuple[Any, ...]] = [
            (
                tenant,
                *one.pair,
                by.scorer,
                by.weights_version,
                one.verdict.score.probability,
                one.verdict.score.weight,
                _TIERS[one.verdict.tier],
                _ACTIONS[one.action],
                thresholds.merge,
                thresholds.merge_and_flag,
                thresholds.review,
                _evidence(one),
                [str(one.verdict.veto)] if one.verdict.veto else [],
                cause,
            )
            for one in decisions
        ]
        found = await self._connection.fetch(
            QUERIES["insert_decisions"], rows, by.weights_release, now
        )
        return {(low, high): number for number, low, high in found}

    async def put_up_for_review(
        self, tenant: int, decisions: Sequence[Decision], numbers: Mapping[Pair, int], now: datetime
    ) -> set[Pair]:
        """Put pairs into the queue; returns those that were never there."""
        rows = [
            (
                tenant,
                *one.pair,
                _evidence(one),
                one.verdict.score.probability,
                _TIERS[one.verdict.tier],
                numbers[one.pair],
            )
            for one in decisions
        ]
        found = await self._connection.fetch(QUERIES["put_up_for_review"], rows, now)
        return {(low, high) for low, high, is_new in found if is_new}


def _columns(rows: Collection[tuple[Any, ...]], width: int) -> Iterable[Sequence[Any]]:
    """Sort rows, and return them column by column.

    Of few and plain columns an array each costs a quarter of what one array of rows does.
    """
    return zip(*sorted(rows), strict=True) if rows else ((),) * width


def _read(facts: str) -> Profile:
    return profile_of(_read_facts(facts))


_profile: Final = lru_cache(maxsize=PROFILES)(_read)


def _evidence(one: Decision) -> str:
    return orjson.dumps(
        [
            {
                "signal": signal.attribute,
                "level": signal.level,
                "weight": signal.weight,
                "left": signal.left,
                "right": signal.right,
            }
            for signal in one.verdict.score.signals
        ]
    ).decode()
