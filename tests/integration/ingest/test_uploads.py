"""Where uploaded files are kept: in the database or a directory, encrypted where there is a key."""

import asyncio
import errno
import os
import threading
from hashlib import blake2b
from io import SEEK_END, BytesIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

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
from tests.support.importing import Importing

HERE = Place(1, 1, "", "")
PIECES = {0: b"Name,Em", 7: b"ail\n", 11: b"\x00" * 70_000}


async def content(uploads: Uploads, number: int) -> bytes:
    return b"".join([piece async for piece in uploads.read(HERE, number)])


@pytest.mark.parametrize("kind", ["database", "directory", "sealed"])
async def test_a_file_is_read_as_it_came_and_forgotten(
    system: Importing, tmp_path: Path, kind: str
) -> None:
    """A piece that is sent twice is kept once; files of other imports stay."""
    uploads: Uploads = DatabaseUploads(system.tools.store)
    if kind != "database":
        uploads = DirectoryUploads(tmp_path)
    if kind == "sealed":
        uploads = SealedUploads(uploads, Vault([Fernet.generate_key().decode()]))
    for number in (9_000_001, 9_000_002):
        for begins, data in [*PIECES.items(), (7, PIECES[7])]:
            await uploads.put(HERE, number, begins, data)
    assert await content(uploads, 9_000_001) == b"".join(PIECES.values())
    await uploads.delete(HERE, 9_000_001)
    assert await content(uploads, 9_000_001) == b""
    assert await content(uploads, 9_000_002) == b"".join(PIECES.values())
    await uploads.delete(HERE, 9_000_002)


async def test_who_has_a_copy_reads_nothing(tmp_path: Path) -> None:
    """Not without the key; what came before there was one is still read."""
    plain, old, new = DirectoryUploads(tmp_path), Fernet.generate_key(), Fernet.generate_key()
    sealed = SealedUploads(plain, Vault([old.decode()]))
    await plain.put(HERE, 1, 0, b"before ")
    await sealed.put(HERE, 1, 7, b"Ada Byron")
    assert b"Ada" not in await content(plain, 1)
    assert await content(SealedUploads(plain, Vault([new.decode(), old.decode()])), 1) == (
        b"before Ada Byron"
    )
    with pytest.raises(VaultError, match="a key that is not among"):
        await content(SealedUploads(plain, Vault([new.decode()])), 1)


async def test_what_is_at_hand_is_not_fetched_and_the_rest_is(tmp_path: Path) -> None:
    """Pieces that another process took in come from where all are kept."""
    kept = DirectoryUploads(tmp_path)
    ours, theirs = CopiedUploads(kept, Survey), CopiedUploads(kept, Survey)
    whole = b"".join(PIECES.values())
    for number, writers in {
        1: (ours, ours, ours),
        2: (ours, ours, theirs),
        3: (ours, theirs, ours),
    }.items():
        for uploads, (begins, data) in zip(writers, PIECES.items(), strict=True):
            await uploads.put(HERE, number, begins, data)
    for number in (1, 2, 3):
        assert await told(ours, number) == await told(theirs, number) == whole
    await kept.delete(HERE, 1)
    assert await told(ours, 1) == whole
    await kept.put(HERE, 1, 0, b"elsewhere")
    await ours.put(HERE, 1, 9, b"ail\n")
    assert await told(ours, 1) == b"elsewhereail\n"
    await ours.delete(HERE, 2)
    assert await told(ours, 2) == b""


async def test_a_copy_is_right_whoever_gives_up_or_finds_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that a thread was putting down comes again; a full disk takes a part of one."""
    kept = DirectoryUploads(tmp_path)
    whole = b"".join(PIECES.values())
    for begins, data in PIECES.items():
        await kept.put(HERE, 1, begins, data)
    uploads = CopiedUploads(kept, Survey)
    goes_on = threading.Event()
    pwrite = os.pwrite

    def slowly(number: int, data: bytes, at: int) -> int:
        goes_on.wait(5)
        return pwrite(number, data[:3], at)

    monkeypatch.setattr(os, "pwrite", slowly)
    first = asyncio.create_task(told(uploads, 1))
    await asyncio.sleep(0.05)
    first.cancel()
    second = asyncio.create_task(told(uploads, 1))
    await asyncio.sleep(0.05)
    goes_on.set()
    assert await second == whole

    def full(number: int, data: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "pwrite", full)
    await uploads.put(HERE, 2, 0, b"Name")
    monkeypatch.undo()
    assert await told(uploads, 2) == b"Name"


async def told(uploads: CopiedUploads[Survey], number: int) -> bytes:
    """Read a file twice, side by side; its size, digest and encoding are those of its bytes."""
    async with uploads.opened(HERE, number) as one, uploads.opened(HERE, number) as other:
        data = one.file.read()
        assert other.file.read() == data
        assert one.size == other.file.seek(0, SEEK_END) == len(data)
    assert one.digest == blake2b(data, digest_size=DIGEST_BYTES).digest()
    assert one.survey.encoding() == sniff_encoding(BytesIO(data))
    return data


async def test_only_the_newest_stay_at_hand(tmp_path: Path) -> None:
    kept = DirectoryUploads(tmp_path)
    uploads = CopiedUploads(kept, Survey)
    for number in range(MOST + 1):
        await uploads.put(HERE, number, 0, b"Name,Email\n")
        await kept.delete(HERE, number)
    found = [await told(uploads, number) for number in reversed(range(MOST + 1))]
    assert found == [*[b"Name,Email\n"] * MOST, b""]
