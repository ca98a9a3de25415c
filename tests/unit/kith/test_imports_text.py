"""What `kith import` says: in words, within a screen."""

from typing import Any

from kith.imports_text import conflict_of, list_of, preview_of, report_of

DOCUMENT: dict[str, Any] = {
    "import_id": "imp_1",
    "state": "done",
    "rows": 3,
    "classes": {"new": 1, "update": 1, "conflict": 1},
    "choices": {"conflict": "skip"},
    "warnings": 2,
    "verdicts": {"created": 1, "updated": 1, "skipped": 1, "merged": 0},
    "events": 2,
    "undo": None,
    "failure": None,
    "same_file_as": "imp_0",
    "created_at": "2026-01-31T12:00:00+00:00",
}
ROW: dict[str, Any] = {
    "class": "update",
    "line": 2,
    "says": {"full_name": "Ada Byron"},
    "contact": "con_1",
    "creator": None,
    "changes": [{"field": "job_title", "old": None, "new": "Countess"}],
    "adds": [{"type": "email", "value": "a@x.example"}],
    "kept": [{"field": "city", "value": "London", "source": "apollo"}],
    "reason": "",
    "field": "",
}


def test_a_preview_says_what_would_change() -> None:
    reading = {"fields": {"Since": "date"}}
    text = "\n".join(preview_of({**DOCUMENT, "reading": reading}, {"update": [ROW]}))
    for words in (
        "imp_1: 3 rows (the same file was imported before)",
        "1 need a person: whom they are about is in doubt, left out",
        "line 2: Ada Byron → con_1",
        "job_title: nothing → Countess",
        "adds email a@x.example",
        "city stays London (apollo says so)",
        "2 values cannot be read",
        "read by their definitions: Since (date)",
    ):
        assert words in text


def test_a_conflict_stands_side_by_side() -> None:
    values = [
        {"field": "full_name", "agrees": False, "mine": [{"value": "A" * 50}], "theirs": ["Zed"]},
        {"field": "email", "agrees": True, "mine": [{"value": "a@x"}] * 2, "theirs": ["a@x"]},
    ]
    row = {**ROW, "reason": "names", "against": [{"contact": "con_1", "values": values}]}
    lines = list(conflict_of(row))
    assert lines[0] == "line 2: names"
    assert lines[2].startswith("  ≠ full_name")
    assert lines[2].endswith("… Zed")
    assert len(lines) == 4, "a value that two records say is shown once"
    hidden = {**row, "against": [{"contact": None, "values": []}]}
    assert "another workspace" in "\n".join(conflict_of(hidden))


def test_a_report_adds_up_and_lists_what_was_not_taken() -> None:
    notes = [{"line": n, "field": "Email", "reason": "is none"} for n in range(12)]
    report = {**DOCUMENT, "rejected": notes, "left_out": []}
    text = "\n".join(report_of(report))
    assert "2 events" in text
    assert "rejected: line 0, Email: is none" in text
    assert "and 2 more" in text
    told = {"passed": {}, "left_out": {}, "signatures": 0, "people": None, "own": None}
    behind = {**DOCUMENT, "verdicts": {"recorded": 2, "rejected": 1}, "classes": {"new": 3}}
    sent = "\n".join(report_of({**behind, "activities": told, "reading": {"layout": "mbox"}}))
    assert "`kith import rejects imp_1` gives the rejected ones back" in sent
    remarks = [{"line": 3, "field": "Level", "reason": "must be one of: Gold; kept as it stands"}]
    text = "\n".join(report_of({**DOCUMENT, "rejected": [], "left_out": remarks}))
    assert "remark: line 3, Level: must be one of: Gold; kept as it stands" in text
    failed = {**DOCUMENT, "failure": {"detail": "is a picture"}}
    assert list(report_of(failed)) == ["  imp_1 failed: is a picture"]


def test_undoing_lists_what_stays() -> None:
    undo = {"retracted": 3, "kept": 1, "kept_edits": [{"contact": "con_1", "fields": ["city"]}]}
    text = "\n".join(report_of({**DOCUMENT, "state": "undone", "undo": undo}))
    assert "3 records taken back" in text
    assert "con_1: city" in text


def test_the_list_is_a_line_each() -> None:
    assert (
        list(list_of([DOCUMENT, DOCUMENT]))
        == ["imp_1  2026-01-31 12:00  done              3 rows  1 created, 1 updated, 1 skipped"]
        * 2
    )
