"""vCard's properties: a line split into group, name, parameters and value, and the value decoded.

Sources: vCard 2.1, RFC 2426 (3.0), RFC 6350 (4.0), RFC 6868 (carets in parameters).
"""

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Final, Literal, NamedTuple

from services.ingest.sources.vcard_lines import (
    BINARY_KEPT,
    FILES,
    MAX_HEAD,
    MAX_LINE,
    TEXTS,
    Line,
    read_lines,
)

_HEADS: Final = 4_096
"""Spellings of names with parameters that are remembered: a file has few, and many times."""

_NAME = re.compile(r"\s*(?:([A-Za-z0-9_-]+)\.)?([A-Za-z][A-Za-z0-9_-]*)\s*")
_PARAMETER = re.compile(r'((?:"[^"]*"|[^";])*);?')
_COLON = re.compile(rb'(?:"[^"]*"|[^":])*?(:)')
_ADDRESS = re.compile(r"\s*(?:https?|ftp):", re.IGNORECASE)
_CUSTOM = re.compile(
    r"X-CUSTOM\((?:CHARSET=([^,)]*),)?(?:ENCODING=(QUOTED-PRINTABLE),)?(.*)\)", re.IGNORECASE
)
"""A label of the user's own, as Samsung writes it."""

_CARETS: Final = {"^n": "\n", "^N": "\n", "^^": "^", "^'": '"'}
_CARET = re.compile(r"\^[nN^']")

Coding = Literal["", "quoted", "base64"]
"""How a value is written."""

_CODINGS: Final[Mapping[str, Coding]] = {
    "quoted-printable": "quoted",
    "q": "quoted",
    "base64": "base64",
    "b": "base64",
}
_NO_CODINGS: Final = frozenset({"8bit", "7bit", "binary"})

_CHARSETS: Final = re.compile(
    r"utf-[78]|cp(?:125[0-8]|437|850|852|855|866|874|932|949|950)|koi8-[ru]|mac-roman|big5|tis-620"
    r"|iso8859-(?:[2-9]|1[0-6])|shift_jis.*|euc_(?:jp|kr)|iso2022_jp|gb2312|gbk|gb18030|hz"
)
"""Codes of text that a property may declare, by Python's names: not every codec decodes text."""

_WIDER: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "shift_jis": "cp932", "gb2312": "gbk"}
"""What writes more signs under the name of less, as browsers read it (WHATWG Encoding)."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a value: what it is and how it is written."""

    text: str
    """As the file has it."""
    group: str
    """What Apple's labels refer to: `item1`; empty for none."""
    name: str
    """In capitals."""
    types: frozenset[str]
    """`TYPE` values, and the bare words of 2.1, in lower case."""
    parameters: Mapping[str, str]
    """The other parameters, names in capitals."""
    label: str
    """A label that the parameters themselves carry."""
    preference: int | None
    """1 (most wanted) to 100; None: nothing is said."""
    coding: Coding
    charset: str | None
    """Python's name of the code that the value declares."""
    binary: bool
    """The value is a file."""


class Property(NamedTuple):
    """One line of a card."""

    line: int
    head: Head
    value: str
    """Decoded, still escaped; empty for a file."""
    left_out: int
    """Bytes that are not in `value`: of a file, or beyond the longest line."""
    ended: bool
    """A line break follows."""


class Stray(NamedTuple):
    """A line that is no property."""

    line: int
    text: str
    ended: bool


def read_properties(file: BinaryIO, encoding: str) -> Iterator[Property | Stray]:
    """Yield the lines of a file that hold anything; a NUL holds nothing and is dropped."""
    fallback = "cp1252" if encoding.startswith(("utf-", "ascii")) else encoding
    for line in read_lines(file, encoding):
        if line.raw and not line.raw.isspace():
            yield _read(line, fallback)


def _read(line: Line, fallback: str) -> Property | Stray:
    raw = line.raw
    if raw[0] == 0xEF or b"\0" in raw:
        raw = raw.replace(b"\0", b"").removeprefix(codecs.BOM_UTF8)
    colon = raw.find(b":", 0, MAX_HEAD)
    head = head_of(raw[:colon]) if colon > 0 else None
    if head is None or b'"' in raw[:colon]:
        quoted = _COLON.match(raw[:MAX_HEAD])
        colon = quoted.start(1) if quoted is not None else colon
        head = head_of(raw[:colon]) if colon > 0 else None
    if head is None:
        return Stray(line.number, _decoded(raw, None, fallback), line.ended)
    if head.binary:
        start = raw[colon + 1 : colon + 16].decode("ascii", "replace")
        is_address = head.name in FILES and line.size <= BINARY_KEPT and _ADDRESS.match(start)
        if not is_address:
            return Property(line.number, head, "", line.size - colon - 1, line.ended)
    value = _value(raw[colon + 1 :], head, fallback)
    left_out = line.size - MAX_LINE if len(line.raw) >= MAX_LINE else 0
    return Property(line.number, head, value, left_out, line.ended)


