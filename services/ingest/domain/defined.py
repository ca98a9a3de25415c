"""Custom fields of a file, read by what their workspace defined them to be (ADR 0119).

What fits as it stands is left so: the registry reads it wherever it is shown.  Beyond that a file
writes days, amounts and words in a manner of its own, and that is known only while it is read.
What does not fit either way is kept as it stands, with a remark: no value of a source is lost.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from services.ingest.domain.days import EVENT_PIVOT, is_no_day, read_day, read_serial
from services.ingest.domain.vocabulary import DayOrder
from shared.events.custom_field import CustomField, FieldType, WrongValueError, fitted
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Refused

KEPT: Final = "kept as it stands"
"""What becomes of a value that does not fit its field."""

_YES: Final = frozenset(
    {"ja", "j", "oui", "o", "sí", "si", "sì", "s", "sim", "tak", "да", "evet", "はい", "是"}
    | {"x", "✓", "✔", "☑", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "t"}
)
_NO: Final = frozenset(
    {"nein", "non", "não", "nao", "nee", "nie", "нет", "hay\u0131r", "いいえ", "否"}
    | {"✗", "✘", "☐", "falsch", "faux", "falso", "onwaar", "f"}
)
"""Words of the languages that headers are read in; `n` and `y` fit as they stand."""

_SIGNS: Final[Mapping[str, str]] = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₺": "TRY",
    "zł": "PLN",
    "CHF": "CHF",
}
"""How currencies are written that have a sign of their own."""

_DOLLARS: Final = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"})
_OTHERS: Final = (
    "must be an amount in {}: it is said in another currency; convert it, or take the sign away"
)
_TWO_WAYS: Final = (
    "must be a number, like 1234 or 1.5: its one sign may part thousands or begin a fraction;"
    " write it without groups"
)
_MONEY = re.compile(
    r"([+-])?\s*([^\W\d_]{2,3}(?:\s?\$)?|[$€£¥₹₺])?\s*([+-]?\d[\d.,'\u2019\s]*)"
    r"([^\W\d_]{2,3}(?:\s?\$)?|[$€£¥₹₺])?"
)
_GROUP_OR_REST = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_GROUPED = re.compile(
    r"([+-]?)([1-9]\d{0,2}(?P<sign>[.,'\u2019 \u00a0\u202f])\d{3}(?:(?P=sign)\d{3})*)"
    r"(?:([.,])(\d+))?"
)
_COMMA = re.compile(r"([+-]?\d+),(\d+)")
_MOMENT = re.compile(
    r"(.{6,40}?)(?:T|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?\s*([AaPp][Mm])?\s*"
    r"(Z|[+-]\d{2}:?\d{2})?"
)
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,24}(?:[/?#]\S*)?")
_SEPARATORS: Final = (";", ",", "|", ":::", "\n")
_LONGEST: Final = 300
"""Characters of what is read in another manner; texts fit as they stand or are too long."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A field of the registry, and the currency of its amounts where it has one."""

    field: CustomField
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file writes what its fields hold."""

    days: DayOrder
    zone: ZoneInfo
    """Where times without an offset are read."""
    region: str
    """Where national telephone numbers are dialled."""


def read_defined(
    definitions: Mapping[str, Definition], values: Mapping[str, JsonValue], manner: Manner
) -> tuple[dict[str, JsonValue], list[tuple[str, str]]]:
    """Return the values as they are said, and (key, reason) of those that do not fit.

    A value that only the file's manner makes fit is said as its field writes it; a day like
    `0/0/00` says nothing.
    """
    told: dict[str, JsonValue] = {}
    notes: list[tuple[str, str]] = []
    for key, value in values.items():
        definition = definitions.get(key)
        if definition is None:
            told[key] = value
            continue
        try:
            said = _read(definition, value, manner)
        except WrongValueError as error:
            said = value
            notes.append((key, f"{error}; {KEPT}"))
        if said is not None:
            told[key] = said
    return told, notes


def _read(definition: Definition, value: JsonValue, manner: Manner) -> JsonValue:
    try:
        fitted(definition.field, value)
    except WrongValueError as error:
        reader = _READERS.get(definition.field.type)
        if reader is None or not isinstance(value, str) or len(value) > _LONGEST:
            raise
        text = value.strip()
        if definition.field.type in ("date", "datetime") and is_no_day(text):
            return None
        found = reader(definition, text, manner)  # says by itself what is wrong, where it knows
        if found is None:
            raise
        try:
            return fitted(definition.field, found)
        except WrongValueError:
            raise error from None
    return value


def read_amount(text: str) -> str | None:
    """Write a number with a point and no groups; None: it is none, or may be read in two ways.

    >>> read_amount("1.234,50"), read_amount("12,5"), read_amount("1,234")
    ('1234.50', '12.5', None)
    """
    if found := _GROUPED.fullmatch(text):
        sign, whole, between, point, rest = found.groups()
        if point == between or (point is None and between in ".," and whole.count(between) == 1):
            return None
        digits = whole.replace(between, "")
        return f"{sign}{digits}.{rest}" if rest else f"{sign}{digits}"
    if found := _COMMA.fullmatch(text):
        whole, rest = found.groups()
        is_group = len(rest) == 3 and 1 <= len(whole.lstrip("+-0")) <= 3
        return None if is_group else f"{whole}.{rest}"
    return None


def _number(_: Definition, text: str, __: Manner) -> str | None:
    return _amount(text)


def _amount(text: str) -> str | None:
    """Read an amount; raises `WrongValueError` where there are two ways of reading it."""
    if (found := read_amount(text)) is None and _GROUP_OR_REST.fullmatch(text):
        raise WrongValueError(_TWO_WAYS)
    return found


def _money(definition: Definition, text: str, _: Manner) -> str | None:
    """Read an amount whose currency is the field's, or is not said.

    In brackets it is owed, as books write it; raises `WrongValueError` for another currency.
    """
    is_owed = text.startswith("(") and text.endswith(")")
    found = _MONEY.fullmatch(text[1:-1].strip() if is_owed else text)
    if found is None:
        return None
    before, first, amount, last = found.groups()
    amount = amount.strip()
    minus = "-" if is_owed else before or ""
    if (minus and amount[0] in "+-") or (is_owed and before):
        return None
    if not all(_is_of(sign, definition.currency) for sign in (first, last) if sign):
        raise WrongValueError(_OTHERS.format(definition.currency or "the currency of its field"))
    said = _amount(minus + amount)
    return said or (minus + amount if re.fullmatch(r"[+-]?\d+(\.\d+)?", amount) else None)


def _is_of(sign: str, currency: str | None) -> bool:
    """Tell whether a sign is of a currency: `$` is of several, `US$` and `AU$` of one."""
    if sign == "$":
        return currency in _DOLLARS
    if sign.endswith("$"):
        country = sign[:-1].strip().upper()
        return currency in _DOLLARS and currency in (country, f"{country}D")
    return _SIGNS.get(sign, sign.upper()) == currency


def _boolean(_: Definition, text: str, __: Manner) -> bool | None:
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None


def _date(_: Definition, text: str, manner: Manner) -> str | None:
    return read_day(text, manner.days, EVENT_PIVOT) or read_serial(text)


def _datetime(_: Definition, text: str, manner: Manner) -> str | None:
    found = _MOMENT.fullmatch(text)
    day = read_day(found[1], manner.days, EVENT_PIVOT) if found else None
    if found is None or day is None:
        return None
    hour, half = int(found[2]), (found[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        at = datetime.fromisoformat(
            f"{day}T{hour:02}:{found[3]}:{found[4] or '00'}{found[6] or ''}"
        )
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=manner.zone)).isoformat()


def _select(definition: Definition, text: str, _: Manner) -> str | None:
    word = " ".join(text.split()).casefold()
    options = definition.field.options
    return next((one for one in options if " ".join(one.split()).casefold() == word), None)


def _multi_select(definition: Definition, text: str, manner: Manner) -> list[JsonValue] | None:
    for sign in _SEPARATORS:
        parts = [one for one in text.split(sign) if one.strip()]
        found = [_select(definition, one, manner) for one in parts]
        if found and None not in found:
            return [one for one in found if one is not None]
    return None


def _url(_: Definition, text: str, __: Manner) -> str | None:
    return f"https://{text}" if _BARE.fullmatch(text) else None


def _phone(_: Definition, text: str, manner: Manner) -> str | None:
    found = normalize_phone(text, None, manner.region)
    return None if isinstance(found, Refused) or found.extension else found.e164


_READERS: Final[
    Mapping[FieldType, Callable[[Definition, str, Manner], JsonValue | list[JsonValue]]]
] = {
    "number": _number,
    "currency": _money,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "select": _select,
    "multi_select": _multi_select,
    "url": _url,
    "phone": _phone,
}
