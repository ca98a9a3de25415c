"""Uploaded files, kept piece by piece until their time is up: in the database or in a directory.

In the database every replica of ingest has them and a backup does too. A directory spares the
database, and must then be one that all replicas share; so does object storage (`object_uploads`).
Where there are keys, pieces are encrypted.
"""

import asyncio
import contextlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from typing_extensions import override
from ulid import ULID

from services.ingest.store.imports import ImportStore
from services.ingest.store.vault import SEAL, Vault
from shared.auth import Place
from shared.errors import TransientError

PIECE: Final = 1 << 20
"""Bytes of a piece where each costs little."""


class Piece(NamedTuple):
    """A part of a file."""

    begins: int
    """Its first byte's place in the file."""
    data: bytes


class Uploads(Protocol):
    """Where files are kept."""

    piece_bytes: int
    """Bytes of a piece, but for the last of a request."""

    async def put(self, place: Place, number: int, begins: int, ends: int, data: bytes) -> bool:
        """Keep the next piece of an import's file, and count the file's bytes up to its end.

        Tells whether it was this piece's turn.  Where another request was first nothing is changed:
        what anybody was told is kept stays as it is.
        """

    def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[Piece]:
        """Yield the file's pieces in their order, from the one on that begins at this byte."""

    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""


class DatabaseUploads(Uploads):
    """Files in schema `ingest`."""

    piece_bytes = PIECE

    def __init__(self, store: ImportStore) -> None:
        self._store = store

    @override
    async def put(self, place: Place, number: int, begins: int, ends: int, data: bytes) -> bool:
        """Keep the next piece of an import's file; tells whether it was its turn."""
        return await self._store.receive(place, number, begins, ends, data=data, name=None)

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[Piece]:
        """Yield the file's pieces in their order, from the one on that begins at this byte."""
        while row := await self._store.fetchrow(place, "find_chunk", number, begins):
            yield Piece(row["begins"], row["data"])
            begins = row["begins"] + 1  # pieces do not overlap

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        await self._store.forget_pieces(place, number)


class Ledger(Protocol):
    """Knows which pieces of files had their turn."""

    async def receive(
        self, place: Place, number: int, begins: int, ends: int, *, data: bytes, name: str | None
    ) -> bool:
        """Note a file's next piece; tells whether it was its turn."""

    async def find_pieces(self, place: Place, number: int, begins: int) -> list[tuple[int, str]]:
        """Return where pieces begin, and their names, in the file's order."""

    async def forget_pieces(self, place: Place, number: int) -> None:
        """Forget a file's pieces."""


class NamedUploads(Uploads, ABC):
    """Files in a folder outside the database, each piece under a name that nothing else has.

    The database says which pieces had their turn.  One that came too late, or whose process ended
    before its turn, is never read, and goes with the folder at the latest.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @override
    async def put(self, place: Place, number: int, begins: int, ends: int, data: bytes) -> bool:
        """Keep the next piece of an import's file; tells whether it was its turn."""
        folder, name = _folder(place, number), f"{begins:016d}.{ULID()}"
        await self._write(folder, name, data)
        if await self._ledger.receive(place, number, begins, ends, data=b"", name=name):
            return True
        # Where the database does not answer nobody knows whose turn it was: then the piece stays.
        await self._drop(folder, name)
        return False

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[Piece]:
        """Yield the file's pieces in their order, up to one that is missing."""
        folder = _folder(place, number)
        names = await self._ledger.find_pieces(place, number, begins)
        if not names:  # a file from before pieces had names, which was called by its places alone
            old = [name for name in await self._names(folder) if name.isdecimal()]
            names = sorted((int(name), name) for name in old if int(name) >= begins)
        for at, name in names:
            data = await self._read(folder, name)
            if data is None:
                return
            yield Piece(at, data)

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file: its pieces first, so that a folder stays known until it is gone."""
        await self._remove(_folder(place, number))
        await self._ledger.forget_pieces(place, number)

    @abstractmethod
    async def _write(self, folder: str, name: str, data: bytes) -> None: ...

    @abstractmethod
    async def _read(self, folder: str, name: str) -> bytes | None:
        """Return a piece; None: it is not there."""

    @abstractmethod
    async def _drop(self, folder: str, name: str) -> None: ...

    @abstractmethod
    async def _names(self, folder: str) -> list[str]: ...

    @abstractmethod
    async def _remove(self, folder: str) -> None: ...


def _folder(place: Place, number: int) -> str:
    return f"{place.tenant_id}/{number}"


class DirectoryUploads(NamedUploads):
    """Files in a directory, readable by this user alone."""

    piece_bytes = PIECE

    def __init__(self, directory: Path, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._directory = directory

    @override
    async def _write(self, folder: str, name: str, data: bytes) -> None:
        def write() -> None:
            path = self._directory / folder
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            piece = path / name
            piece.touch(mode=0o600)
            piece.write_bytes(data)

        await asyncio.to_thread(write)

    @override
    async def _read(self, folder: str, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._directory / folder / name).read_bytes)
        except FileNotFoundError:
            if self._directory.is_dir():
                return None
            raise TransientError("the directory of uploaded files is not there") from None

    @override
    async def _drop(self, folder: str, name: str) -> None:
        piece = self._directory / folder / name
        await asyncio.to_thread(piece.unlink, missing_ok=True)

    @override
    async def _names(self, folder: str) -> list[str]:
        path = self._directory / folder
        return await asyncio.to_thread(lambda: [piece.name for piece in path.glob("*")])

    @override
    async def _remove(self, folder: str) -> None:
        def remove() -> None:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self._directory / folder)

        await asyncio.to_thread(remove)


class SealedUploads(Uploads):
    """Files that nobody can read who has a copy of where they are kept: each piece is encrypted.

    Without keys pieces are kept as they come, and one that was encrypted is refused.
    """

    def __init__(self, uploads: Uploads, vault: Vault) -> None:
        self._uploads = uploads
        self._vault = vault
        self.piece_bytes = uploads.piece_bytes

    @override
    async def put(self, place: Place, number: int, begins: int, ends: int, data: bytes) -> bool:
        """Keep the next piece of an import's file; tells whether it was its turn."""
        if self._vault.is_open:
            data = await asyncio.to_thread(self._vault.seal_bytes, data)
        return await self._uploads.put(place, number, begins, ends, data)

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[Piece]:
        """Yield the file's pieces in their order, from the one on that begins at this byte."""
        async for piece in self._uploads.read(place, number, begins):
            if piece.data.startswith(SEAL):  # others came before there was a key
                data = await asyncio.to_thread(self._vault.unseal_bytes, piece.data)
                yield Piece(piece.begins, data)
            else:
                yield piece

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        await self._uploads.delete(place, number)
