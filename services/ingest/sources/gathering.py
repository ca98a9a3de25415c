"""What one row of a table says: columns that belong together become one value."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.domain.columns import Column
from services.ingest.domain.days import EVENT_PIVOT, is_no_day, read_day, read_serial
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.background_cells import first_day
from services.ingest.sources.cells import (
    SEPARATOR,
    emails_in,
    is_rounded,
    labelled_in,
    phones_in,
    read_place,
    with_calling_code,
)
from services.ingest.sources.row import LONG_VALUE, MANY, MAX_SHORT, compact
from services.ingest.sources.whole_address import street_of
from shared.events.signal import MAX_VALUES
from shared.identifiers.web import MAX_ADDRESS

MARK: Final = "* "
"""Before a type or group that is Google's own choice."""

Key = tuple[str, str]
"""Kind and slot."""

Group = dict[str, str]
"""Part → cell."""

_TRAILING_NUMBER = re.compile(r"\s*\d+$")
_PROFILE = re.compile(
    r"(?:linkedin|facebook|crunchbase|twitter|x|instagram|xing|tracxn|apollo)\.\w+/\w",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:/|\"']+@[^\s@<>()\[\]{},;:/|\"']+")
_MANY = re.compile(r":::|[;|\n]")
"""Between values of which some may be addresses and some numbers."""

_UNLABELLED: Final[Group] = {"label": ""}
"""What stands in a column of another kind has none of its labels."""

_NUMBER = re.compile(r"\+?(?=(?:\D*\d){7,15}\D*$)[\d ().\-/]+")
_RELATION = re.compile(r"\s*\((?:https?://)?(?:www\.)?notion\.so/[^()]*\)")
"""What Notion writes behind the name of a page that a row is related to."""

_MOST: Final = 2_048
"""Characters of a cell in which several addresses or numbers are looked for."""

_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:\.0)?", re.ASCII)
_YEAR_OF_NO_DAY = re.compile(r"(?:1[5-9]|20)\d\d(?=[-/.]\d|\d{4}$)", re.ASCII)
"""The year of a birthday that no calendar has: `1975-13-10`."""

_BIRTH_YEAR: Final = "Birth Year"
"""The custom field of a birthday of which the year alone is known: a signal's has month and day."""

_BAD_BIRTHDAY: Final = "is not a date like 1815-12-10, or --12-10"
_BAD_DATE: Final = "is not a date like 12 Mar 2024"
_ROUNDED_PHONE: Final = "was rounded by a spreadsheet; format the column as text and export again"

