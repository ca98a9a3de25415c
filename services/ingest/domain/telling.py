"""Imports and their rows as documents: what callers are told over HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

MOST_NOTES: Final = 1_000
"""Rejected rows and warnings that a report lists; the counts are of all."""

VERDICTS: Final = (
    "created",
    "updated",
    "merged",
    "in_review",
    "unchanged",
    "skipped",
    "rejected",
)
"""What becomes of a row: each has exactly one, once its import is done."""

ACTIVITY_VERDICTS: Final = ("recorded", "unchanged", "skipped", "rejected")
"""What becomes of an entry of a file of activities, in the same way."""

_PREVIEW: Final = ("name", "changes", "kept", "adds", "against", "alike", "happened")


def tell_import(row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an import: where it stands, how its file is read, and all counts so far."""
    terms = orjson.loads(row["terms"])
    reading = orjson.loads(row["reading"]) if row["reading"] else {}
    verdicts = orjson.loads(row["verdicts"])
    names = ACTIVITY_VERDICTS if row["of_activities"] else VERDICTS
    return {
        "import_id": row["public_id"],
        "state": row["state"],
        "source": terms.get("source"),
        "import_source": terms.get("import_source"),
        "bytes": row["file_bytes"],
        "received_bytes": row["received_bytes"],
        "reading": reading or None,
        "rows": row["staged"],
        "classes": orjson.loads(row["classes"]),
        "warnings": row["warnings"],
        "choices": orjson.loads(row["choices"]),
        "verdicts": {name: verdicts.get(name, 0) for name in names},
        "activities": _tell_activities(row) if row["of_activities"] else None,
        "events": row["events"],
        "undo": orjson.loads(row["undo"]) if row["undo"] else None,
        "failure": orjson.loads(row["failure"]) if row["failure"] else None,
        "same_file_as": row["same_file_as"],
        "created_at": _moment(row["created_at"]),
        "executed_at": _moment(row["executed_at"]),
        "finished_at": _moment(row["finished_at"]),
        "expires_at": _moment(row["expires_at"]),
        "is_forgotten": row["purged_at"] is not None,
    }


def _tell_activities(row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a file of activities holds besides its rows."""
    told = orjson.loads(row["told"])
    return {
        "left_out": told.get("left_out", {}),
        "passed": told.get("passed", {}),
        "signatures": told.get("signatures", 0),
        "people": told.get("people"),
        "own": told.get("own"),
    }


def tell_row(row: Mapping[str, Any], *, facts: bool) -> dict[str, Any]:
    """Describe a row: what it would lead to, what was chosen, what became of it.

    Without `facts` nothing is told of what contacts are like, for callers who may not read them.
    """
    told: dict[str, Any] = {
        "number": row["number"],
        "line": row["line"],
        "class": row["class"],
        "field": row["field"],
        "reason": row["reason"],
        "choice": row["choice"],
        "contact": row["contact"] if facts else None,
        "creator": row["creator"],
        "verdict": row["verdict"],
        "events": row["events"],
        "warnings": tell_notes(row),
    }
    if not facts:
        return told
    preview = orjson.loads(row["preview"]) if row["preview"] else {}
    signal = orjson.loads(row["signal"]) if row["signal"] else {}
    chosen = orjson.loads(row["chosen"]) if row["chosen"] else {}
    return {
        **told,
        **{name: preview.get(name) for name in _PREVIEW},
        "says": signal.get("facts"),
        "chosen": chosen or None,
    }


def tell_notes(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the values of a row that were left out, by column and reason."""
    notes = orjson.loads(row["notes"]) if row["notes"] else []
    return [{"line": row["line"], "field": field, "reason": reason} for field, reason in notes]


def tell_report(
    row: Mapping[str, Any],
    rejected: Iterable[Mapping[str, Any]],
    noted: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Describe what became of a file: rows in are the sum of the verdicts."""
    return {
        **tell_import(row),
        "rejected": [
            {"line": one["line"], "field": one["field"], "reason": one["reason"]}
            for one in rejected
        ][:MOST_NOTES],
        "left_out": [note for one in noted for note in tell_notes(one)][:MOST_NOTES],
    }


def _moment(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()
