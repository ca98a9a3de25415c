"""LDIF's entries, as text (RFC 2849): lines unfolded, values decoded; a bad line costs no entry.

No kept library reads it: `ldif3` stops a file at its first bad line and holds pictures (ADR 0090).
"""

import binascii
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from services.ingest.sources.vcard_lines import MAX_LINE, Line, read_lines

MAX_VALUES: Final = 1_000
"""Values of one entry that are read."""

MAX_TEXT: Final = 49_152
"""Octets of one entry that are read: with its names around them a record stays within a signal."""

_MAX_NOTES: Final = 50
"""Values of one entry that are named as left out."""

_ATTRIBUTE = re.compile(
    rb"([A-Za-z0-9][A-Za-z0-9.-]{0,127})((?:;[A-Za-z0-9-]{0,64}){0,8})[ \t]{0,8}:([:<]?)[ \t]*"
)
"""Name, options such as `;lang-ja`, and how the value is written."""
_VERSION = re.compile(rb"version[ \t]*:[ \t]*\d+[ \t]*", re.IGNORECASE)

_NO_ATTRIBUTE: Final = "is no attribute: a line is name: value; a folded one begins with a space"
_NO_BASE64: Final = "is no base64, as its two colons say"
_ELSEWHERE: Final = "stands in another file, which is not read"
_FULL: Final = f"comes after {MAX_TEXT:,} octets or {MAX_VALUES:,} values of this entry; left out"
_UNENDED: Final = "has no line break behind it; if the file is cut off, its last value is not whole"
_LONG: Final = "has more than 65,536 characters; left out"


@dataclass(slots=True)
class Entry:
    """One entry as the file has it."""

    line: int
    """Where it begins, from 1."""
    values: dict[str, list[str]] = field(default_factory=dict)
    """Attribute, in small letters and without options, → its values; those that had options, of a
    language say, stand behind those that had none."""
    plain: Counter[str] = field(default_factory=Counter)
    """Attribute → how many of its values had no options."""
    files: dict[str, int] = field(default_factory=dict)
    """Attribute → bytes of it that are no text."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(attribute or line, reason)."""
    count: int = 0
    text: int = 0

    def note(self, place: str, reason: str) -> None:
        """Name something that was left out."""
        if len(self.left_out) < _MAX_NOTES:
            self.left_out.append((place, reason))

    def add(self, line: Line, fallback: str) -> None:
        """Take a line in, as far as the bounds allow."""
        found = _ATTRIBUTE.match(line.raw)
        if found is None:
            self.note(f"line {line.number}", _NO_ATTRIBUTE)
            return
        name = found[1].decode().lower()
        raw, is_coded = line.raw[found.end() :], found[3] == b":"
        self.count += 1
        if self.count > MAX_VALUES:
            self.note(name, _FULL)
        elif found[3] == b"<":
            self.note(name, _ELSEWHERE)
        elif len(line.raw) >= MAX_LINE:
            self.files[name] = line.size
            self.note(name, _LONG)
        elif (value := _value(raw, fallback, is_coded=is_coded)) is None:
            self.files[name] = line.size
        elif is_coded and not value and raw.strip():
            self.note(name, _NO_BASE64)
        elif self.text + len(raw) > MAX_TEXT:
            self.note(name, _FULL)
        else:
            if not line.ended:
                self.note("", _UNENDED)
            if value:
                self.text += len(raw)
                self._put(name, value, has_options=bool(found[2]))

    def _put(self, name: str, value: str, *, has_options: bool) -> None:
        values = self.values.setdefault(name, [])
        if has_options:
            values.append(value)
        else:
            values.insert(self.plain[name], value)
            self.plain[name] += 1


def read_entries(file: BinaryIO, encoding: str) -> Iterator[Entry]:
    """Yield every entry; comments, which may be folded, and what tells the version are none."""
    fallback = "cp1252" if encoding.startswith(("utf-", "ascii")) else encoding
    entry: Entry | None = None
    for line in read_lines(file, encoding):
        if line.raw.startswith(BOM_UTF8):
            line = line._replace(raw=line.raw.removeprefix(BOM_UTF8))  # noqa: PLW2901  # no letter
        if not line.raw.strip():
            if entry is not None:
                yield entry
            entry = None
        elif not line.raw.startswith(b"#") and not (entry is None and _VERSION.fullmatch(line.raw)):
            entry = entry or Entry(line.number)
            entry.add(line, fallback)
    if entry is not None:
        yield entry


def _value(raw: bytes, fallback: str, *, is_coded: bool) -> str | None:
    """Decode a value: empty where it is no base64, None where it is no text."""
    if is_coded:
        try:
            raw = binascii.a2b_base64(raw, strict_mode=False)
        except binascii.Error:
            return ""
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        # Base64 is there for what is no text; bare bytes are an older code's.
        return None if is_coded else raw.decode(fallback, "replace").strip()
