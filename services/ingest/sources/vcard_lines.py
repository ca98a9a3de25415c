"""vCard's lines: unfolded on bytes, decoded, split into group, name, parameters and value.

Streaming, and with bounds: a picture is passed over as it is read and never held.
Sources: vCard 2.1, RFC 2426 (3.0), RFC 6350 (4.0), and what exporters make of them.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from services.ingest.sources.sniff import text_of

MAX_LINE: Final = 65_536
"""Bytes of one unfolded line; more is cut off, as no field takes as much."""

_MEDIA: Final = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
"""Properties that hold files."""

_LINE = re.compile(
    r"(?:(?P<group>[A-Za-z0-9_-]+)\.)?(?P<name>[A-Za-z0-9_-]+)"
    r"(?P<parameters>(?:;(?:\"[^\"]*\"|[^\":])*)?):(?P<value>.*)",
    re.DOTALL,
)
_PARAMETER = re.compile(r';((?:"[^"]*"|[^";])*)')


@dataclass(frozen=True, slots=True)
class Property:
    """One line of a card."""

    line: int
    name: str
    """In capitals."""
    group: str | None
    types: frozenset[str]
    """`TYPE` values, and the bare words of 2.1, in lower case."""
    parameters: dict[str, str]
    """The other parameters, names in capitals."""
    value: str
    """Decoded, still escaped."""


def read_properties(file: BinaryIO, encoding: str) -> Iterator[Property]:
    """Yield every line of the file that is a property; what is none is passed over."""
    for number, raw in _unfolded(_physical(file, encoding)):
        found = _parse(number, raw)
        if found is not None:
            yield found


def _physical(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Yield the lines as UTF-8 or an older eight-bit code; a very long one in several pieces."""
    if not encoding.startswith("utf-16"):
        file.seek(0)
        if encoding == "utf-8-sig":
            file.read(3)
        while line := file.readline(MAX_LINE):
            yield line
        return
    text = text_of(file, encoding)
    try:
        while piece := text.readline(MAX_LINE // 4):
            yield piece.encode()
    finally:
        text.detach()


def _unfolded(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Join folded lines (RFC 6350 3.2) and the soft breaks of quoted-printable (2.1)."""
    number = begin = 0
    held = bytearray()
    whole = True  # the last piece ended its line
    for piece in lines:
        continues = not whole or piece[:1] in (b" ", b"\t") or _is_soft_break(held)
        number += 1 if whole else 0
        if continues:
            added = piece[1:] if whole and piece[:1] in (b" ", b"\t") else piece
            if _is_soft_break(held):
                del held[-1:]
                added = piece
        else:
            if held:
                yield begin, bytes(held)
            held.clear()
            begin, added = number, piece
        whole = piece.endswith(b"\n")
        if len(held) < MAX_LINE and not (continues and _is_media(held)):
            held += added.rstrip(b"\r\n")
    if held:
        yield begin, bytes(held)


def _is_soft_break(held: bytearray) -> bool:
    if not held.endswith(b"="):
        return False
    return b"QUOTED-PRINTABLE" in held[:200].upper().partition(b":")[0]


def _is_media(held: bytearray) -> bool:
    head = bytes(held[:200]).partition(b":")[0].partition(b";")[0].upper()
    return head.rpartition(b".")[2].decode("ascii", "replace") in _MEDIA


def _parse(number: int, raw: bytes) -> Property | None:
    if _is_media(bytearray(raw[:200])):
        return None
    match = _LINE.fullmatch(_decoded(raw))
    if match is None:
        return None
    types: set[str] = set()
    parameters: dict[str, str] = {}
    for text in _PARAMETER.findall(match["parameters"]):
        name, equals, value = text.partition("=")
        value = value.strip().strip('"')
        if not equals:
            types.add(name.strip().lower())
        elif name.strip().upper() == "TYPE":
            types.update(part.strip().lower() for part in value.split(","))
        else:
            parameters[name.strip().upper()] = value
    value = match["value"]
    if "quoted-printable" in (parameters.get("ENCODING", "").lower(), *types):
        value = _unquoted(value, parameters.get("CHARSET"))
    return Property(
        number,
        match["name"].upper(),
        match["group"],
        frozenset(types - {""}),
        parameters,
        value,
    )


def _decoded(raw: bytes) -> str:
    """Read a line in the code that it declares, else as UTF-8, else as cp1252."""
    head = raw.partition(b":")[0].decode("ascii", "replace").upper()
    declared = re.search(r";CHARSET=\"?([A-Z0-9_.:-]+)", head)
    for name in (declared[1] if declared else "utf-8", "utf-8"):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")


def _unquoted(value: str, charset: str | None) -> str:
    try:
        raw = quopri.decodestring(value.encode("latin-1", "replace"))
    except (ValueError, binascii.Error):
        return value
    for name in (charset or "utf-8", "utf-8"):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")
