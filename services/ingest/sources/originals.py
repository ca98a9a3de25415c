"""Elements of an XML file that were rejected, written anew, each below its reason."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.xml_elements import (
    BrokenXmlError,
    declares_namespace,
    make_parser,
    plain,
)

MAX_ELEMENT: Final = 8 << 20
"""Octets of one element that is given back; behind a tag or text as long nothing was read."""

_LEFT_OUT: Final = "not given back"
_COUNT: Final = "count"
"""What backups call how many elements they have: it holds for these no more."""


def original_elements(
    pieces: Iterable[bytes], entries: Collection[str], reasons: Mapping[int, str]
) -> Iterator[bytes]:
    """Write elements by their number, from 1: all of a file may stand on one line.

    `entries`: what they are called, in lower case.  Of those that are too long, or stand where the
    file is no XML any more, there is a comment that says so.
    """
    found = _Originals(entries, reasons)
    yield b"<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
    for piece in pieces:
        yield from found.feed(piece)
    yield from found.end()


class _Originals:
    """The elements that are given back of what was read so far."""

    def __init__(self, entries: Collection[str], reasons: Mapping[int, str]) -> None:
        self._root = ""
        self._entries = entries
        self._left = dict(reasons)
        """Reasons of elements that have not come yet."""
        self._number = 0
        self._above: list[dict[str, str]] = []
        """Namespaces that the open elements around entries declare."""
        self._depth = 0
        """Elements that are open of an entry, itself among them."""
        self._fed = 0
        self._seen = 0
        """Octets up to the last element that has begun or ended."""
        self._begun = 0
        """Octets up to the entry that is open."""
        self._held: list[str] | None = None
        """What is written of the entry that is open; None: it is not given back."""
        self._found: list[bytes] = []
        self._is_over = False
        self._parser = make_parser(
            "phone book or backup", begin=self._begin, end=self._end, say=self._say
        )

    def feed(self, raw: bytes) -> list[bytes]:
        """Take the next octets; where they are no XML any more, nothing more is given back."""
        if not self._is_over:
            self._fed += len(raw)
            try:
                self._parser.Parse(raw)
            except BrokenXmlError:
                self._is_over = True
            self._is_over = self._is_over or self._fed - self._seen > MAX_ELEMENT
            if self._depth and self._fed - self._begun > MAX_ELEMENT:
                self._held = None
        found, self._found = self._found, []
        return found

    def end(self) -> Iterator[bytes]:
        """Say what was not given back, and close what is open."""
        for reason in self._left.values():
            yield _comment(f"{reason}; {_LEFT_OUT}")
        if self._root:
            yield f"</{self._root}>\n".encode()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._seen = self._parser.CurrentByteIndex
        if self._depth:
            self._depth += 1
            self._hold(_tag(name, attributes))
        elif plain(name) in self._entries:
            self._depth, self._begun = 1, self._seen
            self._number += 1
            self._held = [] if self._number in self._left else None
            declared = {key: text for one in self._above[1:] for key, text in one.items()}
            self._hold(_tag(name, declared | attributes))
        else:
            if not self._above:
                self._root = name
                kept = {key: text for key, text in attributes.items() if key != _COUNT}
                self._found.append(f"{_tag(name, kept)}\n".encode())
            self._above.append(
                {key: text for key, text in attributes.items() if declares_namespace(key)}
            )

    def _say(self, text: str) -> None:
        self._hold(escape(text, {"\r": "&#13;"}))

    def _hold(self, text: str) -> None:
        if self._held is not None:
            self._held.append(text)

    def _end(self, name: str) -> None:
        self._seen = self._parser.CurrentByteIndex
        if not self._depth:
            self._above.pop()
            return
        self._hold(f"</{name}>")
        self._depth -= 1
        if self._depth:
            return
        element, self._held = self._held, None
        reason = self._left.pop(self._number, None)
        if reason is None:
            return
        if element is None:
            told = f"{reason}; the element is longer than {MAX_ELEMENT:,} bytes and {_LEFT_OUT}"
            self._found.append(_comment(told))
        else:
            self._found.append(_comment(reason) + f"{''.join(element)}\n".encode())


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    said = "".join(f" {key}={quoteattr(text)}" for key, text in attributes.items())
    return f"<{name}{said}>"


def _comment(reason: str) -> bytes:
    return f"<!-- {REASON}: {reason.replace('--', '- -')} -->\n".encode()
