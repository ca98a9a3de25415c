"""Orders about who is whom, sent to the resolver over HTTP by somebody who waits."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import httpx
import orjson
import typer

from kith.unforeseen import in_words
from shared.errors import ServiceError, TransientError

SECONDS: Final = 60.0
"""How long one decision may take: a contact of thousands of records is composed anew."""

DONE: Final = frozenset({"done", "unchanged"})
"""Outcomes after which things are as they were ordered to be."""

OUTCOMES: Final = {
    "done": "done",
    "unchanged": "it was so already",
    "one_contact": "they are one contact: kith review undo takes them apart",
    "one_company": "they are one company: kith company undo takes them apart",
    "conflict": "changed since it was looked at: nothing was done; look again",
    "unknown_contact": "no such contact in the API key's tenant",
    "archived_survivor": "the survivor is archived and would hide the other: nothing was done",
    "kept_apart": "a person keeps them apart: nothing was done",
    "kept_together": "a person merged them: nothing was done",
    "unknown_merge": "no such merge is in force here",
    "unknown_records": "no such record or identifier is in this contact",
    "nothing_would_stay": "a split may not take everything that tells who it is, by name or "
    "identifier: undo a merge instead, or correct the value at its source",
    "nothing_would_go": "no record with a name or an identifier would go along: choose one as "
    "well; what one record says with the rest is corrected at its source",
    "unknown_company": "no such company in the API key's tenant",
    "unknown_relation": "nobody said that they are so related",
    "circular": "the two are one company, or one would be its own ancestor: nothing was done",
    "has_parent": "it belongs to another company already: take that back first",
}
"""Outcome → what it means."""

Key = Annotated[
    str | None, typer.Option(envvar="KITH_API_KEY", help="API key of scope contacts:write.")
]
Url = Annotated[
    str | None,
    typer.Option(envvar="RESOLVER_URL", help="Where the resolver is; default: the local stack."),
]


class RefusedError(ServiceError):
    """The resolver refuses a change: the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order."""

    outcome: str
    words: str
    answer: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether things are as they were ordered to be."""
        return self.outcome in DONE


class Orders:
    """Sends orders with one API key; its tenant is where they hold."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    def send(self, command: str, body: Mapping[str, Any]) -> Outcome:
        """Send one order and return what became of it.

        Raises `TransientError` when the resolver is away.
        """
        status, said = self._request("POST", f"/v1/commands/{command}", body)
        outcome = str(said.get("outcome", "refused"))
        words = OUTCOMES.get(outcome) or _refusal(status, said)
        return Outcome(outcome, words, said)

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what the tenant decides by.

        Raises `RefusedError` with what would be right, `TransientError` when the resolver is away.
        """
        return self._answered(method, path, body)

    def ask(self, path: str) -> Mapping[str, Any]:
        """Ask for what changes nothing; raises as `change` does."""
        return self._answered("GET", path, None)

    def _answered(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        status, said = self._request(method, path, body)
        if status >= httpx.codes.BAD_REQUEST:
            raise RefusedError(_refusal(status, said))
        return said

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        try:
            answer = self._client.request(method, path, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise TransientError(f"the resolver does not answer: {type(error).__name__}") from None
        try:
            said: dict[str, Any] = answer.json()
        except ValueError:
            raise TransientError(f"the resolver answered {answer.status_code}") from None
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise TransientError(str(said.get("detail")))
        return answer.status_code, said


def _refusal(status: int, said: Mapping[str, Any]) -> str:
    """Say why an order was refused, and which field of it is wrong."""
    place = said.get("field")
    return f"{f'{place}: ' if place else ''}{said.get('detail', status)}"


def need_key(key: str | None) -> str:
    """Return the key, or say at once that orders need one."""
    if not key:
        hint = "make one: kith keys create --name review --scope contacts:write"
        raise typer.BadParameter(f"give --key or set KITH_API_KEY; {hint}", param_hint="--key")
    return key


def open_orders(key: str | None, url: str | None) -> tuple[httpx.Client, Orders]:
    """Open a client for orders; the caller closes it."""
    token = need_key(key)
    client = httpx.Client(base_url=url or _local_url(), timeout=SECONDS)
    return client, Orders(client, token)


def _local_url() -> str:
    """Return where a resolver listens on the local stack."""
    from kith.stack import Stack  # noqa: PLC0415  # the local stack is an optional extra
    from kith.stack.errors import StackError  # noqa: PLC0415
    from kith.stack.fleet import Fleet  # noqa: PLC0415

    try:
        return Fleet(Stack.load()).url("resolver")
    except StackError as error:
        raise typer.BadParameter(f"{error}; or give --url", param_hint="--url") from None


def send_all(
    command: str,
    orders: Sequence[tuple[str, Mapping[str, Any]]],
    reach: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> None:
    """Send orders one after another, tell what became of each, and exit with 1 if one failed."""
    client, resolver = open_orders(*reach)
    failed = False
    with client:
        for name, body in orders:
            outcome = _send(resolver, command, body)
            failed = failed or not outcome.is_done
            said = {"order": name, **outcome.answer}
            typer.echo(orjson.dumps(said).decode() if as_json else f"{name}  {_words(outcome)}")
    if failed:
        raise typer.Exit(1)


def _send(resolver: Orders, command: str, body: Mapping[str, Any]) -> Outcome:
    try:
        return resolver.send(command, body)
    except ServiceError as error:
        print(f"kith: {in_words(error)}; the rest was not sent", file=sys.stderr)
        raise typer.Exit(1) from None


def _words(outcome: Outcome) -> str:
    merge = outcome.answer.get("merge_id")
    left = outcome.answer.get("unassigned") or ()
    stayed = f"; {len(left)} records that nothing assigns stayed" if left else ""
    return f"{outcome.words}{f': {merge}' if merge else ''}{stayed}"
