"""`kith import`: upload address books to ingest and say what became of every row."""

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import httpx
import orjson
import typer

UPLOAD_SECONDS: Final = 600.0
"""How long one file may take: the answer comes when every row is on its way."""

LISTED: Final = 10
"""Rejected rows and warnings that are printed of each file; `--json` has more."""

IMPORTS: Final = "/v1/imports"
"""Where files are imported."""

READING: Final = "/v1/imports/reading"
"""Where files are only looked at."""

MAPPINGS: Final = "/v1/imports/mappings"
"""Where mappings are kept."""

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True, dir_okay=False, help="Tables of contacts (CSV, .xlsx) or vCard files."
    ),
]
Source = Annotated[
    str | None, typer.Option(help="Source of the rows; default: csv_upload or vcard_upload.")
]
Tag = Annotated[
    str | None, typer.Option(help="Tag of new records: mark-import, iris-import or crm-direct.")
]
Region = Annotated[
    str | None, typer.Option(help="Country of the national phone numbers in the files, like DE.")
]
Key = Annotated[
    str | None, typer.Option(envvar="KITH_API_KEY", help="API key of scope signals:write.")
]
Url = Annotated[
    str | None, typer.Option(envvar="INGEST_URL", help="Where ingest is; default: the local stack.")
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help='JSON file that says what columns are, like {"Mobile": "phone[mobile]"}; --look '
        "--json prints one to begin with.",
    ),
]
Saved = Annotated[str | None, typer.Option(help="Name of a saved mapping; --mapping goes over it.")]
Save = Annotated[str | None, typer.Option(help="Keep --mapping under this name first.")]
Look = Annotated[bool, typer.Option("--look", help="Say how the files would be read, no more.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("import")(import_files)


def import_files(
    files: Files,
    *,
    source: Source = None,
    tag: Tag = None,
    region: Region = None,
    mapping: Mapping = None,
    saved: Saved = None,
    save: Save = None,
    look: Look = False,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import address books. Importing the same file again changes nothing."""
    if not key:
        raise typer.BadParameter("give --key or set KITH_API_KEY", param_hint="--key")
    if save and mapping is None:
        raise typer.BadParameter("give the mapping to save: --mapping FILE", param_hint="--save")
    parameters = {"source": source, "import_source": tag, "region": region, "saved": saved}
    wishes = {name: value for name, value in parameters.items() if value}
    if mapping is not None:
        wishes["mapping"] = read_mapping(mapping)
    reports, failed = [], False
    place = READING if look else IMPORTS
    with httpx.Client(base_url=url or local_url(), timeout=UPLOAD_SECONDS) as client:
        if save:
            _save(client, save, wishes["mapping"], key)
        for path in files:
            report = upload(client, path, wishes, key, place)
            failed = failed or "layout" not in report
            reports.append({"file": str(path), **report})
            if not as_json:
                _print(path, report)
    if as_json:
        typer.echo(orjson.dumps({"imports": reports}).decode())
    if failed:
        raise typer.Exit(1)


def read_mapping(path: Path) -> str:
    """Return the columns of a mapping file, as JSON: its own, or those that `--look` printed."""
    try:
        found = orjson.loads(path.read_bytes())
        if isinstance(found, dict) and "imports" in found:
            found = found["imports"][0]["columns"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        raise typer.BadParameter("is not JSON of columns", param_hint="--mapping") from None
    return orjson.dumps(found).decode()


def _save(client: httpx.Client, name: str, mapping: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = client.put(f"{MAPPINGS}/{quote(name)}", content=mapping, headers=headers)
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        detail = error.response.json().get("detail", "")
        raise typer.BadParameter(f"cannot be saved: {detail}", param_hint="--save") from None
    except httpx.HTTPError as error:
        raise typer.BadParameter(
            f"ingest does not answer: {type(error).__name__}", param_hint="--save"
        ) from None


def upload(
    client: httpx.Client, path: Path, wishes: dict[str, str], key: str, place: str = IMPORTS
) -> dict[str, Any]:
    """Upload one file; return ingest's report, or its problem document."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/octet-stream"}
    try:
        with path.open("rb") as file:
            answer = client.post(place, params=wishes, content=file, headers=headers)
    except httpx.HTTPError as error:
        return {"title": "ingest does not answer", "detail": type(error).__name__}
    try:
        report: dict[str, Any] = answer.json()
    except ValueError:
        return {"title": "ingest did not answer with JSON", "detail": f"{answer.status_code}"}
    return report


def local_url() -> str:
    """Return where ingest listens on the local stack."""
    from kith.stack import Stack  # noqa: PLC0415  # the local stack is an optional extra
    from kith.stack.errors import StackError  # noqa: PLC0415
    from kith.stack.fleet import Fleet  # noqa: PLC0415

    try:
        return Fleet(Stack.load()).url("ingest")
    except StackError as error:
        raise typer.BadParameter(f"{error}; or give --url", param_hint="--url") from None


def _print_reading(path: Path, report: dict[str, Any]) -> None:
    """Say how a file is read, and what of that is a guess."""
    encoding = f"{report['encoding']}{' (assumed)' if report['encoding_assumed'] else ''}"
    parts = [report["layout"], encoding]
    if report["sheet"]:
        parts.append(f"sheet {report['sheet']}")
    if report["language"] not in ("", "en"):
        parts.append(f"header in {report['language']}")
    if report["date_order_assumed"]:
        parts.append(f"dates read as {report['date_order']} (assumed)")
    typer.echo(f"{path.name}: {', '.join(parts)}")


def _print(path: Path, report: dict[str, Any]) -> None:
    if "layout" not in report:
        typer.echo(f"{path.name}: {report.get('title')}: {report.get('detail')}", err=True)
        return
    _print_reading(path, report)
    if "import_id" not in report:
        for column, target in report["columns"].items():
            typer.echo(f"  {column} → {target}")
        return
    again = " (the same file as before)" if report["same_file_as"] else ""
    typer.echo(
        f"  {report['rows']} rows, {report['accepted']} accepted, "
        f"{report['rejected_rows']} rejected, {report['blank_rows']} blank{again}"
    )
    for kind, mark in (("rejected", "rejected"), ("warnings", "left out")):
        for note in report[kind][:LISTED]:
            place = f", {note['field']}" if note["field"] else ""
            typer.echo(f"  {mark}: line {note['line']}{place}: {note['reason']}")
        if len(report[kind]) > LISTED:
            typer.echo(f"  … and {len(report[kind]) - LISTED} more; --json lists them")
