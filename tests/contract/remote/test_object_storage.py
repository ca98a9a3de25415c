"""Uploads in object storage, over a socket: kept, read, deleted; and what goes wrong there."""

import tracemalloc
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError

from services.ingest.app import uploads_of
from services.ingest.settings import ObjectStorageSettings, Settings
from services.ingest.sources.survey import Survey
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.object_uploads import PIECE, ObjectUploads
from services.ingest.store.uploads import SealedUploads, Uploads
from services.ingest.store.vault import Vault
from shared.auth import Place
from shared.errors import ServiceError, SourceUnavailableError, TransientError
from shared.identifiers.settings import DigestSettings
from shared.kafka import KafkaSettings
from shared.postgres.settings import PostgresSettings
from tests.support.ledger import MemoryLedger
from tests.support.object_storage import (
    BUCKET,
    KEY,
    SECRET,
    ObjectStorage,
    Turn,
    object_storage,
)

HERE = Place(1, 1, "", "")
BROKEN: list[Turn | None] = ["break off"] * 20
PIECES = {0: b"Name,Em", 7: b"ail\n", 11: b"\x00" * 70_000, 70_011: b"end"}


@pytest.fixture(scope="module")
async def storage() -> AsyncIterator[ObjectStorage]:
    async with object_storage() as storage:
        yield storage


@pytest.fixture(autouse=True)
def empty(storage: ObjectStorage) -> None:
    """Begin with an empty bucket where nothing goes wrong."""
    storage.objects.clear()
    storage.turns.clear()
    storage.asked.clear()


def uploads(
    storage: ObjectStorage, ledger: MemoryLedger | None = None, **other: Any
) -> ObjectUploads:
    said: Mapping[str, Any] = {
        "bucket": BUCKET,
        "endpoint": storage.endpoint,
        "access_key_id": SecretStr(KEY),
        "secret_access_key": SecretStr(SECRET),
        "timeout_seconds": 1.0,
        **other,
    }
    return ObjectUploads(ObjectStorageSettings(**said), ledger or MemoryLedger())


async def content(kept: Uploads, number: int, begins: int = 0) -> bytes:
    return b"".join([piece.data async for piece in kept.read(HERE, number, begins)])


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_a_file_is_read_as_it_came_from_any_piece_on_and_forgotten(
    storage: ObjectStorage, *, is_sealed: bool
) -> None:
    """A piece that comes too late changes nothing; files of others stay, also 1 beside 10."""
    kept: Uploads = uploads(storage)
    if is_sealed:
        kept = SealedUploads(kept, Vault([Fernet.generate_key().decode()]))
    for number in (1, 10):
        for begins, data in PIECES.items():
            assert await kept.put(HERE, number, begins, begins + len(data), data)
        assert not await kept.put(HERE, number, 7, 10, b"too")
        assert len(storage.objects) % len(PIECES) == 0, "what came too late goes at once"
    whole = b"".join(PIECES.values())
    assert await content(kept, 1) == whole
    assert await content(kept, 1, 11) == whole[11:]
    assert all(name.startswith("uploads/1/1") for name in storage.objects)
    assert any(b"Name,Em" in data for data in storage.objects.values()) is not is_sealed
    await kept.delete(HERE, 1)
    assert await content(kept, 1) == b""
    assert await content(kept, 10) == whole
    await kept.delete(HERE, 10)
    await kept.delete(HERE, 10)
    assert storage.objects == {}


async def test_what_fails_for_a_moment_is_asked_again(storage: ObjectStorage) -> None:
    """An overloaded storage, and an answer that does not come."""
    kept = uploads(storage)
    storage.turns.extend(["fail", "fail"])
    await kept.put(HERE, 1, 0, 100_000, b"x" * 100_000)
    storage.turns.extend(["dawdle"])
    assert await content(kept, 1) == b"x" * 100_000
    storage.turns.extend(["fail"])
    assert await content(kept, 1) == b"x" * 100_000
    storage.turns.extend(["fail"])
    await kept.delete(HERE, 1)
    assert storage.objects == {}


