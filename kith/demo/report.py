"""What the demo ends with: one set of figures, as text for people and as JSON for programs."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict


class Figure(BaseModel):
    """A frozen part of the report."""

    model_config = ConfigDict(frozen=True)


class Quality(Figure):
    """Pairwise against the truth, each 0.0 to 1.0."""

    precision: float
    recall: float
    f1: float


class Ages(Figure):
    """From kith receiving a signal to its contact being readable, milliseconds."""

    p50: float
    p99: float


class FileReport(Figure):
    """What became of a sample file."""

    file: str
    source: str
    rows: int
    verdicts: dict[str, int]
    """What became of its rows: their sum is `rows`."""
    new: int
    """Rows that the ledger did not know."""


class Value(Figure):
    """One value of a contact, and where it came from."""

    field: str
    value: str
    source: str
    record: str


class Example(Figure):
    """One contact and where each value came from."""

    id: str
    sources: tuple[str, ...]
    possible_duplicates: int
    values: tuple[Value, ...]


class Case(Figure):
    """A pair that waits for a person, and what speaks for and against it."""

    pair: str
    """As `kith review` takes it."""
    contacts: tuple[str, ...]
    names: tuple[str, ...]
    score: float | None
    words: str
    values: tuple[tuple[str, str, str], ...]
    """(field, of the one, of the other): each side's best value, with its source."""
    signals: tuple[str, ...]
    """In words, what says most first."""


class Report(Figure):
    """The figures of one run."""

    ok: bool
    problems: tuple[str, ...]
    """Why it is not ok, in words."""
    seconds_to_start: float
    seconds_to_read_model: float
    """From the first signal fed until everything could be read."""
    seconds_in_all: float

    fed: int
    """CRM signals through Kafka, and rows of files."""
    new: int
    """Of these, records that the ledger did not know."""
    already_known: int
    """Of these, records that it did: nothing changed."""
    dead_letters: int
    """Of these, set aside with a reason."""
    lost: int
    """Of these, nowhere to be found: must be 0."""
    signals_per_second: float
    age_ms: Ages | None
    """None when no contact changed."""

    contacts: int
    new_contacts: int
    merged: int
    """Of the records fed, those that joined a contact which another record had made."""
    in_review: int
    """Pairs of contacts that wait for a person."""
    not_in_read_model: int
    """Contacts that the read model does not show as the ledger has them: must be 0."""

    quality: Quality
    """Records put together by being one contact."""
    quality_with_candidates: Quality
    """The same, with the pairs in review taken as one contact."""

    enrichment: dict[str, int]
    """Questions to the vendor simulator in this run, by what became of them."""
    files: tuple[FileReport, ...]
    examples: tuple[Example, ...]
    conflict: tuple[str, ...] = ()
    """A row of a file beside the contact that it may be about, line by line."""
    case: Case | None = None
    """The pair in review that is worth most; None when none waits."""
    urls: dict[str, str]
    curl: str
    stop: str


def lines(report: Report) -> Iterator[str]:
    """Tell the report to a newcomer."""
    yield from _signals(report)
    yield from _contacts(report)
    yield from _quality(report)
    for example in report.examples:
        yield from _example(example)
    if report.conflict:
        yield ""
        yield "Import: a row that no machine decides about, as `kith import` shows it"
        yield from (f"  {line}" for line in report.conflict)
    if report.case:
        yield from _case(report.case, report.in_review)
    yield ""
    yield "Open"
    for name, url in report.urls.items():
        yield f"  {name:<18} {url}"
    yield "  try                " + report.curl
    yield f"  stop               {report.stop}"
    yield ""
    if report.ok:
        yield f"Every signal is accounted for. {report.seconds_in_all:.0f} s in all."
    yield from (f"PROBLEM: {problem}" for problem in report.problems)


def _signals(report: Report) -> Iterator[str]:
    yield ""
    yield "Signals"
    yield _row("fed", report.fed, "CRM records through Kafka, and rows of the sample files")
    for file in report.files:
        yield f"  {'':<18} {'':>8}  {file.file}: {file.rows} rows, {tell_verdicts(file.verdicts)}"
    yield _row("new", report.new, "told kith something")
    yield _row("already known", report.already_known, "the same delivery again: nothing changed")
    yield _row("dead letters", report.dead_letters, "set aside with a reason: `kith dead list`")
    yield _row("lost", report.lost, "must be 0")
    yield _row("per second", round(report.signals_per_second), "from Kafka to the read model")
    if report.age_ms:
        yield (
            f"  {'age':<18} {report.age_ms.p50:>8,.0f}  ms p50, {report.age_ms.p99:,.0f} ms p99, "
            "from received to readable, at full load"
        )


def tell_verdicts(verdicts: Mapping[str, int]) -> str:
    """Say what became of a file's rows, in one line."""
    counted = (f"{count} {name.replace('_', ' ')}" for name, count in verdicts.items() if count)
    return ", ".join(counted)


def _contacts(report: Report) -> Iterator[str]:
    yield ""
    yield "Contacts"
    yield _row("in all", report.contacts, "")
    if not report.new:
        yield _row("new", report.new_contacts, "all this was fed before: no contact is made twice")
    else:
        yield _row("new", report.new_contacts, "made in this run")
    yield _row("merged", report.merged, "signals that joined a contact which another one had made")
    yield _row("in review", report.in_review, "pairs that may be one person: a person decides")
    if report.enrichment:
        outcomes = ", ".join(f"{number:,} {name}" for name, number in report.enrichment.items())
        yield _row(
            "vendor questions",
            sum(report.enrichment.values()),
            f"about people of the files, 5 a second, a simulator answers: {outcomes}",
        )


def _quality(report: Report) -> Iterator[str]:
    yield ""
    yield "Against the truth (which pairs of CRM records are one person)"
    yield f"  {'':<18} precision  recall     F1"
    for name, quality in (
        ("as contacts", report.quality),
        ("pairs in review too", report.quality_with_candidates),
    ):
        yield (f"  {name:<19}    {quality.precision:.3f}   {quality.recall:.3f}  {quality.f1:.3f}")


def _example(example: Example) -> Iterator[str]:
    yield ""
    yield f"Contact {example.id}, known from {', '.join(example.sources)}"
    for value in example.values:
        yield f"  {value.field:<18} {value.value:<42} {value.source}, {value.record}"


def _case(case: Case, waiting: int) -> Iterator[str]:
    yield ""
    yield f"Review: {waiting:,} pairs wait; worth most is {' / '.join(case.names)}"
    yield f"  {case.words}"
    for field, left, right in case.values:
        yield f"  {field:<18} {left:<42} {right}".rstrip()
    yield from (f"    {signal}" for signal in case.signals)
    yield f"  decide             kith review show {case.pair}"
    yield f"                     kith review approve {case.pair}   (or reject)"


def _row(name: str, number: int, words: str) -> str:
    return f"  {name:<18} {number:>8,}  {words}".rstrip()
