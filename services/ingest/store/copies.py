"""Uploaded files at hand: what this process took in a moment ago need not be fetched again.

A file is looked at as soon as its last byte is here, and read right after, while somebody waits to
see its first rows: fetching half a gigabyte, or going through it once more, would take longer than
all else. So what all its bytes tell is found out while they come: its digest, and what `Survey`
asks for.
"""

import asyncio
import io
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO, BinaryIO, Final, Generic, Protocol, TypeVar, cast

from typing_extensions import Buffer, override

from services.ingest.store.uploads import Uploads
from shared.auth import Place
from shared.errors import PoisonMessageError

MOST: Final = 4
"""Copies that a process holds at once, in its temporary directory and without a name there."""

SECONDS: Final = 60.0
"""How long a copy stays that nobody uses: it is as readable as what is being read."""

DIGEST_BYTES: Final = 16
"""Octets of a file's digest."""

READ_BYTES: Final = 1 << 18
"""Of a copy, at once."""


class Surveyor(Protocol):
    """Finds something out about a file while its bytes go by, in their order."""

    def see(self, piece: bytes) -> None:
        """Look at the next bytes."""

    def follow(self, file: BinaryIO, size: int) -> None:
        """Look at the file itself, of which so many bytes are here."""


SurveyorT = TypeVar("SurveyorT", bound=Surveyor)


@dataclass(slots=True)
class _Copy(Generic[SurveyorT]):
    """The beginning of a file; whoever reads it keeps it open, and the last one closes it."""

    survey: SurveyorT
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    digest: blake2b = field(default_factory=lambda: blake2b(digest_size=DIGEST_BYTES))
    size: int = 0
    used_at: float = 0.0
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)
    _growing: threading.Lock = field(default_factory=threading.Lock)

    def grow(self, begins: int, data: bytes) -> None:
        """Put bytes behind those that are here, but for what is here already.

        Whoever asked may be gone while a thread still writes, and the next one asks for the same.
        """
        with self._growing:
            if not begins <= self.size < begins + len(data):
                return
            fresh = data[self.size - begins :]
            written = 0
            while written < len(fresh):  # a disk that is all but full takes a part, then none
                written += os.pwrite(self.file.fileno(), fresh[written:], self.size + written)
            self.digest.update(fresh)
            self.survey.see(fresh)
            self.size += len(fresh)
            with self.opened() as file:
                self.survey.follow(file, self.size)

    def opened(self) -> BinaryIO:
        """Open it anew, at its beginning."""
        return cast("BinaryIO", io.BufferedReader(_Reader(self), READ_BYTES))

    def __del__(self) -> None:
        """Close the file: with that it is gone."""
        self.file.close()


class _Reader(io.RawIOBase):
    """A place of its own in a copy that others read too."""

    def __init__(self, copy: _Copy[SurveyorT]) -> None:
        self._copy = copy
        self._at = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begins = (0, self._at, self._copy.size)[whence]
        self._at = max(0, begins + offset)
        return self._at

    @override
    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        found = os.pread(self._copy.file.fileno(), len(view), self._at)
        view[: len(found)] = found
        self._at += len(found)
        return len(found)


@dataclass(frozen=True, slots=True)
class Opened(Generic[SurveyorT]):
    """A file that is whole."""

    file: BinaryIO
    size: int
    digest: bytes
    survey: SurveyorT


def _refused(detail: str) -> PoisonMessageError:
    return PoisonMessageError("invalid", f"{detail}; import it again", field="file")


class CopiedUploads(Generic[SurveyorT]):
    """Files that are kept elsewhere, with copies of the newest."""

    def __init__(self, uploads: Uploads, survey: Callable[[], SurveyorT]) -> None:
        self._uploads = uploads
        self._survey = survey
        self._copies: dict[int, _Copy[SurveyorT]] = {}

    @property
    def piece_bytes(self) -> int:
        """Bytes of a piece, but for the last of a request."""
        return self._uploads.piece_bytes

    async def put(self, place: Place, number: int, begins: int, data: bytes) -> bool:
        """Keep the next piece of an import's file; tells whether it was its turn."""
        if not await self._uploads.put(place, number, begins, begins + len(data), data):
            return False
        copy = self._copies.pop(number, None) or _Copy(self._survey())
        if copy.size == begins:  # other pieces went to another process, or come again
            try:
                await asyncio.to_thread(copy.grow, begins, data)
            except OSError:  # no room for a copy: the file itself is kept
                return True
            self._hold(number, copy)
        return True

    @asynccontextmanager
    async def opened(
        self, place: Place, number: int, size: int, digest: bytes | None = None
    ) -> AsyncIterator[Opened[SurveyorT]]:
        """Open a file of so many bytes; what is not at hand comes from where it is kept.

        `digest`: that of an earlier reading.  Raises `PoisonMessageError` where less or more is
        kept than was received, or something else than was read before.
        """
        copy = self._copies.pop(number, None) or _Copy(self._survey())
        self._hold(number, copy)
        async with copy.fetching:
            begins = copy.size
            async for piece in self._uploads.read(place, number, begins):
                if piece.begins != begins:
                    break
                await asyncio.to_thread(copy.grow, begins, piece.data)
                begins += len(piece.data)
                self._hold(number, copy)
            if begins != size:
                self._copies.pop(number, None)
                raise _refused(f"is not whole any more: {begins} of its {size} bytes can be read")
        if digest is not None and digest != copy.digest.digest():
            self._copies.pop(number, None)
            raise _refused("is not the one that was read before")
        with copy.opened() as file:
            yield Opened(file, copy.size, copy.digest.digest(), copy.survey)

    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        self._copies.pop(number, None)
        await self._uploads.delete(place, number)

    def _hold(self, number: int, copy: _Copy[SurveyorT]) -> None:
        """Keep a copy at hand, as the one that was used last."""
        self._copies.pop(number, None)
        self._copies[number] = copy
        copy.used_at = time.monotonic()
        asyncio.get_running_loop().call_later(SECONDS + 1, self._let_go)
        self._let_go()

    def _let_go(self) -> None:
        """Let go of copies that nobody used lately, and of the oldest beyond the most."""
        latest = time.monotonic() - SECONDS
        kept = [item for item in self._copies.items() if item[1].used_at > latest]
        self._copies = dict(kept[-MOST:])
