"""The items of a JSON file, one by one: of a list, or one a line; no more than one is held.

The standard decoder reads one value at the beginning of a text.  Libraries that stream JSON bound
neither the size of a value nor its depth, and lose all behind a bad one.
"""

import json
import re
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any, BinaryIO, Final, NamedTuple

import orjson

from services.ingest.sources.encodings import text_of
from services.ingest.sources.row import BadRow
from shared.events.envelope import MAX_DEPTH, deeper_than

MAX_ITEM: Final = 8 << 20
"""Characters of one item; cards have pictures in them."""

_PIECE: Final = 1 << 16
_ASSIGNED = re.compile(r"[\w$]+(?:\.[\w$]+)+\s*=\s*(?=[\[{])")
"""What stands before the list where a program keeps its data as scripts do: X's archive."""

_BETWEEN = re.compile(r"[\s,\ufeff]*")
_DIGITS: Final = 18
"""Of a whole number; one with more is kept as text: it counts nothing, it names something."""

_LONGEST_WORD: Final = 8
"""Characters of `-Infinity` that may be missing, but for the first."""

_NAMES: Final = frozenset(
    {
        *("name", "fullname", "displayname", "firstname", "lastname", "givenname", "familyname"),
        *("email", "emails", "phone", "phones", "signal", "participants", "sourcerecordid"),
    }
)
"""Names of what a record says of somebody, and no wrapper does."""

_DEEPEST: Final = 3
"""Objects that a list may be wrapped in."""

_BROKEN: Final = "is no JSON from here on; export the file again"
_CUT: Final = "the file ends within this item; export it again"
_OPEN: Final = "is missing, or the list's end is; if the file is cut off, export it again"
_LONG: Final = "is longer than 8,388,608 characters; what follows is not read"
_DEEP: Final = f"is nested deeper than {MAX_DEPTH} levels"
_BROKEN_LINE: Final = "is no JSON; a line is one object"


class Item(NamedTuple):
    """One value of a file."""

    number: int
    """From 1: many files of JSON are one line."""
    value: Any
    record: dict[str, Any] | None = None
    """As it came, where `value` does not hold all of it."""


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


_DECODER: Final = json.JSONDecoder(parse_int=_whole)


def read_items(file: BinaryIO, encoding: str) -> Iterator[Item | BadRow]:
    """Yield the items of a file: those of its list, or its objects as they stand."""
    text = text_of(file, encoding)
    try:
        yield from _Items(text)
    finally:
        text.detach()


class _Items:
    """A text being read, with so much of it at hand as its next item takes."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        """Where what has not been read begins; what is before it is dropped with the next piece."""

    def __iter__(self) -> Iterator[Item | BadRow]:
        """Yield every item."""
        is_list = self._begin() and self._held[self._at] == "["
        self._at += is_list
        number = 0
        while self._skip():
            if is_list and self._held[self._at] == "]":
                return
            number += 1
            item, goes_on = self._next(number, is_list=is_list)
            if number == 1 and not is_list and isinstance(item, Item) and not self._skip():
                wrapped = list_in(item.value)
                if wrapped is not None:
                    yield from (Item(count, one) for count, one in enumerate(wrapped, 1))
                    return
            yield item
            if not goes_on:
                return
        if is_list:
            yield BadRow(number + 1, "", _OPEN)

    def _begin(self) -> bool:
        """Step to the first item or list, over the name that it is assigned to."""
        if not self._skip():
            return False
        if assigned := _ASSIGNED.match(self._held, self._at):
            self._at = assigned.end()
        return True

    def _skip(self) -> bool:
        """Step over what stands between items; tell whether anything follows."""
        while True:
            between = _BETWEEN.match(self._held, self._at)
            self._at = between.end() if between else self._at
            if self._at < len(self._held) or not self._more():
                return self._at < len(self._held)

    def _more(self) -> bool:
        """Hold twice as much of what has not been read; False: the text has ended."""
        rest = self._held[self._at :]
        piece = self._text.read(max(_PIECE, len(rest)))
        self._held, self._at = rest + piece, 0
        return bool(piece)

    def _next(self, number: int, *, is_list: bool) -> tuple[Item | BadRow, bool]:
        """Return the next item, and whether what stands behind it can be read."""
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._held, self._at)
            except RecursionError:
                return BadRow(number, "", _DEEP), False
            except json.JSONDecodeError as error:
                # One object a line: what is not whole at the line's end never will be.
                if not is_list and (line := self._held.find("\n", self._at)) >= 0:
                    self._at = line + 1
                    return BadRow(number, "", _BROKEN_LINE), True
                if len(self._held) - self._at > MAX_ITEM:
                    return BadRow(number, "", _LONG), False
                is_open = _may_go_on(error)
                if not is_open or not self._more():
                    return BadRow(number, "", _CUT if is_open else _BROKEN), False
            else:
                return _checked(number, value), True


def list_in(value: Any) -> list[Any] | None:
    """Return the list that a file's only object is wrapped around: `{"results": […], "paging": …}`.

    So applications answer and export.  The longest list of objects counts; an object with a name of
    its own is a record itself.
    """
    if not isinstance(value, dict) or not _NAMES.isdisjoint(map(_joined, value)):
        return None
    found = list(_lists(value, _DEEPEST))
    return max(found, key=len, default=None)


def _lists(value: dict[str, Any], depth: int) -> Iterator[list[Any]]:
    for part in value.values():
        if isinstance(part, list) and part and all(isinstance(one, dict) for one in part):
            yield part
        elif isinstance(part, dict) and depth:
            yield from _lists(part, depth - 1)


def _joined(name: str) -> str:
    return "".join(filter(str.isalpha, name)).casefold()


def _may_go_on(error: json.JSONDecodeError) -> bool:
    """Tell whether more text could mend an error: it lies where the text ends."""
    is_open = error.msg.startswith(("Unterminated", "Invalid \\uXXXX"))
    return is_open or error.pos + _LONGEST_WORD >= len(error.doc)


def _checked(number: int, value: Any) -> Item | BadRow:
    if deeper_than(value, MAX_DEPTH):
        return BadRow(number, "", _DEEP)
    try:
        orjson.dumps(value)
    except TypeError:
        # Halves of characters, which JSON can escape and no text can hold.
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        value = orjson.loads(text)
    return Item(number, value)
