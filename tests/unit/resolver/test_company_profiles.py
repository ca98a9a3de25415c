"""What a company shows, composed of what records say."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

from services.resolver.domain.company_profiles import (
    Birth,
    CompanyClaim,
    Shown,
    changes,
    compose,
    profile_row,
)
from shared.events.company import CompanyFacts

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BORN = Birth("acme.io", "acme.io", "hubspot_crm", 25, BEGIN)


def said(priority: int, minutes: int = 0, **facts: Any) -> CompanyClaim:
    return CompanyClaim(
        bytes([priority, minutes]),
        f"s{priority}",
        priority,
        1.0,
        BEGIN + timedelta(minutes=minutes),
        CompanyFacts.model_validate(facts),
    )


def shown(*claims: CompanyClaim, birth: Birth = BORN) -> Shown:
    return compose(birth, claims, claims)


def test_priority_then_recency_whatever_came_first() -> None:
    claims = [said(30, 5, industry="new"), said(30, 1, industry="old"), said(10, 9, industry="x")]
    found = {repr(shown(*order)) for order in permutations(claims)}
    assert len(found) == 1
    profile = shown(*claims).profile
    assert profile is not None
    assert (profile.industry, profile.origins["industry"].source) == ("new", "s30")


def test_values_that_belong_together_come_from_one_record() -> None:
    profile = shown(said(30, country="DE"), said(10, city="Paris", country="FR")).profile
    assert profile is not None
    assert (profile.city, profile.country) == (None, "DE")


def test_a_size_follows_from_the_number_where_none_is_told() -> None:
    for employees, size in ((1, "1-10"), (51, "51-200"), (5_000, "1001-5000"), (5_001, "5001+")):
        profile = shown(said(10, employee_count=employees)).profile
        assert profile is not None
        assert profile.size_range == size


def test_the_newest_round_is_the_latest_where_none_is_told() -> None:
    rounds = [{"type": "seed", "date": "2019-01-01"}, {"type": "series_a", "date": "2020-01-01"}]
    profile = shown(said(10, funding=rounds), said(5, funding=rounds[:1])).profile
    assert profile is not None
    assert (profile.latest_funding_stage, profile.latest_funding_date) == (
        "series_a",
        date(2020, 1, 1),
    )
    assert [(one.type, one.source) for one in profile.funding] == [
        ("series_a", "s10"),
        ("seed", "s10"),
    ]


def test_a_domain_stands_for_a_name_until_somebody_says_one() -> None:
    named = Birth("Acme", "acme.io", "manual_entry", 100, BEGIN)
    assert shown().name == "acme.io"
    assert shown(said(1, name="Acme Inc.")).name == "Acme Inc."
    assert shown(said(1, name="Acme Inc."), birth=named).name == "Acme"
    assert shown(said(100, name="Acme Inc."), birth=named).name == "Acme Inc."


def test_an_absorbed_companys_name_is_not_its_survivors() -> None:
    own, other = said(10, name="Acme"), said(90, name="Bolt", industry="Bolts")
    found = compose(BORN, [own], [own, other])
    assert found.name == "Acme"
    assert found.profile is not None
    assert found.profile.industry == "Bolts"


def test_what_changed_is_named_with_where_it_came_from() -> None:
    before = shown(said(10, industry="a", city="Bonn"))
    after = shown(said(10, 1, industry="b", technologies=[{"name": "Kafka"}]))
    changed, parts = changes(before, after)
    assert [(one.field, one.old, one.new) for one in changed] == [
        ("industry", "a", "b"),
        ("city", "Bonn", None),
    ]
    assert changed[0].origin is not None
    assert parts == ("technologies",)
    assert changes(after, after) == ((), ())


def test_a_row_says_how_much_is_known() -> None:
    assert profile_row(1, 2, shown(), "acme.io")["enrichment_score"] == 0
    some = profile_row(1, 2, shown(said(10, industry="a", city="Bonn")), None)
    assert (some["enrichment_score"], some["city"], some["name"]) == (18, "Bonn", "acme.io")
