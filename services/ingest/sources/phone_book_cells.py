"""What a phone book's elements mean: the values of an entry as cells of columns."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.ingest.sources.cells import SEPARATOR

_NUMBERS: Final = frozenset({"phone_number", "phonenum", "phonenumber", "dial"})
_NUMBER: Final = re.compile(r"(?:phone|telephone|number)\d{0,2}")

_NAMES: Final[Mapping[str, str]] = {
    "realname": "Name",
    "name": "Name",
    "display_name": "Name",
    "displayname": "Name",
    "prompt": "Name",
    "ln": "Last Name",
    "lastname": "Last Name",
    "last_name": "Last Name",
    "fn": "First Name",
    "firstname": "First Name",
    "first_name": "First Name",
    "nn": "Nickname",
    "nick_name": "Nickname",
    "lb": "Nickname",
    "hm": "Home Phone",
    "of": "Work Phone",
    "mb": "Mobile Phone",
    "home_number": "Home Phone",
    "office_number": "Work Phone",
    "mobile_number": "Mobile Phone",
    "other_number": "Other Phone",
    "organization": "Company",
    "em": "Email",
    "email": "Email",
    "mail": "Email",
    "note": "Notes",
    "title": "Title",
    "jt": "Title",
    "birthday": "Birthday",
    "bd": "Birthday",
}
"""What products call a value → what a table's column would be called."""

_TYPES: Final[Mapping[str, str]] = {
    "home": "Home Phone",
    "fixed": "Home Phone",
    "mobile": "Mobile Phone",
    "cell": "Mobile Phone",
    "work": "Work Phone",
    "office": "Work Phone",
    "business": "Work Phone",
    "company": "Work Phone",
    "other": "Other Phone",
    "fax": "Home Fax",
    "fax_home": "Home Fax",
    "fax_work": "Work Fax",
}
"""What products call a number's kind → what its column would be called."""

_KINDS: Final = _TYPES.keys() - {"company"}
"""Kinds that some products call the number's element by: `<Mobile>`."""

_OF_WHOM: Final = frozenset({"Name", "Last Name", "First Name", "Nickname", "Title"})
"""Columns that say who somebody is: below another element they are of something else."""

_OF_THE_PERSON: Final = frozenset({"", "person", "name", "names"})
"""Elements that hold what an entry is called; the first is the entry itself."""

_LISTS: Final = frozenset(
    {"group", "groups", "category", "categories", "tag", "tags", "label", "labels", "url"}
)
"""Columns, beside numbers and addresses, of which a contact has several."""

_COUNTED: Final = frozenset({"category", "group", "groups", "groupid"})
"""What products may say by a number that means nothing elsewhere: the group with the id 3."""

_URI: Final = frozenset({"ct", "uri", "url"})
"""Elements that hold a number, or something else: a town, a page."""

_DIALLED: Final = re.compile(
    r"(?:(?:dial|tel|sip):)?(\+?[\d\s().*#/-]{2,40})(?:@[\w.:-]{1,255})?", re.IGNORECASE
)
"""A number, also of an account at a switchboard."""

_TOWN: Final = re.compile(r"[^\W\d_][^\d_@:/]*")
_WRITTEN: Final = re.compile(r"[+0(].*|.*\d[\s./-]+\d.*|1?\d{10}", re.DOTALL)
"""A number that is written as telephones' are, not as an article's."""

_FEWEST_DIGITS: Final = 6

_TECHNICAL: Final = frozenset(
    {
        *("setup", "features", "mod_time", "uniqueid", "ringtone", "ringtones", "ring"),
        *("action_url", "line", "accountindex", "account_index", "quickdial", "vanity"),
        *("context", "fav", "mod", "index", "id", "nid", "prio", "number_type", "group_id_name"),
        *("type", "primary", "frequent", "outgoing_id", "autoprovid", "customid", "uid", "vip"),
        *("auto_divert", "priority", "ringtoneurl", "ringtoneindex"),
        *(
            "whitelist",
            "blacklist",
            "ruby",
            "blocked",
            "sd",
            "rt",
            "dc",
            "ad",
            "ar",
            "bw",
            "bb",
            "up",
        ),
    }
)
"""What telephones tell themselves: kept in the record only."""


class Value(NamedTuple):
    """One value of an entry."""

    name: str
    """Its element or attribute, in lower case and without a prefix."""
    text: str
    kind: str = ""
    """Which of several it says to be: `work`."""
    above: tuple[str, ...] = ()
    """The elements around it within the entry, the outermost first."""


def cells_of(values: Sequence[Value]) -> dict[str, Any]:
    """Write an entry as a row: column → cell, several numbers, addresses or groups in one.

    Of anything else the first counts: who has a name and a name to be shown has one name.
    """
    # Snom says a number's kind beside it.
    beside = next((value.text for value in values if value.name == "number_type"), "")
    cells: dict[str, list[str]] = {}
    for value in values:
        column = _column(value, beside)
        if column is None:
            continue
        found = cells.setdefault(column, [])
        if not found or column in _LISTS or column.endswith(("Phone", "Fax", "Email")):
            found.append(_number(value.text) if column.endswith("Phone") else value.text)
    return {column: f" {SEPARATOR} ".join(found) for column, found in cells.items()}


def record_of(values: Sequence[Value]) -> dict[str, Any]:
    """Write an entry as it came: the place of a value, and its kind → what stands there, in order.

    >>> record_of([Value("name", "Ada"), Value("number", "123", "home", ("telephony",))])
    {'name': 'Ada', 'telephony/number[home]': '123'}
    """
    found: dict[str, list[str]] = {}
    for value in values:
        place = "/".join((*value.above, value.name))
        found.setdefault(f"{place}[{value.kind}]" if value.kind else place, []).append(value.text)
    return {place: texts[0] if len(texts) == 1 else texts for place, texts in found.items()}


def is_dialled(value: Value) -> bool:
    """Tell a value that reads as a telephone's number, by what it is called and how it is written.

    >>> is_dialled(Value("telephone", "4711")), is_dialled(Value("number", "4711"))
    (True, False)
    >>> is_dialled(Value("number", "030 1234567"))
    True
    """
    if not (_column(value, "") or "").endswith(("Phone", "Fax")):
        return False
    number = _number(value.text)
    digits = sum(map(str.isdigit, number))
    if not _DIALLED.fullmatch(number) or digits < 2:
        return False
    says_so = not value.name.startswith("number")
    return says_so or (digits >= _FEWEST_DIGITS and _WRITTEN.fullmatch(number) is not None)


def _number(text: str) -> str:
    """Return a number as it is dialled, less what a telephone is told to do with it."""
    match = _DIALLED.fullmatch(text)
    return match[1].strip() if match else text


def _column(value: Value, beside: str) -> str | None:
    """Name the column of a value; None: it is for the record only."""
    name = value.name
    if name in _TECHNICAL or not _TECHNICAL.isdisjoint(value.above):
        return None
    if name in _COUNTED and value.text.isdecimal():
        return None
    if name in _URI:
        if _DIALLED.fullmatch(value.text):
            return "Phone"
        if name == "url":
            return name
        return "City" if name == "ct" and _TOWN.fullmatch(value.text) else None
    if name in _KINDS and _DIALLED.fullmatch(value.text):
        return _TYPES[name]
    if name in _NUMBERS or _NUMBER.fullmatch(name):
        return _TYPES.get((value.kind or beside).casefold(), "Phone")
    column = _NAMES.get(name, name)
    above = value.above[-1] if value.above else ""
    return None if column in _OF_WHOM and above not in _OF_THE_PERSON else column
