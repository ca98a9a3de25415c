"""Pairs, evidence and histories as text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from kith.orders import OUTCOMES

Document = Mapping[str, Any]

COLUMN: Final = 46
"""Characters of one contact's value, side by side."""

NARROW: Final = 28
"""The same, where a third stands beside them."""


def reference(pair: Document) -> str:
    """Write a pair so that a decision names the versions that were seen: `17@3.5`."""
    left, right = pair["contacts"]
    return f"{pair['number']}@{left['version']}.{right['version']}"


def pair_line(pair: Document) -> str:
    """Write a pair of the queue on a line."""
    score = "  -   " if pair["score"] is None else f"{pair['score']:.4f}"
    names = " / ".join(contact["name"] or contact["id"] for contact in pair["contacts"])
    return f"{reference(pair):<14} {score} {pair['tier'] or '-':<7} {pair['stake']:>3}  {names}"


def case_lines(case: Document) -> Iterator[str]:
    """Write a pair in full."""
    left, right = case["contacts"]
    yield f"{reference(case)}  {case['status']}, since {case['created_at'][:19]}"
    yield case["words"]
    yield ""
    yield f"{'':<18} {left['id']:<{COLUMN}} {right['id']}"
    for row in case["values"]:
        mark = "=" if row["agrees"] else " "
        for number, pair in enumerate(zip_longest(row["left"], row["right"])):
            name = f"{mark} {row['field']}" if number == 0 else ""
            mine, theirs = (_value(one) for one in pair)
            yield f"{name:<18} {mine:<{COLUMN}} {theirs}".rstrip()
    if case["evidence"]:
        yield ""
        yield from evidence_lines(case["evidence"])


def evidence_lines(evidence: Document, indent: str = "") -> Iterator[str]:
    """Write what a score is made of."""
    at = evidence["thresholds"]
    exact = "recomputed exactly" if evidence["exact"] else "NOT the score that is stored"
    yield (
        f"{indent}score {evidence['score']:.4f} by {evidence['scorer']}, {exact}; merged from "
        f"{at['merge']:.2f}, with a flag from {at['merge_and_flag']:.2f}, "
        f"reviewed from {at['review']:.2f}"
    )
    for signal in evidence["signals"]:
        yield f"{indent}  {signal['words']}"
    for veto in evidence["vetoes"]:
        yield f"{indent}  veto: {veto['words']}"


def foreseen_lines(foreseen: Document) -> Iterator[str]:
    """Write what a merge would make of two contacts."""
    kept, taken = foreseen["contacts"]
    merged = foreseen["merged"]
    if merged is None:
        yield f"nothing would be done: {OUTCOMES[foreseen['outcome']]}"
    else:
        yield f"{taken['id']}@{taken['version']} would go into {kept['id']}@{kept['version']}"
    if foreseen["is_kept_apart"]:
        yield "a person keeps the two apart: to merge them overrules that"
    if foreseen["settled"]:
        yield f"answers {_count(range(foreseen['settled']), 'question')} of the review queue"
    sides = [kept, taken, *([merged] if merged else [])]
    heads = ["survivor", "absorbed", "merged"][: len(sides)]
    yield ""
    yield _columns("", heads)
    for name in kept["counts"]:
        numbers = [side["counts"][name] for side in sides]
        if any(numbers):
            yield _columns(name, map(str, numbers))
    if foreseen["conflicts"]:
        yield ""
        yield "where they differ:"
    for one in foreseen["conflicts"]:
        yield _columns(one["field"], (one["survivor"], one["absorbed"], one["merged"] or ""))


def _columns(name: str, values: Iterable[str]) -> str:
    return f"{name:<18} {' '.join(f'{value:<{NARROW}}' for value in values)}".rstrip()


def why_lines(why: Document) -> Iterator[str]:
    """Write why records are one contact."""
    if why["asked"] != why["id"]:
        yield f"{why['asked']} was merged into {why['id']}"
    yield f"{why['id']} is made of {len(why['records'])} records"
    for record in why["records"]:
        name = f" {record['record_id']}" if record["record_id"] else ""
        yield f"  {record['received_at'][:19]}  {record['source']}{name}{_through(record)}"
        if record["is_flagged"]:
            yield "    hangs on the others by a thread and is marked for a look:"
            yield from evidence_lines(record["evidence"], "    ")
    for merge in why["merges"]:
        yield ""
        yield (
            f"{merge['merge_id']}: {merge['absorbed']} went into {merge['survivor']} on "
            f"{merge['at'][:19]}, by a {merge['by']}: {merge['reason']}"
        )
        if merge["evidence"]:
            yield f"  {merge['evidence']['words']}"
            yield from evidence_lines(merge["evidence"], "  ")


def why_not_lines(answer: Document) -> Iterator[str]:
    """Write how two contacts compare now."""
    yield answer["words"]
    if answer["evidence"]:
        yield from evidence_lines(answer["evidence"])


def how_lines(history: Document) -> Iterator[str]:
    """Write a contact's history step by step."""
    for step in history["steps"]:
        yield f"{step['version']:>4}  {step['at'][:19]}  {step['words']}"
        name = step["name"] or "(no name)"
        yield f"      → {name}, {step['status']}, {_count(step['identifiers'], 'identifier')}"


def _through(record: Document) -> str:
    if not record["through"]:
        return ""
    values = ", ".join(f"{one['type']} {one['value']}" for one in record["through"])
    return f": it has {values}, as a record before it"


def _value(one: Document | None) -> str:
    if one is None:
        return ""
    return f"{one['value']}  [{one['source']} {one['confidence']:.2f} {one['at'][:10]}]"


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}" if len(things) == 1 else f"{len(things)} {noun}s"
