"""How far two values of one attribute agree, in levels: the rows of the table of weights."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from services.resolver.domain.matching.model import CUSTOM
from services.resolver.domain.matching.profile import SEXES, is_number, is_numbered, is_personal
from services.resolver.domain.names.company import company_words
from services.resolver.domain.names.tables import read_pairs, read_words

RANK: Final[Mapping[str, int]] = {
    level: rank
    for rank, level in enumerate(
        (
            "equal",
            "shared",
            "nickname",
            "local",
            "near",
            "line",
            "subset",
            "prefix",
            "initial",
            "similar",
            "part",
            "loose",
            "remote",
            "named",
            "neighbour",
            "numbered",
            "differ",
        )
    )
}
"""Levels, the one that agrees most first: of several values, the best pair counts."""

TELLING: Final = frozenset(
    {"equal", "shared", "nickname", "local", "near", "subset", "prefix", "similar"}
)
"""Levels at which it matters how rare the value is."""

_BINS: Final = ((88.0, "near"), (75.0, "similar"), (60.0, "loose"), (42.0, "remote"))
"""Share of letters in common (Indel ratio, percent) → level."""

_SHORTEST_LOCAL: Final = 6
"""Letters before the @ from which a slip of the pen can be told from another name."""

_LINE: Final = 7
"""Last digits of a phone number that name the line where countries are written differently."""

EXTENSION: Final = ";ext="
"""Between a phone number and its extension (RFC 3966)."""

_RANGE: Final = 2
"""Last digits of a phone number in which the lines of one company differ, bought together."""

_MONTH: Final = 31
"""Days between two birthdays that may be one, told by heart or reckoned."""

BIRTH_YEAR: Final = "birth_year"
"""The row of the weights for birthdays of which the year alone is known."""

_YEAR_ALONE: Final = 4
"""Digits of a birthday of which the year alone is known."""

_YEARS: Final = ((0, "equal"), (1, "near"), (3, "loose"))
"""Years between two years of birth → level."""

_LONG_NUMBER: Final = re.compile(r"\d{5}")
"""A number that chance gave a mailbox: another digit may be a slip. Counters are shorter."""

_OUTWARD: Final = 3
"""Characters of a postal code, at least, that name a district: `SW1`."""

_ZIPS: Final = (5, 9)
"""Digits of a ZIP code without and with the four of its route."""

_BRITISH: Final = re.compile(r"(?P<district>[a-z]{1,2}\d[a-z\d]?)(?P<sector>\d)[a-z]{2}")
"""A British postal code: a district, a sector of it, and some fifteen houses."""

SAME: Final = frozenset({"equal", "near"})
"""Levels at which two values are one, but for a slip."""

ALIKE: Final = SAME | {"similar", "prefix", "subset"}
"""Levels at which two texts may be one."""

NEW_YEAR: Final = "-01-01"
"""How birthdays end of which a form asked for a day, and the year alone was known."""

_STRASSE: Final = re.compile(r"(?<=\w)strasse$")

_NO_NUMBER: Final = re.compile(r"\D+")
_NO_DIGITS: Final = str.maketrans("", "", "0123456789")


def compare_texts(left: str, right: str) -> str:
    """Compare words: names, companies, titles, places."""
    if left == right:
        return "equal"
    if _are_numbered(left, right):
        return "numbered"
    short, long = (left, right) if len(left) < len(right) else (right, left)
    if long.startswith(short):
        return "initial" if len(short) == 1 else "prefix"
    if " " in long and _is_subset(short, long):
        return "subset"
    alike = ratio(left, right, score_cutoff=_BINS[-1][0])
    for least, level in _BINS:
        if alike >= least:
            return level
    return "differ"


def compare_companies(left: str, right: str) -> str:
    """Compare names of companies by the words that tell them apart.

    Legal forms, and words like `Group` or `Holdings`, agree by chance: `Acme Holdings` is no more
    like `Zeta Holdings` than Acme is like Zeta. They are often left out: `Acme` is `Acme Inc` in
    part.
    """
    if left == right:
        return "equal"
    own, other = _telling(left), _telling(right)
    return "subset" if own == other else compare_texts(own, other)


@lru_cache(maxsize=8_192)
def _telling(company: str) -> str:
    """Return the words of a company's name that tell it from others; all where none does."""
    words = company_words(company)
    kept = [word for word in words if word not in read_words("company_weak")]
    return " ".join(kept or words) or company


