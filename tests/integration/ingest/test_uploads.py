"""Where uploaded files are kept: in the database or a directory, encrypted where there is a key."""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncIterator
from functools import partial
from hashlib import blake2b
from io import SEEK_END, BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from starlette.requests import ClientDisconnect
from ulid import ULID

from services.ingest.routes.problems import ProblemError
from services.ingest.routes.receiving import keep
from services.ingest.sources.encodings import sniff_encoding
from services.ingest.sources.survey import Survey
from services.ingest.store.copies import DIGEST_BYTES, MOST, CopiedUploads
from services.ingest.store.uploads import (
    DatabaseUploads,
    DirectoryUploads,
    SealedUploads,
    Uploads,
)
from services.ingest.store.vault import Vault, VaultError
from shared.auth import Place
from shared.errors import PoisonMessageError, TransientError
from tests.support.importing import Importing
from tests.support.ledger import MemoryLedger

HERE = Place(1, 1, "", "")
PIECES = {0: b"Name,Em", 7: b"ail\n", 11: b"\x00" * 70_000}


async def content(uploads: Uploads, number: int) -> bytes:
    return b"".join([piece.data async for piece in uploads.read(HERE, number)])


@pytest.mark.parametrize("kind", ["database", "directory", "sealed"])
async def test_a_file_is_read_as_it_came_and_forgotten(
    system: Importing, tmp_path: Path, kind: str
) -> None:
    """A piece that comes too late changes nothing; files of other imports stay."""
    store = system.tools.store
    uploads: Uploads = DatabaseUploads(store)
    if kind != "database":
        uploads = DirectoryUploads(tmp_path, store)
    if kind == "sealed":
        uploads = SealedUploads(uploads, Vault([Fernet.generate_key().decode()]))
    one, other = [await store.create(HERE, f"imp_{ULID()}", {}, None, 1) for _ in range(2)]
    whole = b"".join(PIECES.values())
    for number in (one, other):
        for begins, data in PIECES.items():
            assert await uploads.put(HERE, number, begins, begins + len(data), data)
            assert not await uploads.put(HERE, number, begins, begins + 3, b"too")
    assert await content(uploads, one) == whole
    await uploads.delete(HERE, one)
    assert await content(uploads, one) == b""
    assert await content(uploads, other) == whole
    await uploads.delete(HERE, other)
    assert files(tmp_path) == []


@pytest.mark.parametrize("kind", ["database", "directory"])
async def test_a_request_that_was_late_changes_nothing_that_was_kept(
    system: Importing, tmp_path: Path, kind: str
) -> None:
    """A broken connection is noticed late: meanwhile its client goes on at another replica."""
    store, data = system.tools.store, bytes(range(256)) * 8192
    number = await store.create(HERE, f"imp_{ULID()}", {}, len(data), 1)

    def replica() -> Any:
        kept = DirectoryUploads(tmp_path, store) if kind == "directory" else DatabaseUploads(store)
        return SimpleNamespace(uploads=CopiedUploads(kept, Survey), imports=store)

    first, second, third = replica(), replica(), replica()
    is_noticed = asyncio.Event()

    async def breaking() -> AsyncIterator[bytes]:
        yield data[:300_000]
        await is_noticed.wait()
        raise ClientDisconnect

    async def rest(begins: int, ends: int) -> AsyncIterator[bytes]:
        yield data[begins:ends]

    late = asyncio.create_task(keep(first, HERE, number, breaking()))
    await asyncio.sleep(0.05)
    middle = await keep(second, HERE, number, rest(0, 1 << 20))
    is_noticed.set()
    with pytest.raises(ProblemError, match="another request"):
        await late
    assert await keep(second, HERE, number, rest(middle, len(data)), middle) == len(data)
    for one in (first, second, third):
        assert await told(one.uploads, number, len(data)) == data
    await third.uploads.delete(HERE, number)


async def test_a_file_that_is_not_whole_any_more_is_not_read(tmp_path: Path) -> None:
    """Neither with a gap nor short: numbers would shift, or rows be missing, and nobody be told."""
    kept, size = DirectoryUploads(tmp_path, MemoryLedger()), sum(map(len, PIECES.values()))
    for missing in PIECES:
        await put_all(kept, missing)
        name = f"{missing}/{missing:016d}."
        [piece] = [one for one in files(tmp_path) if name in str(one)]
        piece.unlink()
        with pytest.raises(PoisonMessageError, match=f"of its {size} bytes can be read"):
            await told(CopiedUploads(kept, Survey), missing, size)
    await asyncio.to_thread(shutil.rmtree, tmp_path)
    with pytest.raises(TransientError, match="directory"):
        await told(CopiedUploads(kept, Survey), 0, size)


