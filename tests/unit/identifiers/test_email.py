"""E-mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers.domain import company_domain, is_free_mail
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Email, Refused


@pytest.mark.parametrize(
    ("given_as", "spelt"),
    [
        (" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"),
        ("ada+list@example.com", "ada+list@example.com"),
        ("mailto:ada@example.com?subject=hi", "ada@example.com"),
        ("Ada Lovelace <ADA@example.com>", "ada@example.com"),
        ("ada\u200b@example.com", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),
        ("\uff21\uff24\uff21\uff20\uff45\uff58ample\uff0ecom", "ada@example.com"),
        ("ada\ufe6bexample.com", "ada@example.com"),
        ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("info@example.com", "info@example.com"),
    ],
)
def test_two_spellings_become_one(given_as: str, spelt: str) -> None:
    assert normalize_email(given_as) == spelt


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "ada",
        "ada@",
        "@engines.example",
        "ada@localhost",
        "ada@1.2.3.4",
        "ada@-example.com",
        "a..b@example.com",
        ".a@example.com",
        "a b@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + ".".join(["b" * 60] * 5) + ".com",
        "x" * 5_000,
        "test@example.com",
        "NoReply@example.com",
        "ada***@example.com",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(bad: str) -> None:
    found = normalize_email(bad)
    assert isinstance(found, Refused)
    assert not bad or bad not in found.reason


@given(st.text(max_size=80) | st.emails())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_email(text)
    if not isinstance(once, Refused):
        assert normalize_email(once) == once


def test_the_mail_domain_names_the_company_unless_anyone_can_have_an_address_there() -> None:
    assert company_domain(Email("ada@mail.engines.co.uk")) == "engines.co.uk"
    assert company_domain(Email("ada@gmail.com")) is None
    assert company_domain(Email("ada@ada.github.io")) is None
    assert is_free_mail("mail.yahoo.co.uk")
    assert not is_free_mail("engines.co.uk")
