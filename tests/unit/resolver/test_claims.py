"""An index of what many records say answers as reading every one of them does."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.resolver.domain import claims as module
from services.resolver.domain.bindings import private_of
from services.resolver.domain.claims import NAME_OF, IndexedClaims
from services.resolver.domain.details import kept_jobs
from services.resolver.domain.model import Claim, IdentifierKey, Job
from services.resolver.domain.survivorship import choose, source_of
from tests.support.histories import a_said
from tests.support.merging import World
from tests.support.signals import digest
from tests.unit.resolver.test_survivorship import a_claim

EVER = 10**9
"""More claims than any contact has: no index is made."""


def told(many: int, seed: int, length: int) -> list[dict[str, Any]]:
    """Tell a history of signals, with an index from so many claims on; returns all events."""
    dice, world = Random(seed), World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MANY", many)
        for number in range(length):
            one = a_said(dice, length)
            one.said["custom_fields"] |= {f"f{number % 2}": dice.randrange(3)}
            world.tell(one.record, one.workspace, **one.said)
    return [event.model_dump(mode="json") for events in world.streams.values() for event in events]


@settings(deadline=None)  # the first history of a process reads the tables of names
@given(st.integers(0, 2**32), st.integers(2, 25), st.integers(1, 4))
def test_an_index_changes_no_event(seed: int, length: int, many: int) -> None:
    assert told(many, seed, length) == told(EVER, seed, length)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 2**16))))
def test_replaced_claims_leave_nothing_behind(steps: list[tuple[int, int, int]]) -> None:
    indexed = IndexedClaims({})
    for record, minutes, seed in steps:
        claim = _claim(record, minutes, Random(seed))
        indexed[claim.record_key] = claim
    every = list(indexed.values())
    assert choose(indexed.showing()) == choose(every)
    for name in choose(every):
        assert source_of(name, indexed.showing()) == source_of(name, every)
    assert private_of(indexed.private(1), 1) == private_of(every, 1)
    for claim in every:
        others = [one for one in every if one.facts.identifiers == claim.facts.identifiers]
        names = {NAME_OF(one.facts) for one in every}
        keys = [(1, one.type, one.value) for one in claim.facts.identifiers]
        assert {NAME_OF(one.facts) for one in indexed.naming(keys)} == names
        assert {NAME_OF(one.facts) for one in indexed.naming(keys) if says(one, keys)} == {
            NAME_OF(one.facts) for one in every if says(one, keys)
        }
        jobs = list(map(Job.of, claim.facts.employments))
        assert kept_jobs(jobs, indexed.employing(jobs)) == kept_jobs(jobs, every)
        if claim.facts.identifiers:
            assert max(others, key=lambda one: one.weight) in indexed.telling(claim.facts)
    for record in range(6):
        nothing = replace(a_claim("hubspot_crm"), record_key=digest(f"r{record}"))
        indexed[nothing.record_key] = nothing
    assert [one.record_key for one in indexed.leading()] == [
        max(indexed.values(), key=lambda one: one.weight).record_key
    ]
    assert not indexed.showing()
    assert not indexed.private(1)
    assert not any(indexed.telling(claim.facts) for claim in every)
    assert not indexed.employing([Job("acme", "cto")])


GROUPS = (f"grp_{'0' * 26}", f"grp_{'1' * 26}")
STINTS = tuple(
    {"company_name": "Acme", "title": "CTO", "start_date": start}
    for start in (None, "2012-01-01", "2019-01-01")
)


def says(claim: Claim, keys: Sequence[IdentifierKey]) -> bool:
    return any((1, one.type, one.value) in keys for one in claim.facts.identifiers)


def _claim(record: int, minutes: int, dice: Random) -> Claim:
    address = f"p{dice.randrange(4)}@x.org"
    facts: dict[str, Any] = {
        "full_name": dice.choice([None, "Ada Lovelace", "A. Lovelace"]),
        "headline": dice.choice([None, "Analyst"]),
        "identifiers": dice.choice([(), ({"type": "email", "value": address},)]),
        "emails": dice.choice([(), ({"value": address, "label": dice.choice(["work", "home"])},)]),
        "employments": dice.choice([(), *((one,) for one in STINTS), STINTS]),
        "notes": dice.choice([None, "met", "called"]),
        "labels": dice.choice([(), ("vip",), ("lead", "vip")]),
        "custom_fields": dice.choice([{}, {"tier": dice.choice([None, 1, True, 2**64])}]),
    }
    source = dice.choice(["hubspot_crm", "manual_entry", "workspace_entry"])
    if source == "workspace_entry":
        facts = {
            "labels": facts["labels"],
            "labels_removed": dice.choice([(), ("vip",), ("lead", "cold")]),
            "groups": dice.choice([(), GROUPS[:1], GROUPS[::-1]]),
            "groups_left": dice.choice([(), GROUPS[:1], GROUPS[1:]]),
            "custom_fields": facts["custom_fields"],
        }
    made = a_claim(source, "r", minutes, **facts)
    return replace(made, record_key=digest(f"r{record}"))
