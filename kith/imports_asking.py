"""What `kith import` asks a person: whether to go on, and whom rows in doubt are about."""

from typing import Any, Final

import typer

from kith.imports_client import ImportsClient
from kith.imports_text import conflict_of

WAYS: Final = {
    "r": "accept",
    "m": "mine",
    "t": "theirs",
    "b": "merge",
    "a": "apart",
    "f": "fields",
    "s": "skip",
}
"""Letter → choice about a row in doubt."""

QUESTION: Final = (
    "  [r]eview later, keep [m]ine, take [t]heirs, [b]oth are one person, keep [a]part, "
    "[f]ield by field, [s]kip the row, [q]uit asking"
)

PARTS: Final = {
    "full_name": "name",
    "job": "job",
    "address": "address",
    "email": "email",
    "phone": "phone",
    "linkedin_url": "linkedin_url",
    "headline": "headline",
    "birthday": "birthday",
}
"""Field as it stands side by side → what is chosen with it."""


def may_go_on(client: ImportsClient, document: dict[str, Any]) -> bool:
    """Ask whether to import what was shown; conflicts are settled one by one where one wants to."""
    conflicts = document["classes"].get("conflict", 0)
    while True:
        more = ", [c] settle the rows in doubt first" if conflicts else ""
        answer = typer.prompt(f"Import it? [y]es, [n]o{more}", default="n").strip().lower()[:1]
        if answer == "c" and conflicts:
            settle(client, document["import_id"])
        elif answer in ("y", "n"):
            return bool(answer == "y")


def settle(client: ImportsClient, import_id: str) -> None:
    """Show every row in doubt beside the contact that it may be about, and ask."""
    for row in client.every_row(import_id, class_="conflict"):
        for line in conflict_of(row):
            typer.echo(line)
        typer.echo(QUESTION)
        letter = ""
        while letter not in (*WAYS, "q"):
            letter = typer.prompt("  your choice", default="r").strip().lower()[:1]
        if letter == "q":
            return
        choice: dict[str, Any] = {"number": row["number"], "choice": WAYS[letter]}
        if letter == "f":
            choice["fields"] = _ask_fields(row)
        client.choose(import_id, {"rows": [choice]})


def _ask_fields(row: dict[str, Any]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for value in row["against"][0]["values"]:
        part = PARTS.get(value["field"])
        if part is None or value["agrees"] or not value["theirs"]:
            continue
        answer = ""
        while answer not in ("m", "t"):
            answer = typer.prompt(f"  {part}: [m]ine or [t]heirs", default="m").lower()[:1]
        fields[part] = "mine" if answer == "m" else "theirs"
    return fields or {"name": "mine"}
