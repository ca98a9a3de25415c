"""`/v1/imports/mappings`: what columns are, as an operator said it, kept by name."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from services.ingest.domain.columns import read_choices
from services.ingest.routes.doorway import Doorway, bounded, caller_of, doorway_of
from services.ingest.routes.problems import RESPONSES, JsonResponse, ProblemError
from shared.auth import Caller

MAX_BYTES: Final = 256 * 1024
"""Octets of a mapping: 2,000 columns of a hundred."""

NAME: Final = "^[a-z0-9][a-z0-9_-]{0,62}$"

router = APIRouter(tags=["imports"])

Name = Annotated[str, Path(pattern=NAME, description="a-z, 0-9, _ and -, at most 63.")]


@router.get("/v1/imports/mappings", responses=RESPONSES)
async def get_mappings(
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
) -> JsonResponse:
    """List the saved mappings of the workspace: name → column → place."""
    return JsonResponse(await doorway.store.find_mappings(caller.place))


@router.put("/v1/imports/mappings/{name}", responses=RESPONSES)
async def put_mapping(
    name: Name,
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
) -> JsonResponse:
    """Keep a mapping, a JSON object of column → place, under a name; one of that name goes."""
    body = b"".join([piece async for piece in bounded(request, MAX_BYTES)])
    choices = read_choices(body)
    await doorway.store.save_mapping(caller.place, name, choices)
    return JsonResponse(choices)


@router.delete("/v1/imports/mappings/{name}", status_code=204, responses=RESPONSES)
async def delete_mapping(
    name: Name,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
) -> Response:
    """Forget a mapping."""
    if not await doorway.store.delete_mapping(caller.place, name):
        raise no_mapping()
    return Response(status_code=HTTPStatus.NO_CONTENT)


def no_mapping() -> ProblemError:
    """Say that there is no mapping of a name."""
    return ProblemError(
        HTTPStatus.NOT_FOUND, "this workspace has no mapping of that name", field="saved"
    )
