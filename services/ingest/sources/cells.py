"""What people put into one cell: several addresses or numbers, `Last, First`, code and town."""

import re
from contextlib import suppress
from html import unescape
from typing import Final

from services.ingest.sources.vocabulary import vocabulary
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Phone

SEPARATOR: Final = ":::"
"""Between several values in one cell, as Google writes them."""

FEWEST_DIGITS: Final = 6
"""Digits of a phone number, for a separator before it to be one."""

NOTHING: Final = frozenset(
    {
        *("", "-", "--", "---", "–", "—", "?", "??", "???", ".", "..", "...", "/", "*", "_"),  # noqa: RUF001
        *("N/A", "n/a", "N/a", "#N/A", "#NAME?", "#REF!", "#VALUE!", "#NUM!", "#DIV/0!", "#NULL!"),
        *("null", "NULL", "(null)", "<null>", "[null]", "None", "none", "NONE", "nil", "undefined"),
        *("NaN", "nan", "(none)", "(empty)", "(blank)", "(leer)", "(vide)", "k.A.", "k. A.", "s/o"),
    }
)
"""What stands in cells that say nothing: dashes, a program's word for it, errors of formulas."""

MISSING: Final = "NA"
"""What R writes where it knows nothing; it is a family name, a country and a state, too."""

_SPLIT_EMAILS = re.compile(r":::|[;,|\n]|\s(?=[^\s@<>]+@)")
_AT = re.compile(r"(?<=\w) ?(?:@|\((?:at|@)\)|\[(?:at|@)\]) ?(?=\w)", re.IGNORECASE)
_SPLIT_PHONES = re.compile(r":::|[;|\n]|\s/\s|,\s")
_ADDRESS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+?)\s*>")
_BARE_ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:\"']+@[^\s@<>()\[\]{},;:\"']+")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
_AS_NUMBER = re.compile(r"(\+?\d{7,15})[.,]0")
_CODE_FIRST = re.compile(r"((?:[A-Z]{1,2}[- ])?\d{3,6}(?:[- ](?:\d{2,4}|[A-Z]{2}))?)[ ,]+(\D.*)")
_STATE_AND_CODE = re.compile(r"(.+?),\s*([A-Z]{2,3})[ ,]+(\d{4,5}(?:-\d{4})?)")
_STATE = re.compile(r"(.+?),\s*([A-Z]{2,3})")
_CODE_LAST = re.compile(r"(\D+?)[ ,]+(\d{4,6}(?:-\d{3,4})?)")

_LABEL_BEHIND = re.compile(r"(\+?[\d ().\-/]{6,24}\d)[\s(\[\u2013-]{1,4}([^\W\d_]{3,12})[)\]]?")
_LABELLED = re.compile(r"(?:^|(?<=[\s,;/|]))([^\W\d_][^\W\d_ .-]{0,20}\.?):\s*(?=[+(\d])")
_TWICE: Final = frozenset("ÂÃÄÅÐÑâã")
"""What the first byte of a letter in UTF-8 is in another code, of most that are in names."""

_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,5}|#[xX][0-9a-fA-F]{2,5});")
_TAG = re.compile(
    r"</?(?:p|div|br|span|b|i|u|em|strong|a|ul|ol|li|font|h[1-6]|table|tr|td|tbody)\b[^<>]*>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<(?:/p|/div|br|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)

_BEHIND_NAMES: Final = frozenset(
    {
        *("jr", "sr", "i", "ii", "iii", "iv", "v", "junior", "senior", "esq", "dr", "prof", "mr"),
        *("mrs", "ms", "phd", "ph.d", "md", "m.d", "mba", "cpa", "dds", "rn", "jd", "pe", "pmp"),
        *("ma", "msc", "bsc", "dipl.-ing", "inc", "llc", "ltd", "gmbh", "ag", "co", "corp", "sa"),
        *("srl", "bv", "plc", "pty", "kg", "ev", "e.v", "llp", "lp", "sas", "sarl", "spa"),
    }
)
"""What stands behind a comma and is no first name: generations, degrees, forms of companies."""

_FORMS: Final = frozenset(
    {
        *(
            "inc",
            "incorporated",
            "llc",
            "ltd",
            "limited",
            "gmbh",
            "corp",
            "corporation",
            "plc",
            "kg",
        ),
        *("bv", "b.v", "srl", "s.r.l", "sarl", "sas", "spa", "s.p.a", "llp", "oy", "aps", "s.r.o"),
    }
)
"""Forms of companies that are no family's name."""

_SHORT: Final = frozenset({"uk", "us", "中国", "日本", "香港", "台灣", "한국"})
_GENERATIONS: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "junior", "senior"})
_ASIDE = re.compile(r"([^()]{3,120}?)\s*\(([^()]{1,60})\)")
_WORD = re.compile(r"[^\W\d_][^\d_]*")
_MOST_WORDS: Final = 4


