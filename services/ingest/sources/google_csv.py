"""Google Contacts CSV, the old layout ("Type") and the new one ("Label") of about 2024.

Several values may share a cell, joined with ` ::: `; a leading `* ` marks the primary type and
the groups that Google itself keeps (product research 3.1).
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from services.ingest.sources.row import BadRow, Blank, Row, Rows, compact, read_birthday
from services.ingest.sources.sniff import Sniffed
from services.ingest.sources.table import Cells, read_table

SEPARATOR: Final = re.compile(r"\s*:::\s*")
"""Between several values in one cell."""

_MARK: Final = "* "
"""Before a type or group that is Google's own choice."""

_EVERYONE: Final = frozenset({"mycontacts"})
"""The group that every contact is in: it says nothing."""

_NUMBERED = re.compile(
    r"(E-mail|Phone|Address|Organization|Website|Relation|Event|Custom Field|IM) (\d+) - (.+)"
)

_BAD_BIRTHDAY: Final = "is not a date like 1815-12-10, or --12-10"

_ADDRESS: Final = {
    "Street": "street",
    "City": "city",
    "Region": "state",
    "Postal Code": "postal_code",
    "Country": "country",
}

_NAMES: Final = {
    "google_new": {
        "First Name": "first_name",
        "Middle Name": "middle_name",
        "Last Name": "last_name",
        "Name Prefix": "name_prefix",
        "Name Suffix": "name_suffix",
        "Nickname": "nickname",
        "Notes": "notes",
    },
    "google_old": {
        "Name": "full_name",
        "Given Name": "first_name",
        "Additional Name": "middle_name",
        "Family Name": "last_name",
        "Name Prefix": "name_prefix",
        "Name Suffix": "name_suffix",
        "Nickname": "nickname",
        "Notes": "notes",
    },
}
"""Layout → column → field."""

Groups = dict[tuple[str, int], dict[str, str]]
"""(`Phone`, 1) → {`Label`: …, `Value`: …}."""


def read_google(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per contact."""
    names = _NAMES[sniffed.layout]
    for cells in read_table(file, sniffed):
        yield cells if isinstance(cells, BadRow | Blank) else _row(cells, names)


def _row(cells: Cells, names: dict[str, str]) -> Row:
    values = cells.values
    groups = _groups(values)
    columns = dict(zip(names.values(), names.keys(), strict=True))
    record: dict[str, Any] = {field: values.get(column) for column, field in names.items()}
    left_out: list[tuple[str, str]] = []
    record["emails"] = list(_points(groups, "E-mail", "emails", columns))
    record["phones"] = list(_points(groups, "Phone", "phones", columns))
    record["employments"] = _employments(values, groups)
    record["addresses"] = _addresses(groups)
    websites = [url for _, url in _values(groups, "Website")]
    linkedin = next((url for url in websites if "linkedin.com/in/" in url.lower()), None)
    record["linkedin_url"] = linkedin
    record["websites"] = [url for url in websites if url != linkedin]
    columns["linkedin_url"] = "Website"
    record["labels"] = _labels(values.get("Labels") or values.get("Group Membership"))
    record["custom_fields"] = dict(_custom(groups))
    if birthday := values.get("Birthday"):
        record["birthday"] = read_birthday(birthday)
        if record["birthday"] is None:
            left_out.append(("Birthday", _BAD_BIRTHDAY))
    return Row(cells.line, compact(record), dict(values), None, left_out, columns)


def _groups(values: dict[str, str]) -> Groups:
    groups: Groups = {}
    for column, cell in values.items():
        if match := _NUMBERED.fullmatch(column):
            groups.setdefault((match[1], int(match[2])), {})[match[3]] = cell
    return groups


def _label(group: dict[str, str]) -> tuple[str | None, bool]:
    """Return a group's label, less Google's mark, and whether it is marked."""
    text = group.get("Label") or group.get("Type") or ""
    return text.removeprefix(_MARK).strip("* ").strip() or None, text.startswith("*")


def _values(groups: Groups, kind: str) -> Iterator[tuple[tuple[str, int], str]]:
    for place, group in groups.items():
        if place[0] == kind:
            for value in SEPARATOR.split(group.get("Value", "")):
                if value:
                    yield place, value


def _points(
    groups: Groups, kind: str, field: str, columns: dict[str, str]
) -> Iterator[dict[str, Any]]:
    for index, (place, value) in enumerate(_values(groups, kind)):
        label, primary = _label(groups[place])
        columns[f"{field}.{index}.value"] = f"{kind} {place[1]} - Value"
        yield compact({"value": value, "label": label, "primary": primary or None})


def _employments(values: dict[str, str], groups: Groups) -> list[dict[str, str]]:
    """Read the one organisation of the new layout, or the several of the old."""
    jobs = [
        {
            "company_name": values.get("Organization Name"),
            "title": values.get("Organization Title"),
            "department": values.get("Organization Department"),
        }
    ]
    jobs += [
        {
            "company_name": group.get("Name"),
            "title": group.get("Title"),
            "department": group.get("Department"),
        }
        for place, group in groups.items()
        if place[0] == "Organization"
    ]
    return [kept for job in jobs if (kept := compact(job))]


def _addresses(groups: Groups) -> list[dict[str, Any]]:
    found = []
    for place, group in groups.items():
        if place[0] != "Address":
            continue
        address: dict[str, Any] = {field: group.get(column) for column, field in _ADDRESS.items()}
        if not any(address.values()):
            address["street"] = (group.get("Formatted") or "").replace("\n", ", ")
        if any(address.values()):
            found.append(compact({**address, "label": _label(group)[0]}))
    return found


def _labels(cell: str | None) -> list[str]:
    names = [name.removeprefix(_MARK).strip("* ") for name in SEPARATOR.split(cell or "")]
    return [name for name in names if name and name.lower() not in _EVERYONE]


def _custom(groups: Groups) -> Iterator[tuple[str, str]]:
    """Keep relations, events and the person's own fields under their labels."""
    for place, group in groups.items():
        if place[0] in ("Custom Field", "Relation", "Event") and group.get("Value"):
            name = _label(group)[0] or f"{place[0]} {place[1]}"
            yield name[:255], group["Value"]
