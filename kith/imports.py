"""`kith import`: address books, previewed, imported, reported on row by row, and taken back."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import orjson
import typer
from typer.core import TyperGroup
from typing_extensions import override

from kith.imports_activities import account_of, is_calendar
from kith.imports_asking import may_go_on
from kith.imports_client import Document, ImportsClient, RefusedError
from kith.imports_key import calling
from kith.imports_mail import content_of, is_mail, mail_report_of, mail_wishes
from kith.imports_text import (
    CLASSES,
    LISTED,
    columns_of,
    list_of,
    preview_of,
    reading_of,
    report_of,
)

CHOOSABLE: Final = ("new", "update", "duplicate", "conflict")
"""Classes of rows that may be left out."""

STOPPED: Final = 3
"""Exit code: shown, and not imported, as nobody said that it should be."""

EVERY: Final = 100
"""Rows of a class that are printed with `show --rows all`."""

FILES: Final = "files"
"""The command that is meant where no other is named."""


class ImportGroup(TyperGroup):
    """`kith import FILE…` imports; `kith import list`, `show`, … are about imports."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what names no command for files and their options."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [FILES, *args]
        return super().parse_args(ctx, args)


def _only_classes(given: list[str] | None) -> list[str] | None:
    """Refuse a class of which there is nothing to choose, before anything is sent."""
    for name in given or ():
        if name not in CHOOSABLE:
            raise typer.BadParameter(f"{name} is none of {', '.join(CHOOSABLE)}")
    return given


