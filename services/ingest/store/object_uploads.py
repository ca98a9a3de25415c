"""Uploaded files in object storage that speaks S3: a piece is an object, named by its place.

Parts of a multipart upload are no pieces: they are at least 5 MiB but for the last, nobody may read
them before all are there, and those of an upload that was given up stay until somebody looks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from obstore import delete_async, get_async, put_async
from obstore import list as list_objects
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store
from typing_extensions import override

from services.ingest.settings import ObjectStorageSettings
from services.ingest.store.uploads import Ledger, NamedUploads
from shared.errors import ServiceError, SourceUnavailableError, TransientError

if TYPE_CHECKING:
    from obstore.store import S3Config

PIECE: Final = 4 << 20
"""Bytes of a piece: each costs a request, and each that is on its way lies in memory."""

TRIES: Final = 3
"""How often a request is repeated that came to nothing (5xx, a broken connection)."""

PAGE: Final = 1_000
"""Names that are asked for at once, and pieces that are deleted by one request."""

CONNECT_SECONDS: Final = 5.0

_REFUSED: Final = "object storage refuses ingest's key; look at INGEST_S3_…"


class ObjectUploads(NamedUploads):
    """Files in a bucket."""

    piece_bytes = PIECE

    def __init__(self, settings: ObjectStorageSettings, ledger: Ledger) -> None:
        super().__init__(ledger)
        assert settings.bucket is not None
        said = {
            "endpoint": settings.endpoint,
            "access_key_id": settings.access_key_id.get_secret_value(),
            "secret_access_key": settings.secret_access_key.get_secret_value(),
        }
        config = cast("S3Config", {name: text for name, text in said.items() if text})
        patience = timedelta(seconds=settings.timeout_seconds * TRIES)
        self._bucket = S3Store(
            settings.bucket,
            prefix=settings.prefix,
            region=settings.region,
            config=config,
            client_options={
                "allow_http": (settings.endpoint or "").startswith("http://"),
                "timeout": timedelta(seconds=settings.timeout_seconds),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            },
            retry_config={
                "max_retries": TRIES - 1,
                "retry_timeout": patience,
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )

    @override
    async def _write(self, folder: str, name: str, data: bytes) -> None:
        with _said_plainly():
            await put_async(self._bucket, f"{folder}/{name}", data, use_multipart=False)

    @override
    async def _read(self, folder: str, name: str) -> bytes | None:
        try:
            found = await get_async(self._bucket, f"{folder}/{name}")
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            # So it is said of a bucket that is not there, too; listing that one fails.
            if name in await self._names(folder):
                raise TransientError("object storage fails: lists what it does not have") from None
            return None
        except (BaseError, OSError) as error:
            raise _plain(error) from None

    @override
    async def _drop(self, folder: str, name: str) -> None:
        with _said_plainly():
            await delete_async(self._bucket, [f"{folder}/{name}"])

    @override
    async def _names(self, folder: str) -> list[str]:
        """List a file's pieces: some 2,000 of a file of 8 GiB."""
        names: list[str] = []
        with _said_plainly():
            async for page in list_objects(self._bucket, folder, chunk_size=PAGE):
                names += [found["path"].rpartition("/")[2] for found in page]
        return names

    @override
    async def _remove(self, folder: str) -> None:
        paths = [f"{folder}/{name}" for name in await self._names(folder)]
        for begin in range(0, len(paths), PAGE):
            with _said_plainly():
                await delete_async(self._bucket, paths[begin : begin + PAGE])


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Say what went wrong without what the library says: names of buckets, addresses, answers."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise _plain(error) from None


def _plain(error: Exception) -> ServiceError:
    if _is_refusal(error):
        return SourceUnavailableError(_REFUSED)
    return TransientError(f"object storage fails: {type(error).__name__}")


def _is_refusal(error: Exception) -> bool:
    """Tell whether a key is refused: of lists the library says so in its words alone."""
    refusals = (PermissionDeniedError, UnauthenticatedError)
    return isinstance(error, refusals) or "403 Forbidden" in str(error)
