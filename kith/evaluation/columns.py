"""What the columns of a labelled table are: as ingest reads them, less what tells the truth.

Production makes a custom field of every column that it does not know, and compares it. In a
labelled set some of those are no attribute of a person: other labels, numbers of rows, ids of the
systems that the records came from, notes about the record itself. They are set aside, and said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from kith.evaluation.errors import EvaluationError
from services.ingest.domain.columns import ColumnMapping, Target, target_of
from services.ingest.domain.suggesting import suggest
from services.ingest.domain.vocabulary import Vocabulary, key_of
from shared.errors import PoisonMessageError

FEW: Final = 20
"""Filled cells of a column below which its values' distribution says nothing of what it is."""

PERSONAL: Final = frozenset(
    {
        "aadhaar", "bsn", "codice fiscale", "cpf", "cuit", "curp", "dni", "driver", "drivers",
        "driving", "fiscal", "fiscale", "hkid", "id card", "identity", "insee", "medicare", "mrn",
        "national", "nhs", "nie", "nif", "nin", "nino", "nric", "pan", "passport", "personal",
        "personnummer", "pesel", "ppsn", "rfc", "sin", "soc sec", "social", "ssn", "steuer", "sv",
        "tax", "tfn", "tin",
    }
)  # fmt: skip
"""Words of columns that hold a person's own number, given by a state or an institution."""

_LABELS: Final = frozenset(
    {
        "cluster", "cluster id", "dup", "duplicate", "duplicate id", "duplicate of", "entity",
        "entity id", "entity type", "gold", "gold id", "golden id", "ground truth", "group id",
        "is dup", "is duplicate", "is match", "label", "master id", "match", "match id", "matched",
        "person id", "real id", "true id", "truth", "unique id",
    }
)  # fmt: skip
"""Names of columns that label records."""

_NOTES: Final = frozenset(
    {
        "batch", "changed", "created", "creation", "dataset", "date added", "exported", "file",
        "import", "imported", "index", "inserted", "last", "lead", "line", "loaded", "modified",
        "quality", "record", "row", "score", "source", "src", "stage", "status", "system",
        "timestamp", "unnamed", "updated", "version",
    }
)  # fmt: skip
"""First or last words of columns that speak of the record, not of the person."""

_IDS: Final = frozenset(
    {"id", "ids", "key", "uuid", "guid", "pk", "uid", "rowid", "nr", "no", "num"}
)


def read_wishes(
    maps: Iterable[str], mapping: ColumnMapping, vocabulary: Vocabulary
) -> dict[str, str]:
    """Read `--map field=column` wishes into ingest's choices, column → target.

    A field may be what people call it (`email`, `company`, `ssn`) or a target (`phone[mobile]`).
    Raises `EvaluationError` naming what is wrong and what would be right.
    """
    choices: dict[str, str] = {}
    for wish in maps:
        field, name = parse_wish(wish)
        column = find_column(name, [one.name for one in mapping.columns])
        if column in choices:
            raise EvaluationError(f"--map {wish}: column {column} is mapped already; name it once")
        taken = {target_of(text) for text in choices.values()}
        target = _free(_target_of_field(field, vocabulary), taken)
        if target in taken and target.is_single:
            raise EvaluationError(f"--map {wish}: {field} is already read from another column")
        choices[column] = str(target)
    return choices


def parse_wish(wish: str) -> tuple[str, str]:
    """Return field and column of `--map field=column`."""
    field, _, name = wish.partition("=")
    if not field.strip() or not name.strip():
        raise EvaluationError(f"--map {wish}: write it as field=column, like full_name=Kunde")
    return field.strip(), name


def find_column(name: str, names: Sequence[str]) -> str:
    """Return the column that is meant: by its exact name, else by the same words."""
    if name in names:
        return name
    alike = [one for one in names if key_of(one) == key_of(name)]
    if len(alike) == 1:
        return alike[0]
    raise EvaluationError(f"no column {name}; the file has: {', '.join(names)}")


