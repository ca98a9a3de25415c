"""What `kith import` does with one file, and how it says so: upload, preview, question, report."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import typer

from kith.imports_asking import may_go_on
from kith.imports_client import Document, ImportsClient, RefusedError, Wishes
from kith.imports_key import calling
from kith.imports_text import LISTED, classes_of, columns_of, preview_of, reading_of, report_of

STOPPED: Final = 3
"""Exit code: shown, and not imported, as nobody said that it should be."""


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
def connected(key: str | None, workspace: str | None, url: str | None) -> Iterator[ImportsClient]:
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


def save_mapping(client: ImportsClient, name: str, mapping: str) -> None:
    """Keep a mapping in the workspace, or refuse the option that asks for it."""
    try:
        client.save_mapping(name, mapping)
    except RefusedError as error:
        detail = error.problem.get("detail", "")
        raise typer.BadParameter(f"cannot be saved: {detail}", param_hint="--save") from None


def look_at(client: ImportsClient, path: Path, wishes: Wishes, *, as_json: bool) -> Document:
    """Say how a file would be read."""
    try:
        reading = client.look(path, wishes)
    except RefusedError as error:
        return _refused(path, error, as_json=as_json)
    if not as_json:
        _print(reading_of(path.name, reading))
        _print(columns_of(reading))
    return {"file": str(path), **reading}


def import_one(
    client: ImportsClient,
    path: Path,
    wishes: Wishes,
    skip: Sequence[str],
    *,
    yes: bool,
    as_json: bool,
) -> Document:
    """Import one file, as far as one may."""
    try:
        with progress_shown(quiet=as_json) as progress:
            document = client.upload(path, wishes, progress)
        if not as_json:
            _print(reading_of(path.name, document["reading"]))
        told = go_on(client, document, skip, yes=yes, as_json=as_json)
    except RefusedError as error:
        return _refused(path, error, as_json=as_json)
    return {"file": str(path), **told}


def go_on(
    client: ImportsClient, document: Document, skip: Sequence[str], *, yes: bool, as_json: bool
) -> Document:
    """Bring an import from where it stands to its report."""
    import_id = document["import_id"]
    with progress_shown(quiet=as_json) as progress:
        document = client.follow(import_id, progress)
    if document["state"] == "ready":
        if skip:
            document = client.choose(import_id, {"classes": dict.fromkeys(skip, "skip")})
        if not as_json:
            names = classes_of(document)
            shown = {name: client.rows(import_id, class_=name, limit=3) for name in names}
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
        with progress_shown(quiet=as_json) as progress:
            client.follow(import_id, progress)
    report = client.report(import_id)
    if not as_json:
        _print(report_of(report))
    return report


def _refused(path: Path, error: RefusedError, *, as_json: bool) -> Document:
    if not as_json:
        typer.echo(f"{path.name}: {error}", err=True)
    return {"file": str(path), **error.problem}


def end(told: Sequence[Document], *, as_json: bool) -> None:
    """Print all of it as JSON where that is wished, and say by the exit code how it went."""
    if as_json:
        typer.echo(orjson.dumps({"imports": list(told)}).decode())
    if any("layout" not in one and one.get("state") in (None, "failed") for one in told):
        raise typer.Exit(1)
    if any(one.get("state") == "ready" for one in told):
        raise typer.Exit(STOPPED)


def say(document: Any, lines: Iterator[str], *, as_json: bool) -> None:
    """Print a document, or the lines that tell it."""
    if as_json:
        typer.echo(orjson.dumps(document).decode())
    else:
        _print(lines)


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        typer.echo(line)


@contextmanager
def progress_shown(*, quiet: bool) -> Iterator[Any]:
    """Count on one line of the terminal, which is wiped at the end."""
    is_shown = not quiet and sys.stderr.isatty()

    def tell(what: str, done: int, all_of_it: int) -> None:
        if is_shown:
            of = f" of {all_of_it:,}" if all_of_it else ""
            typer.echo(f"\r  {done:,}{of} {what}\033[K", nl=False, err=True)

    yield tell
    if is_shown:
        typer.echo("\r\033[K", nl=False, err=True)
