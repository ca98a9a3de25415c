"""`kith activities`: upload calendars and logs of calls to ingest, and say what became of them."""

from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import orjson
import typer

from kith.imports import local_url
from kith.imports_key import calling

LISTED: Final = 10
"""Rejected activities and warnings that are printed of each file; `--json` has more."""

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
    reports, failed = [], False
    with calling(key, workspace, url or local_url()) as client:
        for path in files:
            report = upload(client, path, wishes)
            failed = failed or "layout" not in report
            reports.append({"file": str(path), **report})
            if not as_json:
                _print(path, report)
    if as_json:
        typer.echo(orjson.dumps({"imports": reports}).decode())
    if failed:
        raise typer.Exit(1)


def upload(client: httpx.Client, path: Path, wishes: dict[str, str]) -> dict[str, Any]:
    """Upload one file; return ingest's report, or its problem document."""
    headers = {"Content-Type": "application/octet-stream"}
    try:
        with path.open("rb") as file:
            answer = client.post("/v1/activities", params=wishes, content=file, headers=headers)
    except httpx.HTTPError as error:
        return {"title": "ingest does not answer", "detail": type(error).__name__}
    try:
        report: dict[str, Any] = answer.json()
    except ValueError:
        return {"title": "ingest did not answer with JSON", "detail": f"{answer.status_code}"}
    return report


def _print(path: Path, report: dict[str, Any]) -> None:
    if "layout" not in report:
        typer.echo(f"{path.name}: {report.get('title')}: {report.get('detail')}", err=True)
        return
    typer.echo(
        f"{path.name}: {report['layout']}, {report['accepted']} activities accepted, "
        f"{report['rejected_activities']} rejected, {report['passed_over']} passed over"
    )
    for kind, mark in (("rejected", "rejected"), ("warnings", "left out")):
        for note in report[kind][:LISTED]:
            place = f", {note['field']}" if note["field"] else ""
            typer.echo(f"  {mark}: line {note['line']}{place}: {note['reason']}")
        if len(report[kind]) > LISTED:
            typer.echo(f"  … and {len(report[kind]) - LISTED} more; --json lists them")
