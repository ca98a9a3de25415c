"""Telephone numbers in E.164, by the number plans of libphonenumber.

A number is taken when its length and leading digits exist in its country's plan. Whether the
range has been handed out is not asked: the tables that know are years behind the networks.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

from shared.identifiers.names import clean_text
from shared.identifiers.types import Phone, Refused

MAX_LENGTH: Final = 250
"""Characters that are read; the same limit as libphonenumber's own."""

_CACHE: Final = 32_768
"""Spellings remembered: about 10 MB, and a repeated number costs 0.2 instead of 40 µs."""

_PLAIN = re.compile(
    r"(?P<plus>\+)?(?P<number>[0-9][0-9 ().\-/]{4,30})"
    r"(?:\s*(?:;ext=|ext\.?|x)\s*(?P<extension>[0-9]{1,7}))?",
    re.IGNORECASE,
)
"""What nearly every number looks like: digits, separators, perhaps an extension."""

_NO_DIGITS = str.maketrans("", "", " ().-/")

_FORM = Refused("is not a telephone number; write it in international form, like +4930123456")
_LONG = Refused("is longer than 250 characters; write one number, like +4930123456")
_LENGTH = Refused("has too few or too many digits for its country; write it like +4930123456")
_LOCAL = Refused("lacks its area code; write it in international form, like +4930123456")
_COUNTRY = Refused("has no country code that exists; write it like +4930123456")
_PLAN = Refused("starts with digits that its country does not use; write it like +4930123456")
_PLACEHOLDER = Refused("is a placeholder, not somebody's number; leave it out")

_STATED: Final = frozenset(
    {
        phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
        phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD,
    }
)
"""The number itself says its country."""

_MOBILE: Final = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
)

_GIVEN_UP: Final = {"52": re.compile(r"^(?:0?1|04[45])(?=[2-9][0-9]{9}$)")}
"""Country code → digits before its mobile numbers that it dials no more; address books keep them.

Mexico gave up 1 (from abroad), 044 and 045 (at home) in 2019; libphonenumber has forgotten them.
"""

_FEWEST_WITH_CODE: Final = 11
"""Digits of a number that is taken to begin with a country code though nothing says so."""

_PLACEHOLDERS: Final = frozenset(
    {"123456789", "1234567890", "0123456789", "987654321", "9876543210"}
)


@lru_cache(maxsize=_CACHE)
def normalize_phone(
    value: str, region: str | None = None, default_region: str = "US"
) -> Phone | Refused:
    """Spell a number as it is dialled from abroad.

    `region` is what the record declares; without it a national number is read in
    `default_region` and the result says that this was assumed.
    """
    if len(value) > MAX_LENGTH:
        return _LONG
    plain, text = _PLAIN.fullmatch(value), value
    if plain is None:
        text = clean_text(value).removeprefix("tel:").removeprefix("Tel:")
        plain = _PLAIN.fullmatch(text)
    if plain is not None:
        digits = plain["number"]
        if not digits.isdigit():
            digits = digits.translate(_NO_DIGITS)
        if _is_placeholder(digits):
            return _PLACEHOLDER
        international = plain["plus"] is not None
        if not international and _lacks_its_plus(digits, region or default_region):
            international, digits = True, digits.removeprefix("00")
        found = _by_plan(digits, None if international else region or default_region)
        if found is not None:
            assumed = plain["plus"] is None and plain["number"][:2] != "00" and region is None
            return Phone(found, plain["extension"], assumed)
    return _by_library(clean_text(text), region, default_region)


def _lacks_its_plus(digits: str, region: str) -> bool:
    """Tell whether a number begins with its country code: a spreadsheet takes the plus away.

    `00` stands for it also where the region dials out by another prefix.  Without either, the code
    must be of the region itself and a mobile number behind it, or the region must have no such
    number at all, nor a mobile one behind digits that it gave up.
    """
    if len(digits) < _FEWEST_WITH_CODE:
        return False
    code = digits.removeprefix("00")
    found = _by_plan(code, None)
    if found is None:
        return False
    if code != digits:
        return True
    own = _plan(region)
    if digits[0] == "0" or own is None:
        return False
    if digits.startswith(own[0]):
        return _is_mobile(found)
    at_home = _by_plan(digits, region)
    return len(digits) > max(own[1]) and (at_home is None or not _is_mobile(at_home))


def _is_mobile(e164: str) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(e164)) in _MOBILE


def _as_dialled_now(code: str, national: str) -> str:
    """Take off what the country of a number has given up."""
    prefix = _GIVEN_UP.get(code)
    return national if prefix is None else prefix.sub("", national)


def _is_placeholder(digits: str) -> bool:
    tail = digits[-7:]
    return digits in _PLACEHOLDERS or (tail != "" and tail == tail[0] * len(tail))


@lru_cache(maxsize=512)
def _plan(
    region: str,
) -> tuple[str, frozenset[int], re.Pattern[str], re.Pattern[str] | None] | None:
    """Return a region's country code, lengths, number pattern and national prefix."""
    code = phonenumbers.country_code_for_region(region)
    if not code:
        return None
    return _plan_of_code(str(code), region)


@lru_cache(maxsize=512)
def _plan_of_code(
    code: str, region: str | None = None
) -> tuple[str, frozenset[int], re.Pattern[str], re.Pattern[str] | None] | None:
    main = phonenumbers.region_code_for_country_code(int(code))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region or main)
    if metadata is None or metadata.general_desc is None:
        return None
    general = metadata.general_desc
    if general.national_number_pattern is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return (
        code,
        frozenset(general.possible_length),
        re.compile(general.national_number_pattern),
        re.compile(prefix) if prefix else None,
    )


def _by_plan(digits: str, region: str | None) -> str | None:
    """Return the E.164 form where the plan alone settles it, as for nine numbers in ten.

    None means: ask the library, which knows trunk prefixes, carrier codes and exit codes.
    """
    plan = _plan_of_start(digits[:3]) if region is None else _plan(region)
    if plan is None:
        return None
    code, lengths, pattern, prefix = plan
    national = _as_dialled_now(code, digits if region is not None else digits[len(code) :])
    if len(national) not in lengths or pattern.fullmatch(national) is None:
        return None
    if national[0] == "0" or (prefix is not None and prefix.match(national)):
        return None
    return f"+{code}{national}"


@lru_cache(maxsize=1_000)
def _plan_of_start(
    start: str,
) -> tuple[str, frozenset[int], re.Pattern[str], re.Pattern[str] | None] | None:
    """Return the plan of the country that an international number's first three digits name."""
    for size in (1, 2, 3):
        code = start[:size]
        if code[0] != "0" and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return _plan_of_code(code)
    return None


def _by_library(text: str, region: str | None, default_region: str) -> Phone | Refused:
    if "\n" in text or text.count("+") > 1:
        return _FORM
    try:
        number = phonenumbers.parse(text, region or default_region, keep_raw_input=True)
    except phonenumbers.NumberParseException as error:
        wrong_country = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return _COUNTRY if wrong_country else _FORM
    written = phonenumbers.national_significant_number(number)
    national = _as_dialled_now(str(number.country_code), written)
    if national != written:
        number.national_number, number.italian_leading_zero = int(national), False
    if _is_placeholder(national):
        return _PLACEHOLDER
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return _LOCAL
    if verdict != phonenumbers.ValidationResult.IS_POSSIBLE:
        return _LENGTH
    plan = _plan_of_code(str(number.country_code))
    if plan is None or plan[2].fullmatch(national) is None:
        return _PLAN
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    stated = "+" in text or number.country_code_source in _STATED
    return Phone(e164, number.extension or None, not stated and region is None)
