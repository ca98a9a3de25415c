"""Reading the rows of a table as people: each cell goes where its column's target says.

What a column means is settled before the first row (`services.ingest.domain.suggesting`), so that
a row costs no more than its cells that are not empty.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from services.ingest.domain.columns import NAMES, Column, ColumnMapping
from services.ingest.domain.suggesting import OTHER_LAYOUT
from services.ingest.domain.vocabulary import Layout, Table, key_of
from services.ingest.sources.background_cells import read_background
from services.ingest.sources.cells import (
    FEWEST_DIGITS,
    MISSING,
    NOTHING,
    is_company,
    mended_cell,
    read_name,
    without_tags,
)
from services.ingest.sources.fixed_width import read_fixed_width
from services.ingest.sources.gathering import MARK, Frame, Gathering, Group, Key
from services.ingest.sources.more import MALFORMED, add_more
from services.ingest.sources.row import CONTACT_ID, MANY, MAX_SHORT, BadRow, Blank, Row, Rows
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import Cells, read_table
from services.ingest.sources.vocabulary import vocabulary
from services.ingest.sources.workbook import read_sheet
from shared.events.signal import MAX_VALUES
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.types import Refused
from shared.identifiers.web import MAX_ADDRESS

MAX_NOTES: Final = 10_000
"""Characters of a note (`shared.events.wire.Long`)."""

MAX_CUSTOM: Final = 200
"""Custom fields of one record (DESIGN 9)."""

_EVERYONE: Final = frozenset({"mycontacts", "my contacts"})
"""The group that every contact is in, as Google calls it: it says nothing."""

_ANY: Final = Layout(
    OTHER_LAYOUT, "", frozenset(), frozenset(), Table({}), labels=";,|", phone_in_notes=True
)
"""How a table of no known product is read."""

_LONGEST: Final[dict[str, int]] = {
    **dict.fromkeys((*NAMES, "notes", "labels", "custom", "email", "phone", "website", "more"), 0),
    **dict.fromkeys(("skills", "certifications", "languages"), 0),
    "photo_url": MAX_ADDRESS,
}
"""Kind → the characters of a cell at most, where they are not those of one value.

0: it may hold several values, or is refused where it is.
"""

_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_QUOTED = re.compile(r'"([^"]+)"')
_GUARDS: Final = ("=", "'")
_GUARDED = re.compile("'+[=+\\-@＝＋－＠\t\r]")  # noqa: RUF001  # spreadsheets take the wide ones, too
_NOTHING_BUT_PHONE = re.compile(r"(?:[A-Za-z]{2,8}[:.]?\s*)?(\+?\(?\d[\d\s().\-/]{5,20}\d)")

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
"""Names in these letters stand in their own order in any table."""

_NEVER_NA: Final = frozenset(
    {"middle_name", "name_suffix", "email", "phone", "linkedin_url", "birthday", "job"}
)
"""Kinds of columns in which `NA` is nobody's: some are called Na, and Namibia's code is NA."""

_NEVER_NA_PARTS: Final = frozenset(
    ("address", part) for part in ("street", "house_number", "city", "postal_code")
)
"""Parts of which the same holds."""

_REACHED: Final = frozenset({"email", "phone", "identifier"})
"""Kinds of columns that a line of totals has nothing in."""

_NAMED: Final = frozenset({"full_name", "first_name", "last_name", "nickname"})
_PARTS: Final = ("first_name", "last_name")
_KINDS: Final = frozenset(
    {"type", "record type", "contact type", "kind", "typ", "tipo", "company type"}
)
_COMPANIES: Final = frozenset(
    {
        *("company", "organisation", "organization", "business", "account", "firma", "unternehmen"),
        *("entreprise", "société", "empresa", "azienda", "bedrijf", "organisatie"),
    }
)
"""What address books that hold both say of companies, in the column that tells them apart."""

_COMPANY: Final = "says that it is a company, and names no person"
_BRACKETED = re.compile(r"\(.*\)|\[.*\]|\{.*\}|<.*>", re.DOTALL)
_UNITS: Final = "says what the columns are, in brackets, and nothing of a person"
_TOTAL: Final = "is a line of totals, not a person"
_LONG_NOTE: Final = "has more than 10,000 characters; the rest is kept in the source record only"
_MANY_CUSTOM: Final = f"is one of more than {MAX_CUSTOM} custom fields; kept in the record only"


def read_people(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per person of a table."""
    assert sniffed.mapping is not None
    people = People(sniffed.mapping, sniffed)
    rows: Iterator[Cells | BadRow | Blank]
    if sniffed.sheet:
        rows = read_sheet(file, sniffed.sheet, sniffed.header_line, len(sniffed.mapping.columns))
    elif sniffed.starts:
        rows = read_fixed_width(
            file, sniffed.encoding, sniffed.starts, sniffed.header_line, sniffed.header_lines
        )
    else:
        rows = read_table(
            file,
            sniffed.encoding,
            sniffed.delimiter,
            sniffed.header_line,
            sniffed.header_lines,
            len(sniffed.mapping.columns),
        )
    if sniffed.has_header:
        next(rows)
    for row in rows:
        yield people.read(row) if isinstance(row, Cells) else row


