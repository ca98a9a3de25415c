"""LinkedIn profiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers.linkedin import (
    normalize_linkedin,
    normalize_linkedin_urn,
    normalize_public_id,
)
from shared.identifiers.types import LinkedIn, Refused


@pytest.mark.parametrize(
    ("given_as", "value"),
    [
        ("https://www.linkedin.com/in/ada-lovelace", "ada-lovelace"),
        ("http://linkedin.com/in/Ada-Lovelace/", "ada-lovelace"),
        ("linkedin.com/in/ada-lovelace?trk=abc#x", "ada-lovelace"),
        ("https://de.linkedin.com/in/ada-lovelace/en", "ada-lovelace"),
        ("https://m.linkedin.com/mwlite/in/ada-lovelace", "ada-lovelace"),
        ("https://www.linkedin.com/comm/in/ada-lovelace?trk=eml", "ada-lovelace"),
        ("in/ada-lovelace", "ada-lovelace"),
        ("/in/ada-lovelace", "ada-lovelace"),
        ("https://www.linkedin.com/in/j%C3%BCrgen-m", "jürgen-m"),
        ("https://www.linkedin.com/in/ju\u0308rgen-m", "jürgen-m"),
        ("https://www.linkedin.com/pub/ada-lovelace/1/23/456", "ada-lovelace-4560231"),
        ("https://www.linkedin.com/profile/view?id=12345&trk=x", "urn:li:member:12345"),
        ("https://www.linkedin.com/in/ACoAAA1234567", "urn:li:fsd_profile:ACoAAA1234567"),
        ("urn:li:fs_miniProfile:ACoAAA1234567", "urn:li:fsd_profile:ACoAAA1234567"),
        (
            "https://www.linkedin.com/sales/lead/ACwAAA1234567,NAME",
            "urn:li:fs_salesProfile:ACwAAA1234567",
        ),
    ],
)
def test_every_form_of_an_address_becomes_one(given_as: str, value: str) -> None:
    found = normalize_linkedin(given_as)
    assert isinstance(found, LinkedIn)
    assert found.value == value


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("https://www.linkedin.com/company/engines", "company"),
        ("https://lnkd.in/abc", "shortened"),
        ("https://example.com/in/ada", "not a person's"),
        ("https://evil-linkedin.com/in/ada", "not a person's"),
        ("https://www.linkedin.com/in/", "not a person's"),
        ("https://www.linkedin.com/in/unknown", "placeholder"),
        ("x" * 2_000, "1,000 characters"),
        ("", "not a person's"),
    ],
)
def test_what_is_no_profile_is_refused(bad: str, says: str) -> None:
    found = normalize_linkedin(bad)
    assert isinstance(found, Refused)
    assert says in found.reason


@given(st.text(max_size=40))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    for once in (
        normalize_linkedin(f"https://www.linkedin.com/in/{text}"),
        normalize_public_id(text),
        normalize_linkedin_urn(text),
    ):
        if isinstance(once, LinkedIn):
            again = normalize_linkedin_urn if once.type == "linkedin_urn" else normalize_public_id
            assert again(once.value) == once
            if once.url:
                assert normalize_linkedin(once.url) == once