def compare_streets(left: str, right: str) -> str:
    """Compare streets, whose words some write short: `Elm Street` is `Elm St`.

    A slip in a long word is none of the short one's: as they are spelled they may agree more.

    >>> compare_streets("12 elm street apartment 4", "12 elm st apt 4")
    'equal'
    >>> compare_streets("hauptstrasse 5", "hauptstr 5"), compare_streets("12 elm st", "14 elm st")
    ('equal', 'numbered')
    >>> compare_streets("78 baseby street", "78 baseby stret")
    'near'
    """
    if left == right:
        return "equal"
    short = compare_texts(_short_street(left), _short_street(right))
    if short in ("equal", "numbered"):
        return short
    return min(short, compare_texts(left, right), key=RANK.__getitem__)


@lru_cache(maxsize=8_192)
def _short_street(street: str) -> str:
    short = read_pairs("street_words")
    return " ".join(short.get(word) or _STRASSE.sub("str", word) for word in street.split())


def compare_states(left: str, right: str) -> str:
    """Compare states by name or by code: two states of two countries may have one code.

    >>> compare_states("california", "ca"), compare_states("wa", "western australia")
    ('equal', 'equal')
    """
    states = read_pairs("states")
    if states.get(left) == right or states.get(right) == left:
        return "equal"
    return compare_texts(left, right)


def compare_postcodes(left: str, right: str) -> str:
    """Compare postal codes, of which some know the first part alone: `75201` of `75201-1234`.

    >>> compare_postcodes("75201", "752011234"), compare_postcodes("sw1a", "sw1a1aa")
    ('equal', 'near')
    >>> compare_postcodes("sw1a1aa", "sw1a1bd"), compare_postcodes("sw1a1aa", "sw1a2bd")
    ('near', 'loose')
    """
    short, long = sorted((left, right), key=len)
    if left != right and len(short) >= _OUTWARD and long.startswith(short):
        return "equal" if (len(short), len(long)) == _ZIPS and long.isdecimal() else "near"
    level = compare_numbers(left, right)
    return _compare_districts(left, right) if level == "differ" else level


def _compare_districts(left: str, right: str) -> str:
    """Compare British postal codes of other houses: in one sector, in one district, or neither."""
    one, other = _BRITISH.fullmatch(left), _BRITISH.fullmatch(right)
    if one is None or other is None or one["district"] != other["district"]:
        return "differ"
    return "near" if one["sector"] == other["sector"] else "loose"


def compare_countries(left: str, right: str) -> str:
    """Compare countries, by whatever name or code.

    >>> compare_countries("germany", "de"), compare_countries("deutschland", "usa")
    ('equal', 'differ')
    """
    countries = read_pairs("countries")
    return compare_keys(countries.get(left, left), countries.get(right, right))


def _are_numbered(left: str, right: str) -> bool:
    """Tell whether two texts part by their numbers alone: `Plant 12` and `Plant 13` are two."""
    words = left.translate(_NO_DIGITS)
    if len(words) == len(left):
        return False
    others = right.translate(_NO_DIGITS)
    return len(others) != len(right) and words == others


def _are_named_and_numbered(left: str, right: str) -> bool:
    """Tell whether two texts part by their numbers and their letters: `ada.o10`, `ada.r70`."""
    return left.translate(_NO_DIGITS) != right.translate(_NO_DIGITS) and _NO_NUMBER.sub(
        "", left
    ) != _NO_NUMBER.sub("", right)


def _is_subset(short: str, long: str) -> bool:
    words, others = set(short.split()), set(long.split())
    return words <= others


def compare_emails(left: str, right: str) -> str:
    """Compare addresses: the same mailbox elsewhere, or one misspelt."""
    if left == right:
        return "equal"
    mailbox, other = left.rpartition("@")[0], right.rpartition("@")[0]
    if len(mailbox) < _SHORTEST_LOCAL or len(other) < _SHORTEST_LOCAL:
        return "differ"
    if mailbox == other:
        return "local"
    if _are_numbered(mailbox, other) and not _LONG_NUMBER.search(mailbox):
        return "numbered"
    slips = OSA.distance(mailbox, other, score_cutoff=2)
    if slips == 2 and _are_named_and_numbered(mailbox, other):
        return "differ"
    return "near" if slips <= 2 else "differ"


