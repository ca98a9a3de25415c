"""A contact as one row of a table, in the layout that `docs/formats.md` describes as `kith`.

Headers are Google's where Google has one, so that others read most of it too.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.domain.background import KEYS
from services.api.domain.export.more import EPOCHS, More, is_plain, is_plain_job, to_json
from services.api.domain.export.record import Record

MAX_CUSTOM: Final = 200
"""Columns of custom fields: those that are defined and that most contacts have; others stand in
`More`."""

CUSTOM: Final = "Custom: "
"""Before the name of a custom field."""

SEPARATOR: Final = " ::: "
"""Between labels, as Google writes them."""

_SINGLE: Final = {
    "full_name": "Name",
    "first_name": "First Name",
    "middle_name": "Middle Name",
    "last_name": "Last Name",
    "name_prefix": "Name Prefix",
    "name_suffix": "Name Suffix",
    "nickname": "Nickname",
    "headline": "Headline",
    "birthday": "Birthday",
    "photo_url": "Photo URL",
    "timezone": "Time Zone",
    "linkedin_url": "LinkedIn URL",
}
_ABOUT: Final = {
    "seniority": "Seniority",
    "departments": "Departments",
    "derived_timezone": "Derived Time Zone",
    "status": "Status",
    "lead_status": "Lead Status",
    "lead_source": "Lead Source",
    "import_source": "Import Source",
    "created_at": "Created",
    "updated_at": "Updated",
}
_IDENTIFIERS: Final = {
    "linkedin_urn": "LinkedIn URN",
    "linkedin_public_id": "LinkedIn Public ID",
    "twitter_handle": "Twitter Handle",
    "github_username": "GitHub Username",
    "ig_username": "Instagram Username",
    "ig_user_id": "Instagram ID",
    "fb_user_id": "Facebook ID",
    "domain": "Domain",
}
_JOB: Final = {
    "company_name": "Name",
    "company_domain": "Domain",
    "title": "Title",
    "department": "Department",
    "seniority": "Seniority",
    "start_date": "Start",
    "end_date": "End",
    "is_current": "Current",
}
_ADDRESS: Final = {
    "label": "Label",
    "street": "Street",
    "city": "City",
    "state": "Region",
    "postal_code": "Postal Code",
    "country": "Country",
}
_POINT: Final = {"label": "Label", "value": "Value"}
_REPEATED: Final[dict[str, tuple[str, int, dict[str, str]]]] = {
    "emails": ("E-mail", 5, _POINT),
    "phones": ("Phone", 5, _POINT),
    "employments": ("Organization", 3, _JOB),
    "addresses": ("Address", 3, _ADDRESS),
    "websites": ("Website", 3, {"value": "Value"}),
}
"""Field → header, how many have columns of their own, part → end of the header."""

_TRIGGERS: Final = "=+\\-@＝＋－＠\t\r"  # noqa: RUF001  # spreadsheets take the wide ones, too
_FORMULA: Final = re.compile(f"'*[{_TRIGGERS}]")
"""What a spreadsheet may compute, also behind quotes that would be taken for ours."""
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 .,;ext=]*")
"""A signed number, also of a telephone: nothing in it can be computed."""

_MANY_DIGITS: Final = re.compile(r"ext=\d{6}")
_EVERYONE: Final = "mycontacts"


def guarded(text: str) -> str:
    """Keep a spreadsheet from computing a text: a quote before it, which our reader takes away."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a table has."""

    fields: frozenset[str] | None
    """None: all of them."""
    custom: tuple[str, ...] = ()
    """Names of the custom fields that have columns."""

    @property
    def header(self) -> list[str]:
        """Return the first row."""
        return ["Kith ID", *(name for _, name in self._columns()), "More"]

    def row(self, record: Record) -> list[str]:
        """Return a contact's row, not guarded yet."""
        more = More()
        cells: dict[str, str] = {}
        for name, value in record.items():
            _WRITERS.get(name, _pass)(name, value, cells, more)
        self._write_custom(record.get("custom_fields", {}), cells, more)
        return [record["id"], *(cells.get(key, "") for key, _ in self._columns()), more.text]

    def _columns(self) -> Iterable[tuple[str, str]]:
        """Yield (key, header) of every column between the first and the last."""
        for name, header in _SINGLE.items():
            yield from self._if(name, [(name, header)])
        for name, (header, count, parts) in _REPEATED.items():
            yield from self._if(name, _repeated(name, header, count, parts))
        yield from self._if("identifiers", list(_IDENTIFIERS.items()))
        yield from self._if("labels", [("labels", "Labels")])
        yield from self._if("notes", [("notes", "Notes")])
        names = [(f"{CUSTOM}{name}", f"{CUSTOM}{name}") for name in self.custom]
        yield from self._if("custom_fields", names)
        for name, header in _ABOUT.items():
            yield from self._if(name, [(name, header)])

    def _if(self, field: str, columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return columns if self.fields is None or field in self.fields else []

    def _write_custom(self, custom: dict[str, Any], cells: dict[str, str], more: More) -> None:
        for name, value in custom.items():
            fits = name in self.custom
            if fits:
                cells[f"{CUSTOM}{name}"] = value if isinstance(value, str) else to_json(value)
            if not fits or not value or not is_plain(value):
                more.custom(name, value)


def is_header(name: str) -> bool:
    """Tell whether a custom field of this name can have a column of its own."""
    return (
        is_plain(name)
        and name == " ".join(name.split())
        and len(name) <= 200
        and not name.isdigit()
        and bool(name)
    )


def _repeated(name: str, header: str, count: int, parts: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (f"{name}.{place}.{part}", f"{header} {place + 1} - {end}")
        for place in range(count)
        for part, end in parts.items()
    ]


def _pass(_name: str, _value: Any, _cells: dict[str, str], _more: More) -> None:
    """Write nothing: the id has its own column, and custom fields come last."""


def _beside(name: str, values: list[Any], _cells: dict[str, str], more: More) -> None:
    """Keep lists of things with parts of their own whole: columns would tear them apart."""
    more.extend(name, values)


def _single(name: str, value: str, cells: dict[str, str], more: More) -> None:
    cells[name] = value
    if not is_plain(value) or (name == "birthday" and value.startswith(EPOCHS)):
        more.put(name, value)


def _listed(name: str, values: list[str], cells: dict[str, str], _more: More) -> None:
    """Write names of kith's own, which no reader takes back."""
    cells[name] = SEPARATOR.join(values)


def _several(name: str, values: Sequence[Any], cells: dict[str, str], more: More) -> None:
    """Give the first values columns, as long as cells can say them; the rest goes on elsewhere."""
    _, count, _ = _REPEATED[name]
    for place, value in enumerate(values):
        parts = _PARTS_OF[name](value)
        if place >= count or parts is None:
            more.extend(name, list(values[place:]))
            return
        for part, text in parts.items():
            cells[f"{name}.{place}.{part}"] = text


def _email(point: dict[str, Any]) -> dict[str, str] | None:
    value = point["value"]
    fits = value.count("@") == 1 and not set(value) & set(">,;|\n ")
    return _point(point) if fits else None


def _phone(point: dict[str, Any]) -> dict[str, str] | None:
    return None if _MANY_DIGITS.search(point["value"]) else _point(point)


def _point(point: dict[str, Any]) -> dict[str, str] | None:
    label = point.get("label", "")
    if not _is_label(label) or not is_plain(point["value"]):
        return None
    marked = f"* {label}".rstrip() if point.get("primary") else label
    return {"value": point["value"], "label": marked}


def _job(job: dict[str, Any]) -> dict[str, str] | None:
    parts = {name: str(value) for name, value in job.items() if name != "is_current"}
    current = "yes" if job.get("is_current", True) else "no"
    return {**parts, "is_current": current} if is_plain_job(job) else None


def _address(address: dict[str, str]) -> dict[str, str] | None:
    street = address.get("street", "")
    fits = all(map(is_plain, address.values())) and _is_label(address.get("label", ""))
    if address.keys() <= {"label"} or street != street.strip(" ,") or not fits or "\n" in street:
        return None
    return address


def _website(site: str) -> dict[str, str] | None:
    # The reader would take somebody's LinkedIn profile for the person's own.
    fits = is_plain(site) and ":::" not in site and "linkedin.com/in/" not in site.lower()
    return {"value": site} if fits else None


def _is_label(text: str) -> bool:
    return is_plain(text) and text == text.strip("* ")


def _identified(_name: str, found: list[dict[str, str]], cells: dict[str, str], more: More) -> None:
    for one in found:
        if one["type"] in _IDENTIFIERS and one["type"] not in cells and is_plain(one["value"]):
            cells[one["type"]] = one["value"]
        else:
            more.extend("identifiers", [one])


def _labels(name: str, labels: list[str], cells: dict[str, str], more: More) -> None:
    fitting = 0
    for label in labels:
        bare = label.strip('* "')
        if label != bare or not is_plain(label) or ":::" in label or label.lower() == _EVERYONE:
            break
        fitting += 1
    cells[name] = SEPARATOR.join(labels[:fitting])
    more.extend(name, labels[fitting:])


_PARTS_OF: Final[dict[str, Callable[[Any], dict[str, str] | None]]] = {
    "emails": _email,
    "phones": _phone,
    "employments": _job,
    "addresses": _address,
    "websites": _website,
}
"""Field → what makes cells of one value; None: cells cannot say it."""

_WRITERS: Final[dict[str, Callable[[str, Any, dict[str, str], More], None]]] = {
    **dict.fromkeys((*_SINGLE, *_ABOUT, "notes"), _single),
    **dict.fromkeys(_REPEATED, _several),
    "identifiers": _identified,
    "labels": _labels,
    "departments": _listed,
    **dict.fromkeys(KEYS, _beside),
}
