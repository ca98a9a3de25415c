"""How the api answers: JSON:API documents, and errors that never repeat a value."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from typing_extensions import override
from ulid import ULID

from services.api.domain.documents import ErrorDocument
from services.api.domain.media import JSON_API, JSON_API_LIST
from services.api.domain.paging import Page, page_links, page_meta
from services.api.domain.problems import CURSOR_PROFILE, Problem, RequestError, error_document
from shared.entrance import Refusal
from shared.errors import PoisonMessageError, ServiceError
from shared.observability.logs import get_logger

log = get_logger(__name__)

RETRY_AFTER_SECONDS: Final = "2"
"""What a client is told to wait while the database is away."""

_TITLES: Final = {404: "Not found", 405: "Method not allowed"}


class Answer(JSONResponse):
    """A JSON:API document."""

    media_type = JSON_API

    @override
    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        always = {"Vary": "Accept, Authorization", "Cache-Control": "private, no-cache"}
        super().__init__(
            content, status_code, headers={**always, **(headers or {})}, media_type=media_type
        )


def one_answer(request: Request, document: dict[str, Any], etag: str | None = None) -> Answer:
    """Answer with one resource, or with 304 when the client has this version of it."""
    headers = {"ETag": etag} if etag else {}
    if etag and not _tags(request.headers.get("If-None-Match")).isdisjoint({_opaque(etag), "*"}):
        answer = Answer(None, 304, headers)
        answer.body = b""
        del answer.headers["content-length"]
        return answer
    body = {"jsonapi": {"version": "1.1"}, "links": {"self": _self(request)}, **document}
    return Answer(body, headers=headers)


def list_answer(
    request: Request, data: list[Any], page: Page, lag: float, included: list[Any] | None = None
) -> Answer:
    """Answer with a page of resources."""
    links = page_links(request.url.path, list(request.query_params.multi_items()), page)
    body: dict[str, Any] = {
        "jsonapi": {"version": "1.1", "profile": [CURSOR_PROFILE]},
        "links": {"self": _self(request), **links},
        "data": data,
        "meta": {"lag": lag, "page": page_meta(page)},
    }
    if included is not None:
        body["included"] = included
    return Answer(body, media_type=JSON_API_LIST)


def moved_answer(request: Request, old: str, new: str) -> Answer:
    """Lead on to the contact that another was merged into; never to be cached: it may be undone."""
    query = f"?{request.url.query}" if request.url.query else ""
    location = f"{request.url.path.replace(old, new)}{query}"
    body = {"jsonapi": {"version": "1.1"}, "links": {"self": _self(request), "related": location}}
    return Answer({**body, "meta": {"merged_into": new}}, 308, {"Location": location})


def install_errors(app: FastAPI) -> None:
    """Turn whatever goes wrong into a JSON:API error document."""
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(ServiceError, _unavailable)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _broken)


MOVED: Final[dict[int | str, dict[str, Any]]] = {
    308: {"description": "The contact was merged into another: see Location."},
}
"""What the endpoints of one contact may answer besides."""

ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorDocument, "description": "A parameter is unknown or has a wrong value."},
    401: {"model": ErrorDocument, "description": "No valid API key."},
    403: {"model": ErrorDocument, "description": "The API key lacks the scope."},
    406: {"model": ErrorDocument, "description": "No JSON:API document is acceptable."},
    429: {"model": ErrorDocument, "description": "Too many requests: see Retry-After."},
    503: {"model": ErrorDocument, "description": "Not yet, or not now: see Retry-After."},
}
"""What every endpoint may answer besides its data, for OpenAPI."""


def refused(refusal: Refusal) -> Response:
    """Answer a request that was refused before its route."""
    problem = Problem(
        refusal.status,
        refusal.code,
        refusal.status.phrase,
        refusal.detail,
        header=refusal.header,
        type=refusal.type,
        meta={"violated-policies": list(refusal.policies)} if refusal.policies else None,
    )
    return Answer(error_document([problem.as_error()]), refusal.status, refusal.headers)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestError):
        raise error
    return Answer(error.document(), error.status, error.headers)


async def _unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, PoisonMessageError):
        problem = Problem(
            400, "invalid_value", "Invalid value", "The database cannot hold or compare a value."
        )
        return Answer(error_document([problem.as_error()]), 400)
    log.warning("the database does not answer", error=error, route=_route(request))
    problem = Problem(
        503,
        "unavailable",
        "Temporarily unavailable",
        "Something that this answer needs is away; nothing is lost. Try again shortly.",
    )
    return Answer(error_document([problem.as_error()]), 503, {"Retry-After": RETRY_AFTER_SECONDS})


async def _not_routed(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    title = _TITLES.get(error.status_code, "Refused")
    problem = Problem(error.status_code, title.lower().replace(" ", "_"), title, f"{title} here.")
    return Answer(error_document([problem.as_error()]), error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    """Answer a bug with an id only; the log has the rest under the same id."""
    error_id = f"err_{ULID()}"
    log.error("a request failed", error=error, request_id=error_id, route=_route(request))
    body = {"id": error_id, "status": "500", "code": "internal", "title": "Internal error"}
    return Answer(error_document([body]), 500)


def _self(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _tags(header: str | None) -> set[str]:
    return {_opaque(tag.strip()) for tag in (header or "").split(",")}


def _opaque(tag: str) -> str:
    """Return a tag without its mark of weakness: reads compare weakly (RFC 9110, 13.1.2)."""
    return tag.removeprefix("W/")


def _route(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "other"))
