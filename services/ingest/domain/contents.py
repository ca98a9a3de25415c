"""What the cells of a column look like, where its name does not say what they are."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from services.ingest.domain.days import read_day

SHARE: Final = 0.8
"""Of a column's cells so many must look alike for it to be taken for what they look like."""

LOOKED_AT: Final = 320
"""Characters of a cell that are looked at."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LOOKS: Final = (
    ("email", _EMAIL),
    (
        "linkedin_url",
        re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/in/\S+", re.IGNORECASE),
    ),
    ("phone", re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?:\+[\d ().\-/]+|\(?\d+\)?(?:[ .\-/]\d+)+)")),
)
"""Kind → how its cells look."""

_DIALLED = re.compile(r"(?:\+|00?[1-9])\d{6,14}")
"""A telephone number that says so by its plus or its zero."""

_ABROAD = re.compile(r"\+\d[\d ().\-/]{6,20}")
_SPACES = re.compile(r"[\s().\-/]+")
_CALLING_CODE = re.compile(r"(?:\+|00)?[1-9]\d{0,2}")
_IP_OR_DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[1-9]\d*\.\d+")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .,'\u2019()\-\u0300-\u036f\u200c\u200d])*")
_MOST_WORDS: Final = 5
_LONGEST_NAME: Final = 80
_TELLING: Final = 5
"""Cells of a column, for what they have in common to be no chance."""

_DISTINCT: Final = 0.6
"""Of a column of names so many are not repeated; towns and titles are."""

_NO_PHONES: Final = frozenset(
    {
        *("date", "time", "at", "on", "id", "ip", "no", "nr", "number", "code", "zip", "postal"),
        *("order", "invoice", "amount", "total", "price", "value", "revenue", "score", "tax"),
        *("num", "medicare", "medicaid", "npi", "mrn", "imei", "imsi", "iccid", "policy", "member"),
        *("license", "licence", "account", "card", "serial", "sku", "ean", "isbn", "duns"),
        *("vat", "iban", "latitude", "longitude", "lat", "lng", "lon", "seen", "since", "year"),
        *(
            "updated",
            "passport",
            "ssn",
            "cpf",
            "cnpj",
            "rg",
            "dni",
            "nif",
            "nie",
            "curp",
            "rfc",
            "pesel",
        ),
        *(
            "nip",
            "regon",
            "siret",
            "siren",
            "insee",
            "nino",
            "nhs",
            "aadhaar",
            "pan",
            "bsn",
            "cuit",
        ),
    }
)
"""Words by which a column of digits is likely no telephone number's."""


def cells_of(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    """Return what stands in a column, less what is empty."""
    cells = (row[index][:LOOKED_AT].strip() for row in rows if index < len(row))
    return [cell for cell in cells if cell]


def kind_of_cells(cells: Sequence[str], words: Collection[str] = ()) -> str | None:
    """Tell e-mails, profiles and telephone numbers; `words` are those of the column's name."""
    for kind, form in _LOOKS:
        if not _most(form.fullmatch(cell) is not None for cell in cells):
            continue
        others = sum(map(_is_something_else, cells)) if kind == "phone" else 0
        if kind == "phone" and (2 * others >= len(cells) or not _NO_PHONES.isdisjoint(words)):
            return None
        return kind
    return None


def are_dialled(cells: Sequence[str]) -> bool:
    """Tell whether digits are telephone numbers: half of them show it by a plus or a zero.

    >>> are_dialled(["+4915112345678", "222222"]), are_dialled(["1001", "1002"])
    (True, False)
    """
    plain = [_SPACES.sub("", cell) for cell in cells]
    shown = sum(_DIALLED.fullmatch(cell) is not None for cell in plain)
    return 0 < len(cells) <= 2 * shown and all(cell.lstrip("+*#").isdigit() for cell in plain)


def are_calling_codes(cells: Sequence[str]) -> bool:
    """Tell the codes that countries are dialled by, `+49`, from their names and letters."""
    return _most(_CALLING_CODE.fullmatch(cell) is not None for cell in cells)


def is_reach(cell: str) -> bool:
    """Tell whether a cell is an address or number of somebody: no column is called so.

    >>> is_reach("ada@x.example"), is_reach("+44 7700 900123"), is_reach("2024-01-02")
    (True, True, False)
    """
    text = cell[:LOOKED_AT].strip()
    return _EMAIL.fullmatch(text) is not None or _ABROAD.fullmatch(text) is not None


def are_names(cells: Sequence[str]) -> bool:
    """Tell whether cells may be the names of people: letters, few words, mostly distinct."""
    return _most(
        len(cell) <= _LONGEST_NAME
        and len(cell.split()) <= _MOST_WORDS
        and _NAME.fullmatch(cell) is not None
        for cell in cells
    ) and len(set(cells)) >= _DISTINCT * len(cells)


def distinct_share(cells: Sequence[str]) -> float:
    """Return how many of all cells differ; of few of them nothing can be told: a half."""
    return len(set(cells)) / len(cells) if len(cells) >= _TELLING else 0.5


def are_words(cells: Sequence[str]) -> bool:
    """Tell whether cells are text rather than numbers and addresses."""
    return _most(any(map(str.isalpha, cell)) and _EMAIL.fullmatch(cell) is None for cell in cells)


def _most(verdicts: Iterator[bool]) -> bool:
    found = list(verdicts)
    return bool(found) and sum(found) >= SHARE * len(found)


def _is_something_else(cell: str) -> bool:
    """Tell a date, an IP address or a decimal number from a telephone number."""
    return read_day(cell) is not None or _IP_OR_DECIMAL.fullmatch(cell) is not None
