"""Taking an uploaded file in, piece by piece: as the body itself, or as the one file of a form."""

from collections.abc import Callable
from hashlib import blake2b
from http import HTTPStatus
from typing import IO, Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.routes.doorway import bounded
from services.ingest.routes.problems import ProblemError

DIGEST_BYTES: Final = 16
"""Octets of a file's digest."""

Keep = Callable[[bytes, int, int], None]


async def receive(request: Request, limit: int, spool: IO[bytes]) -> bytes:
    """Write the uploaded file to `spool`; return its digest."""
    digest = blake2b(digest_size=DIGEST_BYTES)

    def keep(data: bytes, start: int, end: int) -> None:
        digest.update(data[start:end])
        spool.write(data[start:end])

    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        await _receive_form(request, limit, options.get(b"boundary", b""), keep)
    else:
        async for piece in bounded(request, limit):
            keep(piece, 0, len(piece))
    return digest.digest()


async def _receive_form(request: Request, limit: int, boundary: bytes, keep: Keep) -> None:
    parts = 0

    def begin() -> None:
        nonlocal parts
        parts += 1
        if parts > 1:
            raise _form("send one file in the form and nothing else")

    try:
        parser = MultipartParser(boundary, {"on_part_begin": begin, "on_part_data": keep})
        async for piece in bounded(request, limit):
            parser.write(piece)
        parser.finalize()
    except FormParserError:
        raise _form("the form cannot be read; send the file as the body") from None


def _form(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, reason="malformed", field="file")
