"""What every answer is made of: JSON, or what is wrong as a problem document (RFC 9457)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

import orjson
from fastapi import Request, Response
from msgspec import DecodeError

from shared.errors import PoisonMessageError
from shared.observability.logs import get_logger

log = get_logger(__name__)

MAX_BYTES: Final = 262_144
"""The largest order: a thousand chosen records and as many identifiers."""

Found = TypeVar("Found")


class ProblemError(Exception):
    """A request that is refused before anything is decided."""

    def __init__(self, status: HTTPStatus, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


async def body_of(request: Request, limit: int = MAX_BYTES) -> bytes:
    """Read the body of a request, at most so many bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {limit} bytes"
            )
    return bytes(body)


def object_of(body: bytes) -> dict[str, Any]:
    """Read a body as a JSON object."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        read = None
    if not isinstance(read, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
    return read


def decoded(decode: Callable[[bytes], Found], body: bytes, name: str = "signals") -> Found:
    """Read a body as what `decode` reads: an object with a list of that name."""
    try:
        return decode(body)
    except DecodeError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f'the body must be a JSON object with a list "{name}"'
        ) from None


def said(answer: object) -> Response:
    """Answer with JSON; None: it is not known in the caller's workspace."""
    if answer is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "is not known in the API key's workspace")
    return Response(orjson.dumps(answer), media_type="application/json")


async def refused(_request: Request, error: Exception) -> Response:
    """Say what is wrong with a request."""
    assert isinstance(error, ProblemError)
    return _problem(error.status, error.detail, error.field)


async def put_off(_request: Request, error: Exception) -> Response:
    """Say what an order cannot do, or that it may be given again later."""
    if isinstance(error, PoisonMessageError):
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.detail, error.field or None)
    log.warning("an order was put off", error=error)
    answer = _problem(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was done: send the same again later")
    answer.headers["Retry-After"] = "1"
    return answer


def _problem(status: HTTPStatus, detail: str, field: str | None = None) -> Response:
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    if field is not None:
        body["field"] = field
    headers = {"WWW-Authenticate": 'Bearer realm="kith"'} if status == 401 else None
    return Response(orjson.dumps(body), status, headers, "application/problem+json")