def emails_in(cell: str) -> list[str]:
    """Return the addresses of a cell, less names, labels and `mailto:` around them.

    >>> emails_in("Ada <a@x.org>"), emails_in("a@x.org (work), b@x.org")
    (['a@x.org'], ['a@x.org', 'b@x.org'])
    >>> emails_in("a@x.org - a@x.org")
    ['a@x.org']
    """
    if "@" not in cell or " @" in cell or "@ " in cell:
        cell = _AT.sub("@", cell)
    if cell.count("@") == 1 and " " not in cell and cell[-1] not in ">)" and ":" not in cell:
        return [cell]
    found: dict[str, None] = {}
    for value in _SPLIT_EMAILS.split(cell) if cell.count("@") > 1 else (cell,):
        match = _ADDRESS.search(value)
        if match is None:
            bare = _BARE_ADDRESS.findall(value)
            found[bare[0] if len(bare) == 1 else value.strip()] = None
        else:
            found[match[1]] = None
    without = [value for value in found if "@" not in value]
    # What is between addresses and is none (`(work)`, `-`) belongs to its neighbour.
    return (
        [value for value in found if value not in without] if len(without) < len(found) else without
    )


def phones_in(cell: str) -> list[str]:
    """Return the numbers of a cell."""
    if labelled := labelled_in(cell):
        return [number for _, number in labelled]
    if (SEPARATOR in cell or len(cell) > 2 * FEWEST_DIGITS) and _SPLIT_PHONES.search(cell):
        several = [part.strip() for part in _SPLIT_PHONES.split(cell)]
        if SEPARATOR in cell or all(_digits(part) >= FEWEST_DIGITS for part in several):
            return several
    if match := _AS_NUMBER.fullmatch(cell):  # a spreadsheet's 447700900123.0
        return [match[1]]
    return [cell]


def mended_cell(cell: str) -> str:
    """Undo what programs do to text: UTF-8 read as another code, entities of HTML.

    >>> mended_cell("JÃ¼rgen"), mended_cell("JOÃO"), mended_cell("Smith &amp; Sons")
    ('Jürgen', 'JOÃO', 'Smith & Sons')
    """
    if not cell.isascii() and not _TWICE.isdisjoint(cell):
        for code in ("cp1252", "latin-1"):
            with suppress(UnicodeError):
                cell = cell.encode(code).decode("utf-8")
                break
    return _ENTITY.sub(lambda found: unescape(found[0]), cell).strip() if "&" in cell else cell


def without_tags(text: str) -> str:
    r"""Return a note without the HTML that applications keep it in.

    >>> without_tags("<p>Met in <b>May</b></p><p>a &lt; b</p>"), without_tags("1 < 2 > 0")
    ('Met in May\na < b', '1 < 2 > 0')
    """
    if not _TAG.search(text):
        return text
    lines = _TAG.sub("", _BREAK.sub("\n", text)).split("\n")
    return unescape("\n".join(filter(None, map(str.strip, lines))))


def labelled_in(cell: str) -> list[tuple[str, str]]:
    """Return the numbers of a cell that says before each what it is; none: it does not.

    >>> labelled_in("Phone:(617) 555-0132 Mobile: (617) 555-0133")
    [('Phone', '(617) 555-0132'), ('Mobile', '(617) 555-0133')]
    >>> labelled_in("+44 20 7946 0963 (work)"), labelled_in("(617) 555-0132")
    ([('work', '+44 20 7946 0963')], [])
    """
    if cell[-1:].isdecimal() and ":" not in cell:
        return []
    if (behind := _LABEL_BEHIND.fullmatch(cell)) and behind[2].casefold() in vocabulary().places:
        return [(behind[2], behind[1])]
    parts = _LABELLED.split(cell)
    if len(parts) < 3 or parts[0].strip():
        return []
    numbers = [part.strip(" \t\r\n,;/|") for part in parts[2::2]]
    if any(_digits(number) < FEWEST_DIGITS for number in numbers):
        return []
    return list(zip(parts[1::2], numbers, strict=True))


