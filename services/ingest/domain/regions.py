"""In which country a table's national phone numbers are read, where nobody declares one."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

import phonenumbers

from services.ingest.domain.vocabulary import Vocabulary
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Phone

_ENOUGH: Final = 0.8
"""Of the numbers so many must agree."""

_FEWEST_WITH_CODE: Final = 11
"""Digits of a number without a trunk prefix that may begin with a country code."""

_MOST: Final = 500
"""Numbers that are looked at."""


def find_region(numbers: Iterable[tuple[str, str]], language: str, vocabulary: Vocabulary) -> str:
    """Return the likeliest country, ISO 3166, or nothing: then the deployment's default holds.

    `numbers` are telephone numbers, each with the country of its owner's address or nothing.
    Numbers that say their country tell where their neighbours are, then the addresses beside the
    others do, then the language of the header; each only if the national numbers can be dialled
    there.  English is written everywhere: it says nothing, and beside numbers from abroad its table
    needs numbers with a trunk prefix, which none in North America has.
    """
    cells = [
        (text.lstrip(" '("), country) for text, country in islice(numbers, _MOST) if text.strip()
    ]
    abroad = [text for text, _ in cells if text.startswith(("+", "00"))]
    beside = [one for one in cells if one[0][:1].isdecimal() and not _says_country(one[0])]
    national = [text for text, _ in beside]
    if not national:
        return ""
    said = Counter(region for text in abroad if (region := _region_of(text)))
    usual = next((one.region for one in vocabulary.languages if one.code == language), "")
    most = [region for region, count in said.most_common(1) if count >= _ENOUGH * len(abroad)]
    trunk = sum(text.startswith("0") for text in national)
    if not usual and trunk < _ENOUGH * len(national):
        most = []
    lived = Counter(
        vocabulary.countries.get(country.strip().casefold(), "") for _, country in beside if country
    )
    there = [region for region, count in lived.most_common(1) if count >= _ENOUGH * lived.total()]
    for region in (*most, *there, usual):
        if region and _dialled(national, region) >= _ENOUGH * len(national):
            return region
    return ""


def _says_country(text: str) -> bool:
    """Tell whether a number is, or may be without its plus, one for calls from abroad."""
    return text.startswith("00") or (
        text[0] != "0" and sum(map(str.isdecimal, text)) >= _FEWEST_WITH_CODE
    )


def _region_of(text: str) -> str | None:
    found = normalize_phone(text)
    if not isinstance(found, Phone):
        return None
    number = phonenumbers.parse(found.e164)
    return phonenumbers.region_code_for_number(number)


def _dialled(numbers: list[str], region: str) -> int:
    return sum(isinstance(normalize_phone(text, region), Phone) for text in numbers)