_STREET: Final = ("street", "street2", "street3", "extended", "po_box")
_DAYS: Final = ("start_date", "end_date")
_NO: Final = frozenset({"no", "n", "false", "0"})
_PLACE: Final = ("city", "state", "postal_code", "country")
_TITLES: Final = {"relation": "Relation", "event": "Event", "im": "IM"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known of a table's columns before its first row."""

    days: DayOrder
    labels: Mapping[Key, str | None]
    """Group → the label that its place gives: `mobile` of `phone[mobile]`."""
    names: Mapping[Key, str]
    """Group → the column of its value."""
    parts: Mapping[tuple[Key, str], str]
    """Group and part → its column."""
    order: Mapping[Key, int]
    """Group → its place, however the columns stand in the file."""

    number_last: bool = False
    """Streets come before the numbers of their houses."""
    by_hand: bool = False
    """No product wrote the table: its cells hold what people put into them."""

    @classmethod
    def of(
        cls,
        columns: Sequence[Column],
        days: DayOrder,
        *,
        number_last: bool = False,
        by_hand: bool = False,
    ) -> "Frame":
        """Look at a table's columns."""
        parts = {
            ((column.target.kind, column.target.slot), column.target.part): column.name
            for column in columns
        }
        names: dict[Key, str] = {}
        for (key, part), name in parts.items():
            if part == "value" or key not in names:
                names[key] = name
        ranked = sorted(columns, key=lambda column: column.rank)
        order = {
            (column.target.kind, column.target.slot): place
            for place, column in reversed(list(enumerate(ranked)))
        }
        return cls(
            days,
            {key: _label_of(key[1]) for key in names},
            names,
            parts,
            order,
            number_last,
            by_hand,
        )


def _label_of(slot: str) -> str | None:
    return None if slot.isdigit() else _TRAILING_NUMBER.sub("", slot) or None


@dataclass(slots=True)
class Gathering:
    """One row's values so far."""

    frame: Frame
    columns: dict[str, str]
    """Path into the record → column."""
    record: dict[str, Any] = field(default_factory=dict)
    """Fields of one cell."""
    groups: dict[Key, Group] = field(default_factory=dict)
    """Cells that belong together."""
    lists: dict[str, list[Any]] = field(default_factory=dict)
    """Fields of several values."""
    custom: dict[str, str] = field(default_factory=dict)
    phone_code: str = ""
    """What the row's national telephone numbers are dialled behind from abroad: `+44`."""
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def gather(self) -> None:
        """Make values of the groups."""
        self.phone_code = self.record.pop("phone_code", "")
        for key in sorted(self.groups, key=self.frame.order.__getitem__):
            _GATHER[key[0]](self, key, self.groups[key])
        for name, values in self.lists.items():
            if len(values) > MAX_VALUES:
                del values[MAX_VALUES:]
                self.left_out.append((name, MANY))
            if values:
                self.record[name] = values

    def leave(self, key: Key, reason: str) -> None:
        """Leave the value of a group out."""
        self.left_out.append((self.frame.names[key], reason))

    def keep(self, name: str, value: str) -> None:
        """Keep a custom field; a second one of the name gets a number."""
        stem, count = name[:MAX_SHORT], 1
        name = stem
        while name in self.custom:
            count += 1
            name = f"{stem[: MAX_SHORT - 8]} ({count})"
        self.custom[name] = value

    def keep_long(self, name: str, value: str, longest: int = MAX_SHORT) -> None:
        """Keep a value as a custom field that has more characters than its field takes."""
        reason = f"has more than {longest:,} characters; kept as a custom field"
        self.left_out.append((name, reason))
        self.keep(name, value)

    def add(self, field_: str, part: str, key: Key, value: Any) -> None:
        """Add a value to a list, and remember its column."""
        values = self.lists.setdefault(field_, [])
        self.columns[f"{field_}.{len(values)}.{part}"] = self.frame.names[key]
        values.append(value)

    def label(self, key: Key, group: Group) -> tuple[str | None, bool]:
        """Return a group's label, less Google's mark, and whether it is marked."""
        text = group.get("label")
        if text is None:
            return self.frame.labels[key], False
        return text[:MAX_SHORT].removeprefix(MARK).strip("* ") or None, text.startswith("*")


def _emails(row: Gathering, key: Key, group: Group) -> None:
    cell = group.get("value", "")
    if len(cell) > _MOST:
        row.leave(key, LONG_VALUE)
        return
    _points(row, "emails", key, group, emails_in(cell))
    if row.frame.by_hand and _MANY.search(cell):
        numbers = (part for part in map(str.strip, _MANY.split(cell)) if _NUMBER.fullmatch(part))
        _points(row, "phones", key, _UNLABELLED, numbers)


def _phones(row: Gathering, key: Key, group: Group) -> None:
    cell = group.get("value", "")
    if len(cell) > _MOST or is_rounded(cell):
        row.leave(key, LONG_VALUE if len(cell) > _MOST else _ROUNDED_PHONE)
        return
    if several := labelled_in(cell):
        for label, number in several:
            _points(row, "phones", key, {**group, "label": label}, [number])
        return
    if row.frame.by_hand and "@" in cell and (mails := _ADDRESS.findall(cell)):
        # People who have but one column for it put addresses there, too.
        _points(row, "emails", key, _UNLABELLED, mails)
        cell = _ADDRESS.sub("", cell).strip(" \t\r\n,;/|:<>()-")
    numbers = phones_in(cell)
    if row.phone_code:
        numbers = [with_calling_code(number, row.phone_code) for number in numbers]
    _points(row, "phones", key, group, numbers)


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(SEPARATOR)] if SEPARATOR in cell else [cell]


def _points(row: Gathering, name: str, key: Key, group: Group, values: Iterable[str]) -> None:
    label, primary = row.label(key, group)
    for value in values:
        if len(value) > MAX_SHORT:
            row.leave(key, LONG_VALUE)
        elif value:
            point: dict[str, Any] = {"value": value}
            if label:
                point["label"] = label
            if primary:
                point["primary"] = True
            row.add(name, "value", key, point)


def _website(row: Gathering, key: Key, group: Group) -> None:
    cell = group["value"]
    for url in _several(cell):
        is_profile = len(url) <= MAX_ADDRESS and "linkedin.com/in/" in url.lower()
        if is_profile and "linkedin_url" not in row.record:
            row.record["linkedin_url"] = url
            row.columns["linkedin_url"] = row.frame.names[key]
        elif len(url) > MAX_SHORT:
            row.keep_long(row.frame.names[key], url)
        elif url:
            row.add("websites", "", key, url)


