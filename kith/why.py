"""`kith why`, `kith why-not`, `kith how`: why records are one contact, why not, how it came."""

from typing import Annotated

import typer

from kith.asking import AsJson, Asked, Workspace, ask, say
from kith.review_text import how_lines, why_lines, why_not_lines
from services.resolver.store import questions

Contact = Annotated[str, typer.Argument(help="con_…")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command("why")(why)
    root.command("why-not")(why_not)
    root.command("how")(how)


def why(contact: Contact, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Say why a contact's records are one person: what joined each, every merge with evidence."""
    answer = ask(lambda store: questions.why(store, contact), workspace)
    say(_found(answer), why_lines, as_json=as_json)


def why_not(
    contact: Contact, other: Contact, *, workspace: Workspace = None, as_json: AsJson = False
) -> None:
    """Compare two contacts now: what speaks for and against, and what is missing to a merge."""
    answer = ask(lambda store: questions.why_not(store, contact, other), workspace)
    say(_found(answer), why_not_lines, as_json=as_json)


def how(contact: Contact, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Replay a contact event by event: what happened, and what it was afterwards."""
    answer = ask(lambda store: questions.how(store, contact), workspace)
    say(_found(answer), how_lines, as_json=as_json)


def _found(answer: Asked | None) -> Asked:
    if answer is None:
        raise typer.BadParameter("no such contact here")
    return answer