async def test_a_piece_that_breaks_off_is_never_taken_for_whole(storage: ObjectStorage) -> None:
    """Once, it is asked for again; always, it is told as what passes."""
    kept, data = uploads(storage), bytes(range(256)) * 4_000
    await kept.put(HERE, 1, 0, len(data), data)
    storage.turns.extend(["break off"])
    assert await content(kept, 1) == data
    storage.turns.extend(BROKEN)
    with pytest.raises(TransientError, match="object storage fails"):
        await content(kept, 1)


@pytest.mark.parametrize(
    ("turns", "other", "kind"),
    [
        (["refuse"], {}, SourceUnavailableError),
        ([], {"secret_access_key": SecretStr("another")}, SourceUnavailableError),
        ([], {"bucket": "of-somebody-else"}, TransientError),
        (["fail"] * 9, {}, TransientError),
        (["dawdle"] * 9, {"timeout_seconds": 0.2}, TransientError),
        (["missing"], {}, TransientError),
        ([], {"endpoint": "http://127.0.0.1:9"}, TransientError),
    ],
)
async def test_what_goes_wrong_is_said_without_keys_and_names(
    storage: ObjectStorage,
    turns: Sequence[Turn | None],
    other: dict[str, Any],
    kind: type[ServiceError],
) -> None:
    ledger = MemoryLedger()
    await uploads(storage, ledger).put(HERE, 1, 0, 1, b"x")
    kept = uploads(storage, ledger, **other)
    storage.turns.extend(turns)
    with pytest.raises(kind) as raised:
        await content(kept, 1)
    told = f"{raised.value!r} {raised.value}"
    assert raised.value.__cause__ is None
    for secret in (KEY, SECRET, BUCKET, "127.0.0.1", "uploads/"):
        assert secret not in told


async def test_a_file_is_uploaded_piece_by_piece_and_read_within_bounds(
    storage: ObjectStorage,
) -> None:
    """Another process goes on behind what came before, and reads all of it from the storage."""
    ledger = MemoryLedger()
    first, second = (CopiedUploads(uploads(storage, ledger), Survey) for _ in range(2))
    assert first.piece_bytes == PIECE
    data = bytes(range(256)) * (10 * PIECE // 256)
    for begins in range(0, len(data), PIECE):
        await (second if begins else first).put(HERE, 1, begins, data[begins : begins + PIECE])
    tracemalloc.start()
    try:
        async with second.opened(HERE, 1, len(data)) as whole:
            assert whole.size == len(data)
            most = tracemalloc.get_traced_memory()[1]
            assert whole.file.read() == data
    finally:
        tracemalloc.stop()
    assert most < 7 * PIECE, "what the storage itself holds, in this process, included"
    await second.delete(HERE, 1)
    assert storage.objects == {}


def test_uploads_go_where_the_settings_say(storage: ObjectStorage) -> None:
    said: dict[str, Any] = {
        "kafka": KafkaSettings(bootstrap_servers="kafka:9092"),
        "postgres": PostgresSettings(dsn=SecretStr("postgresql://kith")),
        "digest": DigestSettings(digest_secret=SecretStr("a secret of the tests")),
        "s3": ObjectStorageSettings(
            bucket=BUCKET, access_key_id=SecretStr(KEY), secret_access_key=SecretStr(SECRET)
        ),
    }
    told = repr(Settings(**said))
    assert KEY not in told
    assert SECRET not in told
    kept = uploads_of(Settings(**said), store=None, vault=Vault([]))  # type: ignore[arg-type]
    assert kept.piece_bytes == PIECE
    with pytest.raises(ValidationError, match="not both"):
        Settings(**said, upload_dir=Path("uploads"))
    with pytest.raises(ValidationError, match="a key needs both"):
        ObjectStorageSettings(bucket=BUCKET, access_key_id=SecretStr(KEY))
