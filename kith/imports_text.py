"""What `kith import` prints: previews, conflicts side by side and reports, in plain words."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from kith import imports_activities
from kith.imports_classes import Document, classes_told

CLASSES: Final = {
    "new": "new contacts",
    "update": "add to contacts that are known",
    "duplicate": "are known already: nothing changes",
    "conflict": "need a person: whom they are about is in doubt",
    "rejected": "cannot be taken",
    "blank": "say nothing of a person",
}
"""Class of rows → what a preview says of them."""

VERDICTS: Final = {
    "created": "made a contact",
    "updated": "added to a contact",
    "merged": "were put together with a contact, as chosen",
    "in_review": "wait in the review queue: `kith review`",
    "unchanged": "were known already",
    "skipped": "were left out",
    "rejected": "could not be taken",
}
"""Verdict → what a report says of the rows."""

LISTED: Final = 10
"""Rows of one kind that are printed."""

WIDTH: Final = 34
"""Letters of a value that stands beside another."""


def reading_of(name: str, reading: Document) -> Iterator[str]:
    """Say how a file is read, and what of that is a guess."""
    assumed = " (assumed)" if reading["encoding_assumed"] else ""
    parts = [reading["layout"]]
    if reading["encoding"]:
        parts.append(f"{reading['encoding']}{assumed}")
    if reading.get("sheet"):
        parts.append(f"sheet {reading['sheet']}")
    is_table = reading.get("delimiter") or reading.get("sheet")
    if is_table and not reading.get("header_line"):
        parts.append("no header: columns read by what is in them (assumed)")
    if reading.get("language", "") not in ("", "en"):
        parts.append(f"header in {reading['language']}")
    if reading.get("date_order_assumed"):
        parts.append(f"dates read as {reading['date_order']} (assumed)")
    if reading.get("phone_region"):
        parts.append(f"national phone numbers read in {reading['phone_region']} (assumed)")
    yield f"{name}: {', '.join(parts)}"


def classes_of(document: Document) -> Collection[str]:
    """List the classes that rows of an import may have."""
    return imports_activities.CLASSES if document.get("activities") else CLASSES


def columns_of(reading: Document) -> Iterator[str]:
    """Say where the columns of a table go."""
    for column, target in reading.get("columns", {}).items():
        yield f"  {column} → {target}"


def fields_of(reading: Document) -> Iterator[str]:
    """Say which columns are read by what the workspace defined them to be."""
    if fields := reading.get("fields"):
        told = ", ".join(f"{column} ({kind})" for column, kind in fields.items())
        yield f"  read by their definitions: {told}"


def preview_of(document: Document, shown: Mapping[str, Sequence[Document]]) -> Iterator[str]:
    """Say what an import would do; `shown`: some rows of each class."""
    if document.get("activities"):
        yield from imports_activities.preview_of(document, shown)
        return
    yield from fields_of(document.get("reading") or {})
    yield from classes_told(document, shown, "rows", CLASSES, _row)
    if document["warnings"]:
        yield f"  {document['warnings']:>9,} values cannot be read as they stand: each row has why"


def _row(row: Document) -> Iterator[str]:
    who = _who(row)
    match row["class"]:
        case "rejected":
            place = f", {row['field']}" if row["field"] else ""
            yield f"line {row['line']}{place}: {row['reason']}"
        case "update":
            changes = [
                f"{change['field']}: {change['old'] or 'nothing'} → {change['new']}"
                for change in row.get("changes") or ()
            ]
            adds = [f"{one['type']} {one['value']}" for one in row.get("adds") or ()]
            whom = row.get("contact") or (
                f"row {row['creator']}" if row.get("creator") else "a contact"
            )
            yield f"line {row['line']}: {who} → {whom}"
            yield from (f"  {change}" for change in changes)
            if adds:
                yield f"  adds {', '.join(adds)}"
            for kept in row.get("kept") or ():
                yield f"  {kept['field']} stays {kept['value']} ({kept['source']} says so)"
        case "conflict":
            yield f"line {row['line']}: {who}: {row['reason']}"
        case _:
            alike = [one["contact"] for one in row.get("alike") or ()]
            may = f" (may be {', '.join(alike)}: the same name)" if alike else ""
            yield f"line {row['line']}: {who}{may}"


def _who(row: Document) -> str:
    says = row.get("says") or {}
    for value in (
        says.get("full_name"),
        says.get("nickname"),
        *(point["value"] for point in says.get("emails", ())),
        *(point["value"] for point in says.get("phones", ())),
    ):
        if value:
            return str(value)
    return "somebody"


def conflict_of(row: Document) -> Iterator[str]:
    """Set a row beside the contact that it may be about, field by field."""
    yield f"line {row['line']}: {row['reason']}"
    beside = [one for one in row.get("against") or () if one["contact"]]
    if not beside:
        yield "  whom it may be about is known to another workspace only"
    for other in beside:
        yield f"    {'':<14} {_cut('known: ' + other['contact'])} this file"
        for value in other["values"]:
            mine = list(dict.fromkeys(one["value"] for one in value["mine"]))
            mark = " " if value["agrees"] else "≠"
            yield from _beside(value["field"], mark, mine, value["theirs"])


def _beside(field: str, mark: str, mine: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    for place in range(max(len(mine), len(theirs))):
        name, sign = (field, mark) if place == 0 else ("", " ")
        left = mine[place] if place < len(mine) else ""
        right = theirs[place] if place < len(theirs) else ""
        yield f"  {sign} {name:<14} {_cut(left)} {right}".rstrip()


def _cut(text: str) -> str:
    return f"{text if len(text) <= WIDTH else text[: WIDTH - 1] + '…':<{WIDTH}}"


def report_of(report: Document) -> Iterator[str]:
    """Say what became of every row."""
    if report["failure"]:
        yield f"  {report['import_id']} failed: {report['failure']['detail']}"
        return
    if report.get("activities"):
        yield from imports_activities.report_of(report)
    else:
        yield from _counts(report)
    if report["undo"]:
        yield from undo_of(report["undo"])
    for kind, words in (("rejected", "rejected"), ("left_out", "remark")):
        notes = report.get(kind, ())
        for note in notes[:LISTED]:
            place = f", {note['field']}" if note["field"] else ""
            yield f"  {words}: line {note['line']}{place}: {note['reason']}"
        if len(notes) > LISTED:
            yield f"  … and {len(notes) - LISTED:,} more; --json lists them"
    rejected = report["classes"].get("rejected") or report["verdicts"].get("rejected")
    if report.get("activities"):
        if rejected:
            yield f"  `kith import rejects {report['import_id']}` gives the rejected ones back"
        if report["state"] == "done":
            yield f"  to take it back: kith import undo {report['import_id']}"
    elif rejected:
        yield f"  `kith import rejects {report['import_id']}` gives the rejected rows back"


def _counts(report: Document) -> Iterator[str]:
    yield f"  {report['import_id']}: {report['state']}, {report['rows']:,} rows"
    for name, words in VERDICTS.items():
        if count := report["verdicts"].get(name, 0):
            yield f"  {count:>9,} {words}"
    if report["state"] == "done" and any(report["verdicts"].values()):
        yield f"  {report['events']:>9,} events"


def undo_of(undo: Document) -> Iterator[str]:
    """Say what undoing took back, and what others changed since."""
    yield f"  {undo.get('retracted', 0):>9,} records taken back"
    kept = undo.get("kept_edits") or ()
    if undo.get("kept"):
        yield f"  {undo['kept']:>9,} contacts were changed since, and keep what was changed:"
    for edit in kept[:LISTED]:
        fields = ", ".join(edit.get("fields") or ())
        yield f"              {edit.get('contact')}{f': {fields}' if fields else ''}"


def list_of(documents: Iterable[Document]) -> Iterator[str]:
    """List imports in a line each."""
    for one in documents:
        begun = one["created_at"][:16].replace("T", " ")
        counts = ", ".join(f"{count} {name}" for name, count in one["verdicts"].items() if count)
        told = counts or ", ".join(f"{count} {name}" for name, count in one["classes"].items())
        failure = f": {one['failure']['detail']}" if one["failure"] else ""
        size = f"{one['rows']:>8,} rows"
        yield f"{one['import_id']}  {begun}  {one['state']:<9}  {size}  {told}{failure}"