def fill_in(mapping: ColumnMapping, truth: str, vocabulary: Vocabulary) -> dict[str, str]:
    """Return targets for columns that the mapping does not know, as of a plain table of people.

    A table of contacts made for a test may look like a product's export by one column, or have a
    word before each name, `pat_first_name`, and none but the column of the truth, `person`, that
    names anybody without one.
    """
    header = ["" if column.name == truth else column.name for column in mapping.columns]
    plain = suggest(header, (), replace(vocabulary, layouts=()), is_of_people=True)
    unknown = {
        column.name
        for column in mapping.columns
        if column.why in ("none", "content", "chosen") or column.name == truth
    }
    taken = {column.target for column in mapping.columns if column.name not in unknown}
    found: dict[str, str] = {}
    for column, other in zip(mapping.columns, plain.columns, strict=True):
        if column.name in unknown and other.why == "name" and other.target not in taken:
            found[column.name] = str(other.target)
    return found


def identifying(header: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """Return the columns that name or reach a person where all rows are known to be people."""
    plain = suggest(header, (), replace(vocabulary, layouts=()), is_of_people=True)
    return [one.name for one in plain.columns if one.target.identifies]


def set_aside(
    mapping: ColumnMapping,
    cells: Mapping[str, Sequence[str]],
    truth: Sequence[str | None],
) -> dict[str, str]:
    """Return the columns that are not to be compared, each with the reason.

    `cells` are the values of columns row by row, empty where there is none; `truth` is who each
    row is about.
    """
    found = {}
    for column in mapping.columns:
        if column.why == "chosen" or column.target.kind not in ("custom", "record_id"):
            continue
        reason = _reason(key_of(column.name), cells[column.name], truth)
        if reason:
            found[column.name] = reason
    return found


def _reason(key: str, cells: Sequence[str], truth: Sequence[str | None]) -> str:
    words = key.split()
    filled = [(cell, person) for cell, person in zip(cells, truth, strict=True) if cell]
    if not filled:
        return "is empty"
    counts = Counter(cell for cell, _ in filled)
    if len(filled) >= FEW and len(counts) == 1:
        return "is the same in every row"
    if len(filled) >= FEW and len(counts) == len(filled):
        return "is another in every row"
    if is_personal(key):
        return ""
    if key in _LABELS:
        return "labels records"
    if words and (words[-1] in _IDS or words[0] in ("id", "rec", "rid")):
        return "is an id of a system, not of a person"
    if words and ({words[0], words[-1]} & _NOTES):
        return "speaks of the record, not of the person"
    return "gives the truth away" if _tells_truth(filled, counts) else ""


def _tells_truth(filled: Sequence[tuple[str, str | None]], counts: Counter[str]) -> bool:
    """Tell whether a column is the truth under other names: one value a person, and only theirs."""
    pairs = {pair for pair in filled if pair[1] is not None}
    people = {person for _, person in pairs}
    return (
        len(filled) >= FEW
        and len(pairs) == len(people) == len(counts)
        and len(people) < sum(person is not None for _, person in filled)
    )


def is_personal(key: str) -> bool:
    """Tell whether a column is called as a person's own number is."""
    words = key.split()
    return not PERSONAL.isdisjoint(words) or any(
        " ".join(pair) in PERSONAL for pair in pairwise(words)
    )


def _target_of_field(field: str, vocabulary: Vocabulary) -> Target:
    try:
        return target_of(field)
    except PoisonMessageError:
        key = key_of(field)
        text = vocabulary.aliases.find(key) or next(iter(vocabulary.fallback.get(key, ())), None)
        if text is not None:
            return target_of(text)
        if is_personal(key):
            return Target("custom", field)
    raise EvaluationError(
        f"--map {field}=…: no such field; say full_name, first_name, last_name, email, phone, "
        "linkedin_url, company, job_title, street, city, state, postcode, country, birthday, ssn, "
        "custom[a name], skip, or a place of docs/formats.md"
    )


def _free(target: Target, taken: set[Target]) -> Target:
    """Give a second e-mail, phone or website a place of its own."""
    number = 2
    free = target
    while free in taken and target.kind in ("email", "phone", "website") and target.part == "value":
        free = Target(target.kind, str(number), target.part)
        number += 1
    return free
