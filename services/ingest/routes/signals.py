"""`POST /v1/signals`: one signal or many, a verdict on each."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from ulid import ULID

from services.ingest.domain.accounting import Account
from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.intake import signal_id
from services.ingest.domain.mapping import Origin, to_normalized
from services.ingest.domain.reading import (
    is_activity,
    read_activity_value,
    read_many,
    read_value,
)
from services.ingest.domain.verdicts import Verdict, Verdicts, accepted, refused
from services.ingest.routes.doorway import (
    Doorway,
    bounded,
    caller_of,
    doorway_of,
    refuse_foreign,
    traceparent_of,
)
from services.ingest.routes.problems import RESPONSES, JsonResponse
from services.ingest.store.outgoing import outgoing
from shared.auth import Caller
from shared.errors import PoisonMessageError
from shared.events.activity import ActivitySignal
from shared.events.envelope import rfc3339
from shared.events.signal import ContactSignal
from shared.kafka.producer import Outgoing
from shared.observability import metrics

SOURCE = "/kith/http"
"""CloudEvents source of signals that were pushed: part of their ids."""

_ONE = {
    "anyOf": [
        {"$ref": "#/components/schemas/ContactSignal"},
        {"$ref": "#/components/schemas/ActivitySignal"},
    ]
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": 'One signal, a list of them, or an object `{"signals": […]}`. One with '
        '`"signal": "activity"` says what happened between people; one with `"signal": "contact"`, '
        "or without that field, who somebody is, or, with nothing but `companies`, what is known "
        "of those. Any other `signal` is refused.",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _ONE,
                        {"type": "array", "items": _ONE, "maxItems": 1_000},
                        {
                            "type": "object",
                            "required": ["signals"],
                            "properties": {"signals": {"type": "array", "items": _ONE}},
                        },
                    ]
                }
            }
        },
    }
}

BODY_SCHEMAS = {
    model.__name__: model.model_json_schema(ref_template="#/components/schemas/{model}")
    for model in (ContactSignal, ActivitySignal)
}
"""For the OpenAPI document: bodies that the signature of the route does not name."""

router = APIRouter()


@router.post(
    "/v1/signals",
    status_code=202,
    response_model=Verdicts,
    responses=RESPONSES,
    openapi_extra=_BODY,
    tags=["signals"],
)
async def post_signals(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    doorway: Annotated[Doorway, Depends(doorway_of)],
) -> JsonResponse:
    """Take signals; the answer comes when Kafka has acknowledged every accepted one.

    Sending a signal again is safe: the same record with the same content changes nothing.
    """
    refuse_foreign(request)
    body = b"".join([piece async for piece in bounded(request, doorway.settings.max_request_bytes)])
    values = read_many(body, doorway.settings.max_signals)
    now = rfc3339(datetime.now(UTC))
    batch, may_hold_nul = str(ULID()), b"\\u0000" in body
    messages: list[Outgoing] = []
    verdicts: list[Verdict] = []
    traceparent = traceparent_of(request)
    account = Account(doorway.sources)
    unknown = await doorway.known.unknown(_sources(values))
    for index, value in enumerate(values):
        origin = Origin(
            signal_id=signal_id(SOURCE, f"{batch}-{index}"),
            tenant=caller.tenant,
            workspace=caller.workspace,
            occurred_at=now,
            received_at=now,
            traceparent=traceparent,
        )
        verdict, message = judge(index, value, origin, doorway, unknown, may_hold_nul=may_hold_nul)
        verdicts.append(verdict)
        source = value.get("source") if isinstance(value, dict) else None
        if message is not None:
            messages.append(message)
            account.accept(str(source))
        elif verdict.error is not None:
            account.refuse(source, verdict.error.reason)
    doorway.share.live()
    await doorway.producer.send_batch(messages)
    for named, outcome, count in account.verdicts():
        metrics.INGESTED_SIGNALS.labels(named, "push", outcome).inc(count)
    answer = Verdicts(
        accepted=len(messages), rejected=len(verdicts) - len(messages), signals=tuple(verdicts)
    )
    return JsonResponse(answer.model_dump(exclude_none=True), 202)


def _sources(values: Iterable[object]) -> set[str]:
    """Return what signals call their sources, where that is a text at all."""
    named = (value.get("source") for value in values if isinstance(value, dict))
    return {name for name in named if isinstance(name, str)}


def judge(
    index: int,
    value: object,
    origin: Origin,
    doorway: Doorway,
    unknown: Collection[str],
    *,
    may_hold_nul: bool,
) -> tuple[Verdict, Outgoing | None]:
    """Normalise one signal; give the verdict, and the message unless it is refused.

    `unknown` are the names among those given that no source has.
    """
    try:
        happened = is_activity(value)
        normalized = (
            to_normalized_activity(
                *read_activity_value(value, may_hold_nul=may_hold_nul), origin, doorway.rules
            )
            if happened
            else to_normalized(*read_value(value, may_hold_nul=may_hold_nul), origin, doorway.rules)
        )
        if isinstance(value, dict) and value["source"] in unknown:
            doorway.known.refuse()
    except PoisonMessageError as error:
        return refused(index, error), None
    message = outgoing(normalized, origin, is_activity=happened)
    return accepted(index, origin.signal_id, normalized), message