def _job(row: Gathering, key: Key, group: Group) -> None:
    jobs = row.lists.setdefault("employments", [])
    job: dict[str, Any] = dict(group)
    if (domain := job.get("company_domain")) and _PROFILE.search(domain):
        del job["company_domain"]  # a company's page at a network is not its domain
        row.keep(row.frame.parts[key, "company_domain"], domain)
    if row.frame.by_hand and "company_name" in job:
        job["company_name"] = _RELATION.sub("", job["company_name"])
    for part in group:
        row.columns[f"employments.{len(jobs)}.{part}"] = row.frame.parts[key, part]
        if part in _DAYS:
            job[part] = day = read_day(group[part], row.frame.days, EVENT_PIVOT)
            if day is None or day.startswith("--"):
                del job[part]
                row.left_out.append((row.frame.parts[key, part], _BAD_DATE))
    if "is_current" in job:
        job["is_current"] = job["is_current"].casefold() not in _NO
    if job.keys() - {"is_current"}:
        jobs.append(job)


def _education(row: Gathering, key: Key, group: Group) -> None:
    school: dict[str, Any] = dict(group)
    if group.keys() <= set(_DAYS):  # a day without what was learned
        for part, cell in group.items():
            row.keep(row.frame.parts[key, part], cell)
        return
    index = len(row.lists.setdefault("education", []))
    for part in group:
        row.columns[f"education.{index}.{part}"] = row.frame.parts[key, part]
        if part in _DAYS:
            school[part] = first_day(group[part], row.frame.days)
            if school[part] is None:
                del school[part]
                row.left_out.append((row.frame.parts[key, part], _BAD_DATE))
    row.lists["education"].append(school)


def _address(row: Gathering, key: Key, group: Group) -> None:
    street = [group[part] for part in _STREET if part in group]
    if place := group.pop("place", None):
        group.update({part: text for part, text in read_place(place).items() if part not in group})
    address: dict[str, Any] = {part: group[part] for part in _PLACE if part in group}
    country = address.get("country", "") if row.frame.by_hand else ""
    if country and not any(map(str.isalpha, country)):
        del address["country"]  # a telephone's country code, or a number in a list
    if not street and (whole := group.get("formatted")):
        street, left = street_of(whole, address)
        address.update(left)
    if street:
        texts = (line.strip(" ,\t\r") for part in street for line in part.split("\n"))
        lines = list(filter(None, texts))
        if lines and (number := group.get("house_number")):
            ordered = (lines[0], number) if row.frame.number_last else (number, lines[0])
            lines[0] = " ".join(ordered)
        address["street"] = ", ".join(lines)[:MAX_SHORT]
    if address:
        row.add("addresses", "street", key, compact({**address, "label": row.label(key, group)[0]}))


def _identifier(row: Gathering, key: Key, group: Group) -> None:
    row.add("identifiers", "value", key, {"type": key[1], "value": group["value"]})


def _birthday(row: Gathering, key: Key, group: Group) -> None:
    cell = group.get("value", "")
    if not cell and {"month", "day"} <= group.keys():
        cell = f"{group.get('year', ''):0>4}-{group['month']:0>2}-{group['day']:0>2}"
    year = cell or group.get("year", "")
    if _YEAR.fullmatch(year):
        row.keep(_BIRTH_YEAR, year[:4])
        return
    if not cell or is_no_day(cell):
        return
    birthday = read_day(cell, row.frame.days) or read_serial(cell)
    if birthday is None:
        row.leave(key, _BAD_BIRTHDAY)
        if known := _YEAR_OF_NO_DAY.match(cell):
            row.keep(_BIRTH_YEAR, known[0])
    else:
        row.record["birthday"] = birthday


def _date(row: Gathering, key: Key, group: Group) -> None:
    if is_no_day(group["value"]):
        return
    day = read_day(group["value"], row.frame.days, EVENT_PIVOT) or read_serial(group["value"])
    if day is None:
        row.leave(key, _BAD_DATE)
    else:
        row.keep(key[1], day)


def _noted(row: Gathering, key: Key, group: Group) -> None:
    """Keep relations, events and chat names under their labels."""
    if value := group.get("value"):
        name = row.label(key, group)[0] or f"{_TITLES[key[0]]} {key[1]}"
        row.keep(name, ", ".join(filter(None, _several(value))))


def _custom(row: Gathering, key: Key, group: Group) -> None:
    """Keep a custom field: a column's, or a numbered one with its name beside it."""
    if value := group.get("value"):
        label = row.label(key, group)[0] if "label" in group else None
        row.keep(label or (f"Custom Field {key[1]}" if key[1].isdigit() else key[1]), value)


_GATHER: Final[dict[str, Callable[[Gathering, Key, Group], None]]] = {
    "email": _emails,
    "phone": _phones,
    "website": _website,
    "job": _job,
    "education": _education,
    "address": _address,
    "identifier": _identifier,
    "birthday": _birthday,
    "date": _date,
    "relation": _noted,
    "event": _noted,
    "im": _noted,
    "custom": _custom,
}
"""Kind → what makes values of its groups."""
