"""In which country a table's national phone numbers are read, where nobody declares one."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import phonenumbers

from services.ingest.domain.vocabulary import Vocabulary
from shared.events.signal import ContactSignal
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Phone

_ENOUGH: Final = 0.8
"""Of the numbers so many must agree."""

_FEWEST_WITH_CODE: Final = 11
"""Digits of a number without a trunk prefix that may begin with a country code."""

_FEWEST: Final = 7
"""Digits of a subscriber's number; a service's, which many countries call alike, has fewer."""

_HAN: Final = "zh"
"""Written by many who dial a zero first, each in their own country."""

_OF_HAN: Final = ("CN", "TW", "HK", "JP")
"""Where names are written so; numbers that can be dialled in one of them alone tell which it is."""

_NORTH_AMERICA: Final = "US"
"""Of the countries of its numbering plan, which no trunk prefix tells from others."""

_SCRIPTS: Final = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    (_HAN, re.compile(r"[\u4e00-\u9fff]")),
)
"""Language → what its names are written in; kana tell Japanese from Chinese."""

_MOST: Final = 500
"""Numbers that are looked at."""


def find_region(
    numbers: Iterable[tuple[str, str]], language: str, vocabulary: Vocabulary, script: str = ""
) -> str:
    """Return the likeliest country, ISO 3166, or nothing: then the deployment's default holds.

    `numbers` are telephone numbers, each with the country of its owner's address or nothing;
    `language` is the header's, `script` the one that names are written as (`language_of_names`).
    Numbers that say their country tell where their neighbours are, then the addresses beside the
    others do, then the language of the header; each only if the national numbers can be dialled
    there.  English is written everywhere: it says nothing, and beside numbers from abroad its table
    needs numbers with a trunk prefix, which none in North America has, or such as are dialled where
    there is no trunk prefix, and not in North America.
    """
    cells = [
        (text.lstrip(" '("), country) for text, country in islice(numbers, _MOST) if text.strip()
    ]
    abroad = [text for text, _ in cells if text.startswith(("+", "00"))]
    beside = [one for one in cells if one[0][:1].isdecimal() and not _says_country(one[0])]
    national = [text for text, _ in beside]
    regions = {one.code: one.region for one in vocabulary.languages}
    usual = regions.get(language, "")
    if script == _HAN and not usual and (home := _region_of_han(cells)):
        return home
    if not national:
        longer = [text for text, _ in cells if text not in abroad and text[:1].isdecimal()]
        usual = usual or regions.get(script, "")
        return usual if _at_home(longer, usual) else ""
    if not usual and script != _HAN:
        usual = regions.get(script, "")
    said = _most([_region_of(text) for text in abroad])
    trunk = sum(text.startswith("0") for text in national)
    if said and not usual and trunk < _ENOUGH * len(national):
        elsewhere = _dialled(national, _NORTH_AMERICA) <= (1 - _ENOUGH) * len(national)
        said = said if elsewhere and not _has_trunk_prefix(said) else ""
    lived = _most(
        [vocabulary.countries.get(one.strip().casefold(), "") for _, one in beside if one]
    )
    for region in (said, lived, usual):
        if region and _dialled(national, region) >= _ENOUGH * len(national):
            return region
    return ""


def _most(regions: Sequence[str]) -> str:
    """Return the region that enough of them are, if one is; an empty one is counted, too."""
    found = Counter(regions).most_common(1)
    return found[0][0] if found and found[0][1] >= _ENOUGH * len(regions) else ""


def language_of_names(names: Iterable[str]) -> str:
    """Return the language that most names are written in, as far as their script tells.

    >>> language_of_names(["Иван Иванов"]), language_of_names(["Ada"])
    ('ru', '')
    """
    found = Counter(
        next((code for code, form in _SCRIPTS if form.search(name)), "")
        for name in islice(names, _MOST)
        if any(map(str.isalpha, name))
    )
    if found["ja"]:
        found["ja"] += found.pop(_HAN, 0)
    most = found.most_common(1)
    return most[0][0] if most and most[0][1] >= _ENOUGH * found.total() else ""


def home_region(signal: ContactSignal, usual: str, vocabulary: Vocabulary) -> str:
    """Return where a person's national numbers are read: at home, if all can be dialled there.

    `usual` is where the others' are; it also holds where no address names a country.
    """
    if signal.phone_region or not signal.phones:
        return usual
    named = next((one.country for one in signal.addresses if one.country), None)
    home = vocabulary.countries.get(named.strip().casefold(), "") if named else ""
    if not home or home == usual:
        return usual
    national = [
        phone.value
        for phone in signal.phones
        if not phone.value.lstrip(" '(").startswith(("+", "00"))
    ]
    return home if _dialled(national, home) == len(national) else usual


def _region_of_han(cells: list[tuple[str, str]]) -> str:
    """Return the one country in which most numbers without a country's code are assigned."""
    own = [
        text
        for text, _ in cells
        if text[:1].isdecimal()
        and not text.startswith("00")
        and sum(map(str.isdecimal, text)) >= _FEWEST
    ]
    found = [
        region
        for region in _OF_HAN
        if own and sum(_is_assigned(text, region) for text in own) >= _ENOUGH * len(own)
    ]
    return found[0] if len(found) == 1 else ""


def _is_assigned(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number_for_region(phonenumbers.parse(text, region), region)
    except phonenumbers.NumberParseException:
        return False


def _has_trunk_prefix(region: str) -> bool:
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) is not None


def _says_country(text: str) -> bool:
    """Tell whether a number is, or may be without its plus, one for calls from abroad."""
    return text.startswith("00") or (
        text[0] != "0" and sum(map(str.isdecimal, text)) >= _FEWEST_WITH_CODE
    )


def _region_of(text: str) -> str:
    found = normalize_phone(text)
    if not isinstance(found, Phone):
        return ""
    number = phonenumbers.parse(found.e164)
    return phonenumbers.region_code_for_number(number) or ""


def _at_home(numbers: list[str], region: str) -> bool:
    """Tell whether numbers that are long enough to begin with a country's code are national."""
    code = f"+{phonenumbers.country_code_for_region(region)}" if region else ""
    home = sum(
        isinstance(found := normalize_phone(text, region), Phone) and found.e164.startswith(code)
        for text in numbers
        if code
    )
    return 0 < _ENOUGH * len(numbers) <= home


def _dialled(numbers: list[str], region: str) -> int:
    return sum(isinstance(normalize_phone(text, region), Phone) for text in numbers)
