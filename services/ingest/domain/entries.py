"""What a file of mail, meetings, calls or messages comes to, one after the other."""

import zlib
from collections.abc import Sequence
from typing import Final

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from services.ingest.domain.mapping import Normalized, Origin


class Taken(Struct, frozen=True, gc=False):
    """A signal that a message, or anything else that happened, led to."""

    origin: Origin
    normalized: Normalized
    is_activity: bool = False


class Entry(Struct, frozen=True):
    """One message, meeting or call of a file: its signals, or why there are none."""

    number: int
    """Its place in the file, from 1."""
    line: int
    """Where it begins in the file, from 1."""
    signals: tuple[Taken, ...] = ()
    """The activity first, then what else it says of people."""
    left_out: str = ""
    """Why it is no activity between people; empty: it is, or is refused."""
    field: str = ""
    reason: str = ""
    """Why it is refused, and what would be right; empty: it is not."""
    notes: tuple[tuple[str, str], ...] = ()
    """(field, reason) of values that were left out of one that is taken."""
    passed: tuple[tuple[str, int], ...] = ()
    """(reason, count) of mailboxes of one that is taken whose people take no part."""
    repeats: int = 0
    """Number of the entry whose second signal says the same of its sender; 0: none."""


_QUICK: Final = 1
"""Level of zlib: messages are mostly alike, and one more costs more time than it saves room."""

_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(list[Entry])


def pack(entries: Sequence[Entry]) -> bytes | None:
    """Write what is to be sent of entries; None: they hold what no text can."""
    kept = [
        Entry(one.number, one.line, one.signals, left_out=one.left_out, repeats=one.repeats)
        for one in entries
    ]
    try:
        return zlib.compress(_ENCODER.encode(kept), _QUICK)
    except UnicodeEncodeError:
        return None


def unpack(data: bytes) -> list[Entry]:
    """Read them; none where another release wrote them otherwise."""
    try:
        return _DECODER.decode(zlib.decompress(data))
    except (zlib.error, DecodeError):
        return []
