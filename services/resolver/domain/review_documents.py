"""Answers about decisions as plain documents: the same for the command line and over HTTP."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from services.resolver.domain.explaining import (
    Evidence,
    conclude,
    is_exact,
    name_attribute,
    ranked,
    say_reason,
    say_signal,
    say_veto,
    shortfall,
)
from services.resolver.domain.foreseeing import Card, Foreseen, counts
from services.resolver.domain.matching.model import CUSTOM, Scorer, Signal
from services.resolver.domain.reviewing import (
    Joined,
    MergeOf,
    Said,
    Step,
    Value,
    Waiting,
    is_private,
    side_by_side,
)

Document = dict[str, Any]
"""JSON in the making: only texts, numbers, lists and documents."""


def tell_pair(pair: Waiting) -> Document:
    """Describe a pair of the queue in one line's worth."""
    return {
        "id": pair.name,
        "number": pair.number,
        "contacts": [
            {"id": side.public_id, "version": side.version, "name": side.name}
            for side in (pair.left, pair.right)
        ],
        "status": pair.status,
        "reason": pair.reason,
        "tier": pair.tier,
        "score": pair.score,
        "stake": pair.stake,
        "value": pair.value,
        "named": [{"type": kind, "value": value} for kind, value in pair.named],
        "created_at": _moment(pair.created_at),
        "reviewed_at": _moment(pair.reviewed_at) if pair.reviewed_at else None,
    }


def tell_case(
    pair: Waiting,
    said: tuple[Sequence[Said], Sequence[Said]],
    explained: tuple[Evidence, Scorer] | None,
    *,
    hide: bool,
) -> Document:
    """Describe a pair in full: values side by side, and the evidence where there is some."""
    left, right = said
    return {
        **tell_pair(pair),
        "words": conclude(*explained) if explained else say_reason(pair.reason, pair.named),
        "values": [
            {
                "field": row.field,
                "agrees": row.agrees,
                "left": _values(row.left),
                "right": _values(row.right),
            }
            for row in side_by_side(left, right)
        ],
        "evidence": tell_evidence(*explained, hide=hide) if explained else None,
    }


def tell_foreseen(foreseen: Foreseen) -> Document:
    """Describe what a merge would make of two contacts."""
    merged = foreseen.merged
    return {
        "outcome": foreseen.outcome,
        "contacts": [_card(one) for one in (foreseen.survivor, foreseen.absorbed)],
        "conflicts": [
            {"field": name, "survivor": ours, "absorbed": theirs, "merged": shown}
            for name, ours, theirs, shown in foreseen.conflicts()
        ],
        "merged": merged
        and {"status": merged.status, "fields": merged.fields, "counts": counts(merged)},
        "is_kept_apart": foreseen.is_kept_apart,
        "settled": foreseen.settled,
    }


def _card(card: Card) -> Document:
    return {
        "id": card.public_id,
        "version": card.version,
        "status": card.status,
        "fields": card.made.fields,
        "counts": counts(card.made),
    }


def tell_evidence(evidence: Evidence, scorer: Scorer, *, hide: bool) -> Document:
    """Describe a decision's evidence; `hide` keeps back what only a workspace may know."""
    missing = shortfall(evidence, scorer)
    return {
        "score": evidence.probability,
        "bits": _number(evidence.weight),
        "recomputed": scorer.recompute(evidence.signals).probability,
        "exact": is_exact(evidence, scorer),
        "scorer": evidence.scorer,
        "weights_version": evidence.weights_version,
        "tier": evidence.tier,
        "action": evidence.action,
        "thresholds": {
            "merge": evidence.thresholds.merge,
            "merge_and_flag": evidence.thresholds.merge_and_flag,
            "review": evidence.thresholds.review,
        },
        "missing": {"to": missing.threshold, "bits": missing.bits},
        "vetoes": [{"veto": veto, "words": say_veto(veto)} for veto in evidence.vetoes],
        "signals": [_signal(one, scorer, hide=hide) for one in ranked(evidence.signals)],
        "words": conclude(evidence, scorer),
    }


def tell_why(
    contact: str,
    asked: str,
    joins: tuple[Iterable[Joined], Scorer],
    merges: Iterable[tuple[MergeOf, Scorer | None]],
    *,
    hide: bool,
) -> Document:
    """Describe why records are one contact: what brought each, and the merges with evidence.

    With the joins comes the scorer by which their threads were found thin.
    """
    records, by = joins
    return {
        "id": contact,
        "asked": asked,
        "records": [
            {
                "record": one.record.record,
                "source": one.record.source,
                "record_id": None if hide else one.record.record_id,
                "at": _moment(one.record.at),
                "received_at": _moment(one.record.received_at),
                "through": [{"type": kind, "value": value} for kind, value in one.through],
                "is_flagged": one.thread is not None,
                "evidence": tell_evidence(one.thread, by, hide=hide) if one.thread else None,
            }
            for one in records
        ],
        "merges": [_merge(merge, scorer, hide=hide) for merge, scorer in merges],
    }


def tell_steps(contact: str, steps: Iterable[Step]) -> Document:
    """Describe a contact's history step by step, each with what it was afterwards."""
    return {
        "id": contact,
        "steps": [
            {
                "version": step.version,
                "what": step.what,
                "at": _moment(step.recorded_at),
                "words": step.words,
                "status": step.state.status,
                "name": step.state.fields.get("display_name"),
                "fields": dict(step.state.fields),
                "identifiers": [
                    {"type": one.type, "value": one.value} for one in step.state.identifiers
                ],
            }
            for step in steps
        ],
    }


def _merge(merge: MergeOf, scorer: Scorer | None, *, hide: bool) -> Document:
    evidence = None
    if merge.evidence is not None and scorer is not None:
        evidence = tell_evidence(merge.evidence, scorer, hide=hide)
    return {
        "merge_id": merge.merge_id,
        "survivor": merge.survivor,
        "absorbed": merge.absorbed,
        "by": "person" if merge.by_person else "machine",
        "reason": merge.reason,
        "at": _moment(merge.merged_at),
        "evidence": evidence,
    }


def _signal(signal: Signal, scorer: Scorer, *, hide: bool) -> Document:
    hidden = hide and is_private(signal)
    shown = signal._replace(attribute=CUSTOM.rstrip(":")) if hidden else signal
    return {
        "signal": shown.attribute,
        "name": name_attribute(shown.attribute),
        "level": signal.level,
        "weight": signal.weight,
        "left": None if hidden else signal.left,
        "right": None if hidden else signal.right,
        "words": say_signal(shown, scorer, hidden=hidden),
    }


def _values(values: Sequence[Value]) -> list[Document]:
    return [
        {
            "value": one.value,
            "source": one.source,
            "record": one.record,
            "confidence": round(one.confidence, 4),
            "at": _moment(one.at),
        }
        for one in values
    ]


def _moment(moment: datetime) -> str:
    return moment.isoformat()


def _number(weight: float | None) -> float | None:
    """JSON has no infinity: total certainty has no number of bits."""
    return weight if weight is not None and isfinite(weight) else None