@lru_cache(maxsize=_HEADS)
def head_of(raw: bytes) -> Head | None:
    """Read what stands before the colon; None: it is no name."""
    text = raw.decode("utf-8", "replace").strip()
    named, _, rest = text.partition(";")
    match = _NAME.fullmatch(named)
    if match is None:
        return None
    name = match[2].upper()
    types: set[str] = set()
    parameters: dict[str, str] = {}
    label = ""
    for part in _PARAMETER.findall(rest) if '"' in rest else rest.split(";"):
        custom = _CUSTOM.fullmatch(part.strip())
        key, equals, value = part.partition("=")
        key, value = key.strip().upper(), value.strip()
        if custom is not None:
            label = _custom_label(custom)
        elif not equals and key.lower() in (*_CODINGS, *_NO_CODINGS):
            parameters["ENCODING"] = key
        elif not equals or key == "TYPE":
            words = value if equals else key
            types.update(word.strip().lower() for word in words.replace('"', "").split(","))
        else:
            parameters[key] = _CARET.sub(lambda found: _CARETS[found[0]], value.strip('"'))
    types.discard("")
    coding: Coding = _CODINGS.get(parameters.get("ENCODING", "").lower(), "")
    return Head(
        text=text,
        group=(match[1] or "").lower(),
        name=name,
        types=frozenset(types),
        parameters=parameters,
        label=label,
        preference=_preference(types, parameters),
        coding=coding,
        charset=_charset(parameters.get("CHARSET")),
        binary="x-irmc-n" not in types
        and (name in FILES or (coding == "base64" and name not in TEXTS)),
    )


def _custom_label(custom: re.Match[str]) -> str:
    charset, quoted, text = custom.groups()
    if not quoted:
        return text.strip()
    return _decoded(binascii.a2b_qp(text.encode()), _charset(charset), "cp1252").strip()


def _preference(types: set[str], parameters: dict[str, str]) -> int | None:
    number = parameters.get("PREF", "")
    if number.isascii() and number.isdigit() and len(number) <= 3:
        return int(number)
    return 1 if "pref" in types or "PREF" in parameters else None


def _charset(name: str | None) -> str | None:
    if not name or not name.isascii():
        return None
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    known = _WIDER.get(known, known)
    return known if _CHARSETS.fullmatch(known) else None


def _value(raw: bytes, head: Head, fallback: str) -> str:
    if head.coding == "quoted":
        raw = binascii.a2b_qp(raw)
    elif head.coding == "base64":
        try:
            raw = binascii.a2b_base64(raw)
        except binascii.Error:
            return _decoded(raw, None, fallback)
    if b"\0" in raw:
        raw = raw.replace(b"\0", b"")
    return _decoded(raw, head.charset, fallback)


def _decoded(raw: bytes, charset: str | None, fallback: str) -> str:
    """Read text in the code that it declares, else as UTF-8, else in the file's older code."""
    for name in (charset or "utf-8", "utf-8", fallback):
        try:
            text = raw.decode(name)
            # UTF-7 may write halves of characters, which no other text can hold.
            return text.encode("utf-8", "replace").decode() if name == "utf-7" else text
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")


_ESCAPE = re.compile(r"\\([nN,;:\\\"])")
_SEMICOLON = re.compile(r"\\.|(;)", re.DOTALL)
_COMMA = re.compile(r"\\.|(,)", re.DOTALL)
"""A separator, or an escape, which is stepped over."""

_SEPARATOR = re.compile(r"(?<!\\);")


def unescaped(value: str) -> str:
    r"""Undo the escapes; Apple also writes `http\://`."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def parts_of(value: str) -> list[str]:
    """Split a structured value at the semicolons that are not escaped; undo the escapes."""
    if "\\" not in value:
        return [part.strip() for part in value.split(";")]
    return [unescaped(part).strip() for part in _split(value, _SEMICOLON)]


def fields_of(value: str) -> list[str]:
    """Split a name or an address, also where a careless writer has escaped its semicolons."""
    if "\\;" in value and not _SEPARATOR.search(value):
        value = value.replace("\\;", ";")
    return parts_of(value)


def items_of(value: str) -> list[str]:
    """Split a list at the commas that are not escaped; undo the escapes; drop what is empty."""
    found = value.split(",") if "\\" not in value else _split(value, _COMMA)
    return [item for item in (unescaped(text).strip() for text in found) if item]


def _split(value: str, separator: re.Pattern[str]) -> list[str]:
    begin, parts = 0, []
    for found in separator.finditer(value):
        if found[1]:
            parts.append(value[begin : found.start()])
            begin = found.end()
    return [*parts, value[begin:]]
