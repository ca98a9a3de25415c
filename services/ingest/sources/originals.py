"""Elements of an XML file that were rejected, written anew, each below its reason."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from services.ingest.domain.suggesting import REASON

MAX_ELEMENT: Final = 8 << 20
"""Octets of one element; behind a longer one nothing was read."""


def original_elements(
    pieces: Iterable[bytes], entries: Collection[str], reasons: Mapping[int, str]
) -> Iterator[bytes]:
    """Write elements by their number, from 1: all of a file may stand on one line.

    `entries`: what they are called, in lower case.
    """
    found = _Originals(entries, reasons)
    yield b"<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
    for piece in pieces:
        yield from found.feed(piece)
    if found.root:
        yield b"</%b>\n" % found.root


class _Originals:
    """The elements that are given back of what was read so far."""

    def __init__(self, entries: Collection[str], reasons: Mapping[int, str]) -> None:
        self.root = b""
        self._entries = entries
        self._reasons = reasons
        self._number = 0
        self._depth = 0
        self._size = 0
        """Octets since the element that is open, some more."""
        self._held: list[str] = []
        self._found: list[bytes] = []
        self._is_over = False
        # Its text is UTF-8, as it is where it is read: what it declares says nothing.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say

    def feed(self, raw: bytes) -> list[bytes]:
        """Take the next octets; where they are no XML any more, nothing more is given back."""
        self._size = self._size + len(raw) if self._depth else 0
        if not self._is_over and self._size <= MAX_ELEMENT:
            try:
                self._parser.Parse(raw)
            except expat.ExpatError:
                self._is_over = True
        found, self._found = self._found, []
        return found

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if not self.root:
            self.root = name.encode()
            self._found.append(b"<%b>\n" % self.root)
        if self._depth or name.rpartition(":")[2].casefold() in self._entries:
            said = "".join(f" {key}={quoteattr(text)}" for key, text in attributes.items())
            self._held.append(f"<{name}{said}>")
            self._depth += 1

    def _say(self, text: str) -> None:
        if self._depth:
            self._held.append(escape(text))

    def _end(self, name: str) -> None:
        if not self._depth:
            return
        self._held.append(f"</{name}>")
        self._depth -= 1
        if self._depth:
            return
        self._number += 1
        element, self._held = "".join(self._held), []
        if (reason := self._reasons.get(self._number)) is not None:
            told = reason.replace("--", "- -")
            self._found.append(f"<!-- {REASON}: {told} -->\n{element}\n".encode())
