"""`POST /v1/commands/{name}`: orders of people who wait; `GET /v1/…`: what they ask before.

The same commands as on `contact.commands.v1`, carried out by the same function. The review queue,
why, why not and how are answered from what decisions stored; for the api, which passes them on.
`POST /v1/audits` takes what an audit found; `/v1/matching` is what a tenant decides by.
`POST /v1/decisions` and `/v1/verdicts` tell an import what its rows would lead to, and led to;
`/v1/activities/standings` and `/v1/activities/outcomes` the same of mail, calendars and logs.
Tenant and workspace are the API key's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

import orjson
from fastapi import Depends, FastAPI, Request, Response
from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder
from pydantic import BaseModel, Field, ValidationError
from ulid import ULID

from services.resolver.domain.policies import tell_settings, tell_version
from services.resolver.domain.reviewing import PAIR, Filters
from services.resolver.store import Store, activity_questions, previews, questions
from services.resolver.store.audits import AuditFinding
from services.resolver.store.retracting import Retraction
from services.resolver.store.review import reading
from shared.auth import Caller, KeyRing, bearer_token
from shared.errors import PoisonMessageError, ServiceError
from shared.events.command import (
    AddGroupMembers,
    AddTag,
    ApproveMerge,
    ChangeCompany,
    ChangeCompanyBinding,
    ChangeField,
    ChangeGroup,
    ChangeTag,
    CompanyEntry,
    CompanyOrder,
    CreateCompany,
    CreateField,
    CreateGroup,
    CreateTag,
    DeleteGroup,
    DeleteTag,
    EraseContact,
    FillFields,
    Judgement,
    MergeCompanies,
    MergeContacts,
    RejectCompanyMerge,
    RejectMerge,
    RelateCompanies,
    RemoveGroupMembers,
    RemoveTag,
    RetractImport,
    SplitCompany,
    SplitContact,
    UnrelateCompanies,
    WorkspaceOrder,
)
from shared.events.refusal import invalid
from shared.observability.logs import get_logger
from shared.observability.traces import parse_traceparent

log = get_logger(__name__)

WRITE_SCOPE: Final = "contacts:write"
"""What a key needs to give orders."""

READ_SCOPE: Final = "contacts:read"
"""What a key needs to ask."""

ERASE_SCOPE: Final = "contacts:erase"
"""What a key needs besides to erase people: it cannot be undone."""

LONGEST_LIST: Final = 101
"""Pairs in one answer: a page of the api, and the one that tells that there is more."""

MAX_BYTES: Final = 262_144
"""The largest order: a thousand chosen records and as many identifiers."""

MAX_PREVIEW_BYTES: Final = 32 << 20
"""The largest question about signals."""

MOST_FINDINGS: Final = 500
"""Pairs that are put up for review at once."""

MOST_SIGNALS: Final = 1_000
"""Signals in one question, and as many that come before them."""

MOST_PEOPLE: Final = 10_000
"""People in one question about activities."""

_DIGEST = re.compile("[0-9a-f]{32}")

Found = TypeVar("Found")

Ordered = Judgement | RetractImport | CompanyOrder | CompanyEntry | EraseContact | WorkspaceOrder
"""What is ordered over HTTP."""

COMMANDS: Final[dict[str, type[Ordered]]] = {
    "merge_contacts": MergeContacts,
    "approve_merge": ApproveMerge,
    "reject_merge": RejectMerge,
    "split_contact": SplitContact,
    "retract_import": RetractImport,
    "merge_companies": MergeCompanies,
    "reject_company_merge": RejectCompanyMerge,
    "split_company": SplitCompany,
    "relate_companies": RelateCompanies,
    "unrelate_companies": UnrelateCompanies,
    "create_company": CreateCompany,
    "change_company": ChangeCompany,
    "erase_contact": EraseContact,
    "create_tag": CreateTag,
    "change_tag": ChangeTag,
    "delete_tag": DeleteTag,
    "add_tag": AddTag,
    "remove_tag": RemoveTag,
    "create_field": CreateField,
    "change_field": ChangeField,
    "fill_fields": FillFields,
    "change_company_binding": ChangeCompanyBinding,
    "create_group": CreateGroup,
    "change_group": ChangeGroup,
    "delete_group": DeleteGroup,
    "add_group_members": AddGroupMembers,
    "remove_group_members": RemoveGroupMembers,
}
"""Name in the path → the command; a hyphen does for an underscore."""

STATUSES: Final = {
    "done": HTTPStatus.OK,
    "unchanged": HTTPStatus.OK,
    "conflict": HTTPStatus.CONFLICT,
    "unknown_contact": HTTPStatus.NOT_FOUND,
    "unknown_company": HTTPStatus.NOT_FOUND,
    "unknown_tag": HTTPStatus.NOT_FOUND,
    "unknown_group": HTTPStatus.NOT_FOUND,
    "unknown_field": HTTPStatus.NOT_FOUND,
    "name_taken": HTTPStatus.CONFLICT,
    "identifier_taken": HTTPStatus.CONFLICT,
    "values_in_use": HTTPStatus.CONFLICT,
    "asked_for": HTTPStatus.CONFLICT,
    "smart_group": HTTPStatus.CONFLICT,
}
"""Outcome → status; whatever else is refused is 422."""


class ProblemError(Exception):
    """A request that is refused before anything is decided."""

    def __init__(self, status: HTTPStatus, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


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


class Asked(BaseModel):
    """Which pairs are asked for."""

    status: list[Literal["open", "approved", "rejected", "retired", "auto_merged"]] = ["open"]
    tier: list[Literal["exact", "high", "medium", "low", "none"]] = []
    least: Annotated[float, Field(ge=0, le=1)] | None = None
    contact: str | None = None
    after_value: float | None = None
    after_number: int | None = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_LIST)] = 26


async def get_pairs(request: Request, asker: Asker) -> Response:
    """List the review queue, what is worth most first."""
    given = request.query_params
    lists = {name: given.getlist(name) for name in ("status", "tier") if name in given}
    try:
        asked = Asked.model_validate({**given, **lists})
    except ValidationError as error:
        found = invalid(error)
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, found.detail, found.field or None
        ) from None
    filters = Filters(
        statuses=asked.status,
        tiers=asked.tier or None,
        least=asked.least,
        contacts=(asked.contact,) if asked.contact else None,
    )
    after = None
    if asked.after_value is not None and asked.after_number is not None:
        after = (asked.after_value, asked.after_number)
    async with reading(request.app.state.pool, asker.place) as store:
        return _said(await questions.list_pairs(store, filters, after, asked.limit))


async def get_pair(request: Request, pair: str, asker: Asker) -> Response:
    """Show one pair in full."""
    contacts = tuple(pair.split(PAIR, maxsplit=1))
    async with reading(request.app.state.pool, asker.place) as store:
        named = Filters(statuses=None, contacts=contacts)
        return _said(await questions.show_pair(store, named) if len(contacts) > 1 else None)


async def get_why(request: Request, contact: str, asker: Asker) -> Response:
    """Tell why the records of a contact are one contact."""
    async with reading(request.app.state.pool, asker.place) as store:
        return _said(await questions.why(store, contact))


async def get_why_not(request: Request, contact: str, other: str, asker: Asker) -> Response:
    """Tell how two contacts compare now."""
    async with reading(request.app.state.pool, asker.place) as store:
        return _said(await questions.why_not(store, contact, other))


async def get_how(request: Request, contact: str, asker: Asker) -> Response:
    """Replay a contact step by step."""
    async with reading(request.app.state.pool, asker.place) as store:
        return _said(await questions.how(store, contact))


class Decided(Struct, frozen=True):
    """Signals of which a preview is asked, and those that would come before them."""

    signals: list[Raw]
    context: list[Raw] = []


class Outcomes(Struct, frozen=True):
    """Signals whose verdicts are asked."""

    signals: list[previews.Sent]


class Standings(Struct, frozen=True):
    """Activities of which it is asked what is known, and people who take part."""

    activities: list[activity_questions.Content]
    people: list[activity_questions.Identifier] = []


class Happened(Struct, frozen=True):
    """Activities whose outcomes are asked, and records that were sent beside them."""

    activities: list[activity_questions.Sent]
    records: list[activity_questions.Sent] = []


class FoundPair(Struct, frozen=True):
    """A pair that an audit found."""

    contacts: tuple[str, str]
    score: float


class Findings(Struct, frozen=True):
    """What an audit found."""

    findings: list[FoundPair]


_decode_findings: Final = Decoder(Findings).decode
_decode_decided: Final = Decoder(Decided).decode
_decode_outcomes: Final = Decoder(Outcomes).decode
_decode_standings: Final = Decoder(Standings).decode
_decode_happened: Final = Decoder(Happened).decode


async def post_decisions(request: Request, asker: Asker) -> Response:
    """Tell what normalised signals would lead to; nothing is written."""
    asked = _decoded(_decode_decided, await _body(request, MAX_PREVIEW_BYTES))
    _refuse_many(asked.signals)
    _refuse_many(asked.context)
    told = await previews.preview_signals(
        request.app.state.store,
        asker.place,
        [bytes(one) for one in asked.context],
        [bytes(one) for one in asked.signals],
    )
    return _said({"decisions": told})


async def post_verdicts(request: Request, asker: Asker) -> Response:
    """Tell what became of signals that were sent."""
    asked = _decoded(_decode_outcomes, await _body(request, MAX_PREVIEW_BYTES))
    _refuse_many(asked.signals)
    _refuse_no_digests(asked.signals)
    told = await previews.find_verdicts(request.app.state.store, asker.place, asked.signals)
    return _said({"verdicts": told})


async def post_standings(request: Request, asker: Asker) -> Response:
    """Tell what is known of activities and of the people who take part; nothing is written."""
    body = await _body(request, MAX_PREVIEW_BYTES)
    asked = _decoded(_decode_standings, body, "activities")
    _refuse_many(asked.activities, "activities")
    if len(asked.people) > MOST_PEOPLE:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"ask of at most {MOST_PEOPLE} people", "people"
        )
    _refuse_no_digests(asked.activities, "activities")
    return _said(
        await activity_questions.find_standings(
            request.app.state.store, asker.place, asked.activities, asked.people
        )
    )


async def post_outcomes(request: Request, asker: Asker) -> Response:
    """Tell what became of activities that were sent, and of records beside them."""
    body = await _body(request, MAX_PREVIEW_BYTES)
    asked = _decoded(_decode_happened, body, "activities")
    for name, sent in (("activities", asked.activities), ("records", asked.records)):
        _refuse_many(sent, name)
        _refuse_no_digests(sent, name)
    return _said(
        await activity_questions.find_outcomes(
            request.app.state.store, asker.place, asked.activities, asked.records
        )
    )


class _Digested(Protocol):
    """What is named by digests."""

    @property
    def record_key(self) -> str:
        """Of its record."""

    @property
    def content_hash(self) -> str:
        """Of what it says."""


def _refuse_no_digests(asked: Sequence[_Digested], name: str = "signals") -> None:
    for one in asked:
        if not (_DIGEST.fullmatch(one.record_key) and _DIGEST.fullmatch(one.content_hash)):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "record_key and content_hash must be 32 hexadecimal digits",
                name,
            )


def _decoded(decode: Callable[[bytes], Found], body: bytes, name: str = "signals") -> Found:
    try:
        return decode(body)
    except DecodeError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f'the body must be a JSON object with a list "{name}"'
        ) from None


def _refuse_many(signals: Sequence[object], name: str = "signals") -> None:
    if len(signals) > MOST_SIGNALS:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"ask of at most {MOST_SIGNALS} {name}", name
        )


def _said(answer: object) -> Response:
    if answer is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "is not known in the API key's workspace")
    return Response(orjson.dumps(answer), media_type="application/json")


async def post_command(
    request: Request, name: str, caller: Annotated[Caller, Depends(_caller)]
) -> Response:
    """Carry out an order, and answer when it is written; the same `command_id` is done once."""
    command = _read(name, await _body(request), caller)
    if isinstance(command, EraseContact) and ERASE_SCOPE not in caller.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"the API key lacks the scope {ERASE_SCOPE}")
    store: Store = request.app.state.store
    trace = request.headers.get("traceparent")
    trace = trace if trace and parse_traceparent(trace) is not None else None
    by = caller.user_number
    shown: dict[str, object]
    if isinstance(command, RetractImport):
        return _retracted(command, await store.retract(command, caller.place, trace, by))
    if isinstance(command, EraseContact):
        erased = await store.erase(command, caller.place, trace, by)
        told = {"erased": erased.erased}
        return _answer(command, erased.outcome, None, erased.positions, **told)
    if isinstance(command, CompanyOrder):
        about = await store.judge_companies(command, caller.place, trace, by)
        return _answer(command, about.outcome, about.merge_id, about.positions)
    if isinstance(command, CompanyEntry):
        entered = await store.enter_company(command, caller.place, trace, by)
        shown = {"shown": entered.shown, "named": entered.named}
        return _answer(command, entered.outcome, None, entered.positions, **shown)
    if isinstance(command, WorkspaceOrder):
        marked = await store.order_marks(command, caller.place, trace, by)
        shown = {"shown": marked.shown, "named": marked.named}
        problems = [{"path": path, "detail": why} for path, why in marked.problems.items()]
        if problems:
            shown["problems"] = problems
        return _answer(command, marked.outcome, None, marked.positions, **shown)
    answer = await store.judge(command, caller.place, trace, by)
    return _answer(
        command, answer.outcome, answer.merge_id, answer.positions, unassigned=answer.unassigned
    )


async def get_policy(request: Request, asker: Asker) -> Response:
    """Tell what the tenant decides by, and which versions of the weights it has."""
    store: Store = request.app.state.store
    async with store.transaction() as tx:
        policies = tx.policies(asker.place.tenant_id)
        told = tell_settings(await policies.settings())
        versions = [tell_version(*one) for one in await policies.versions()]
    return _said({"tenant": asker.tenant, **told, "weights": versions})


async def put_policy(request: Request, caller: Annotated[Caller, Depends(_caller)]) -> Response:
    """Change what the tenant decides by, for later matches; what is not named stays."""
    wishes = _object(await _body(request))
    store: Store = request.app.state.store
    async with store.transaction(caller.user_number) as tx:
        new = await tx.policies(caller.place.tenant_id).change(wishes)
    if new is None:
        raise ProblemError(HTTPStatus.CONFLICT, "changed since it was looked at: nothing was done")
    return _said(tell_settings(new))


async def post_weights(request: Request, caller: Annotated[Caller, Depends(_caller)]) -> Response:
    """Keep a table of weights as a new version; it is in force once the settings name it."""
    said = _object(await _body(request))
    if said.get("tenant", caller.tenant) != caller.tenant:
        raise ProblemError(HTTPStatus.CONFLICT, "the API key is of another tenant", "tenant")
    learned_from = said.get("learned_from", {})
    if not isinstance(learned_from, dict):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "must be an object of counts", "learned_from"
        )
    store: Store = request.app.state.store
    async with store.transaction(caller.user_number) as tx:
        policies = tx.policies(caller.place.tenant_id)
        version = await policies.keep_weights(said.get("weights"), learned_from)
    return Response(
        orjson.dumps({"version": version}), HTTPStatus.CREATED, media_type="application/json"
    )


async def post_findings(request: Request, caller: Annotated[Caller, Depends(_caller)]) -> Response:
    """Put pairs that an audit found into the review queue, with the tenant's own evidence."""
    asked = _decoded(_decode_findings, await _body(request), "findings")
    if len(asked.findings) > MOST_FINDINGS:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {MOST_FINDINGS}", "findings"
        )
    if not all(0.0 <= one.score <= 1.0 for one in asked.findings):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "must be a probability from 0 to 1", "findings.score"
        )
    store: Store = request.app.state.store
    now = datetime.now(UTC)
    async with store.transaction(caller.user_number) as tx:
        audits = tx.audits(caller.place.tenant_id)
        chosen = await audits.choose(
            [AuditFinding(*one.contacts, one.score) for one in asked.findings]
        )
        await tx.lock_contacts({one for found in chosen.decisions for one in found.pair})
        scores = await audits.put_up(chosen, now)
        await tx.tell_alike(scores, caller.tenant, now, now)
    return _said(chosen.told)


