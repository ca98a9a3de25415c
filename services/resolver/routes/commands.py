"""`POST /v1/commands/{name}`: orders of people who wait.

The same commands as on `contact.commands.v1`, carried out by the same function.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import Request, Response
from pydantic import ValidationError
from ulid import ULID

from services.resolver.domain.judgements import Answer, contacts_of
from services.resolver.routes.answers import ProblemError, body_of, object_of
from services.resolver.routes.gate import Orderer
from services.resolver.store import Store
from services.resolver.store.retracting import Retraction
from services.resolver.store.review import reading
from shared.auth import Caller
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
from shared.observability.traces import parse_traceparent

ERASE_SCOPE: Final = "contacts:erase"
"""What a key needs besides to erase people: it cannot be undone."""

WITHIN: Final = "within_workspace"
"""Parameter of a judgement of contacts that the caller's workspace knows, and of no others."""

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
    "one_contact": HTTPStatus.CONFLICT,
    "one_company": HTTPStatus.CONFLICT,
    "unknown_contact": HTTPStatus.NOT_FOUND,
    "unknown_company": HTTPStatus.NOT_FOUND,
    "unknown_tag": HTTPStatus.NOT_FOUND,
    "unknown_group": HTTPStatus.NOT_FOUND,
    "unknown_field": HTTPStatus.NOT_FOUND,
    "name_taken": HTTPStatus.CONFLICT,
    "identifier_taken": HTTPStatus.CONFLICT,
    "values_in_use": HTTPStatus.CONFLICT,
    "company_values_in_use": HTTPStatus.CONFLICT,
    "asked_for": HTTPStatus.CONFLICT,
    "smart_group": HTTPStatus.CONFLICT,
}
"""Outcome → status; whatever else is refused is 422."""


async def post_command(request: Request, name: str, caller: Orderer) -> Response:
    """Carry out an order, and answer when it is written; the same `command_id` is done once."""
    command = _read(name, await body_of(request), caller)
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
    if WITHIN in request.query_params and not await _knows_all(request, command, caller):
        answer = Answer("unknown_contact")
    else:
        answer = await store.judge(command, caller.place, trace, by)
    return _answer(
        command, answer.outcome, answer.merge_id, answer.positions, unassigned=answer.unassigned
    )


async def _knows_all(request: Request, command: Judgement, caller: Caller) -> bool:
    """Tell whether the caller's workspace knows all contacts that a judgement names."""
    async with reading(request.app.state.pool, caller.place) as reader:
        return await reader.knows(contacts_of(command))


def _read(name: str, body: bytes, caller: Caller) -> Ordered:
    model = COMMANDS.get(name.replace("-", "_"))
    if model is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"is none of {', '.join(COMMANDS)}")
    said = object_of(body)
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
