"""Errors of a whole request, as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from typing_extensions import override

from shared.entrance import Refusal
from shared.errors import PoisonMessageError, ServiceError, TransientError
from shared.observability.logs import get_logger

log = get_logger(__name__)

RETRY_AFTER_SECONDS = "2"
"""What a client is told to wait while Kafka or the database is away."""


class Problem(BaseModel):
    """A problem document; `reason` and `field` are extensions of ours."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: str | None = None
    field: str | None = None
    violated_policies: tuple[str, ...] | None = Field(
        default=None, serialization_alias="violated-policies"
    )


class ProblemError(Exception):
    """A request that is refused as a whole."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        reason: str | None = None,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            title=status.phrase, status=status, detail=detail, reason=reason, field=field
        )
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: PoisonMessageError) -> "ProblemError":
        """Refuse a request for what is wrong with its content."""
        too_large = error.reason == "too_large"
        malformed = error.reason == "malformed"
        status = (
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            if too_large
            else HTTPStatus.BAD_REQUEST
            if malformed
            else HTTPStatus.UNPROCESSABLE_ENTITY
        )
        return cls(status, error.detail, reason=error.reason, field=error.field or None)


class JsonResponse(Response):
    """JSON by orjson."""

    media_type = "application/json"

    @override
    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def refused(refusal: Refusal) -> Response:
    """Answer a request that was refused before its route."""
    problem = Problem(
        type=refusal.type or "about:blank",
        title=refusal.status.phrase,
        status=refusal.status,
        detail=refusal.detail,
        reason=refusal.code,
        field=refusal.header,
        violated_policies=tuple(refusal.policies) or None,
    )
    return Response(
        orjson.dumps(problem.model_dump(exclude_none=True, by_alias=True)),
        refusal.status,
        refusal.headers,
        "application/problem+json",
    )


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status in (400, 401, 403, 409, 413, 415, 422, 429, 503)
}
"""For the OpenAPI document."""


def install_problems(http: FastAPI) -> None:
    """Answer every error with a problem document."""

    async def of_ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return _answer(error)

    async def of_content(_request: Request, error: Exception) -> Response:
        assert isinstance(error, PoisonMessageError)
        return _answer(ProblemError.of(error))

    async def of_service(_request: Request, error: Exception) -> Response:
        wait = getattr(error, "retry_after", None)
        log.warning("request put off", error=error)
        return _answer(
            ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "nothing was lost or half done: send the same again later",
                headers={"Retry-After": str(int(wait)) if wait else RETRY_AFTER_SECONDS},
            )
        )

    async def of_parameters(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        return _answer(
            ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, first["msg"], reason="invalid", field=name
            )
        )

    async def of_http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        return _answer(ProblemError(status, str(error.detail), headers=error.headers))

    http.add_exception_handler(ProblemError, of_ours)
    http.add_exception_handler(PoisonMessageError, of_content)
    http.add_exception_handler(TransientError, of_service)
    http.add_exception_handler(ServiceError, of_service)
    http.add_exception_handler(RequestValidationError, of_parameters)
    http.add_exception_handler(HTTPException, of_http)


def _answer(error: ProblemError) -> Response:
    return Response(
        orjson.dumps(error.problem.model_dump(exclude_none=True)),
        error.problem.status,
        error.headers,
        "application/problem+json",
    )
