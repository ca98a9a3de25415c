"""Companies lived twice beside contacts: made, changed, merged and split by people, on PostgreSQL.

Both tenants hear the same; only the first merges, and in the end has undone every merge.
"""

from random import Random
from typing import Any, Final

import orjson

from shared.auth import Place
from shared.events.command import ChangeCompany, CreateCompany, MergeCompanies, SplitCompany
from shared.events.company import CompanyRecord
from tests.support.reliving import Life

COMPANIES: Final = 6
STEPS: Final = 30
SAID: Final = ("industry", "city")
"""What people say of companies besides name, domain and size."""


class CompanyLife:
    """The companies of one tenant."""

    def __init__(self, life: Life) -> None:
        self._life = life
        number, name = life.workspaces[0]
        self._place = Place(life.tenant_id, number, life.tenant, name)
        self.names: list[str] = []
        """Public ids, in the order in which they were made."""
        self.merges: list[tuple[int, str]] = []
        """Who survives → the merge, of those in force."""

    async def create(self, number: int) -> None:
        """Make a company that nobody else has told of."""
        values = CompanyRecord(name=f"Made {number}", domain=f"made-{number}.com")
        order = CreateCompany(**self._life.ordered(self._place.workspace), values=values)
        answer = await self._life.store.enter_company(order, self._place)
        assert answer.shown is not None, answer
        self.names.append(answer.shown["company_id"])

    async def change(self, company: int, said: dict[str, Any], cleared: tuple[str, ...]) -> None:
        """Say something of a company, and something no more."""
        order = ChangeCompany.model_validate(
            self._life.ordered(self._place.workspace)
            | {"company_id": self.names[company], "values": said, "cleared": cleared}
        )
        answer = await self._life.store.enter_company(order, self._place)
        assert answer.outcome in ("done", "unchanged"), answer

    async def merge(self, survivor: int, absorbed: int) -> None:
        """Merge two that stand for themselves."""
        order = MergeCompanies(
            **self._life.ordered(self._place.workspace),
            company_id=self.names[survivor],
            absorbed_id=self.names[absorbed],
        )
        answer = await self._life.store.judge_companies(order, self._place)
        assert answer.outcome == "done", answer
        assert answer.merge_id is not None
        self.merges.append((survivor, answer.merge_id))

    async def split(self, which: int) -> None:
        """Undo a merge that is still in force."""
        survivor, merge_id = self.merges.pop(which)
        order = SplitCompany(
            **self._life.ordered(self._place.workspace),
            company_id=self.names[survivor],
            merge_id=merge_id,
        )
        answer = await self._life.store.judge_companies(order, self._place)
        assert answer.outcome == "done", answer

    async def standing(self) -> list[int]:
        """Return the companies that stand for themselves."""
        rows = await self._life.owner.fetch(
            "SELECT public_id FROM contact.organisation WHERE tenant_id = $1"
            " AND merged_into_id IS NULL",
            self._life.tenant_id,
        )
        found = {row["public_id"] for row in rows}
        return [number for number, name in enumerate(self.names) if name in found]

    async def state(self) -> dict[int, Any]:
        """Say all that there is of every company but when it was written, and how often."""
        rows = await self._life.owner.fetch(_STATE, self._life.tenant_id)
        known = {name: number for number, name in enumerate(self.names)}
        return {known[row["public_id"]]: row["state"] for row in rows if row["public_id"] in known}


async def live_companies(lives: tuple[Life, Life], seed: int) -> dict[str, tuple[Any, Any]]:
    """Live such a history; returns what the two tenants do not have alike."""
    dice, both = Random(seed), [CompanyLife(one) for one in lives]
    stirred, plain = both
    for one in both:
        for number in range(COMPANIES):
            await one.create(number)
    for step in range(STEPS):
        free = await stirred.standing()
        match dice.randrange(4):
            case 0 if len(free) > 1:
                await stirred.merge(*dice.sample(free, 2))
            case 1 if stirred.merges:
                await stirred.split(dice.randrange(len(stirred.merges)))
            case _:
                company = dice.choice(free)
                said: dict[str, Any] = dice.choice(
                    [{"name": f"N{step}"}, {"domain": f"step-{step}.com"}, {"employee_count": step}]
                )
                said |= {name: f"{name} {step}" for name in SAID if dice.randrange(2)}
                cleared = tuple(name for name in SAID if name not in said and dice.randrange(2))
                for one in both:
                    await one.change(company, said, cleared)
    while stirred.merges:
        await stirred.split(dice.randrange(len(stirred.merges)))
    mixed, lone = await stirred.state(), await plain.state()
    assert len(mixed) == COMPANIES
    return {
        f"company {number}": (orjson.loads(mixed[number]), orjson.loads(lone[number]))
        for number in mixed
        if mixed[number] != lone[number]
    }


_STATE: Final = """
SELECT o.public_id, jsonb_build_object(
    'row', to_jsonb(o) - ARRAY['id', 'tenant_id', 'public_id', 'version', 'created_at',
                               'updated_at'],
    'identifiers', (
        SELECT jsonb_agg(jsonb_build_array(i.identifier_type, i.normalized_value)
                         ORDER BY i.identifier_type, i.normalized_value)
        FROM contact.org_identifier AS i WHERE i.org_id = o.id AND i.deleted_at IS NULL),
    'said', (
        SELECT jsonb_agg(r.facts::jsonb ORDER BY r.record_key)
        FROM contact.org_source_record AS r WHERE r.org_id = o.id AND r.superseded_at IS NULL),
    'told', (
        SELECT (coalesce(e.payload -> 'shape', e.payload)::jsonb - ARRAY['created_at', 'company_id',
            'occurred_at', 'cause', 'version', 'workspace']) #- '{profile,origins}'
        FROM contact.organisation_event AS e WHERE e.entity_id = o.id
        ORDER BY e.sequence_number DESC LIMIT 1)
)::text AS state
FROM contact.organisation AS o WHERE o.tenant_id = $1
"""