async def _body(request: Request, limit: int = MAX_BYTES) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {limit} bytes"
            )
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
    return said


def _read(name: str, body: bytes, caller: Caller) -> Ordered:
    model = COMMANDS.get(name.replace("-", "_"))
    if model is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"is none of {', '.join(COMMANDS)}")
    said = _object(body)
    given: dict[str, Any] = {
        "command_id": f"cmd_{ULID()}",
        **said,
        "tenant": caller.tenant,
        "workspace": caller.workspace,
        "issued_at": datetime.now(UTC),
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = invalid(error)
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, found.detail, found.field or None
        ) from None


def _answer(
    command: Judgement | CompanyOrder | CompanyEntry | EraseContact | WorkspaceOrder,
    outcome: str,
    merge_id: str | None,
    positions: Mapping[str, int],
    **more: object,
) -> Response:
    body = {
        "command_id": command.command_id,
        "outcome": outcome,
        "merge_id": merge_id,
        "positions": positions,
        **more,
    }
    status = STATUSES.get(outcome, HTTPStatus.UNPROCESSABLE_ENTITY)
    return Response(orjson.dumps(body), status, media_type="application/json")


def _retracted(command: RetractImport, answer: Retraction) -> Response:
    body = {
        "command_id": command.command_id,
        "outcome": "done",
        "retracted": answer.retracted,
        "remaining": answer.remaining,
        "kept_edits": answer.kept_edits,
        "positions": answer.positions,
    }
    return Response(orjson.dumps(body), media_type="application/json")


