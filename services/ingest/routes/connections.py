"""`/v1/connections`: accounts elsewhere that are read again and again: mail, contacts, CRMs."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ulid import ULID

from services.ingest.domain.connections import SETTINGS, ConnectionKind, Credentials
from services.ingest.domain.reading import in_our_words
from services.ingest.routes.doorway import caller_of
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from services.ingest.store.connections import Connections
from services.ingest.store.vault import KEY_FORM
from shared.auth import Caller
from shared.errors import PoisonMessageError

router = APIRouter(tags=["connections"])

ConnectionId = Annotated[str, Path(pattern=r"^rmc_[0-9A-HJKMNP-TV-Z]{26}$")]


def connections_of(request: Request) -> Connections:
    """Return what the app was given."""
    connections: Connections = request.app.state.connections
    return connections


class NewConnection(BaseModel):
    """An account to be read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: ConnectionKind
    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"\S")] = Field(
        description="What you call it; another one of the same kind and name takes its place."
    )
    credentials: Credentials
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Of mail: region, since_days. Of contacts: region, remove_at_most.",
    )
    every_seconds: Annotated[int, Field(ge=10, le=86_400)] = Field(
        default=60, description="How often it is read, seconds."
    )


class Connection(BaseModel):
    """An account that is read; what it is read with is never told."""

    id: str
    kind: str
    name: str
    enabled: bool
    running: bool
    every_seconds: int
    next_run_at: str
    last_attempt_at: str | None = Field(description="When the last run began.")
    last_run_at: str | None = Field(description="When the last run without an error ended.")
    failures: int = Field(description="Runs that failed, one after the other.")
    last_failure: str | None = Field(
        description="Why the last run failed: consent_withdrawn, refused, unavailable, "
        "rate_limited, bad_answer, unreadable_credentials, would_remove_many, error."
    )
    counts: dict[str, int] = Field(description="What all runs brought, by name.")


class Connected(BaseModel):
    """The accounts of a workspace."""

    connections: tuple[Connection, ...]


class Named(BaseModel):
    """The id of an account."""

    id: str


@router.post("/v1/connections", status_code=201, response_model=Named, responses=RESPONSES)
async def post_connection(
    new: NewConnection,
    caller: Annotated[Caller, Depends(caller_of)],
    connections: Annotated[Connections, Depends(connections_of)],
) -> JsonResponse:
    """Connect an account, or renew the permission of one; it is read at once and then regularly."""
    _refuse_unless_open(connections)
    try:
        settings = SETTINGS[new.kind].model_validate(new.settings)
    except ValidationError as error:
        wrong = in_our_words(error)
        raise PoisonMessageError(
            wrong.reason, wrong.detail, field=f"settings.{wrong.field}"
        ) from None
    kept = await connections.save(
        caller.place,
        f"rmc_{ULID()}",
        kind=new.kind,
        name=new.name.strip(),
        settings=settings.model_dump(exclude_none=True),
        credentials=new.credentials.plain(),
        every=timedelta(seconds=new.every_seconds),
    )
    return JsonResponse({"id": kept}, HTTPStatus.CREATED)


@router.get("/v1/connections", response_model=Connected, responses=RESPONSES)
async def get_connections(
    caller: Annotated[Caller, Depends(caller_of)],
    connections: Annotated[Connections, Depends(connections_of)],
) -> JsonResponse:
    """List the accounts of the workspace, and how reading them goes."""
    rows = await connections.find(caller.place)
    return JsonResponse({"connections": [_told(row) for row in rows]})


@router.post("/v1/connections/{connection_id}/approve", status_code=204, responses=RESPONSES)
async def post_approval(
    connection_id: ConnectionId,
    caller: Annotated[Caller, Depends(caller_of)],
    connections: Annotated[Connections, Depends(connections_of)],
) -> Response:
    """Say that it is right that so many entries went: a run that stopped for it goes on."""
    if not await connections.approve_removals(caller.place, connection_id):
        raise _unknown()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/v1/connections/{connection_id}/{action}", status_code=204, responses=RESPONSES)
async def post_action(
    connection_id: ConnectionId,
    action: Annotated[str, Path(pattern="^(run|pause)$")],
    caller: Annotated[Caller, Depends(caller_of)],
    connections: Annotated[Connections, Depends(connections_of)],
) -> Response:
    """`run`: read it now and go on regularly.  `pause`: read it no more; a run under way ends."""
    enabled = action == "run"
    if not await connections.switch(caller.place, connection_id, enabled=enabled):
        raise _unknown()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.delete("/v1/connections/{connection_id}", status_code=204, responses=RESPONSES)
async def delete_connection(
    connection_id: ConnectionId,
    caller: Annotated[Caller, Depends(caller_of)],
    connections: Annotated[Connections, Depends(connections_of)],
) -> Response:
    """Forget an account and its permission; what it brought stays."""
    if not await connections.delete(caller.place, connection_id):
        raise _unknown()
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _refuse_unless_open(connections: Connections) -> None:
    if not connections.vault.is_open:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"accounts cannot be connected before INGEST_ENCRYPTION_KEYS is set: {KEY_FORM}",
        )


def _unknown() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "this workspace has no connection of that id")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    moments = ("next_run_at", "last_attempt_at", "last_run_at")
    return {
        **{name: value for name, value in row.items() if name != "public_id"},
        "id": row["public_id"],
        "running": bool(row["running"]),
        **{name: row[name].isoformat() if row[name] else None for name in moments},
    }
