"""How a file's bytes are to be read as text: as its marks say, else as its bytes allow.

What nothing says is assumed, and told: a legacy encoding is the one in which the letters of the
file make the most sense.  A file of several, as concatenation makes them, is read letter by
letter: UTF-8 where it is that, else the legacy one.
"""

import codecs
import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from charset_normalizer import from_bytes

PIECE: Final = 1 << 16
"""Bytes read at once."""

MIXED: Final = "utf-8, cp1252"
"""The encoding of a file that is UTF-8 but for some bytes."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order mark → encoding; UTF-32 first, whose mark begins with UTF-16's."""

_WIDE_SHARE: Final = 40
"""One NUL in so many bytes, all on one side, is UTF-16; fewer are damage."""

_SAMPLE: Final = 1 << 15
"""Bytes of the lines with letters that are looked at, to guess a legacy encoding."""

_LETTERS: Final = frozenset(
    "äöüßÄÖÜéèêëàâáãåæçñíìîïóòôõøœúùûýÿÉÈÊËÀÂÁÃÅÆÇÑÍÌÎÏÓÒÔÕØŒÚÙÛÝ"
    "ąćęłńśźżĄĆĘŁŃŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽőűŐŰ€"
)
"""What stands outside ASCII in the names and notes of Latin Europe."""

_LATIN: Final = ("cp1252", "mac_roman", "cp1250", "cp850", "iso8859_15", "iso8859_2")
"""Legacy encodings of Latin Europe, the likelier first."""

_OTHER: Final = (
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "euc_jp",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
)
"""Legacy encodings of other scripts."""

LEGACY: Final = (*_LATIN, *_OTHER, "cp1254")
"""All of them, for who can tell by the words of a header."""

_RUN: Final = 1.6
"""Bytes above ASCII in a row, on average: Latin scripts have fewer, all others more."""

_BY_CHANCE: Final = 5
"""Of so many lines in a script of two bytes a letter, fewer than one is UTF-8 by chance."""


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as cp1252; the five that it leaves undefined as U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    found = error.object[error.start : error.end]
    return found.decode("cp1252", "replace"), error.end


_SPARE: Final = "kith.cp1252"
codecs.register_error(_SPARE, _as_cp1252)


_HIGH = re.compile(rb"[\x80-\xff]+")


@dataclass(slots=True)
class _Letters:
    """What the bytes above ASCII of a file are like."""

    runs: int = 0
    count: int = 0
    good: int = 0
    """Lines that are UTF-8."""
    bad: int = 0
    """Lines that are not."""
    sample: bytearray = field(default_factory=bytearray)

    def see(self, lines: list[bytes]) -> None:
        """Count the runs, and keep the lines that they stand in."""
        for line in lines:
            if self.is_full:
                return
            if not line.isascii():
                found = _HIGH.findall(line)
                self.runs += len(found)
                self.count += sum(map(len, found))
                self.sample += line[:_SAMPLE] + b"\n"
                if _is_utf8(line):
                    self.good += 1
                else:
                    self.bad += 1

    @property
    def is_full(self) -> bool:
        """Tell whether enough was seen."""
        return len(self.sample) >= _SAMPLE

    @property
    def is_latin(self) -> bool:
        """Tell whether letters above ASCII stand alone, as they do in Latin scripts."""
        return self.count < _RUN * self.runs

    @property
    def is_mixed(self) -> bool:
        """Tell whether some lines are UTF-8 and others are not.

        In Latin scripts no line is UTF-8 by chance; in others a short one may be.
        """
        return self.good > 0 and (self.is_latin or self.good * _BY_CHANCE >= self.bad)


class EncodingSurvey:
    """Finds out a file's encoding while its bytes go by, from the first to the last."""

    def __init__(self) -> None:
        self._marked: str | None = None
        self._begun = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._letters = _Letters()

    def see(self, piece: bytes) -> None:
        """Look at the next bytes; the first ones are to be `PIECE` or all there are."""
        is_first, self._begun = not self._begun, True
        if is_first:
            self._marked = _marked(piece[:PIECE])
        if self._marked:
            return
        if self._is_utf8:
            try:
                self._decoder.decode(piece)
            except UnicodeDecodeError:
                self._is_utf8 = False
        if not (self._letters.is_full or piece.isascii()):
            # A piece begins within a line, and maybe within a letter, but for the first.
            self._letters.see(piece.split(b"\n")[0 if is_first else 1 :])

    @property
    def is_sure(self) -> bool:
        """Whether the first bytes said all."""
        return self._marked is not None

    @property
    def is_wide(self) -> bool:
        """Whether a letter takes two bytes or four."""
        return self._marked is not None and self._marked != "utf-8-sig"

    def found(self) -> tuple[str, bool]:
        """Return the encoding, and whether it was assumed (product research 3.6)."""
        if self._marked:
            return self._marked, False
        # By all bytes, since the first letter may stand in the last row, or be cut off there.
        if self._is_utf8 and not self._decoder.getstate()[0]:
            return "utf-8", False
        return (MIXED if self._letters.is_mixed else _legacy(self._letters)), True


def sniff_encoding(file: BinaryIO) -> tuple[str, bool]:
    """Return a file's encoding, and whether it was assumed."""
    file.seek(0)
    survey = EncodingSurvey()
    while not survey.is_sure and (piece := file.read(PIECE)):
        survey.see(piece)
    return survey.found()


def _marked(head: bytes) -> str | None:
    """Tell the encoding of a file whose first bytes show it."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * _WIDE_SHARE >= len(head) > 0 and min(even, odd) * 10 <= max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _legacy(letters: _Letters) -> str:
    """Guess the legacy encoding of the letters of a file."""
    sample = bytes(letters.sample)
    if not letters.is_latin:
        found = from_bytes(sample, cp_isolation=list(_OTHER)).best()
        if found is not None:
            return found.encoding
    scores = {
        name: sum(letter in _LETTERS for letter in sample.decode(name, "replace"))
        for name in _LATIN
    }
    return max(_LATIN, key=lambda name: scores[name])


def text_of(file: BinaryIO, encoding: str, *, marked: bool = False) -> io.TextIOWrapper:
    """Open the file as text from its beginning; `detach` it when done, to keep it open.

    A sign that does not fit its encoding is shown as such, not refused.  `marked`: in a file of
    several encodings, bytes that are not UTF-8 come as lone surrogates, for `mended`.
    """
    file.seek(0)
    if encoding == MIXED:
        errors = "surrogateescape" if marked else _SPARE
        return io.TextIOWrapper(file, encoding="utf-8", errors=errors, newline="")
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def mended(line: str) -> str:
    """Read what came as lone surrogates as cp1252."""
    return line.encode("utf-8", "surrogateescape").decode("utf-8", _SPARE)
