"""An uploaded file as it streams in, piece by piece: as the body itself, or as a form's file."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.routes.doorway import bounded
from services.ingest.routes.problems import ProblemError


async def file_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the uploaded file; refuse it as soon as it is known to be too large."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        async for piece in bounded(request, limit):
            yield piece
        return
    parts = 0
    found = bytearray()

    def begin() -> None:
        nonlocal parts
        parts += 1
        if parts > 1:
            raise _form("send one file in the form and nothing else")

    def keep(data: bytes, start: int, end: int) -> None:
        found.extend(data[start:end])

    try:
        boundary = options.get(b"boundary", b"")
        parser = MultipartParser(boundary, {"on_part_begin": begin, "on_part_data": keep})
        async for piece in bounded(request, limit):
            parser.write(piece)
            if found:
                yield bytes(found)
                found.clear()
        parser.finalize()
    except FormParserError:
        raise _form("the form cannot be read; send the file as the body") from None


def _form(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, reason="malformed", field="file")
