"""The arguments and options that the commands of `kith import` share."""

from pathlib import Path
from typing import Annotated, Final

import typer

CHOOSABLE: Final = ("new", "update", "duplicate", "conflict")
"""Classes of rows that may be left out."""

KINDS: Final = ("contacts", "mail", "activities")
"""What a file may be said to hold."""


def only_classes(given: list[str] | None) -> list[str] | None:
    """Refuse a class of which there is nothing to choose, before anything is sent."""
    for name in given or ():
        if name not in CHOOSABLE:
            raise typer.BadParameter(f"{name} is none of {', '.join(CHOOSABLE)}")
    return given


def only_kinds(given: str | None) -> str | None:
    """Refuse what files cannot be said to hold, before anything is sent."""
    if given is not None and given not in KINDS:
        raise typer.BadParameter(f"{given} is none of {', '.join(KINDS)}")
    return given


Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        help="Tables of contacts (CSV, .xlsx, JSON), vCard files, mail (.eml, .mbox, folders of "
        "it), calendars (.ics), logs of calls and messages.",
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
Zone = Annotated[
    str | None,
    typer.Option(help="Where times without an offset are read, like Europe/Berlin; default: UTC."),
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
Kind = Annotated[
    str | None,
    typer.Option(
        callback=only_kinds,
        help="What the files hold, where it is not seen: contacts, mail or activities (calendars, "
        "logs).",
    ),
]
Look = Annotated[bool, typer.Option("--look", help="Say how the files would be read, no more.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        callback=only_classes,
        help="Leave a class of rows out: new, update, duplicate or conflict; repeat.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
