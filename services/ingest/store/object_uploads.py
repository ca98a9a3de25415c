"""Uploaded files in object storage that speaks S3: a piece is an object, named by its place.

Parts of a multipart upload are no pieces: they are at least 5 MiB but for the last, nobody may read
them before all are there, and those of an upload that was given up stay until somebody looks.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from obstore import delete_async, get_async, put_async
from obstore import list as list_objects
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store
from typing_extensions import override

from services.ingest.settings import ObjectStorageSettings
from services.ingest.store.uploads import Uploads
from shared.auth import Place
from shared.errors import SourceUnavailableError, TransientError

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


class ObjectUploads(Uploads):
    """Files in a bucket."""

    piece_bytes = PIECE

    def __init__(self, settings: ObjectStorageSettings) -> None:
        assert settings.bucket is not None
        said = {
            "endpoint": settings.endpoint,
            "access_key_id": settings.access_key_id.get_secret_value(),
            "secret_access_key": settings.secret_access_key.get_secret_value(),
        }
        config = cast("S3Config", {name: text for name, text in said.items() if text})
        patience = timedelta(seconds=settings.timeout_seconds * TRIES)
        self._store = S3Store(
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
    async def put(self, place: Place, number: int, begins: int, data: bytes) -> None:
        """Keep a piece of an import's file; the same piece again replaces it."""
        with _said_plainly():
            await put_async(
                self._store,
                f"{_folder(place, number)}/{begins:016d}",
                data,
                use_multipart=False,
            )

    @override
    async def read(self, place: Place, number: int, begins: int = 0) -> AsyncIterator[bytes]:
        """Yield the file from the piece on that begins at this byte."""
        for name in await self._names(place, number):
            if int(name.rpartition("/")[2]) >= begins:
                with _said_plainly():
                    found = await get_async(self._store, name)
                    piece = await found.bytes_async()
                yield bytes(piece)

    @override
    async def delete(self, place: Place, number: int) -> None:
        """Forget the file."""
        names = await self._names(place, number)
        for begin in range(0, len(names), PAGE):
            with _said_plainly():
                await delete_async(self._store, names[begin : begin + PAGE])

    async def _names(self, place: Place, number: int) -> list[str]:
        """List a file's pieces in their order: some 2,000 of a file of 8 GiB."""
        names: list[str] = []
        with _said_plainly():
            async for page in list_objects(self._store, _folder(place, number), chunk_size=PAGE):
                names += [found["path"] for found in page]
        return sorted(names)


def _folder(place: Place, number: int) -> str:
    return f"{place.tenant_id}/{number}"


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Say what went wrong without what the library says: names of buckets, addresses, answers."""
    try:
        yield
    except (BaseError, OSError) as error:
        if _is_refusal(error):
            raise SourceUnavailableError(_REFUSED) from None
        raise TransientError(f"object storage fails: {type(error).__name__}") from None


def _is_refusal(error: Exception) -> bool:
    """Tell whether a key is refused: of lists the library says so in its words alone."""
    refusals = (PermissionDeniedError, UnauthenticatedError)
    return isinstance(error, refusals) or "403 Forbidden" in str(error)
