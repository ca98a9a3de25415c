"""The one entry for every type, with names, domains, handles and digests."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers.digests import Digests
from shared.identifiers.domain import normalize_domain
from shared.identifiers.names import clean_text
from shared.identifiers.normalize import normalize
from shared.identifiers.types import Refused

KINDS = [
    "email", "phone_e164", "linkedin_urn", "linkedin_public_id", "domain", "fb_user_id",
    "ig_user_id", "ig_username", "twitter_handle", "github_username",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given_as", "value"),
    [
        ("domain", "https://www.Ada-Lovelace.example.co.uk/x?y", "example.co.uk"),
        ("domain", "ada.dev:8080", "ada.dev"),
        ("twitter_handle", "@AdaL", "adal"),
        ("twitter_handle", "https://x.com/AdaL/status/1", "adal"),
        ("github_username", "https://github.com/Ada-L", "ada-l"),
        ("ig_username", "https://www.instagram.com/ada.l/", "ada.l"),
        ("fb_user_id", "https://www.facebook.com/profile.php?id=100001234", "100001234"),
    ],
)
def test_an_address_of_an_account_or_site_becomes_its_name(
    kind: str, given_as: str, value: str
) -> None:
    assert normalize(kind, given_as) == (kind, value, False)


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("domain", "gmail.com"),
        ("domain", "ada.github.io"),
        ("domain", "127.0.0.1"),
        ("domain", "localhost"),
        ("twitter_handle", "https://example.com/ada"),
        ("twitter_handle", "a" * 16),
        ("github_username", "-ada"),
        ("fb_user_id", "-1"),
        ("fb_user_id", "0000000"),
        ("ig_username", "unknown"),
        ("passport", "X123"),
    ],
)
def test_what_identifies_nobody_is_refused(kind: str, bad: str) -> None:
    assert isinstance(normalize(kind, bad), Refused)


@given(st.sampled_from(KINDS), st.text(max_size=40))
def test_normalizing_twice_changes_nothing(kind: str, text: str) -> None:
    once = normalize(kind, text)
    if not isinstance(once, Refused):
        again = normalize(once[0], once[1])
        assert not isinstance(again, Refused)
        assert again[:2] == once[:2]


@given(st.text(max_size=60))
def test_clean_text_is_idempotent_composed_and_storable(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\x00" not in once
    once.encode()


def test_clean_text_keeps_joiners_that_spell_and_drops_those_that_hide() -> None:
    assert clean_text("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645") == (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    )
    assert clean_text("A\u200bd\u200da  Love\u00adlace\ufeff ") == "Ada Lovelace"
    assert clean_text("\u0645\u06cc\u200c\u2003") == "\u0645\u06cc"


@given(st.text(max_size=40))
def test_a_domain_is_its_own_domain(text: str) -> None:
    once = normalize_domain(text)
    if not isinstance(once, Refused):
        assert normalize_domain(once) == once


def test_digests_keep_tenants_workspaces_sources_and_installs_apart() -> None:
    ours, theirs = Digests("a secret of this install"), Digests("a secret of that install")
    keys = {
        digests.record_key(tenant, workspace, source, "42")
        for digests in (ours, theirs)
        for tenant in ("ten_1", "ten_2")
        for workspace in ("wsp_1", "wsp_2")
        for source in ("hubspot_crm", "csv_upload")
    }
    assert len(keys) == 16
    assert ours.record_key("ten_1", "wsp_1", "csv_upload", "42") in keys
    assert ours.record_key("t", "w", "s", "r") != ours.unnamed_record_key("t", "w", "s", b"r")