def create_http() -> FastAPI:
    """Build the HTTP side; `state` gets `store`, `pool` and `keys` when the process starts."""
    http = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    http.add_api_route("/v1/commands/{name}", post_command, methods=["POST"])
    http.add_api_route("/v1/decisions", post_decisions, methods=["POST"])
    http.add_api_route("/v1/verdicts", post_verdicts, methods=["POST"])
    http.add_api_route("/v1/activities/standings", post_standings, methods=["POST"])
    http.add_api_route("/v1/activities/outcomes", post_outcomes, methods=["POST"])
    http.add_api_route("/v1/merge-candidates", get_pairs)
    http.add_api_route("/v1/merge-candidates/{pair}", get_pair)
    http.add_api_route("/v1/audits", post_findings, methods=["POST"])
    http.add_api_route("/v1/matching", get_policy)
    http.add_api_route("/v1/matching", put_policy, methods=["PUT"])
    http.add_api_route("/v1/matching/weights", post_weights, methods=["POST"])
    http.add_api_route("/v1/contacts/{contact}/why", get_why)
    http.add_api_route("/v1/contacts/{contact}/why-not/{other}", get_why_not)
    http.add_api_route("/v1/contacts/{contact}/how", get_how)
    http.add_exception_handler(ProblemError, _refused)
    http.add_exception_handler(ServiceError, _put_off)
    return http


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return _problem(error.status, error.detail, error.field)


async def _put_off(_request: Request, error: Exception) -> Response:
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