imports = typer.Typer(
    cls=ImportGroup,
    no_args_is_help=True,
    help="Import address books: `kith import FILE…` shows what would change, and asks.",
)

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        help="Tables of contacts (CSV, .xlsx, JSON), vCard files, mail (.eml, .mbox, folders of "
        "it), calendars (.ics).",
    ),
]
Import = Annotated[str, typer.Argument(metavar="ID", help="imp_…, as `kith import list` has it.")]
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
    str | None,
    typer.Option(
        envvar="KITH_API_KEY",
        help="API key of scopes signals:write, contacts:read and contacts:write; default: one for "
        "this run, where the database can be reached.",
    ),
]
Workspace = Annotated[
    str | None, typer.Option(help="wsp_…, without a key; may be left out where there is but one.")
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
Own = Annotated[
    list[str] | None,
    typer.Option(
        help="Of mail: an address of the mailbox's user, who is no contact; may be repeated."
    ),
]
Look = Annotated[bool, typer.Option("--look", help="Say how the files would be read, no more.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        callback=_only_classes,
        help="Leave a class of rows out: new, update, duplicate or conflict; repeat.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(imports, name="import")


@imports.command(FILES, hidden=True)
def import_files(
    files: Files,
    *,
    workspace: Workspace = None,
    source: Source = None,
    tag: Tag = None,
    region: Region = None,
    mapping: Mapping = None,
    saved: Saved = None,
    save: Save = None,
    skip: Skip = None,
    own: Own = None,
    look: Look = False,
    yes: Yes = False,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import address books: show what each would change, ask, import, report; mail, calendars.

    Importing the same file again changes nothing.
    """
    if save and mapping is None:
        raise typer.BadParameter("give the mapping to save: --mapping FILE", param_hint="--save")
    parameters = {"source": source, "import_source": tag, "region": region, "saved": saved}
    wishes = {name: value for name, value in parameters.items() if value}
    if mapping is not None:
        wishes["mapping"] = read_mapping(mapping)
    told: list[Document] = []
    with _client(key, workspace, url) as client:
        if save:
            _save(client, save, wishes["mapping"])
        for path in files:
            if is_mail(path):
                asked = mail_wishes(source, region, own or [], look=look)
                told.append(_import_mail(client, path, asked, as_json=as_json))
            elif is_calendar(path):
                asked = {"source": source, "region": region}
                told.append(_import_calendar(client, path, asked, look=look, as_json=as_json))
            elif look:
                told.append(_look(client, path, wishes, as_json=as_json))
            else:
                told.append(_import(client, path, wishes, skip or [], yes=yes, as_json=as_json))
    _end(told, as_json=as_json)


@imports.command("list")
def list_imports(
    *, workspace: Workspace = None, key: Key = None, url: Url = None, as_json: AsJson = False
) -> None:
    """List the newest imports."""
    with _client(key, workspace, url) as client:
        found = client.find()
    _say({"imports": found}, list_of(found), as_json=as_json)


@imports.command("show")
def show_import(
    import_id: Import,
    *,
    row_class: Annotated[
        str | None, typer.Option("--class", help=f"Rows of one class: {', '.join(CLASSES)}.")
    ] = None,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show where an import stands, and what its rows would lead to."""
    with _client(key, workspace, url) as client:
        document = client.get(import_id)
        names = [row_class] if row_class else list(CLASSES)
        most = EVERY if row_class else LISTED
        shown = {name: client.rows(import_id, class_=name, limit=most) for name in names}
    rows = [row for name in names for row in shown[name]]
    _say({**document, "shown": rows}, preview_of(document, shown), as_json=as_json)


@imports.command("choose")
def choose(
    import_id: Import,
    *,
    row: Annotated[
        list[int] | None, typer.Option(min=1, help="Number of a row; repeat for several.")
    ] = None,
    take: Annotated[
        str, typer.Option(help="accept, skip, mine, theirs, merge, apart or fields.")
    ] = "accept",
    field: Annotated[
        list[str] | None, typer.Option(help="With `fields`: name=mine, job=theirs, …; repeat.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="con_…: whom the rows are about.")] = None,
    skip: Skip = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(callback=_only_classes, help="Take a class of rows after all; repeat."),
    ] = None,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Choose about rows by number, or about classes, before an import is executed."""
    about: dict[str, Any] = {"choice": take}
    if contact:
        about["contact"] = contact
    if field:
        about["fields"] = dict(one.split("=", 1) for one in field if "=" in one)
    choices = {
        "classes": {
            **dict.fromkeys(accept or (), "accept"),
            **dict.fromkeys(skip or (), "skip"),
        },
        "rows": [{"number": number, **about} for number in row or ()],
    }
    with _client(key, workspace, url) as client:
        document = client.choose(import_id, choices)
    _say(document, preview_of(document, {}), as_json=as_json)


@imports.command("resume")
def resume(
    import_id: Import,
    *,
    yes: Yes = False,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Go on with an import: ask, execute, wait for its end, report."""
    with _client(key, workspace, url) as client:
        document = client.get(import_id)
        if document["state"] == "receiving":
            raise RefusedError(
                {"title": "Not now", "detail": "its file is not whole; import the file anew"}
            )
        told = _go_on(client, document, [], yes=yes, as_json=as_json)
    _end([told], as_json=as_json)


@imports.command("report")
def report(
    import_id: Import,
    *,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of every row."""
    with _client(key, workspace, url) as client:
        found = client.report(import_id)
        if as_json:
            found["all"] = list(client.every_row(import_id))
    _say(found, report_of(found), as_json=as_json)


@imports.command("rejects")
def rejects(
    import_id: Import,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: <ID>-rejects.<ending>.")
    ] = None,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Write the rejected rows to a file of the same layout, each with its reason.

    Correct them and import that file: the column of reasons is left out.
    """
    with _client(key, workspace, url) as client:
        content, ending = client.rejects(import_id)
    if not content:
        typer.echo("no row was rejected")
        return
    place = output or Path(f"{import_id}-rejects.{ending}")
    place.write_bytes(content)
    typer.echo(f"{place}: correct the rows and import it")


@imports.command("undo")
def undo(
    import_id: Import,
    *,
    yes: Yes = False,
    workspace: Workspace = None,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take back all that an import brought; what was changed since stays, and is listed."""
    with _client(key, workspace, url) as client:
        document = client.get(import_id)
        if not yes and document["state"] == "done":
            if not sys.stdin.isatty():
                raise RefusedError({"title": "Not asked", "detail": "say that you mean it: --yes"})
            typer.confirm(f"Take back {document['rows']:,} rows?", abort=True)
        client.order(import_id, "undo")
        with _progress(quiet=as_json) as progress:
            client.follow(import_id, progress)
        found = client.report(import_id)
    _say(found, report_of(found), as_json=as_json)


@imports.command("discard")
def discard(
    import_id: Import, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Discard an import that was not executed, with its file."""
    with _client(key, workspace, url) as client:
        client.discard(import_id)
    typer.echo(f"{import_id} is discarded")


def read_mapping(path: Path) -> str:
    """Return the columns of a mapping file, as JSON: its own, or those that `--look` printed."""
    try:
        found = orjson.loads(path.read_bytes())
        if isinstance(found, dict) and "imports" in found:
            found = found["imports"][0]["columns"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        raise typer.BadParameter("is not JSON of columns", param_hint="--mapping") from None
    return orjson.dumps(found).decode()


def local_url() -> str:
    """Return where ingest listens on the local stack."""
    from kith.stack import Stack  # noqa: PLC0415  # the local stack is an optional extra
    from kith.stack.errors import StackError  # noqa: PLC0415
    from kith.stack.fleet import Fleet  # noqa: PLC0415

    try:
        return Fleet(Stack.load()).url("ingest")
    except StackError as error:
        raise typer.BadParameter(f"{error}; or give --url", param_hint="--url") from None


@contextmanager
def _client(key: str | None, workspace: str | None, url: str | None) -> Iterator[ImportsClient]:
    """Call ingest; what it refuses is printed, and ends the command with 1."""
    with calling(key, workspace, url or local_url()) as http:
        try:
            yield ImportsClient(http)
        except RefusedError as error:
            typer.echo(f"kith: {error}", err=True)
            raise typer.Exit(1) from None
        except httpx.HTTPError as error:
            typer.echo(f"kith: ingest does not answer: {type(error).__name__}", err=True)
            raise typer.Exit(1) from None


def _save(client: ImportsClient, name: str, mapping: str) -> None:
    try:
        client.save_mapping(name, mapping)
    except RefusedError as error:
        detail = error.problem.get("detail", "")
        raise typer.BadParameter(f"cannot be saved: {detail}", param_hint="--save") from None


def _look(client: ImportsClient, path: Path, wishes: dict[str, str], *, as_json: bool) -> Document:
    try:
        reading = client.look(path, wishes)
    except RefusedError as error:
        return _refused(path, error, as_json=as_json)
    if not as_json:
        _print(reading_of(path.name, reading))
        _print(columns_of(reading))
    return {"file": str(path), **reading}


def _import(
    client: ImportsClient,
    path: Path,
    wishes: dict[str, str],
    skip: Sequence[str],
    *,
    yes: bool,
    as_json: bool,
) -> Document:
    """Import one file, as far as one may."""
    try:
        with _progress(quiet=as_json) as progress:
            document = client.upload(path, wishes, progress)
        if not as_json:
            _print(reading_of(path.name, document["reading"]))
        told = _go_on(client, document, skip, yes=yes, as_json=as_json)
    except RefusedError as error:
        return _refused(path, error, as_json=as_json)
    return {"file": str(path), **told}


def _import_mail(
    client: ImportsClient, path: Path, wishes: dict[str, Any], *, as_json: bool
) -> Document:
    """Import the mail of a file or a folder: nothing in it is chosen row by row."""
    try:
        with _progress(quiet=as_json) as progress:
            report = client.send_mail(content_of(path), wishes, progress)
    except RefusedError as error:
        return _refused(path, error, as_json=as_json)
    if not as_json:
        _print(mail_report_of(path.name, report, look="look" in wishes))
    return {"file": str(path), "layout": report["kind"], **report}


def _import_calendar(
    client: ImportsClient, path: Path, asked: dict[str, str | None], *, look: bool, as_json: bool
) -> Document:
    """Import the meetings of a calendar: nothing in it is chosen row by row."""
    if look:
        report: Document = {"layout": "calendar"}
    else:
        wishes = {name: value for name, value in asked.items() if value}
        try:
            report = client.send_activities(path, wishes)
        except RefusedError as error:
            return _refused(path, error, as_json=as_json)
    if not as_json:
        _print(iter([f"{path.name}: a calendar"]) if look else account_of(path.name, report))
    return {"file": str(path), **report}


def _go_on(
    client: ImportsClient, document: Document, skip: Sequence[str], *, yes: bool, as_json: bool
) -> Document:
    """Bring an import from where it stands to its report."""
    import_id = document["import_id"]
    with _progress(quiet=as_json) as progress:
        document = client.follow(import_id, progress)
    if document["state"] == "ready":
        if skip:
            document = client.choose(import_id, {"classes": dict.fromkeys(skip, "skip")})
        if not as_json:
            shown = {name: client.rows(import_id, class_=name, limit=3) for name in CLASSES}
            shown["rejected"] = client.rows(import_id, class_="rejected", limit=LISTED)
            _print(preview_of(document, shown))
        if not yes and (as_json or not sys.stdin.isatty()):
            if not as_json:
                typer.echo(f"  nothing is imported yet: kith import resume {import_id} --yes")
            return {**document, "next": f"kith import resume {import_id} --yes"}
        if not yes and not may_go_on(client, document):
            typer.echo(f"  nothing is imported: kith import resume {import_id} asks again")
            return document
        client.order(import_id, "execute")
        with _progress(quiet=as_json) as progress:
            client.follow(import_id, progress)
    report = client.report(import_id)
    if not as_json:
        _print(report_of(report))
    return report


def _refused(path: Path, error: RefusedError, *, as_json: bool) -> Document:
    if not as_json:
        typer.echo(f"{path.name}: {error}", err=True)
    return {"file": str(path), **error.problem}


def _end(told: Sequence[Document], *, as_json: bool) -> None:
    """Print all of it as JSON where that is wished, and say by the exit code how it went."""
    if as_json:
        typer.echo(orjson.dumps({"imports": list(told)}).decode())
    if any("layout" not in one and one.get("state") in (None, "failed") for one in told):
        raise typer.Exit(1)
    if any(one.get("state") == "ready" for one in told):
        raise typer.Exit(STOPPED)


def _say(document: Any, lines: Iterator[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(document).decode())
    else:
        _print(lines)


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        typer.echo(line)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Count on one line of the terminal, which is wiped at the end."""
    is_shown = not quiet and sys.stderr.isatty()

    def tell(what: str, done: int, all_of_it: int) -> None:
        if is_shown:
            of = f" of {all_of_it:,}" if all_of_it else ""
            typer.echo(f"\r  {done:,}{of} {what}\033[K", nl=False, err=True)

    yield tell
    if is_shown:
        typer.echo("\r\033[K", nl=False, err=True)