def with_calling_code(number: str, code: str) -> str:
    """Put the code of its country before a number that has a column of its own for it.

    >>> with_calling_code("07700 900123", "44"), with_calling_code("447700900123", "+44")
    ('+44 07700 900123', '+447700900123')
    >>> with_calling_code("+1 415 555 0132", "44"), with_calling_code("12", "44")
    ('+1 415 555 0132', '12')
    """
    digits = code.lstrip("+0 ")
    if number.startswith(("+", "00")) or not digits.isdecimal():
        return number
    for whole in (f"+{digits} {number}", f"+{number}"):
        if whole.startswith(f"+{digits}") and isinstance(normalize_phone(whole), Phone):
            return whole
    return number


def is_rounded(cell: str) -> bool:
    """Tell whether a spreadsheet made a rounded number of a phone's: `4.47701E+11`."""
    return _ROUNDED.fullmatch(cell) is not None


def is_country(text: str) -> bool:
    """Tell the name of a country; of two letters are the states of some, too.

    >>> is_country("France"), is_country("UK"), is_country("CA")
    (True, True, False)
    """
    name = text.strip().casefold()
    return name in vocabulary().countries and (len(name) > 2 or name in _SHORT)


def read_place(cell: str) -> dict[str, str]:
    """Read a town with its postal code or its country, as cells of both have them.

    >>> read_place("10115 Berlin")
    {'postal_code': '10115', 'city': 'Berlin'}
    >>> read_place("Portland, OR 97201")
    {'city': 'Portland', 'state': 'OR', 'postal_code': '97201'}
    >>> read_place("London, England, United Kingdom")
    {'city': 'London', 'state': 'England', 'country': 'United Kingdom'}
    """
    first, _, last = cell.rpartition(",")
    if first and is_country(last):
        rest = read_place(first.strip())
        if "country" in rest:  # England is one, and here a part of one
            rest["state"] = rest.pop("country")
        elif "," in rest["city"]:
            town, _, state = rest["city"].rpartition(",")
            rest = {"state": state.strip(), **rest, "city": town.strip()}
        return {**rest, "country": last.strip()}
    if match := _CODE_FIRST.fullmatch(cell):
        return {"postal_code": match[1], "city": match[2]}
    if match := _STATE_AND_CODE.fullmatch(cell):
        return {"city": match[1], "state": match[2], "postal_code": match[3]}
    if match := _STATE.fullmatch(cell):
        return {"city": match[1], "state": match[2]}
    if match := _CODE_LAST.fullmatch(cell):
        return {"city": match[1], "postal_code": match[2]}
    return {"city": cell}


def read_name(cell: str) -> dict[str, str] | None:
    """Read `Last, First`, as parts of a name; None: it is written in its usual order.

    What stands in brackets behind it, a company or what somebody is called, is `aside`.

    >>> read_name("Lovelace, Ada")
    {'last_name': 'Lovelace', 'first_name': 'Ada', 'full_name': 'Ada Lovelace'}
    >>> read_name("Ada Lovelace, PhD"), read_name("Engines, Inc.")
    (None, None)
    >>> read_name("Doe, John (Acme)")["aside"]
    'Acme'
    """
    if aside := _ASIDE.fullmatch(cell):
        found = read_name(aside[1])
        return found and {**found, "aside": aside[2]}
    parts = [part.strip() for part in cell.split(",")]
    suffix = ""
    if len(parts) == 3 and parts[2].strip(".").casefold() in _GENERATIONS:
        suffix = parts.pop()
    if len(parts) != 2:
        return None
    last, first = parts
    if not all(0 < len(part.split()) <= _MOST_WORDS and _WORD.fullmatch(part) for part in parts):
        return None
    words = first.split()
    # Degrees are capitals; so is a whole list of names.
    is_degree = first.isupper() and len(first) <= _MOST_WORDS and not last.isupper()
    if is_degree or words[0].strip(".").casefold() in _BEHIND_NAMES:
        return None
    return {
        "last_name": last,
        "first_name": first,
        "full_name": " ".join(filter(None, (first, last, suffix))),
        **({"name_suffix": suffix} if suffix else {}),
    }


def is_company(name: str) -> bool:
    """Tell the name of a company by the form that stands at its end: `Engines Ltd.`."""
    return name.casefold().rpartition(" ")[2].strip(".") in _FORMS


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)
