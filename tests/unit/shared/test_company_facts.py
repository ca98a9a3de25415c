"""What sources say of companies, normalised: one spelling, and what is wrong is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                ("name", "industry", "source_record_id", "domain", "city"), st.text(max_size=255)
            ),
            **dict.fromkeys(
                ("website", "logo_url", "linkedin_url", "crunchbase_slug"), st.text(max_size=1_000)
            ),
            "size_range": st.text(max_size=255),
            "technologies": st.lists(
                st.fixed_dictionaries({"name": st.text(max_size=255)}), max_size=3
            ),
            "phones": st.lists(st.fixed_dictionaries({"value": st.text(max_size=255)}), max_size=3),
        },
    )
)
def test_nothing_that_may_be_said_breaks_normalising(said: dict[str, Any]) -> None:
    try:
        record = CompanyRecord.model_validate(said)
    except ValidationError:  # NUL
        return
    found, rejected = normalize_companies([record])
    assert found or rejected
    named(found, "ten_1", "apollo", Digests("secret"))


def test_texts_that_grow_when_composed_and_long_addresses_fit() -> None:
    """Of some scripts' letters the composed form is the longer one."""
    grown = "\u0958" * 255
    facts, rejected = read(
        name=grown,
        source_record_id=grown,
        website="a.example/" + "x" * 990,
        technologies=[{"name": grown}],
        funding=[{"type": grown, "investors": [grown]}],
        phones=[{"value": grown, "label": grown}],
    )
    assert facts is not None
    assert len(facts.name or "") == len(facts.technologies[0].name) == 255
    assert "companies.0.website" in rejected
