"""`kith activities`: calendars, logs of calls and signals, imported as `kith import` does."""

from pathlib import Path
from typing import Annotated

import typer

from kith.imports_options import AsJson, Key, Skip, Url, Workspace, Yes, Zone
from kith.imports_running import connected, end, import_one

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


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("activities")(import_activities)


def import_activities(
    files: Files,
    *,
    source: Source = None,
    region: Region = None,
    timezone: Zone = None,
    skip: Skip = None,
    yes: Yes = False,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import meetings, calls and messages: show what is new, ask, import, report.

    Importing the same file again changes nothing.
    """
    wished = {"kind": "activities", "source": source, "region": region, "timezone": timezone}
    wishes = {name: value for name, value in wished.items() if value}
    with connected(key, workspace, url) as client:
        told = [
            import_one(client, path, wishes, skip or [], yes=yes, as_json=as_json) for path in files
        ]
    end(told, as_json=as_json)
