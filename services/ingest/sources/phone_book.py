"""Phone books in XML: FRITZ!Box, Snom, Yealink, Polycom, Cisco and what is like them.

An element per entry, wherever it stands; what it holds becomes columns, as a table's.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from services.ingest.sources.encodings import MIXED, text_of
from services.ingest.sources.json_items import Item
from services.ingest.sources.phone_book_cells import Value, cells_of, is_dialled, record_of
from services.ingest.sources.phone_book_evidence import Evidence
from services.ingest.sources.row import BadRow
from services.ingest.sources.windows_contact import NAMESPACE, read_contact
from services.ingest.sources.xml_elements import (
    BrokenXmlError,
    declares_namespace,
    make_parser,
    plain,
)

_MENU_ITEM: Final = "menuitem"
ENTRIES: Final = frozenset(
    {"contact", "item", "directoryentry", "unit", "entry", "personnel", _MENU_ITEM}
)
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

_HEAD: Final = 2_048
_ROOT: Final = re.compile(r"<(?:[\w.-]{1,40}:)?contact\s", re.IGNORECASE)
_DECLARED: Final = re.compile(r"""<\?xml[^>]{0,80}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_KNOWN_CODES: Final = re.compile(r"(?:iso-8859-\d{1,2}|windows-\d{3,4}|utf-8)", re.IGNORECASE)

_PAGES: Final = ("http:", "https:")
_PICTURES: Final = frozenset({"photo", "default_photo", "selected_photo", "imageurl", "photourl"})
_SPACES: Final = re.compile(r" {2,}")

_BROKEN: Final = "is no XML from here on; export the phone book again"
_LONG: Final = f"is longer than {MAX_ENTRY:,} bytes; what follows is not read"
_DEEP: Final = f"nests elements deeper than {DEEPEST}; what follows is not read"
_NESTED: Final = "holds another entry; write each beside the others"
_MANY: Final = f"has more than {MAX_VALUES} values"
_WIDE: Final = f"has more than {_LONGEST:,} characters"


def read_entries(
    file: BinaryIO, encoding: str, evidence: Evidence | None = None
) -> Iterator[Item | BadRow]:
    """Yield every entry of a phone book as the cells of a row; its number stands for its line.

    `evidence`: what hears of every entry that is yielded.
    """
    if _is_windows_contact(file, encoding):
        one = read_contact(pieces_of(file, encoding))
        if evidence is not None:
            evidence.add_product()
        yield one
        return
    found = _Entries(evidence)
    for piece in pieces_of(file, encoding):
        yield from found.feed(piece, is_last=False)
        if found.is_over:
            return
    yield from found.feed(b"", is_last=True)


def _is_windows_contact(file: BinaryIO, encoding: str) -> bool:
    head = next(pieces_of(file, encoding), b"")[:_HEAD].decode("utf-8", "replace")
    return NAMESPACE in head and _ROOT.search(head) is not None


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


class _Open(NamedTuple):
    """An element within an entry whose end has not been read."""

    name: str
    said: dict[str, str]
    """Its attributes."""
    text: list[str]
    """What it says itself, without the elements within it."""


class _Entries:
    """The entries of a phone book, as far as it has been read."""

    def __init__(self, evidence: Evidence | None) -> None:
        self.is_over = False
        self._evidence = evidence
        self._found: list[Item | BadRow] = []
        self._parser = make_parser("phone book", begin=self._begin, end=self._end, say=self._say)
        if evidence is not None:
            self._parser.CommentHandler = evidence.add_comment
        self._number = 0
        self._fed = 0
        self._begun = 0
        """Octets up to the entry that is open, or to the last element outside of any."""
        self._depth = 0
        self._entry_depth = 0
        self._around: list[str] = []
        """The elements that are open, up to the entry, if one is."""
        self._path: list[_Open] = []
        """The elements that are open within the entry."""
        self._values: list[Value] = []
        self._is_nested = False

    def feed(self, raw: bytes, *, is_last: bool) -> list[Item | BadRow]:
        """Take the next octets; returns the entries that they end."""
        self._fed += len(raw)
        try:
            self._parser.Parse(raw, is_last)
        except BrokenXmlError:
            self._stop(_BROKEN)
        if self._fed - self._begun > MAX_ENTRY:
            self._stop(_LONG)
        found, self._found = self._found, []
        return found

    def _stop(self, why: str) -> None:
        if not self.is_over:
            self.is_over = True
            self._found.append(BadRow(self._number + (not self._entry_depth), "", why))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._stop(_DEEP)
        if self.is_over:
            return
        bare = plain(name)
        said = {
            plain(key): text.strip()
            for key, text in attributes.items()
            if text.strip() and plain(key) not in _PICTURES
            if not declares_namespace(key) and not key.startswith("xml:")
        }
        if self._entry_depth:
            holder = bare if said else self._path[-1].name if self._path else ""
            self._is_nested |= holder == self._around[-1]
            self._path.append(_Open(bare, said, []))
            return
        self._begun = self._parser.CurrentByteIndex
        self._around.append(bare)
        if bare in ENTRIES:
            self._number += 1
            self._entry_depth = self._depth
            self._is_nested = False
            self._path, self._values = [], [Value(key, text) for key, text in said.items()]

    def _say(self, text: str) -> None:
        if self._path and not self.is_over:
            self._path[-1].text.append(text)

    def _end(self, _: str) -> None:
        if self.is_over:
            return
        if self._path:
            self._close(self._path.pop())
        else:
            if self._entry_depth:
                self._found.append(self._entry())
                self._entry_depth = 0
            self._around.pop()
        self._depth -= 1

    def _close(self, one: "_Open") -> None:
        """Take what an element of the entry says: within it, or, of Snom's numbers, beside it."""
        above = tuple(outer.name for outer in self._path)
        if one.name in _PICTURES:
            return
        own = _SPACES.sub(" ", "".join(one.text)).strip()
        kind = one.said.get("type") or one.said.get("label") or ""
        if not kind and self._path:
            kind = self._path[-1].said.get("type", "")
        text = own or one.said.get("no", "")
        if text:
            self._values.append(Value(one.name, text, kind, above))

    def _entry(self) -> Item | BadRow:
        if self._is_nested:
            return BadRow(self._number, "", _NESTED)
        if len(self._values) > MAX_VALUES:
            return BadRow(self._number, "", _MANY)
        if sum(len(value.text) for value in self._values) > _LONGEST:
            return BadRow(self._number, "", _WIDE)
        if self._evidence is not None:
            self._evidence.add(self._around[-1], self._around[:-1], self._values)
        # What a menu of names has besides leads to its next page.
        leads = any(value.text.startswith(_PAGES) for value in self._values)
        is_way = leads and self._around[-1] == _MENU_ITEM and not any(map(is_dialled, self._values))
        cells = {} if is_way else cells_of(self._values)
        return Item(self._number, cells, record_of(self._values))
