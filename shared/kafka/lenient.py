"""Read records whose header names are not UTF-8, which aiokafka's own reader cannot.

Its reader raises in the middle of a fetch, again and again: one such record, which any client may
send, would block its partition for ever.  After the first failure fetches are read, for a while, by
aiokafka's pure-Python reader, with the offending bytes written out; the hot path stays as is.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy
from typing_extensions import override

from shared.observability.logs import get_logger

log = get_logger(__name__)

LENIENT_S: Final = 10.0
"""How long the slow reader stays after a failure, seconds."""

_until = 0.0


class _Buffer(bytearray):
    """Bytes whose slices decode without fail."""

    @override
    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        part = super().__getitem__(at)
        return _Buffer(part) if isinstance(part, bytearray) else part

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self).decode(encoding, "backslashreplace")


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]
    @property
    def _buffer(self) -> _Buffer:
        return self._lenient

    @_buffer.setter
    def _buffer(self, content: bytearray) -> None:
        self._lenient = _Buffer(content)


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    @override
    def next_batch(self) -> Any:
        content = self._next_slice
        batch = super().next_batch()
        if content is None or content[self.MAGIC_OFFSET] < 2:
            return batch  # none left, or of a format without headers
        return _Batch(content)


def _read(content: bytes) -> Any:
    return _Records(content) if time.monotonic() < _until else MemoryRecords(content)


def lenient(
    get: Callable[[Any], Awaitable[tuple[Any, ...]]],
) -> Callable[[Any], Awaitable[tuple[Any, ...]]]:
    """Wrap a subscriber's `get_msg`: what it fails to decode is fetched again, leniently."""

    async def guarded(consumer: Any) -> tuple[Any, ...]:
        global _until  # noqa: PLW0603  # aiokafka's reader is one for the whole process
        try:
            return await get(consumer)
        except UnicodeDecodeError:
            log.warning("header names that are not UTF-8")
            _until = time.monotonic() + LENIENT_S
            return ()

    return guarded


fetcher.MemoryRecords = _read
