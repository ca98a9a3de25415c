"""Custom fields: what a value of each type has to be, and how it is written (ADR 0089).

Whoever sets a value and whoever shows or filters by one has to agree what fits; what a source
brings is kept as it came, and read by the same rules. Each rule is one that SQL can follow too:
`read.field_…` and `services/api/store/conditions.py` say the same of a stored value.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal, get_args

import orjson
from pydantic import JsonValue

FieldType = Literal[
    "text",
    "long_text",
    "number",
    "currency",
    "boolean",
    "date",
    "datetime",
    "select",
    "multi_select",
    "url",
    "email",
    "phone",
]
"""What values may be (`contact.field_type`)."""

FIELD_TYPES: Final[tuple[FieldType, ...]] = get_args(FieldType)

MOST_FIELDS: Final = 200
"""Fields in force that a workspace may have for a kind of entity (spec 003, 23.2)."""

MOST_DEFINED: Final = 1_000
"""Fields that a workspace may have, archived ones too: each reading of values looks them up."""

MOST_OPTIONS: Final = 500
"""Options of a field (`contact.custom_field`)."""

WITH_OPTIONS: Final[frozenset[FieldType]] = frozenset({"select", "multi_select"})
"""Types whose values are among the options of the field."""

NUMERIC: Final[frozenset[FieldType]] = frozenset({"number", "currency"})
"""Types whose values are numbers."""

_LONGEST: Final = {"text": 255, "long_text": 10_000, "url": 2_000, "email": 254}
_BLANK: Final = " \t\r\n"
_SEPARATOR: Final = ";"
_YES: Final = frozenset({"true", "yes", "y", "on", "1"})
_NO: Final = frozenset({"false", "no", "n", "off", "0"})
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,29}(\.[0-9]{1,20})?")
_LARGEST: Final = Decimal(10) ** 29
_EXACT: Final = 2**53 - 1
"""The largest integer that JSON carries safely: its readers take doubles (RFC 7493, 2.2)."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])"
)
_URL: Final = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^ \t\r\n/?#]+[^ \t\r\n]*")
_EMAIL: Final = re.compile(r"[^@ \t\r\n]+@[^@ \t\r\n]+\.[^@ \t\r\n.]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PHONE_SIGNS: Final = str.maketrans("", "", " ().-/")


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that a workspace defined."""

    key: str
    """What sources and `custom_fields` call it."""
    type: FieldType
    options: tuple[str, ...] = ()
    is_required: bool = False
    """A person may not take its value away."""
    is_archived: bool = False
    """Nobody sets it any more; values that there are can still be filtered by."""


class WrongValueError(ValueError):
    """A value is not of its field's type; says what would be right, and not what it was."""


def fitted(field: CustomField, value: JsonValue) -> JsonValue:
    """Return a value as its field writes it; raises `WrongValueError`.

    None for no value: null, blank, an empty list.
    """
    if value is None or value == [] or (isinstance(value, str) and not value.strip(_BLANK)):
        return None
    if isinstance(value, str) and "\0" in value:
        raise WrongValueError("contains a NUL character, which no database text can hold")
    return _FIT[field.type](field, value)


def misfits(
    fields: Mapping[str, CustomField], values: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Return values as their fields write them, and what is wrong with those that do not fit.

    What does not fit, and what no field is defined for, stays as it is.
    """
    told, wrong = dict(values), {}
    for key, value in values.items():
        field = fields.get(key)
        if field is not None:
            try:
                told[key] = fitted(field, value)
            except WrongValueError as error:
                wrong[key] = str(error)
    return told, wrong


def refused_options(kind: FieldType, options: Sequence[str] | None) -> str | None:
    """Say what is wrong with the options of a field; None: nothing."""
    if kind not in WITH_OPTIONS:
        return (
            f"only fields of type {' and '.join(sorted(WITH_OPTIONS))} have any"
            if options
            else None
        )
    if not options:
        return f"must name 1 to {MOST_OPTIONS} options"
    if any(one != one.strip(_BLANK) or not one or _SEPARATOR in one for one in options):
        return f"must be texts without blanks around them, none with a {_SEPARATOR!r}"
    if len({one.lower() for one in options}) < len(options):
        return "must name each option once, whatever its case"
    return None


def decimal_of(value: JsonValue) -> Decimal | None:
    """Read a number of at most 29 digits, or a text that writes one; None: it is none."""
    if isinstance(value, str):
        text = value.strip(_BLANK)
        found = Decimal(text) if _NUMBER.fullmatch(text) else None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    else:
        found = Decimal(repr(value)) if math.isfinite(value) else None
    return found if found is not None and -_LARGEST < found < _LARGEST else None


def moment_of(value: JsonValue) -> datetime | None:
    """Read a time with its zone; None: it is none."""
    text = _plain(value)
    if text is None or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _plain(value: JsonValue) -> str | None:
    """Return a text, number or boolean as JSON writes it, without quotes; None for the rest."""
    if isinstance(value, str):
        return value.strip(_BLANK)
    if isinstance(value, bool | float):
        return orjson.dumps(value).decode()
    return str(value) if isinstance(value, int) else None


def _text(field: CustomField, value: JsonValue) -> str:
    text, longest = _plain(value), _LONGEST[field.type]
    if text is None or len(text) > longest:
        raise WrongValueError(f"must be a text of at most {longest} characters")
    return text


def _number(_: CustomField, value: JsonValue) -> int | float:
    """Return a number that JSON holds as it was written: rounded, it would be another."""
    found = decimal_of(value)
    is_exact = found is not None and -_EXACT <= found <= _EXACT
    if found is None or not is_exact or Decimal(repr(float(found))) != found:
        raise WrongValueError(
            "must be a number, like 42 or 4.5, of at most 15 digits: "
            "longer ones, of accounts say, belong into a field of type text"
        )
    return int(found) if found == found.to_integral_value() else float(found)


def _boolean(_: CustomField, value: JsonValue) -> bool:
    text = (_plain(value) or "").lower()
    if text not in _YES | _NO:
        raise WrongValueError("must be true or false")
    return text in _YES


def _date(_: CustomField, value: JsonValue) -> str:
    text = _plain(value) or ""
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "").isoformat()
    except ValueError:
        raise WrongValueError("must be a date, like 2026-01-31") from None


def _datetime(_: CustomField, value: JsonValue) -> str:
    found = moment_of(value)
    # The year of UTC counts, by which it is written: it has to fit as it is written.
    if found is None or not 1000 <= found.year <= 2999:
        raise WrongValueError(
            "must be a time with its zone, like 2026-01-31T12:00:00Z, of the years 1000 to 2999"
        )
    return found.isoformat().replace("+00:00", "Z")


def _select(field: CustomField, value: JsonValue) -> str:
    text = (_plain(value) or "").lower()
    for option in field.options:
        if option.lower() == text:
            return option
    shown = ", ".join(field.options[:20])
    more = f" and {len(field.options) - 20} more" if len(field.options) > 20 else ""
    raise WrongValueError(f"must be one of: {shown}{more}")


def _multi_select(field: CustomField, value: JsonValue) -> list[JsonValue]:
    if isinstance(value, str):
        value = list(value.split(_SEPARATOR))
    values = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(_select(field, one) for one in values))


def _url(field: CustomField, value: JsonValue) -> str:
    text = _text(field, value)
    if not _URL.fullmatch(text):
        raise WrongValueError("must be a web address, like https://example.org/page")
    return text


def _email(field: CustomField, value: JsonValue) -> str:
    text = _text(field, value)
    if not _EMAIL.fullmatch(text):
        raise WrongValueError("must be an e-mail address, like ada@example.org")
    return text.lower()


def _phone(_: CustomField, value: JsonValue) -> str:
    text = (_plain(value) or "").translate(_PHONE_SIGNS)
    if not _PHONE.fullmatch(text):
        raise WrongValueError("must be a phone number with its country code, like +49 30 123456")
    return text


_FIT: Final[Mapping[FieldType, Callable[[CustomField, JsonValue], JsonValue]]] = {
    "text": _text,
    "long_text": _text,
    "number": _number,
    "currency": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "select": _select,
    "multi_select": _multi_select,
    "url": _url,
    "email": _email,
    "phone": _phone,
}
