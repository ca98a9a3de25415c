"""Telephone numbers."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Phone, Refused


@pytest.mark.parametrize(
    ("given_as", "region", "key", "assumed"),
    [
        ("+1 (212) 555-0123", None, "+12125550123", False),
        ("(212) 555-0123", None, "+12125550123", True),
        ("(212) 555-0123", "US", "+12125550123", False),
        ("1-212-555-0123", None, "+12125550123", True),
        ("+1-599-555-0106 x2823", None, "+15995550106;ext=2823", False),
        ("tel:+1-212-555-0123;ext=5", None, "+12125550123;ext=5", False),
        ("030 123456", "DE", "+4930123456", False),
        ("+49 (0)30 123456", None, "+4930123456", False),
        ("0049 30 123456", "DE", "+4930123456", False),
        ("+44 (0)7700 900123", None, "+447700900123", False),
        ("+39 06 698 12345", None, "+390669812345", False),
        ("+54 9 11 1234 5678", None, "+5491112345678", False),
        ("+52 1 55 5523 4567", None, "+525555234567", False),
        ("044 55 5523 4567", "MX", "+525555234567", False),
        ("1 55 5523 4567", "MX", "+525555234567", False),
        ("15555234567", "MX", "+525555234567", False),
        ("1 212 555 0123", "MX", "+12125550123", False),
        ("1 55 5523 4567", None, "+15555234567", True),
        ("+1 55 5523 4567", "MX", "+15555234567", False),
        ("5215555234567", None, "+525555234567", True),
        ("5215555234567", "MX", "+525555234567", False),
        ("005215555234567", "US", "+525555234567", False),
        ("01 55 5523 4567", "MX", "+525555234567", False),
        ("+52 55 5523 4567", None, "+525555234567", False),
        ("+1 800 FLOWERS", None, "+18003569377", False),
        ("\u202a+44 7700 900123\u202c", None, "+447700900123", False),
    ],
)
def test_national_and_international_forms_become_one(
    given_as: str, region: str | None, key: str, *, assumed: bool
) -> None:
    found = normalize_phone(given_as, region)
    assert isinstance(found, Phone)
    assert (found.key, found.assumed_region) == (key, assumed)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("", "not a telephone number"),
        ("call me", "not a telephone number"),
        ("555-0123", "area code"),
        ("+999 123456", "country code"),
        ("+1 212 555 01234567", "digits"),
        ("0000000", "placeholder"),
        ("1234567890", "placeholder"),
        ("-1", "not a telephone number"),
        ("+" + "1" * 300, "250 characters"),
    ],
)
def test_what_is_no_number_is_refused_with_what_would_be_right(bad: str, says: str) -> None:
    found = normalize_phone(bad)
    assert isinstance(found, Refused)
    assert says in found.reason


@pytest.mark.parametrize(
    ("text", "region", "e164", "assumed"),
    [
        ("447700900123", "US", "+447700900123", True),
        ("0044 7700 900123", "US", "+447700900123", False),
        ("4915123456789", "DE", "+4915123456789", True),
        ("04915 123456", "DE", "+494915123456", True),
        ("030 90182012345", "DE", "+493090182012345", True),
        ("2125550143", "US", "+12125550143", True),
    ],
)
def test_a_number_that_lost_its_plus_is_read_by_its_country_code(
    text: str, region: str, e164: str, *, assumed: bool
) -> None:
    """Spreadsheets take the plus away; a number that the region has is read there all the same."""
    found = normalize_phone(text, default_region=region)
    assert isinstance(found, Phone)
    assert (found.e164, found.assumed_region) == (e164, assumed)


@given(st.text(alphabet="+0123456789 ()-.x/", max_size=24) | st.text(max_size=24))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_phone(text)
    if isinstance(once, Phone):
        again = normalize_phone(once.key)
        assert isinstance(again, Phone)
        assert again.key == once.key


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_the_fast_way_and_the_library_agree_on_every_country(region: str) -> None:
    """The plan is read without the library where it settles the matter: same answer, always."""
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        expected = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for form in (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        ):
            found = normalize_phone(phonenumbers.format_number(example, form), region)
            if isinstance(found, Refused):
                # Some examples are what forms are filled in with, like 01 23 45 67 89.
                assert "placeholder" in found.reason, (region, form)
                continue
            assert found.e164 == expected


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_the_fast_way_agrees_with_the_library_on_any_digits(text: str) -> None:
    found = normalize_phone(text)
    try:
        parsed = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        assert isinstance(found, Refused)
        return
    if isinstance(found, Phone):
        assert phonenumbers.is_possible_number(parsed)
        assert found.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
