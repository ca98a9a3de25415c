"""Uploaded files at hand: what this process took in a moment ago need not be fetched again.

A file is looked at as soon as its last byte is here, and read right after, while somebody waits to
see its first rows: fetching half a gigabyte twice would take longer than all else.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO, Final

from typing_extensions import override

from services.ingest.store.uploads import PIECE, Uploads
from shared.auth import Place

MOST: Final = 4
"""Copies that a process holds at once, in its temporary directory and without a name there."""

SECONDS: Final = 60.0
"""How long a copy stays that nobody uses: it is as readable as what is being read."""


@dataclass(slots=True)
class _Copy:
    """The beginning of a file; whoever reads it keeps it open, and the last one closes it."""

    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    size: int = 0
    used_at: float = 0.0

    def __del__(self) -> None:
        """Close the file: with that it is gone."""
        self.file.close()


class CopiedUploads(Uploads):
    """Files that are kept elsewhere, with copies of the newest."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._copies: dict[int, _Copy] = {}

    @override
    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""
        await self._uploads.put(place, number, begins, data)
        copy = self._copies.pop(number, None) or _Copy()
        if copy.size == begins:  # other pieces went to another process, or come again
            await asyncio.to_thread(os.pwrite, copy.file.fileno(), data, begins)
            copy.size += len(data)
            self._copies[number] = copy
            self._use(copy)
        self._let_go()

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from a byte on; what is not at hand comes from where it is kept."""
        copy = self._copies.get(number)
        if copy is not None and begins < copy.size:
            self._use(copy)
            end = copy.size
            while begins < end:
                size = min(PIECE, end - begins)
                piece = await asyncio.to_thread(os.pread, copy.file.fileno(), size, begins)
                begins += len(piece)
                yield piece
        async for piece in self._uploads.read(place, number, begins):
            yield piece

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        self._copies.pop(number, None)
        await self._uploads.delete(place, number)

    def _use(self, copy: _Copy) -> None:
        copy.used_at = time.monotonic()
        asyncio.get_running_loop().call_later(SECONDS + 1, self._let_go)

    def _let_go(self) -> None:
        """Let go of copies that nobody used lately, and of the oldest beyond the most."""
        latest = time.monotonic() - SECONDS
        kept = [item for item in self._copies.items() if item[1].used_at > latest]
        self._copies = dict(kept[-MOST:])