class _Place(NamedTuple):
    """Where a column's cells go."""

    name: str
    field: str
    """Of the record; empty: into a group."""
    key: Key
    part: str
    is_skipped: bool
    longest: int
    """Characters of a cell at most; 0: any."""
    nothing: frozenset[str]
    """Cells that say nothing here."""

    @classmethod
    def of(cls, column: Column, nothing: frozenset[str]) -> "_Place":
        target = column.target
        is_plain = target.kind in _PLAIN
        is_never_na = target.kind in _NEVER_NA or (target.kind, target.part) in _NEVER_NA_PARTS
        return cls(
            column.name,
            target.kind if is_plain else "",
            (target.kind, target.slot),
            target.part,
            target.kind == "skip",
            _LONGEST.get(target.kind, MAX_SHORT),
            nothing | {MISSING} if nothing and is_never_na else nothing,
        )


def _put(gathering: Gathering, place: _Place, cell: str) -> None:
    """Give a cell to its place; what another column has filled stays, and the cell is kept."""
    group, part = gathering.record, place.field
    if not part:
        group, part = gathering.groups.setdefault(place.key, {}), place.part
    if part not in group:
        group[part] = cell
    elif part == "labels":
        group[part] += f" ::: {cell}"
    else:
        gathering.keep(place.name, cell)


_PLAIN: Final = frozenset(
    {
        *(*NAMES, "headline", "notes", "linkedin_url", "photo_url", "timezone", "labels"),
        *("phone_code", "record_id", "more"),
        *("skills", "certifications", "languages"),
    }
)


