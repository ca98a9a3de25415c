"""What all bytes of a file say of how it is to be read, found out while they go by.

Shown to a file as it comes, it spares who waits for the first rows of a large one a look at all of
it: the first letter that is not ASCII, or the first group of cards, may be its last.
"""

import re
from typing import BinaryIO, Final

from services.ingest.sources.encodings import PIECE, EncodingSurvey
from services.ingest.sources.mail.own import GrowingSurvey

_GROUP: Final = re.compile(rb":\s?group", re.IGNORECASE)
_SEAM: Final = 6
"""Bytes that are looked at twice: the word may begin in one piece and end in the next."""


class Survey:
    """Looks at a file from its first byte to its last, in pieces of any size."""

    def __init__(self) -> None:
        self._encoding = EncodingSurvey()
        self._held = bytearray()
        self._begun = False
        self._seam = b""
        self._has_groups = False
        self.own: Final = GrowingSurvey()

    def follow(self, file: BinaryIO, size: int) -> None:
        """Look at the file itself, as far as its bytes were seen."""
        self.own.follow(file, size)

    def see(self, piece: bytes) -> None:
        """Look at the next bytes."""
        if self._begun:
            self._look(piece)
            return
        self._held += piece
        if len(self._held) >= PIECE:
            self._begin()

    def encoding(self) -> tuple[str, bool]:
        """Return the encoding, and whether it was assumed, of what was seen."""
        self._begin()
        return self._encoding.found()

    def has_groups(self) -> bool:
        """Tell whether a card may be a group's, for all that was seen."""
        self._begin()
        return self._has_groups or self._encoding.is_wide  # wide letters are not looked into

    def _begin(self) -> None:
        """Look at the first bytes, so many that a mark or the lack of one shows."""
        if not self._begun:
            self._begun = True
            self._look(bytes(self._held))
            self._held.clear()

    def _look(self, piece: bytes) -> None:
        self._encoding.see(piece)
        if not self._has_groups:
            whole = self._seam + piece
            self._has_groups = _GROUP.search(whole) is not None
            self._seam = whole[-_SEAM:]


def survey_of(file: BinaryIO) -> Survey:
    """Look at all of a file."""
    survey = Survey()
    file.seek(0)
    while piece := file.read(PIECE):
        survey.see(piece)
    return survey
