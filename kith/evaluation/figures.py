"""What an evaluation found, as text and as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final

from kith.evaluation.labelled import Labelled
from kith.evaluation.measures import Quality
from kith.evaluation.standing import Calibrated

_NAMES: Final = frozenset({"full_name", "first_name", "last_name"})
"""Targets of columns that name a person: without any, little is merged."""


_UNREAD: Final = "rows cannot be read and are left out"
_SHOWN: Final = 3
"""Rows that cannot be read of which it is said why; reasons why records are refused."""


@dataclass(frozen=True, slots=True)
class Merges:
    """Merges of one kind."""

    count: int
    right: float | None
    """Share that united records of one person; None: there is none."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What one scorer made of the records."""

    scorer: str
    seconds: float
    records_per_second: float
    contacts: int
    """That the measured records make."""
    gate: Quality
    """What the gate joined by identifiers, before anything was compared."""
    automatic: Quality
    """All that the machine joined by itself, flagged or not."""
    unflagged: Quality
    """Without joins and merges that are marked for a look."""
    reviewed: Quality | None
    """After the pairs in review were decided by the truth; None: not asked for."""
    joins: Merges
    """Records that the gate joined by identifiers, and that evidence would join without a flag."""
    flagged_joins: Merges
    """Records, or groups of them, that hang on the others of their contact by a thread."""
    merges: Merges
    """By the machine, without a flag, after the gate."""
    flagged: Merges
    left_over: float
    """Share of contacts that are one too many of their person."""
    impure: float
    """Share of contacts of several records that hold more than one person."""
    reviews: int
    """Pairs that were put up for review."""
    reviews_per_record: float
    review_share: float
    """Share of records whose contact was put up for review."""
    refused: int
    """Records that ingest refuses: each counts as a contact of its own."""
    calibration: Mapping[str, Calibrated]
    unreadable: Mapping[str, int] = field(default_factory=dict)
    """Field → values that ingest left out of records, since they cannot be read."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Why ingest refuses records → how many, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read, and is streamed."""

    file: str
    truth: str
    seed: int
    batch: int
    records: int
    measured: int
    """Records whose person is known."""
    people: int
    unread: int
    reasons: Sequence[tuple[int, str]]
    """(line, reason) of the first rows that cannot be read."""
    blank: int
    left_out: int
    columns: Mapping[str, str]
    aside: Mapping[str, str]


def describe(name: str, labelled: Labelled, seed: int, batch: int) -> Reading:
    """Tell of a file before it is streamed."""
    truth = labelled.people
    return Reading(
        file=name,
        truth=labelled.truth,
        seed=seed,
        batch=batch,
        records=len(labelled.rows),
        measured=len(truth),
        people=len(set(truth.values())),
        unread=len(labelled.unread),
        reasons=labelled.unread[:_SHOWN],
        blank=labelled.blank,
        left_out=labelled.left_out,
        columns=labelled.columns,
        aside=labelled.aside,
    )


def to_document(reading: Reading, scored: Iterable[Scored]) -> dict[str, Any]:
    """Return all figures as JSON; F1 is spelt out."""
    return asdict(reading) | {"scored": [_told(one) for one in scored]}


def _told(scored: Scored) -> dict[str, Any]:
    document = asdict(scored)
    for name in ("gate", "automatic", "unflagged", "reviewed"):
        quality: Quality | None = getattr(scored, name)
        document[name] = None if quality is None else asdict(quality) | {"f1": quality.f1}
    document["calibration"] = {tier: row._asdict() for tier, row in scored.calibration.items()}
    return document


def reading_lines(reading: Reading) -> Iterator[str]:
    """Say how the file was read."""
    yield (
        f"{reading.file}: {reading.records:,} records, {reading.people:,} people by "
        f"{reading.truth}; random order of seed {reading.seed}, batches of {reading.batch}"
    )
    for column, target in reading.columns.items():
        note = "  (compared as a custom attribute)" if target.startswith("custom[") else ""
        yield f"  {column} → {target}{note}"
    for column, reason in reading.aside.items():
        yield f"  {column} is ignored: it {reason}"
    if _NAMES.isdisjoint(reading.columns.values()):
        yield "  no column is read as a name; if one is, say so: --map full_name=COLUMN"
    unmeasured = reading.records - reading.measured
    notes = (
        (unmeasured, "records have no truth: they are streamed, and not measured"),
        (reading.unread, _UNREAD),
        (reading.blank, "rows are blank"),
        (reading.left_out, "values cannot be read and are left out of their records"),
    )
    for count, words in notes:
        if count:
            yield f"  {count:,} {words}"
        if count and words == _UNREAD:
            yield from (f"    line {line}: {reason}" for line, reason in reading.reasons)


def scored_lines(scored: Scored) -> Iterator[str]:
    """Say what one scorer made of it."""
    yield ""
    yield (
        f"{scored.scorer}: {scored.records_per_second:,.0f} records/s ({scored.seconds:.1f} s), "
        f"{scored.contacts:,} contacts"
    )
    yield f"  {'clustered pairs':34}{'precision':>10}{'recall':>10}{'F1':>10}"
    yield _quality("joined by the gate", scored.gate)
    yield _quality("all automatic merges", scored.automatic)
    yield _quality("unflagged alone", scored.unflagged)
    if scored.reviewed is not None:
        yield _quality("with review decided by the truth", scored.reviewed)
    yield (
        f"  to review: {scored.review_share:.1%} of records, {scored.reviews:,} pairs "
        f"({scored.reviews_per_record:.3f} a record)"
    )
    yield (
        f"  duplicates left: {scored.left_over:.2%} of contacts; "
        f"contacts of several people: {scored.impure:.2%}"
    )
    yield (
        f"  joins by the gate: {_merges(scored.joins)} unflagged, "
        f"{_merges(scored.flagged_joins)} flagged"
    )
    yield (
        f"  merges after the gate: {_merges(scored.merges)} unflagged, "
        f"{_merges(scored.flagged)} flagged"
    )
    if scored.refused:
        yield f"  {scored.refused:,} records are refused: each stands alone"
    for reason, count in islice(scored.refusals.items(), _SHOWN):
        yield f"    {count:,}: {reason}"
    for name, count in scored.unreadable.items():
        hint = "; national ones are read as of --region" if name == "phones" else ""
        yield f"  {count:,} {name} cannot be read and are left out of their records{hint}"
    if scored.calibration:
        yield f"  {'tier':10}{'pairs':>10}{'said':>10}{'right':>10}"
    for tier, row in scored.calibration.items():
        yield f"  {tier:10}{row.pairs:>10,}{row.said:>10.3f}{row.right:>10.3f}"


def _quality(name: str, quality: Quality) -> str:
    return f"  {name:34}{quality.precision:>10.4f}{quality.recall:>10.4f}{quality.f1:>10.4f}"


def _merges(merges: Merges) -> str:
    return f"{merges.count:,}" + ("" if merges.right is None else f" ({merges.right:.1%} right)")