async def test_a_file_from_before_pieces_had_names_is_read(tmp_path: Path) -> None:
    kept = DirectoryUploads(tmp_path, MemoryLedger())
    (tmp_path / "1" / "5").mkdir(parents=True)
    for begins, data in PIECES.items():
        (tmp_path / "1" / "5" / f"{begins:016d}").write_bytes(data)
    assert await content(kept, 5) == b"".join(PIECES.values())


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def put_all(uploads: Uploads, number: int) -> bytes:
    for begins, data in PIECES.items():
        await uploads.put(HERE, number, begins, begins + len(data), data)
    return b"".join(PIECES.values())


async def test_who_has_a_copy_reads_nothing(tmp_path: Path) -> None:
    """Not without the key; what came before there was one is still read."""
    plain = DirectoryUploads(tmp_path, MemoryLedger())
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = SealedUploads(plain, Vault([old.decode()]))
    await plain.put(HERE, 1, 0, 7, b"before ")
    await sealed.put(HERE, 1, 7, 16, b"Ada Byron")
    assert b"Ada" not in await content(plain, 1)
    assert await content(SealedUploads(plain, Vault([new.decode(), old.decode()])), 1) == (
        b"before Ada Byron"
    )
    with pytest.raises(VaultError, match="a key that is not among"):
        await content(SealedUploads(plain, Vault([new.decode()])), 1)


async def test_what_is_at_hand_is_not_fetched_and_the_rest_is(tmp_path: Path) -> None:
    """Pieces that another process took in come from where all are kept."""
    kept = DirectoryUploads(tmp_path, MemoryLedger())
    ours, theirs = CopiedUploads(kept, Survey), CopiedUploads(kept, Survey)
    whole = b"".join(PIECES.values())
    for number, writers in {
        1: (ours, ours, ours),
        2: (ours, ours, theirs),
        3: (ours, theirs, ours),
    }.items():
        for uploads, (begins, data) in zip(writers, PIECES.items(), strict=True):
            await uploads.put(HERE, number, begins, data)
    size = len(whole)
    for number in (1, 2, 3):
        assert await told(ours, number, size) == await told(theirs, number, size) == whole
    await kept.delete(HERE, 1)
    assert await told(ours, 1, size) == whole
    await ours.delete(HERE, 2)
    assert await told(ours, 2, 0) == b""


async def test_a_copy_is_right_whoever_gives_up_or_finds_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that a thread was putting down comes again; a full disk takes a part of one."""
    kept = DirectoryUploads(tmp_path, MemoryLedger())
    whole = await put_all(kept, 1)
    uploads = CopiedUploads(kept, Survey)
    goes_on = threading.Event()
    pwrite = os.pwrite

    def slowly(number: int, data: bytes, at: int) -> int:
        goes_on.wait(5)
        return pwrite(number, data[:3], at)

    monkeypatch.setattr(os, "pwrite", slowly)
    first = asyncio.create_task(told(uploads, 1, len(whole)))
    await asyncio.sleep(0.05)
    first.cancel()
    second = asyncio.create_task(told(uploads, 1, len(whole)))
    await asyncio.sleep(0.05)
    goes_on.set()
    assert await second == whole

    def full(number: int, data: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "pwrite", full)
    await uploads.put(HERE, 2, 0, b"Name")
    monkeypatch.undo()
    assert await told(uploads, 2, 4) == b"Name"


async def told(uploads: CopiedUploads[Survey], number: int, size: int) -> bytes:
    """Read a file twice, side by side; its size, digest and encoding are those of its bytes."""
    opened = partial(uploads.opened, HERE, number, size)
    async with opened() as one, opened() as other:
        data = one.file.read()
        assert other.file.read() == data
        assert one.size == other.file.seek(0, SEEK_END) == len(data)
    assert one.digest == blake2b(data, digest_size=DIGEST_BYTES).digest()
    assert one.survey.encoding() == sniff_encoding(BytesIO(data))
    return data


async def test_only_the_newest_stay_at_hand(tmp_path: Path) -> None:
    kept = DirectoryUploads(tmp_path, MemoryLedger())
    uploads = CopiedUploads(kept, Survey)
    for number in range(MOST + 1):
        await uploads.put(HERE, number, 0, b"Name,Email\n")
        await kept.delete(HERE, number)
    found = [await told(uploads, number, 11) for number in reversed(range(1, MOST + 1))]
    assert found == [b"Name,Email\n"] * MOST
    with pytest.raises(PoisonMessageError, match="0 of its 11 bytes"):
        await told(uploads, 0, 11)