class People:
    """Reads rows by one mapping."""

    def __init__(self, mapping: ColumnMapping, sniffed: Sniffed) -> None:
        words = vocabulary()
        layouts = (layout for layout in words.layouts if layout.name == mapping.layout)
        self._layout = next(layouts, _ANY)
        spoken = [one for one in words.languages if one.code == mapping.language]
        self._family_first = any(one.family_first for one in spoken)
        self._joins_names = any(one.joined_names for one in spoken)
        number_last = any(one.number_last for one in spoken)
        # What a product wrote is what it says, kith's own export above all.
        self._by_hand = self._layout is _ANY
        self._nothing = frozenset() if self._layout.custom else NOTHING
        self._mends = not self._layout.custom
        self._frame = Frame.of(
            mapping.columns, sniffed.days, number_last=number_last, by_hand=self._by_hand
        )
        self._places = [_Place.of(column, self._nothing) for column in mapping.columns]
        self._columns = {place.field: place.name for place in self._places if place.field}
        self._nobody = frozenset(
            place.name for place in self._places if key_of(place.name) in self._layout.nobody
        )
        self._kind_column = next(
            (place.name for place in self._places if key_of(place.name) in _KINDS), ""
        )
        self._totals = words.totals
        between = f"|[{re.escape(self._layout.labels)}]" if self._layout.labels else ""
        self._split_labels = re.compile(f":::{between}")

    def read(self, row: Cells) -> Row | Blank | BadRow:
        """Read one row; a line of totals is nobody's."""
        gathering = Gathering(self._frame, dict(self._columns))
        record, groups, raw = gathering.record, gathering.groups, dict[str, Any]()
        nothing = self._nothing
        for place, text in zip(self._places, row.cells, strict=False):
            if not text:
                continue
            cell = text.strip()
            if not cell:
                continue
            if cell[0] in "='\"" or "&" in cell or not cell.isascii():
                cell = self._cleaned(cell)
            raw[place.name] = cell
            if place.is_skipped or cell in place.nothing:
                continue
            if place.longest and len(cell) > place.longest:
                gathering.keep_long(place.name, cell, place.longest)
            else:
                _put(gathering, place, cell)
        if all(name in self._nobody or cell in nothing for name, cell in raw.items()):
            return Blank(row.line)
        if self._by_hand and (why := self._why_no_row(record, groups, raw)):
            return BadRow(row.line, "", why)
        gathering.left_out += [("", note) for note in row.notes]
        gathering.gather()
        if self._by_hand and self._is_company(record, raw):
            return BadRow(row.line, self._kind_column, _COMPANY)
        uid = self._uid(gathering)
        self._finish(gathering)
        return Row(row.line, record, raw, uid, gathering.left_out, gathering.columns)

    def _cleaned(self, cell: str) -> str:
        """Undo what was done to a cell on its way."""
        if self._mends:
            cell = mended_cell(cell)
        if self._by_hand and (quoted := _QUOTED.fullmatch(cell)):
            cell = quoted[1].strip()
        return _unguarded(cell, by_hand=self._by_hand) if cell[:1] in _GUARDS else cell

    def _why_no_row(
        self, record: dict[str, Any], groups: dict[Key, Group], raw: dict[str, Any]
    ) -> str | None:
        """Tell a line of totals, or one that says in brackets what the columns are."""
        if len(raw) > 1 and all(map(_BRACKETED.fullmatch, raw.values())):
            return _UNITS
        is_total = 2 * len(raw) <= len(self._places) + 1 and self._is_total(record, groups)
        return _TOTAL if is_total else None

    def _is_company(self, record: dict[str, Any], raw: dict[str, Any]) -> bool:
        kind = raw.get(self._kind_column)
        return kind is not None and kind.casefold() in _COMPANIES and not _NAMED & record.keys()

    def _is_total(self, record: dict[str, Any], groups: dict[Key, Group]) -> bool:
        if any(
            kind in _REACHED and _reaches(group.get("value", ""))
            for (kind, _), group in groups.items()
        ):
            return False
        for field in NAMES:
            words = key_of(record.get(field, "")[:MAX_SHORT]).split()
            if any(" ".join(words[:count]) in self._totals for count in (1, 2)[: len(words)]):
                return True
        return False

    def _finish(self, row: Gathering) -> None:
        """Settle what is the layout's to say, and what concerns several fields."""
        record = row.record
        if (cell := record.pop("labels", None)) and (labels := self._read_labels(row, cell)):
            record["labels"] = labels
        row.left_out += read_background(record, row.columns)
        if (notes := record.get("notes")) is not None:
            self._finish_notes(row, notes)
        if (
            self._by_hand
            and "," in (name := record.get("full_name", ""))
            and (parts := read_name(name)) is not None
            and all(
                record.get(part, said) == said for part, said in parts.items() if part in _PARTS
            )
        ):
            aside = parts.pop("aside", "")
            record.update({**parts, **record, "full_name": parts["full_name"]})
            if aside:
                self._put_aside(row, aside)
        if self._by_hand:
            self._move_company(row)
            _move_first_name(record, row.columns)
        if self._family_first and "full_name" not in record:
            names = [record[part] for part in ("last_name", "first_name") if part in record]
            if names and not any(map(_LATIN.search, names)):
                record["full_name"] = ("" if self._joins_names else " ").join(names)
        if row.custom:
            custom = self._kept(row)
            if custom:
                record["custom_fields"] = custom
        if (more := record.pop("more", None)) and not add_more(record, more):
            row.left_out.append((self._columns["more"], MALFORMED))

    def _put_aside(self, row: Gathering, text: str) -> None:
        """Take what stands in brackets behind `Last, First` for the company that it repeats.

        Else it is what somebody is called, or a custom field.
        """
        said = " ".join(one.get("company_name", "") for one in row.lists.get("employments", ()))
        if text.casefold() in said.casefold():
            return
        if text.isalpha() and "nickname" not in row.record:
            row.record["nickname"] = text
            row.columns["nickname"] = self._columns["full_name"]
        else:
            row.keep(self._columns["full_name"], text)

    def _move_company(self, row: Gathering) -> None:
        """Take the name of a company for the employer's where the person has another name beside.

        Accounting calls a customer so whom it deals with, and names the person in columns of their
        own.
        """
        record = row.record
        name = record.get("full_name", "")
        parts = [record[part] for part in _PARTS if part in record]
        words = set(name.casefold().split())
        if (
            parts
            and is_company(name)
            and "employments" not in record
            and words.isdisjoint(" ".join(parts).casefold().split())
        ):
            del record["full_name"]
            record["employments"] = [{"company_name": name}]
            row.columns["employments.0.company_name"] = self._columns["full_name"]

    def _finish_notes(self, row: Gathering, notes: str) -> None:
        if self._mends and "<" in notes:
            row.record["notes"] = notes = without_tags(notes)
        if len(notes) > MAX_NOTES:
            row.record["notes"] = notes[:MAX_NOTES]
            row.left_out.append((self._columns["notes"], _LONG_NOTE))
        elif self._layout.phone_in_notes and not {"phones", "emails"} & row.record.keys():
            match = _NOTHING_BUT_PHONE.fullmatch(notes)
            if match:
                row.columns["phones.0.value"] = self._columns["notes"]
                row.record["phones"] = [{"value": match[1], "label": "notes"}]

    def _read_labels(self, row: Gathering, cell: str) -> list[str]:
        column = self._columns["labels"]
        names = (
            name.strip().removeprefix(MARK).strip('* "') for name in self._split_labels.split(cell)
        )
        labels: list[str] = []
        for name in dict.fromkeys(names):
            if len(name) > MAX_SHORT:
                row.keep_long(column, name)
            elif name and name.lower() not in _EVERYONE:
                labels.append(name)
        if len(labels) > MAX_VALUES:
            row.left_out.append((column, MANY))
        return labels[:MAX_VALUES]

    def _kept(self, row: Gathering) -> dict[str, str]:
        """Return the custom fields, less what the product writes where nobody chose."""
        unset = self._layout.unset
        kept = {name: cell for name, cell in row.custom.items() if cell.casefold() not in unset}
        for name in list(kept)[MAX_CUSTOM:]:
            row.left_out.append((name, _MANY_CUSTOM))
            del kept[name]
        return kept

    def _uid(self, row: Gathering) -> str | None:
        """Return what the file itself identifies the record by."""
        record = row.record
        found = record.pop("record_id", None)
        form = self._layout.record_id_form
        if found and form is not None and form.fullmatch(found) is None:
            row.keep(self._columns["record_id"], found)
        elif found:
            if CONTACT_ID.fullmatch(found):
                record["about"] = found
            return f"{self._layout.name}:{found[: self._layout.record_id_characters or None]}"
        url = record.get("linkedin_url")
        if url and self._layout.record_id == "linkedin_url":
            profile = normalize_linkedin(url)
            return None if isinstance(profile, Refused) else profile.value
        return None


def _move_first_name(record: dict[str, Any], columns: dict[str, str]) -> None:
    """Take `Name` beside a last name that is not in it for the first name, as newsletters do."""
    name, last = record.get("full_name", ""), record.get("last_name", "")
    if name and last and "first_name" not in record and last.casefold() not in name.casefold():
        record["first_name"] = record.pop("full_name")
        columns["first_name"] = columns["full_name"]


def _reaches(cell: str) -> bool:
    """Tell an address or a number from the count of them that a line of totals has."""
    return "@" in cell or sum(map(str.isdigit, cell)) >= FEWEST_DIGITS


def _unguarded(cell: str, *, by_hand: bool) -> str:
    """Undo how tables keep a spreadsheet from reading a cell as a number or a formula."""
    if match := _QUOTED_FORMULA.fullmatch(cell):
        return match[1].strip()
    is_number = by_hand and cell[1:].isdecimal()
    return cell[1:] if is_number or _GUARDED.match(cell) else cell