def compare_phones(left: str, right: str) -> str:
    """Compare numbers with their extensions: one line, a digit mistyped, or lines of one range."""
    if left == right:
        return "equal"
    number, _, extension = left.partition(EXTENSION)
    other, _, another = right.partition(EXTENSION)
    if number == other:
        return "line"
    if extension == another and OSA.distance(number, other, score_cutoff=1) <= 1:
        return "neighbour" if number[:-_RANGE] == other[:-_RANGE] else "near"
    return "similar" if number[-_LINE:] == other[-_LINE:] else "differ"


def compare_keys(left: str, right: str) -> str:
    """Compare what has no neighbours: profiles, handles, domains, sexes."""
    return "equal" if left == right else "differ"


def compare_numbers(left: str, right: str) -> str:
    """Compare id numbers and codes, where one character may be mistyped or two swapped."""
    if left == right:
        return "equal"
    return "near" if OSA.distance(left, right, score_cutoff=1) <= 1 else "differ"


@lru_cache(maxsize=8_192)
def compare_birthdays(left: str, right: str) -> str:
    """Compare days: the year unknown, day and month swapped, one digit mistyped, weeks apart."""
    if left == right:
        return "equal"
    if _YEAR_ALONE in (len(left), len(right)):
        return _compare_years(left[:_YEAR_ALONE], right[:_YEAR_ALONE])
    if left[-5:] == right[-5:] and ("--" in (left[:2], right[:2])):
        return "part"
    if left[:5] == right[:5] and left[5:7] == right[8:] and left[8:] == right[5:7]:
        return "near"
    if OSA.distance(left, right, score_cutoff=1) <= 1:
        return "near"
    if left[:4] == right[:4] and NEW_YEAR in (left[4:], right[4:]):
        return "part"
    same = sum((left[:4] == right[:4], left[5:7] == right[5:7], left[8:] == right[8:]))
    return "similar" if same == 2 or _are_close(left, right) else "differ"


def _compare_years(left: str, right: str) -> str:
    """Compare years of birth, which are often reckoned from an age."""
    if not (left.isdecimal() and right.isdecimal()):
        return "loose"
    apart = abs(int(left) - int(right))
    return next((level for most, level in _YEARS if apart <= most), "differ")


def _are_close(left: str, right: str) -> bool:
    """Tell whether two days are at most a month apart, as few strangers' are."""
    try:
        apart = date.fromisoformat(left) - date.fromisoformat(right)
    except ValueError:  # the year is unknown
        return False
    return abs(apart.days) <= _MONTH


def compare_custom(left: str, right: str) -> str:
    """Compare values of an attribute that only its source knows: numbers by digits, else words."""
    if left == right:
        return "equal"
    if is_number(left) and is_number(right):
        return compare_numbers(left, right)
    return "near" if ratio(left, right) >= _BINS[0][0] else "differ"


COMPARATORS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "company": compare_companies,
    "email": compare_emails,
    "phone": compare_phones,
    "linkedin": compare_keys,
    "linkedin_urn": compare_keys,
    "handle": compare_keys,
    "domain": compare_keys,
    "street": compare_streets,
    "state": compare_states,
    "country": compare_countries,
    "postcode": compare_postcodes,
    "birthday": compare_birthdays,
    **dict.fromkeys(SEXES, compare_keys),
}
"""Attribute → how its values are compared."""


def comparator_of(attribute: str) -> Callable[[str, str], str]:
    """Return how two values of an attribute are compared: where nothing else is said, as texts."""
    compare = COMPARATORS.get(attribute)
    if compare is not None:
        return compare
    if not attribute.startswith(CUSTOM):
        return compare_texts
    return compare_numbers if is_personal(attribute) else compare_custom


def kind_of(attribute: str, left: str, right: str) -> str:
    """Return the row of the weights that values, as they are compared, are weighed by."""
    if attribute == "birthday" and _YEAR_ALONE in (len(left), len(right)):
        return BIRTH_YEAR
    if not attribute.startswith(CUSTOM):
        return attribute
    if attribute in SEXES:
        return "sex"
    are_numbers = is_numbered(attribute, left) and is_numbered(attribute, right)
    return "number" if are_numbers else "word"
