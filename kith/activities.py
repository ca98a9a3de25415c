"""`kith activities`: upload calendars and logs of calls to ingest, and say what became of them."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer

from kith.imports_activities import account_of
from kith.imports_client import ImportsClient, RefusedError
from kith.imports_key import calling
from kith.imports_running import local_url

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        dir_okay=False,
        help="Calendars (.ics), tables of calls or messages, or activity signals, one a line.",
    ),
]
Source = Annotated[
    str | None, typer.Option(help="Source of the activities; default: calendar or call_log.")
]
Region = Annotated[
    str | None, typer.Option(help="Country of the national phone numbers in the files, like DE.")
]
Zone = Annotated[
    str | None,
    typer.Option(help="Where times without an offset are read, like Europe/Berlin; default: UTC."),
]
Workspace = Annotated[
    str | None, typer.Option(help="wsp_…, without a key; may be left out where there is but one.")
]
Key = Annotated[
    str | None,
    typer.Option(envvar="KITH_API_KEY", help="API key of scope signals:write; else one is made."),
]
Url = Annotated[
    str | None, typer.Option(envvar="INGEST_URL", help="Where ingest is; default: the local stack.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("activities")(import_activities)


def import_activities(
    files: Files,
    *,
    source: Source = None,
    region: Region = None,
    timezone: Zone = None,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import meetings, calls and messages. Importing the same file again changes nothing."""
    wished = {"source": source, "region": region, "timezone": timezone}
    wishes = {name: value for name, value in wished.items() if value}
    told: list[dict[str, Any]] = []
    failed = False
    with calling(key, workspace, url or local_url()) as http:
        client = ImportsClient(http)
        for path in files:
            try:
                report = client.send_activities(path, wishes)
            except RefusedError as error:
                failed, report = True, error.problem
                lines = iter([f"{path.name}: {error}"])
            except httpx.HTTPError as error:
                failed = True
                report = {"title": "ingest does not answer", "detail": type(error).__name__}
                lines = iter([f"{path.name}: ingest does not answer: {type(error).__name__}"])
            else:
                lines = account_of(path.name, report)
            told.append({"file": str(path), **report})
            for line in () if as_json else lines:
                typer.echo(line)
    if as_json:
        typer.echo(orjson.dumps({"imports": told}).decode())
    if failed:
        raise typer.Exit(1)
