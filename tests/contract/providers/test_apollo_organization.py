"""Apollo's companies: what its documents show is read, what is odd is left out."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enricher.providers.apollo_organization import read_organization
from shared.events.company_facts import normalize_companies

WHOLE: dict[str, Any] = {
    "id": "5e66b6381e05b4008c8331b8",
    "name": "Apollo.io",
    "website_url": "http://www.apollo.io",
    "linkedin_url": "http://www.linkedin.com/company/apolloio",
    "crunchbase_url": "https://www.crunchbase.com/organization/apollo-io",
    "primary_domain": "apollo.io",
    "publicly_traded_symbol": "APLO",
    "publicly_traded_exchange": "nasdaq",
    "logo_url": "https://zenprospect.example/logo.jpeg",
    "primary_phone": {"number": "+1 202-374-1312", "sanitized_number": "+12023741312"},
    "industry": "information technology & services",
    "estimated_num_employees": 1600,
    "founded_year": 2015,
    "annual_revenue_printed": "100M",
    "city": "San Francisco",
    "state": "California",
    "country": "United States",
    "total_funding": 251_200_000,
    "latest_funding_stage": "Series D",
    "latest_funding_round_date": "2023-08-01T00:00:00.000+00:00",
    "funding_events": [
        {
            "id": "6574c1ff9b797d0001fdab1b",
            "date": "2023-08-01T00:00:00.000+00:00",
            "type": "Series D",
            "investors": "Bain Capital Ventures, Sequoia Capital",
            "amount": "100M",
            "currency": "$",
        }
    ],
    "technology_names": ["AI", "Cloudflare DNS"],
    "current_technologies": [{"uid": "ai", "name": "AI", "category": "Other"}],
}


def test_a_whole_company_is_read_and_normalised() -> None:
    [(record, facts)], rejected = normalize_companies(read_organization(WHOLE))
    assert (record, rejected) == (WHOLE["id"], [])
    assert [(one.type, one.value) for one in facts.identifiers] == [
        ("domain", "apollo.io"),
        ("linkedin_uid", "apolloio"),
        ("crunchbase_slug", "apollo-io"),
    ]
    assert (facts.latest_funding_stage, facts.latest_funding_date) == ("series_d", date(2023, 8, 1))
    assert (facts.total_funding_cents, facts.stock_symbol) == (25_120_000_000, "NASDAQ:APLO")
    (paid,) = facts.funding
    assert (paid.type, paid.amount_cents, paid.currency) == ("series_d", 10_000_000_000, "USD")
    assert paid.investors == ("Bain Capital Ventures", "Sequoia Capital")
    assert [(one.name, one.category) for one in facts.technologies] == [
        ("AI", "other"),
        ("Cloudflare DNS", None),
    ]
    assert [(one.value, one.primary) for one in facts.phones] == [("+12023741312", True)]


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("12.5M", 1_250_000_000),
        (7, 700),
        ("1,000", 100_000),
        ("9e99B", None),
        ("..", None),
        ({}, None),
    ],
)
def test_sums_are_read_as_they_are_written(amount: object, cents: int | None) -> None:
    (record,) = read_organization({"name": "A", "funding_events": [{"amount": amount}]})
    assert record.funding[0].amount_cents == cents


def test_of_nothing_nothing_is_made() -> None:
    assert read_organization({}) == ()
    assert read_organization({"industry": "x"}) == ()


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), odd))
def test_whatever_comes_the_rest_is_read(odd_parts: dict[str, Any]) -> None:
    """An answer was paid for: one odd field costs no other."""
    records = read_organization({**WHOLE, **odd_parts})
    normalize_companies(records)
    if not {"name", "primary_domain", "linkedin_url"} & odd_parts.keys():
        assert records
        assert records[0].name == "Apollo.io"
