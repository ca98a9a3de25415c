"""Phone books in XML: FRITZ!Box, Snom, Yealink, Gigaset, Grandstream, Cisco and what is like them.

An element per entry, wherever it stands; what it holds becomes columns, as a table's. Read by the
standard library's expat, piece by piece: no file may declare a document type, and with it entities.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from services.ingest.sources.cells import SEPARATOR
from services.ingest.sources.encodings import MIXED, text_of
from services.ingest.sources.json_items import Item
from services.ingest.sources.row import BadRow
from shared.errors import PoisonMessageError

ENTRIES: Final = frozenset({"contact", "item", "directoryentry", "unit", "entry"})
"""Elements of which each is somebody, in lower case and without a prefix."""

MAX_ENTRY: Final = 1 << 20
"""Octets of one entry; a phone book's have a few hundred."""

DEEPEST: Final = 16
"""Elements within one another: a phone book nests six."""

MAX_VALUES: Final = 200
"""Values of one entry."""

_PIECE: Final = 1 << 16
_LONGEST: Final = 65_536
"""Characters of an entry, as of a table's row."""

_DECLARED: Final = re.compile(r"""<\?xml[^>]{0,80}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_KNOWN_CODES: Final = re.compile(r"(?:iso-8859-\d{1,2}|windows-\d{3,4}|utf-8)", re.IGNORECASE)

_NUMBERS: Final = frozenset({"number", "telephone", "phone", "phonenumber", "phone_number"})
_NUMBER: Final = re.compile(r"(?:phone|telephone|number)\d{0,2}")

_NAMES: Final[Mapping[str, str]] = {
    "realname": "Name",
    "name": "Name",
    "display_name": "Name",
    "displayname": "Name",
    "ln": "Last Name",
    "lastname": "Last Name",
    "last_name": "Last Name",
    "fn": "First Name",
    "firstname": "First Name",
    "first_name": "First Name",
    "nn": "Nickname",
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
    "note": "Notes",
    "title": "Title",
    "birthday": "Birthday",
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
    "fax": "Home Fax",
    "fax_home": "Home Fax",
    "fax_work": "Work Fax",
}
"""What products call a number's kind → what its column would be called."""

_TECHNICAL: Final = frozenset(
    {
        *("setup", "features", "mod_time", "uniqueid", "imageurl", "ringtone", "ringtones", "ring"),
        *("default_photo", "photo", "line", "accountindex", "account_index", "quickdial", "vanity"),
        *("context", "fav", "mod", "index", "id", "nid", "prio", "number_type", "group_id_name"),
        *(
            "type",
            "primary",
            "frequent",
            "outgoing_id",
            "autoprovid",
            "customid",
            "selected_photo",
            "auto_divert",
            "priority",
        ),
    }
)
"""What telephones tell themselves: kept in the record only."""

_BROKEN: Final = "is no XML from here on; export the phone book again"
_LONG: Final = f"is longer than {MAX_ENTRY:,} bytes; what follows is not read"
_DEEP: Final = f"nests elements deeper than {DEEPEST}; what follows is not read"
_DECLARES: Final = "declares a document type, which no phone book does"
_MANY: Final = f"has more than {MAX_VALUES} values"
_WIDE: Final = f"has more than {_LONGEST:,} characters"


def read_entries(file: BinaryIO, encoding: str) -> Iterator[Item | BadRow]:
    """Yield every entry of a phone book as the cells of a row; its number stands for its line."""
    found = _Entries()
    for piece in pieces_of(file, encoding):
        yield from found.feed(piece, is_last=False)
        if found.is_over:
            return
    yield from found.feed(b"", is_last=True)


def pieces_of(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Yield a file in UTF-8, in pieces: read as it was found to be, or as it says of itself."""
    file.seek(0)
    head = file.read(200).decode("ascii", "ignore")
    said = _DECLARED.search(head)
    code = encoding
    if said and encoding not in ("utf-8", "utf-8-sig") and "16" not in encoding:
        code = said[1] if _KNOWN_CODES.fullmatch(said[1]) else encoding
    try:
        text = text_of(file, code)
    except LookupError:  # one of its family that does not exist
        text = text_of(file, encoding if encoding != MIXED else "utf-8")
    try:
        while piece := text.read(_PIECE):
            yield piece.removeprefix("\ufeff").encode("utf-8", "replace")
    finally:
        text.detach()


def plain(name: str) -> str:
    """Return an element's name without its prefix, in lower case."""
    return name.rpartition(":")[2].casefold()


def declares_namespace(key: str) -> bool:
    """Tell whether an attribute says what names mean, and nothing of its element."""
    return key == "xmlns" or key.startswith("xmlns:")


class _Entries:
    """The entries of a phone book, as far as it has been read."""

    def __init__(self) -> None:
        self.is_over = False
        self._found: list[Item | BadRow] = []
        # Its text comes in UTF-8, whatever it declares: names of codecs are looked up as given.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say
        self._number = 0
        self._fed = 0
        self._begun = 0
        """Octets up to the entry that is open, or to the last element outside of any."""
        self._depth = 0
        self._entry_depth = 0
        self._path: list[tuple[str, dict[str, str]]] = []
        self._text: list[str] = []
        self._values: list[tuple[str, str, str]] = []
        """Of the open entry: what a value is, which kind of it, and the value."""

    def feed(self, raw: bytes, *, is_last: bool) -> list[Item | BadRow]:
        """Take the next octets; returns the entries that they end."""
        self._fed += len(raw)
        try:
            self._parser.Parse(raw, is_last)
        except expat.ExpatError:
            self._stop(_BROKEN)
        if self._fed - self._begun > MAX_ENTRY:
            self._stop(_LONG)
        found, self._found = self._found, []
        return found

    def _stop(self, why: str) -> None:
        if not self.is_over:
            self.is_over = True
            self._found.append(BadRow(self._number + (not self._entry_depth), "", why))

    @staticmethod
    def _refuse(*_: object) -> None:
        raise PoisonMessageError("invalid", _DECLARES, field="file")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._stop(_DEEP)
        if self.is_over:
            return
        bare = plain(name)
        said = {plain(key): text for key, text in attributes.items() if not declares_namespace(key)}
        if not self._entry_depth:
            self._begun = self._parser.CurrentByteIndex
            if bare in ENTRIES:
                self._number += 1
                self._entry_depth = self._depth
                self._path, self._values = [], [(key, "", text) for key, text in said.items()]
            return
        self._path.append((bare, said))
        self._text = []

    def _say(self, text: str) -> None:
        if self._entry_depth and not self.is_over:
            self._text.append(text)

    def _end(self, _: str) -> None:
        if self.is_over:
            return
        if self._entry_depth == self._depth:
            self._found.append(self._entry())
            self._entry_depth = 0
        elif self._entry_depth:
            name, said = self._path.pop()
            text, self._text = "".join(self._text).strip(), []
            is_technical = name in _TECHNICAL or any(one in _TECHNICAL for one, _ in self._path)
            if text and (not is_technical or name == "number_type"):
                above = self._path[-1][1] if self._path else {}
                kind = said.get("type") or said.get("label") or above.get("type") or ""
                self._values.append((name, kind, text))
        self._depth -= 1

    def _entry(self) -> Item | BadRow:
        if len(self._values) > MAX_VALUES:
            return BadRow(self._number, "", _MANY)
        if sum(len(value) for _, _, value in self._values) > _LONGEST:
            return BadRow(self._number, "", _WIDE)
        return Item(self._number, _cells(self._values))


def _cells(values: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Write an entry as a row: column → cell, several values of a column in one."""
    # Snom says a number's kind beside it.
    beside = next((text for name, _, text in values if name == "number_type"), "")
    cells: dict[str, list[str]] = {}
    for name, kind, value in values:
        # A router's category is a number: 1 says that somebody's calls ring at night, too.
        is_flag = name == "category" and value.strip().isdecimal()
        if name not in _TECHNICAL and not is_flag and value.strip():
            cells.setdefault(_column(name, kind or beside), []).append(value.strip())
    return {column: f" {SEPARATOR} ".join(found) for column, found in cells.items()}


def _column(name: str, kind: str) -> str:
    if name in _NUMBERS or _NUMBER.fullmatch(name):
        return _TYPES.get(kind.casefold(), "Phone")
    return _NAMES.get(name, name)
