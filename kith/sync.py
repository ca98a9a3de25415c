"""`kith sync`: mailboxes, address books and CRMs elsewhere that ingest reads again and again."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
import orjson
import typer
from cryptography.fernet import Fernet

from kith.imports_key import calling
from kith.imports_options import Key, Url, Workspace
from kith.imports_running import local_url

CONNECTIONS: Final = "/v1/connections"
"""Where ingest keeps them."""

SECONDS: Final = 30.0
"""How long one answer may take."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Connection = Annotated[str, typer.Argument(help="The id that `kith sync list` shows: rmc_…")]

app = typer.Typer(no_args_is_help=True, help=__doc__)


def register(main: typer.Typer) -> None:
    """Add the commands to the command line."""
    main.add_typer(app, name="sync")


@app.command("add")
def add(
    kind: Annotated[
        Literal[
            "gmail",
            "outlook_mail",
            "google_people",
            "outlook_contacts",
            "google_calendar",
            "outlook_calendar",
            "hubspot",
            "salesforce",
        ],
        typer.Argument(help="What is connected."),
    ],
    name: Annotated[str, typer.Argument(help="What you call it; the same name replaces it.")],
    *,
    credentials: Annotated[
        Path,
        typer.Option(
            help="JSON file with client_id, client_secret and refresh_token, as Google's "
            "authorized_user files; for Microsoft and Salesforce also directory. `-`: standard "
            "input."
        ),
    ],
    every: Annotated[int, typer.Option(help="How often it is read, seconds.")] = 60,
    since_days: Annotated[
        int | None,
        typer.Option(
            help="How far back mail is read at first (default: all), or a calendar (two years)."
        ),
    ] = None,
    remove_at_most: Annotated[
        float | None,
        typer.Option(help="Share of the contacts that may go in one run without asking; 0.2."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Country of national phone numbers in signatures, like DE.")
    ] = None,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Connect an account: it is read at once, and then regularly."""
    settings = {"since_days": since_days, "region": region, "remove_at_most": remove_at_most}
    body = {
        "kind": kind,
        "name": name,
        "credentials": _read(credentials),
        "every_seconds": every,
        "settings": {name: value for name, value in settings.items() if value is not None},
    }
    answer = _ask("POST", CONNECTIONS, (key, workspace, url), body)
    typer.echo(f"{name} is connected as {answer['id']}; `kith sync list` shows how it goes")


@app.command("list")
def list_connections(
    *,
    as_json: AsJson = False,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """List the accounts that are read, and how it goes."""
    answer = _ask("GET", CONNECTIONS, (key, workspace, url))
    if as_json:
        typer.echo(orjson.dumps(answer).decode())
        return
    if not answer["connections"]:
        typer.echo("no account is connected; `kith sync add --help` says how")
    for one in answer["connections"]:
        typer.echo(f"{one['id']}  {one['kind']}  {one['name']}: {_state(one)}")
        counts = one["counts"]
        if counts:
            typer.echo(f"    {_told(counts)}")


@app.command("run")
def run(
    connection: Connection, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Read an account now, and go on regularly; also one that was paused."""
    _ask("POST", f"{CONNECTIONS}/{connection}/run", (key, workspace, url))
    typer.echo("it is read within seconds; `kith sync list` shows how it goes")


@app.command("approve")
def approve(
    connection: Connection, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Say that it is right that so many contacts went: a run that stopped for it goes on."""
    _ask("POST", f"{CONNECTIONS}/{connection}/approve", (key, workspace, url))
    typer.echo("what went is taken back; `kith sync list` shows how it goes")


@app.command("pause")
def pause(
    connection: Connection, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Read an account no more, until `kith sync run`."""
    _ask("POST", f"{CONNECTIONS}/{connection}/pause", (key, workspace, url))
    typer.echo("it is paused")


@app.command("remove")
def remove(
    connection: Connection, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Forget an account and its permission; what it brought stays."""
    _ask("DELETE", f"{CONNECTIONS}/{connection}", (key, workspace, url))
    typer.echo("it is forgotten; take the permission back at the account as well")


@app.command("key")
def print_key() -> None:
    """Print a new key for INGEST_ENCRYPTION_KEYS; put it in front of those that are there."""
    typer.echo(Fernet.generate_key().decode())


def _state(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        why = f" ({one['last_failure']})" if one["last_failure"] else ""
        return f"paused{why}"
    if one["running"]:
        return "is being read"
    if one["last_failure"]:
        return f"failed {one['failures']} times: {one['last_failure']}; again {one['next_run_at']}"
    return f"read {one['last_run_at']}" if one["last_run_at"] else "waits for its first reading"


def _told(counts: dict[str, int]) -> str:
    """Say what all runs brought: of people, of events, or of mail."""
    if "people" in counts:
        refused = f", {counts['refused']:,} without an id" if counts.get("refused") else ""
        return f"{counts['people']:,} entries told, {counts.get('blank', 0):,} blank{refused}"
    if "events" in counts:
        alone = counts.get("left_out_nobody_else", 0)
        return (
            f"{counts['events']:,} events, {counts.get('activities', 0):,} taken, {alone:,} alone"
        )
    left_out = sum(n for name, n in counts.items() if name.startswith("left_out_"))
    return (
        f"{counts.get('messages', 0):,} messages, {counts.get('activities', 0):,} taken, "
        f"{left_out:,} left out, {counts.get('signatures', 0):,} signatures"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        document: dict[str, Any] = orjson.loads(text)
    except OSError as error:
        raise typer.BadParameter(
            f"cannot be read: {error.strerror}", param_hint="--credentials"
        ) from None
    except ValueError:
        raise typer.BadParameter("is not JSON", param_hint="--credentials") from None
    # Google hands out OAuth clients inside of `installed` or `web`.
    for wrapper in ("installed", "web"):
        if isinstance(document.get(wrapper), dict):
            document = {**document, **document[wrapper]}
    return document


def _ask(
    method: str,
    path: str,
    access: tuple[str | None, str | None, str | None],
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask ingest; `access` is key, workspace and address, as the command line was told."""
    key, workspace, url = access
    try:
        with calling(key, workspace, url or local_url()) as client:
            answer = client.request(method, path, json=body, timeout=SECONDS)
    except httpx.HTTPError as error:
        typer.echo(f"ingest does not answer: {type(error).__name__}", err=True)
        raise typer.Exit(1) from None
    document: dict[str, Any] = answer.json() if answer.content else {}
    if answer.is_error:
        place = f"{document['field']}: " if document.get("field") else ""
        typer.echo(f"{document.get('title')}: {place}{document.get('detail')}", err=True)
        raise typer.Exit(1)
    return document
