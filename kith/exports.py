"""`kith export`: contacts as a file, from the api."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import httpx
import typer

from kith.reach import local_url

PATH: Final = "/api/v1/contacts/export"
"""Where the api exports."""

SECONDS: Final = 120.0
"""How long the api may say nothing: a workbook is written before it is sent."""

PROGRESS_SECONDS: Final = 0.5
"""Between two lines of progress."""

STDOUT: Final = "-"

Form = Annotated[
    str, typer.Option("--format", help="csv, xlsx, vcard (4.0), vcard3 (3.0) or json.")
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="NAME=VALUE as GET /contacts takes them, like company=Acme or label=Friends; repeat "
        "for several.",
    ),
]
Ids = Annotated[
    str | None, typer.Option(help="con_…,con_…: only these; @FILE reads them from a file.")
]
Fields = Annotated[
    str | None, typer.Option(help="Only these, by comma, like full_name,emails,labels.")
]
Group = Annotated[
    str | None, typer.Option(help="Only who has this tag, by name, or is in this group, by id.")
]
History = Annotated[
    bool, typer.Option("--history", help="With all that happened: one contact, as json.")
]
Out = Annotated[
    str | None,
    typer.Option(
        help="Where to write; - is standard output, the default where that is no terminal. "
        "Else: the name that the api gives, here."
    ),
]
Key = Annotated[
    str | None, typer.Option(envvar="KITH_API_KEY", help="API key of scope contacts:read.")
]
Url = Annotated[
    str | None, typer.Option(envvar="API_URL", help="Where the api is; default: the local stack.")
]


class ExportError(Exception):
    """There is no file, or not all of it; the text says why."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export")(export)


def export(
    *,
    format_: Form = "csv",
    filters: Filters = None,
    ids: Ids = None,
    fields: Fields = None,
    group: Group = None,
    history: History = False,
    out: Out = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Export contacts: all of the workspace, or those that filters, ids or a group choose.

    `kith import` reads every format but json back without loss.
    """
    if not key:
        hint = "make one: kith keys create --name export --scope contacts:read"
        raise typer.BadParameter(f"give --key or set KITH_API_KEY; {hint}", param_hint="--key")
    asked: dict[str, Any] = {
        "format": format_,
        "ids": read_ids(ids) if ids else None,
        "fields": fields.split(",") if fields else None,
        "include": ["history"] if history else None,
        "filter": read_filters(filters or [], group) or None,
    }
    body = {"meta": {name: value for name, value in asked.items() if value is not None}}
    try:
        fetch(url or local_url("api"), key, body, out)
    except (ExportError, OSError) as error:
        print(f"kith export: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def read_filters(texts: list[str], group: str | None) -> dict[str, str]:
    """Read filters as they are given on the command line."""
    is_group = group is not None and re.fullmatch(r"grp_[0-9A-HJKMNP-TV-Z]{26}", group)
    filters = {"group" if is_group else "label": group} if group else {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not value:
            raise typer.BadParameter(f"write {text} as NAME=VALUE", param_hint="--filter")
        filters[name] = value
    return filters


def read_ids(text: str) -> list[str]:
    """Read ids, by comma or, from a file, also by white space."""
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text("utf-8").replace("\n", ",")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"cannot be read: {type(error).__name__}"
            raise typer.BadParameter(msg, param_hint="--ids") from None
    return [one for part in text.split(",") for one in part.split()]


def fetch(url: str, key: str, body: dict[str, Any], out: str | None) -> None:
    """Ask for a file and write it; nothing is left of one that breaks off."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with (
            httpx.Client(base_url=url, timeout=SECONDS, trust_env=False) as client,
            client.stream("POST", PATH, json=body, headers=headers) as answer,
        ):
            if answer.is_error:
                answer.read()
                raise ExportError(_refusal(answer))
            if out is None:
                out = _name_of(answer) if sys.stdout.isatty() else STDOUT
            with _file(out) as file:
                size = _copy(answer, file)
    except httpx.HTTPError as error:
        msg = f"the api does not answer, or broke off: {type(error).__name__}"
        raise ExportError(msg) from None
    total = answer.headers.get("Kith-Total", "?")
    where = "" if out == STDOUT else f" in {out}"
    print(f"{total} contacts, {size:,} bytes{where}", file=sys.stderr)


def _copy(answer: httpx.Response, file: IO[bytes]) -> int:
    size, told = 0, time.monotonic()
    for piece in answer.iter_bytes():
        file.write(piece)
        size += len(piece)
        if sys.stderr.isatty() and time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            total = answer.headers.get("Kith-Total", "?")
            print(f"\r{size:,} bytes of {total} contacts so far ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return size


@contextmanager
def _file(out: str) -> Iterator[IO[bytes]]:
    """Open the file beside its name, for its owner only; it gets the name when it is whole."""
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{out}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _name_of(answer: httpx.Response) -> str:
    """Return the name that the api gives the file, without any directory."""
    header = answer.headers.get("Content-Disposition", "")
    return Path(header.partition('filename="')[2].rstrip('"')).name or "contacts"


def _refusal(answer: httpx.Response) -> str:
    try:
        errors = answer.json()["errors"]
        return "; ".join(_told(error) for error in errors)
    except (ValueError, LookupError, TypeError):
        return f"the api answers {answer.status_code}"


def _told(error: dict[str, Any]) -> str:
    """Word an error of the api, with what of the request it is about."""
    what = error.get("source", {}).get("parameter")
    return f"{error['title']}{f' ({what})' if what else ''}: {error.get('detail', '')}"
