"""Uploaded files, kept piece by piece until their time is up: in the database or in a directory.

In the database every replica of ingest has them and a backup does too. A directory spares the
database, and must then be one that all replicas share; so does object storage (`object_uploads`).
Where there are keys, pieces are encrypted.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

from typing_extensions import override

from services.ingest.store.imports import QUERIES, ImportStore
from services.ingest.store.vault import Vault
from shared.auth import Place

PIECE: Final = 1 << 20
"""Bytes of a piece where each costs little."""


SEAL: Final = b"gAAAA"
"""How a piece begins that is encrypted: Fernet's version and its time, in base64."""


class Uploads(Protocol):
    """Where files are kept."""

    piece_bytes: int
    """Bytes of a piece, but for the last of a request."""

    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""

    def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from the piece on that begins at this byte."""

    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""


class DatabaseUploads(Uploads):
    """Files in schema `ingest`."""

    piece_bytes = PIECE

    def __init__(self, store: ImportStore) -> None:
        self._store = store

    @override
    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""
        await self._store.fetchrow(
            place, "put_chunk", number, place.tenant_id, place.workspace_id, begins, data
        )

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from the piece on that begins at this byte."""
        while row := await self._store.fetchrow(place, "find_chunk", number, begins):
            yield row["data"]
            begins = row["begins"] + 1  # pieces do not overlap

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        async with self._store.inside(place) as connection:
            await connection.execute(QUERIES["delete_chunks"], number)


class DirectoryUploads(Uploads):
    """Files in a directory, readable by this user alone; a piece is a file named by its place."""

    piece_bytes = PIECE

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @override
    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""
        await asyncio.to_thread(self._write, self._folder(place, number), begins, data)

    def _write(self, folder: Path, begins: int, data: bytes) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        piece = folder / f"{begins:016d}"
        draft = piece.with_suffix(".new")
        draft.write_bytes(data)
        draft.chmod(0o600)
        draft.replace(piece)

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from the piece on that begins at this byte."""
        for piece in await asyncio.to_thread(self._pieces, self._folder(place, number), begins):
            yield await asyncio.to_thread(piece.read_bytes)

    @staticmethod
    def _pieces(folder: Path, begins: int) -> list[Path]:
        pieces = (piece for piece in folder.glob("*") if not piece.suffix)
        return sorted(piece for piece in pieces if int(piece.name) >= begins)

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        folder = self._folder(place, number)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _folder(self, place: Place, number: int) -> Path:
        return self._directory / str(place.tenant_id) / str(number)


class SealedUploads(Uploads):
    """Files that nobody can read who has a copy of where they are kept: each piece is encrypted."""

    def __init__(self, uploads: Uploads, vault: Vault) -> None:
        self._uploads = uploads
        self._vault = vault
        self.piece_bytes = uploads.piece_bytes

    @override
    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""
        sealed = await asyncio.to_thread(self._vault.seal_bytes, data)
        await self._uploads.put(place, number, begins, sealed)

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from the piece on that begins at this byte."""
        async for piece in self._uploads.read(place, number, begins):
            is_sealed = piece.startswith(SEAL)  # others came before there was a key
            yield await asyncio.to_thread(self._vault.unseal_bytes, piece) if is_sealed else piece

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        await self._uploads.delete(place, number)
