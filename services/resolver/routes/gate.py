"""Who may ask and who may order: by the API key, for its tenant and workspace."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request

from services.resolver.routes.answers import ProblemError
from shared.auth import Caller, KeyRing, bearer_token

WRITE_SCOPE: Final = "contacts:write"
"""What a key needs to give orders."""

READ_SCOPE: Final = "contacts:read"
"""What a key needs to ask."""


async def _caller(request: Request) -> Caller:
    return await _may(request, WRITE_SCOPE)


async def _asker(request: Request) -> Caller:
    return await _may(request, READ_SCOPE)


async def _may(request: Request, scope: str) -> Caller:
    keys: KeyRing = request.app.state.keys
    token = bearer_token(request.headers.get("authorization"))
    caller = await keys.check(token) if token else None
    if caller is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED, "send a valid API key: Authorization: Bearer kith_…"
        )
    if scope not in caller.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"the API key lacks the scope {scope}")
    return caller


Asker = Annotated[Caller, Depends(_asker)]
"""Who asks, and for which workspace."""

Orderer = Annotated[Caller, Depends(_caller)]
"""Who gives an order, and for which workspace."""
