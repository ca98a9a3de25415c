"""What the api passes on to the resolver, which alone decides who is whom and knows why.

The caller's own API key goes along, so that the resolver's walls are the caller's.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, cast
from urllib.parse import quote

import httpx
from fastapi import Depends, Request

from services.api.domain.problems import Problem, RequestError
from shared.errors import TransientError

SECONDS: Final = 30.0
"""The longest wait for an answer: a decision about a contact of many records takes its time."""

_REFUSED: Final = {
    401: ("unauthorized", "Unauthorized"),
    403: ("insufficient_scope", "Forbidden"),
    404: ("not_found", "Not found"),
    409: ("conflict", "Conflict"),
    413: ("too_large", "Too large"),
}
"""Status → code and title; whatever else is refused is 422."""


class _Said(NamedTuple):
    """What callers are told of an outcome."""

    code: str
    detail: str


_OUTCOMES: Final = {
    "conflict": _Said("conflict", "It changed since these versions: nothing was done. Look again."),
    "one_contact": _Said(
        "one_contact", "They are one contact: undo the merge, or split what is not its."
    ),
    "unknown_contact": _Said("not_found", "There is no such contact here."),
    "archived_survivor": _Said("refused", "The contact that would survive is archived."),
    "kept_apart": _Said("refused", "A person keeps them apart."),
    "kept_together": _Said("refused", "A person merged them."),
    "unknown_merge": _Said("refused", "No such merge is in force here."),
    "unknown_records": _Said("refused", "No such record or identifier is in this contact."),
    "nothing_would_stay": _Said(
        "refused",
        "A split may not take everything that tells who it is, by name or identifier: undo a merge "
        "instead. A value that one record says together with the rest is to be corrected at its "
        "source.",
    ),
    "nothing_would_go": _Said(
        "refused",
        "No record with a name or an identifier would go along: choose one as well. A value that "
        "one record says together with the rest is to be corrected at its source.",
    ),
    "unknown_tag": _Said("not_found", "There is no such tag here."),
    "unknown_group": _Said("not_found", "There is no such group here."),
    "unknown_company": _Said("not_found", "There is no such company here."),
    "identifier_taken": _Said(
        "conflict",
        "Another company is known by this: see meta.named. Change that one, or merge the two; if "
        "it was merged into this one, this one keeps its own domain.",
    ),
    "unknown_field": _Said("not_found", "There is no such custom field here."),
    "name_taken": _Said("conflict", "Another has this name or key: see meta.named."),
    "values_in_use": _Said(
        "conflict", "Contacts have values that would no longer fit; meta.named has the first."
    ),
    "company_values_in_use": _Said(
        "conflict", "Companies have values that would no longer fit; meta.named has the first."
    ),
    "asked_for": _Said(
        "conflict", "Smart groups ask for values that would no longer fit: see meta.named."
    ),
    "smart_group": _Said(
        "conflict", "A query finds the members of a smart group: change its query_def instead."
    ),
    "too_many": _Said(
        "refused",
        "That is more than there may be; meta.named has the contacts concerned, if any.",
    ),
}
"""Why an order was not carried out; a code of its own where what helps is another thing than for
the status's code."""


class Resolver:
    """The resolver over HTTP, on behalf of one caller at a time."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(
        self, request: Request, path: Sequence[str], query: Mapping[str, Any] | None = None
    ) -> Any:
        """Pass a question on; raises `RequestError` with what the resolver refuses."""
        return await self._send(request, "GET", path, params=query)

    async def order(
        self,
        request: Request,
        command: str,
        body: Mapping[str, Any],
        query: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Pass an order on; returns when it is carried out."""
        said = await self._send(request, "POST", ("commands", command), json=body, params=query)
        return cast("Mapping[str, Any]", said)

    async def judge(
        self, request: Request, command: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Pass a decision on about who is whom, of contacts that the caller's workspace knows."""
        return await self.order(request, command, body, {"within_workspace": ""})

    async def _send(
        self, request: Request, method: str, path: Sequence[str], **content: Any
    ) -> Any:
        headers = {
            name: request.headers[name]
            for name in ("authorization", "traceparent")
            if name in request.headers
        }
        place = "/v1/" + "/".join(quote(part, safe="") for part in path)
        try:
            answer = await self._client.request(method, place, headers=headers, **content)
        except httpx.HTTPError as error:
            raise TransientError(f"the resolver does not answer: {type(error).__name__}") from None
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"the resolver answered {answer.status_code}")
        said = answer.json()
        if answer.is_error:
            raise _refused(answer.status_code, said)
        return said


def resolver_of(request: Request) -> Resolver:
    """Return the resolver that the app was given."""
    resolver: Resolver = request.app.state.resolver
    return resolver


def _refused(status: int, said: Mapping[str, Any]) -> RequestError:
    if problems := said.get("problems"):
        return RequestError([_misfit(one["path"], one["detail"]) for one in problems])
    code, title = _REFUSED.get(status, ("refused", "Refused"))
    if outcome := said.get("outcome"):
        code, detail = _OUTCOMES.get(outcome, _Said(code, outcome))
    elif status == httpx.codes.NOT_FOUND:
        detail = "What the path names is not known here."
    else:
        detail = str(said.get("detail", ""))
    named, field = said.get("named"), said.get("field")
    if field:
        detail = f"`{field}` {detail}"
    problem = Problem(
        status if status in _REFUSED else 422,
        code,
        title,
        detail,
        meta={"named": named} if named else None,
    )
    return RequestError([problem])


def _misfit(path: Sequence[str | int], why: str) -> Problem:
    """Point at a value of the body that is wrong, and say what would be right."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    detail = f"{'.'.join(map(str, path))} {why}."
    pointer = "/".join(("/data/attributes", *steps))
    return Problem(422, "invalid_value", "Invalid value", detail, pointer=pointer)


InResolver = Annotated[Resolver, Depends(resolver_of)]
"""The resolver."""
