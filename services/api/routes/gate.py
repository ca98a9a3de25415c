"""The gate that every request passes: who calls, may they, what do they accept, since when."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from fastapi import Depends, Request

from services.api.domain.media import check_accept, check_content_type
from services.api.domain.position import (
    POSITION_HEADER,
    WAIT_PARAMETER,
    CompanyPosition,
    EntityPosition,
    Position,
    SignalPosition,
    not_reached,
    parse_position,
    parse_wait,
)
from services.api.domain.problems import Problem, RequestError
from services.api.store import Store
from shared.auth import Caller, KeyRing, Place, bearer_token

READ_SCOPE: Final = "contacts:read"
"""What a key needs to read."""

_TEXTS: Final = frozenset({"q", "filter[q]"})
"""Parameters that ask search for contacts."""

FIRST_POLL_SECONDS: Final = 0.02
"""Between the first two looks for a position; each further pause is half as long again."""
LONGEST_POLL_SECONDS: Final = 0.25
"""The longest pause between two looks."""

LAG_CACHE_SECONDS: Final = 1.0
"""How long a measured lag is told again: it costs 200 index lookups."""


class Lag:
    """How far the read model is behind, looked up once a second at most."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seconds = 0.0
        self._until = 0.0

    async def seconds(self) -> float:
        """Return seconds, to the millisecond."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + LAG_CACHE_SECONDS
            self._seconds = round(await self._store.get_lag(), 3)
        return self._seconds


def store_of(request: Request) -> Store:
    """Return the store that the app was given."""
    store: Store = request.app.state.store
    return store


def lag_of(request: Request) -> Lag:
    """Return the app's measure of the read model's lag."""
    lag: Lag = request.app.state.lag
    return lag


async def reader(request: Request) -> Place:
    """Let in who may read documents, and say where; then wait for the position they ask for."""
    place = await _document_reader(request)
    await reach_position(request, place)
    return place


async def searcher(request: Request) -> Place:
    """Do the same where contacts are listed, which a text may choose: search must have it then."""
    place = await _document_reader(request)
    await reach_position(request, place, request.query_params)
    return place


async def file_reader(request: Request) -> Place:
    """Let in who may read, whatever they accept: they name a format; who asks for what waits."""
    caller = await authenticate(request)
    if READ_SCOPE not in caller.scopes:
        raise forbidden(READ_SCOPE)
    check_content_type(request.headers.get("Content-Type"))
    return caller.place


async def _document_reader(request: Request) -> Place:
    place = await file_reader(request)
    check_accept(request.headers.get("Accept"))
    return place


async def reach_position(request: Request, place: Place, asked: Iterable[str] = ()) -> None:
    """Wait for the position that a request names, if any; search's, where a text is `asked`.

    `asked`: names of the parameters by which contacts are chosen.
    """
    position = parse_position(
        request.headers.get(POSITION_HEADER), request.query_params.get(WAIT_PARAMETER)
    )
    if position is not None:
        seconds = parse_wait(request.headers.get("Prefer"))
        by_text = not _TEXTS.isdisjoint(asked)
        await wait_for(store_of(request), place, position, seconds, by_text=by_text)


async def body_of(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise RequestError([Problem(413, "too_large", "Too large", f"At most {most} bytes.")])
    return bytes(body)


async def authenticate(request: Request) -> Caller:
    """Tell whom the request's API key speaks for, or answer 401."""
    token = bearer_token(request.headers.get("Authorization"))
    if token is None:
        raise _unauthorized("", "Send `Authorization: Bearer kith_…` with an API key.")
    keys: KeyRing = request.app.state.keys
    caller = await keys.check(token)
    if caller is None:
        raise _unauthorized(', error="invalid_token"', "This API key is unknown or has ended.")
    return caller


async def wait_for(
    store: Store, place: Place, position: Position, seconds: float, *, by_text: bool = False
) -> None:
    """Return once the read model has a position; raise 503 when it has not in time.

    `by_text`: once search has it as well, whose documents another process writes.
    """
    deadline, pause = time.monotonic() + seconds, FIRST_POLL_SECONDS
    targets: Sequence[EntityPosition] | None
    targets = None if isinstance(position, SignalPosition) else [position]
    while True:
        if targets is None and isinstance(position, SignalPosition):
            targets = await store.find_applied(place, position)
        if targets is not None:
            # Those that are shown need not be asked about again.
            targets = [
                one for one in targets if not await _shown(store, place, one, by_text=by_text)
            ]
            if not targets:
                return
        left = deadline - time.monotonic()
        if left <= 0:
            raise not_reached(seconds)
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)


async def _shown(store: Store, place: Place, target: EntityPosition, *, by_text: bool) -> bool:
    if isinstance(target, CompanyPosition):
        company = await store.companies.get(place, target.company_id)
        return company is not None and company.attributes.version >= target.version
    return await store.is_shown(place, target, by_text=by_text)


def _unauthorized(extra: str, detail: str) -> RequestError:
    problem = Problem(401, "unauthorized", "Unauthorized", detail, header="Authorization")
    return RequestError([problem], {"WWW-Authenticate": f'Bearer realm="kith"{extra}'})


def forbidden(scope: str) -> RequestError:
    """Refuse a key that lacks a scope."""
    problem = Problem(
        403,
        "insufficient_scope",
        "Forbidden",
        f"This API key lacks the scope `{scope}`.",
        header="Authorization",
    )
    challenge = f'Bearer realm="kith", error="insufficient_scope", scope="{scope}"'
    return RequestError([problem], {"WWW-Authenticate": challenge})


Reader = Annotated[Place, Depends(reader)]
"""Where the caller may read."""
Searcher = Annotated[Place, Depends(searcher)]
"""The same, for lists of contacts."""
InStore = Annotated[Store, Depends(store_of)]
"""The store."""
ReadLag = Annotated[Lag, Depends(lag_of)]
"""The read model's lag."""
