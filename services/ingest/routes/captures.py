"""What a person hands over one at a time: `POST /v1/captures/linkedin`, `POST /api/v1/contacts`."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationError
from ulid import ULID

from services.ingest.domain.accounting import ACCEPTED
from services.ingest.domain.captures import (
    LinkedInCapture,
    NewContact,
    captured_at,
    signal_of_capture,
    signal_of_contact,
)
from services.ingest.domain.intake import signal_id
from services.ingest.domain.mapping import Origin, to_normalized
from services.ingest.domain.reading import in_our_words, read_value, within_bounds
from services.ingest.domain.verdicts import Verdict, accepted
from services.ingest.routes.doorway import (
    Doorway,
    bounded,
    caller_of,
    doorway_of,
    traceparent_of,
)
from services.ingest.routes.problems import RESPONSES, JsonResponse
from services.ingest.routes.signals import SOURCE
from services.ingest.store.outgoing import outgoing
from shared.auth import Caller
from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339
from shared.observability import metrics

router = APIRouter(tags=["captures"])

Body = TypeVar("Body", bound=BaseModel)
Calling = Annotated[Caller, Depends(caller_of)]
Through = Annotated[Doorway, Depends(doorway_of)]


def _body(schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """Describe a body that the route reads by itself, within its own bounds."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


CAPTURE_SCHEMA = LinkedInCapture.model_json_schema(ref_template="#/components/schemas/{model}")
CONTACT_SCHEMA = NewContact.model_json_schema(ref_template="#/components/schemas/{model}")
SCHEMAS = {
    **CAPTURE_SCHEMA.pop("$defs"),
    **CONTACT_SCHEMA.pop("$defs"),
    "LinkedInCapture": CAPTURE_SCHEMA,
    "NewContact": CONTACT_SCHEMA,
}
"""For the OpenAPI document."""

_DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "required": ["type", "attributes"],
            "properties": {
                "type": {"const": "contacts"},
                "attributes": {"$ref": "#/components/schemas/NewContact"},
            },
        }
    },
}


@router.post(
    "/v1/captures/linkedin",
    status_code=202,
    response_model=Verdict,
    responses=RESPONSES,
    openapi_extra=_body({"$ref": "#/components/schemas/LinkedInCapture"}),
)
async def capture_linkedin(request: Request, caller: Calling, doorway: Through) -> JsonResponse:
    """Take a profile that the caller looked at; it meets who it is through the same gate.

    The profile's address names the record: capturing it again is safe, and brings it up to date.
    """
    raw = await _read(request, doorway)
    capture = _validated(LinkedInCapture, raw)
    origin = _origin(request, caller, captured_at(capture, datetime.now(UTC)))
    return await _send(doorway, signal_of_capture(capture), raw, origin)


@router.post(
    "/api/v1/contacts",
    status_code=202,
    response_model=Verdict,
    responses=RESPONSES,
    openapi_extra=_body(_DOCUMENT, "application/vnd.api+json"),
)
async def create_contact(request: Request, caller: Calling, doorway: Through) -> JsonResponse:
    """Make a contact by hand; a name is enough. What a person types in, no other source overwrites.

    A JSON:API document. Two calls make two contacts, unless an identifier says that they are one.
    """
    document = await _read(request, doorway)
    data = document.get("data")
    if not isinstance(data, dict) or data.get("type") != "contacts":
        raise PoisonMessageError("invalid", 'must be {"type": "contacts", …}', field="data")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise PoisonMessageError("invalid", "must be an object", field="data.attributes")
    contact = _validated(NewContact, attributes)
    signal = signal_of_contact(contact, str(ULID()))
    return await _send(doorway, signal, attributes, _origin(request, caller, datetime.now(UTC)))


async def _read(request: Request, doorway: Doorway) -> dict[str, Any]:
    body = b"".join([piece async for piece in bounded(request, doorway.settings.max_request_bytes)])
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        raise PoisonMessageError("malformed", "the body is not UTF-8 JSON") from None
    if not isinstance(value, dict):
        raise PoisonMessageError("malformed", f"is a JSON {type(value).__name__}; send an object")
    return value


def _validated(model: type[Body], value: dict[str, Any]) -> Body:
    try:
        return model.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        raise in_our_words(error) from None


def _origin(request: Request, caller: Caller, at: datetime) -> Origin:
    return Origin(
        signal_id=signal_id(SOURCE, str(ULID())),
        tenant=caller.tenant,
        workspace=caller.workspace,
        occurred_at=rfc3339(at),
        received_at=rfc3339(datetime.now(UTC)),
        traceparent=traceparent_of(request),
    )


async def _send(
    doorway: Doorway, value: dict[str, Any], raw: dict[str, Any], origin: Origin
) -> JsonResponse:
    """Send a signal with the payload that it was read from; answers when Kafka has it."""
    original = within_bounds(raw, may_hold_nul=True)
    signal, _ = read_value(value, may_hold_nul=False)
    normalized = to_normalized(signal, original, origin, doorway.rules)
    await doorway.producer.send_batch([outgoing(normalized, origin)])
    metrics.INGESTED_SIGNALS.labels(doorway.sources.label(signal.source), "push", ACCEPTED).inc()
    verdict = accepted(0, origin.signal_id, normalized)
    answer = JsonResponse(verdict.model_dump(exclude_none=True), 202)
    answer.headers["Kith-Position"] = verdict.position or ""
    return answer
