"""What `kith import` and `kith activities` say of calendars and logs of calls."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from services.ingest.sources.phone_backup import ROOT

LISTED: Final = 10
"""Rejected activities and warnings that are printed of each file; `--json` has more."""

_BEGIN: Final = b"BEGIN:VCALENDAR"


def activities_in(path: Path) -> str | None:
    """Tell what a file is that holds activities, whatever its name: `calendar`, `phone-backup`."""
    with path.open("rb") as file:
        head = file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[: len(_BEGIN)].upper() == _BEGIN:
        return "calendar"
    return "phone-backup" if head.startswith(b"<") and ROOT.search(head) else None


def account_of(name: str, report: dict[str, Any]) -> Iterator[str]:
    """Say what became of a file's activities."""
    yield (
        f"{name}: {report['layout']}, {report['accepted']} activities accepted, "
        f"{report['rejected_activities']} rejected, {report['passed_over']} passed over"
    )
    for kind, mark in (("rejected", "rejected"), ("warnings", "left out")):
        for note in report[kind][:LISTED]:
            place = f", {note['field']}" if note["field"] else ""
            yield f"  {mark}: line {note['line']}{place}: {note['reason']}"
        if len(report[kind]) > LISTED:
            yield f"  … and {len(report[kind]) - LISTED} more; --json lists them"
    if report["accepted"]:
        yield f"  to take it back: kith import undo {report['import_id']}"
