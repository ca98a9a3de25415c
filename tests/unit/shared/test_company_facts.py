"""What sources say of companies, normalised: one spelling, and what is wrong is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.company import CompanyFacts, CompanyRecord
from shared.events.company_facts import funding_type, named, normalize_companies
from shared.identifiers.company import (
    company_name_key,
    normalize_company_linkedin,
    normalize_crunchbase,
    normalize_tracxn,
)
from shared.identifiers.digests import Digests
from shared.identifiers.types import Refused


def read(**said: Any) -> tuple[CompanyFacts | None, list[str]]:
    """Normalise one record; returns its facts and the fields that were left out."""
    found, rejected = normalize_companies([CompanyRecord.model_validate(said)])
    return (found[0][1] if found else None), [one.field for one in rejected]


@pytest.mark.parametrize(
    ("given", "slug"),
    [
        ("https://www.linkedin.com/company/Stripe/?trk=x", "stripe"),
        ("linkedin.com/company/1441", "1441"),
        ("http://de.linkedin.com/school/mit/about/", "mit"),
        ("acme", "acme"),
        ("https://www.linkedin.com/in/ada", None),
        ("two words", None),
        ("x" * 2_000, None),
    ],
)
def test_a_page_at_linkedin_names_a_company(given: str, slug: str | None) -> None:
    found = normalize_company_linkedin(given)
    assert isinstance(found, Refused) if slug is None else found == slug


def test_other_directories_name_companies_too() -> None:
    assert normalize_crunchbase("https://www.crunchbase.com/organization/Stripe") == "stripe"
    assert normalize_tracxn("tracxn.com/d/companies/stripe/__x1") == "stripe"
    assert normalize_tracxn("https://tracxn.com/o/stripe") == "stripe"


def test_the_strongest_identifier_comes_first_and_a_website_says_the_domain() -> None:
    facts, rejected = read(
        website="www.acme.co.uk/about",
        linkedin_url="https://www.linkedin.com/company/acme",
        crunchbase_slug="acme-inc",
    )
    assert facts is not None
    assert [(one.type, one.value) for one in facts.identifiers] == [
        ("domain", "acme.co.uk"),
        ("linkedin_uid", "acme"),
        ("crunchbase_slug", "acme-inc"),
    ]
    assert (facts.website, rejected) == ("https://www.acme.co.uk/about", [])


def test_what_is_wrong_is_named_and_harms_nothing_beside_it() -> None:
    facts, rejected = read(
        name=" Acme  Inc. ",
        domain="gmail.com",
        website="nonsense",
        size_range="many",
        stock_symbol="not a symbol!",
        linkedin_url="https://www.linkedin.com/in/ada",
        phones=[{"value": "call us"}],
    )
    assert facts is not None
    assert (facts.name, facts.identifiers, facts.phones[0].raw) == ("Acme Inc.", (), "call us")
    assert sorted(rejected) == [
        f"companies.0.{name}"
        for name in (
            "domain",
            "linkedin_url",
            "phones.0.value",
            "size_range",
            "stock_symbol",
            "website",
        )
    ]


def test_a_record_that_names_no_company_is_left_out_whole() -> None:
    assert read(industry="Engines") == (None, ["companies.0"])


@pytest.mark.parametrize(
    ("given", "size"),
    [("11-50", "11-50"), ("1,001 - 5,000 employees", "1001-5000"), ("10.001+", "10001+")],
)
def test_sizes_have_one_spelling(given: str, size: str) -> None:
    facts, _ = read(name="A", size_range=given)
    assert facts is not None
    assert facts.size_range == size


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("Series A", "series_a"),
        ("Seed Round", "seed"),
        ("post_ipo_debt", "post_ipo"),
        ("Pre-Seed", "pre_seed"),
        ("Crowd", "other"),
    ],
)
def test_kinds_of_funding_have_our_words(given: str, kind: str) -> None:
    assert funding_type(given) == kind


def test_the_same_company_has_one_record_wherever_it_comes_from() -> None:
    """With a thousand people, from every workspace: by its id, else by what identifies it."""

    def key(**said: Any) -> tuple[str, str]:
        found, _ = normalize_companies([CompanyRecord.model_validate(said)])
        (one,) = named(found, "ten_1", "apollo", Digests("secret"))
        return one.record_key, one.content_hash

    assert key(domain="acme.io") == key(domain="https://www.acme.io/")
    assert key(domain="acme.io")[0] == key(domain="acme.io", industry="x")[0]
    assert key(domain="acme.io", source_record_id="1")[0] != key(domain="acme.io")[0]
    assert key(name="Stripe, Inc.")[0] == key(name="stripe inc")[0]


@given(st.text(max_size=40))
def test_a_name_key_is_stable(name: str) -> None:
    key = company_name_key(name)
    assert key is None or company_name_key(key) == key
