"""Names of companies, read and compared."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.names.company import company_key, parse_company
from services.resolver.domain.names.company_compare import (
    CompanyLevel,
    compare_companies,
)

PAIRS = Path(__file__).with_name("companies.csv")
"""Pairs labelled by hand: may the two be one company's name, nothing else being known?"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Stripe, Inc.", "stripe"),
        ("The Stripe Co., Ltd.", "stripe"),
        ("STRIPE", "stripe"),
        ("Stripe.com", "stripe"),
        ("https://www.stripe.com/de", "stripe"),
        ("Müller & Söhne GmbH & Co. KG", "muller_son"),
        ("Cemex, S.A.B. de C.V.", "cemex"),
        ("Foo Sp. z o.o.", "foo"),
        ("Foo s. r. o.", "foo"),
        ("ПАО «Ромашка»", "romashka"),
        ("株式会社トヨタ", "toyota"),
        ("Siemens AG Österreich", "siemens_osterreich"),
        ("Acme Intl. Mfg. Corp.", "acme_international_manufacturing"),
        ("AT&T Inc.", "at_t"),
        ("3M Company", "3m"),
        ("Limited", "limited"),
        ("The The", "the_the"),
        ("", None),
        ("n/a", None),
        ("&", None),
        ("---", None),
    ],
)
def test_a_key_is_what_tells_a_company_from_others(text: str, key: str | None) -> None:
    assert company_key(text) == key


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("Stripe, Inc.", "STRIPE", "exact"),
        ("Sales Force", "Salesforce", "equivalent"),
        ("Oxford University", "University of Oxford", "equivalent"),
        ("IBM", "International Business Machines Corp.", "abbreviation"),
        ("Volkswagen AG", "Volkswagon", "typo"),
        ("Siemens", "Siemens Healthineers", "partial"),
        ("Siemens", "n/a", "unknown"),
        ("Bank of America", "Bank of China", "other"),
        ("Radio 1", "Radio 2", "other"),
        ("Acme", "Globex", "other"),
    ],
)
def test_each_way_to_agree_has_its_level(left: str, right: str, level: str) -> None:
    found = compare_companies(parse_company(left), parse_company(right))
    assert found.level is CompanyLevel(level)


def test_other_names_of_a_company_count() -> None:
    """What stands in brackets, or after `formerly` or `dba`, names the company as well."""
    for text in ("Meta Platforms (formerly Facebook)", "Meta d/b/a Facebook", "Meta aka Facebook"):
        assert compare_companies(parse_company(text), parse_company("Facebook")).is_possible


def test_hand_labelled_pairs_are_told_apart() -> None:
    with PAIRS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    outcomes = [
        (
            row["same"] == "1",
            compare_companies(parse_company(row["left"]), parse_company(row["right"])).is_possible,
        )
        for row in rows
    ]
    right = sum(truth and found for truth, found in outcomes)
    score = 2 * right / sum(truth + found for truth, found in outcomes)
    print(f"names of companies: F1 {score:.3f} on {len(rows)} pairs")
    assert score >= 0.95


words = st.sampled_from(["Acme", "Globex", "Bank", "International", "GmbH", "of", "3", "Société"])
anything = st.text(max_size=60) | st.lists(words, max_size=6).map(" ".join)


@given(anything, anything)
def test_comparing_is_symmetric_and_bounded(left: str, right: str) -> None:
    one, two = parse_company(left), parse_company(right)
    found = compare_companies(one, two)
    assert found == compare_companies(two, one)
    assert 0.0 <= found.similarity <= 1.0


@given(anything)
def test_a_name_agrees_with_itself_in_any_case(text: str) -> None:
    name = parse_company(text)
    found = compare_companies(name, parse_company(text))
    assert found.level is (CompanyLevel.EXACT if name else CompanyLevel.UNKNOWN)
    if text.isascii():
        assert company_key(text.upper()) == company_key(text.lower())


@given(st.text(min_size=1_000, max_size=5_000), st.text(min_size=1_000, max_size=5_000))
def test_long_texts_are_compared(left: str, right: str) -> None:
    assert compare_companies(parse_company(left), parse_company(right)).similarity <= 1.0
