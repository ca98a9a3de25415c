"""`kith import`: address books, previewed, imported, reported on row by row, and taken back."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typing_extensions import override

from kith.imports_client import Document, RefusedError
from kith.imports_mail import kind_of
from kith.imports_options import (
    AsJson,
    Files,
    Import,
    Key,
    Kind,
    Look,
    Mapping,
    Own,
    Region,
    Save,
    Saved,
    Skip,
    Source,
    Tag,
    Url,
    Workspace,
    Yes,
    Zone,
    only_classes,
)
from kith.imports_running import (
    connected,
    end,
    go_on,
    import_one,
    look_at,
    progress_shown,
    read_mapping,
    save_mapping,
    say,
)
from kith.imports_text import CLASSES, LISTED, classes_of, list_of, preview_of, report_of

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


imports = typer.Typer(
    cls=ImportGroup,
    no_args_is_help=True,
    help="Import address books: `kith import FILE…` shows what would change, and asks.",
)


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
    timezone: Zone = None,
    kind: Kind = None,
    look: Look = False,
    yes: Yes = False,
    key: Key = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import address books, mail, calendars: show what each would change, ask, import, report.

    Logs and backups of calls and messages, too. Importing the same file again changes nothing.
    """
    if save and mapping is None:
        raise typer.BadParameter("give the mapping to save: --mapping FILE", param_hint="--save")
    parameters = {
        "source": source,
        "import_source": tag,
        "region": region,
        "saved": saved,
        "timezone": timezone,
    }
    wishes: dict[str, str | list[str]] = {name: one for name, one in parameters.items() if one}
    if mapping is not None:
        wishes["mapping"] = read_mapping(mapping)
    told: list[Document] = []
    with connected(key, workspace, url) as client:
        if save:
            save_mapping(client, save, str(wishes["mapping"]))
        for path in files:
            held = kind_of(path, kind)
            asked = wishes | ({"kind": held} if held else {})
            if held == "mail":
                asked |= {"own": own or []}
            if look:
                told.append(look_at(client, path, asked, as_json=as_json))
            else:
                told.append(import_one(client, path, asked, skip or [], yes=yes, as_json=as_json))
    end(told, as_json=as_json)


@imports.command("list")
def list_imports(
    *, workspace: Workspace = None, key: Key = None, url: Url = None, as_json: AsJson = False
) -> None:
    """List the newest imports."""
    with connected(key, workspace, url) as client:
        found = client.find()
    say({"imports": found}, list_of(found), as_json=as_json)


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
    with connected(key, workspace, url) as client:
        document = client.get(import_id)
        names = [row_class] if row_class else list(classes_of(document))
        most = EVERY if row_class else LISTED
        shown = {name: client.rows(import_id, class_=name, limit=most) for name in names}
    rows = [row for name in names for row in shown[name]]
    say({**document, "shown": rows}, preview_of(document, shown), as_json=as_json)


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
        typer.Option(callback=only_classes, help="Take a class of rows after all; repeat."),
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
    with connected(key, workspace, url) as client:
        document = client.choose(import_id, choices)
    say(document, preview_of(document, {}), as_json=as_json)


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
    with connected(key, workspace, url) as client:
        document = client.get(import_id)
        if document["state"] == "receiving":
            raise RefusedError(
                {"title": "Not now", "detail": "its file is not whole; import the file anew"}
            )
        told = go_on(client, document, [], yes=yes, as_json=as_json)
    end([told], as_json=as_json)


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
    with connected(key, workspace, url) as client:
        found = client.report(import_id)
        if as_json:
            found["all"] = list(client.every_row(import_id))
    say(found, report_of(found), as_json=as_json)


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
    """Write the rejected rows, messages or events to a file of the same kind, each with its reason.

    Correct them and import that file: the reasons are left out.
    """
    with connected(key, workspace, url) as client:
        content, ending = client.rejects(import_id)
    if not content:
        typer.echo("nothing was rejected")
        return
    place = output or Path(f"{import_id}-rejects.{ending}")
    place.write_bytes(content)
    typer.echo(f"{place}: correct them and import it")


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
    with connected(key, workspace, url) as client:
        document = client.get(import_id)
        if not yes and document["state"] == "done":
            if not sys.stdin.isatty():
                raise RefusedError({"title": "Not asked", "detail": "say that you mean it: --yes"})
            typer.confirm(f"Take back {document['rows']:,} rows?", abort=True)
        client.order(import_id, "undo")
        with progress_shown(quiet=as_json) as progress:
            client.follow(import_id, progress)
        found = client.report(import_id)
    say(found, report_of(found), as_json=as_json)


@imports.command("discard")
def discard(
    import_id: Import, *, workspace: Workspace = None, key: Key = None, url: Url = None
) -> None:
    """Discard an import that was not executed, with its file."""
    with connected(key, workspace, url) as client:
        client.discard(import_id)
    typer.echo(f"{import_id} is discarded")
