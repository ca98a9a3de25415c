"""Reading a signal: within bounds, well-formed, valid; or a reason that names the field."""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError

from shared.errors import PoisonMessageError
from shared.events.activity import ActivitySignal
from shared.events.envelope import MAX_DEPTH, deeper_than, parse_object
from shared.events.signal import ContactSignal
from shared.events.structs import as_struct, converted
from shared.events.topics import MAX_SIGNAL_BYTES

Signal = TypeVar("Signal", ContactSignal, ActivitySignal)

_FREE_KEYS: Final = frozenset({"custom_fields", "attributes"})
"""Fields whose keys the sender chooses: a path stops here, lest it repeat personal data."""

_FIELDS: Final = ContactSignal.model_fields.keys() | ActivitySignal.model_fields.keys()
"""Fields that a signal may have: all others are the sender's, and their names are not repeated."""

_MESSAGES: Final = {
    "missing": "is required",
    "string_type": "must be a string",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "dict_attributes_type": "must be an object",
    "datetime_parsing": "must be a moment with its offset, like 2026-01-31T12:00:00Z",
    "datetime_type": "must be a moment with its offset, like 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "must be a moment with its offset, like 2026-01-31T12:00:00Z",
    "date_from_datetime_parsing": "must be a date like 2026-01-31",
    "date_parsing": "must be a date like 2026-01-31",
    "date_type": "must be a date like 2026-01-31",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_parsing_size": "must be a whole number from 0 to 9223372036854775807",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
}
"""pydantic's error type → what would be right, in our words."""

_PATTERNS: Final = {
    "source": "must be a source's name: a-z, 0-9 and _, 2 to 63 characters, like hubspot_crm",
    "phone_region": "must be an ISO 3166 country code, like DE",
    "birthday": "must be a date like 1815-12-10, or --12-10 without the year",
    "about": "must be a contact's id: con_ and 26 characters",
    "contact_id": "must be a contact's id: con_ and 26 characters",
}
"""Field → what its pattern means."""


def refuse_large(body: bytes | None) -> None:
    """Refuse a body over the limit, before anything parses it."""
    if body is not None and len(body) > MAX_SIGNAL_BYTES:
        raise PoisonMessageError(
            "too_large", f"has {len(body)} bytes; at most {MAX_SIGNAL_BYTES} are read"
        )


def read_body(body: bytes) -> tuple[ContactSignal, bytes]:
    """Read one contact signal's JSON body; return it validated, as a struct, and as it came."""
    return _validated(_parsed(body), ContactSignal), body


def read_activity_body(body: bytes) -> tuple[ActivitySignal, bytes]:
    """Do the same for an activity signal."""
    return _validated(_parsed(body), ActivitySignal), body


def _parsed(body: bytes) -> dict[str, Any]:
    value = parse_object(body)
    # Looking for one byte first is ten times as fast, and nearly always enough.
    if b"\\" in body and b"\\u0000" in body:
        refuse_nul(value)
    return value


def read_many(body: bytes, limit: int) -> list[object]:
    """Read a request's body: one signal, a list of them, or `{"signals": […]}`."""
    try:
        document = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        position = getattr(error, "pos", 0)
        raise PoisonMessageError(
            "malformed", f"the body is not UTF-8 JSON (near byte {position})"
        ) from None
    values = document
    if isinstance(document, dict):
        values = document.get("signals", [document])
    if not isinstance(values, list):
        raise PoisonMessageError(
            "malformed", 'send one signal, a list of signals, or {"signals": […]}'
        )
    if not values:
        raise PoisonMessageError("invalid", "holds no signal; send at least one", field="signals")
    if len(values) > limit:
        raise PoisonMessageError(
            "too_large",
            f"holds {len(values)} signals; send at most {limit} at once",
            field="signals",
        )
    return values


def read_value(value: object, *, may_hold_nul: bool) -> tuple[ContactSignal, bytes]:
    """Read a contact signal already parsed; return it validated, as a struct, and as JSON."""
    body = within_bounds(value, may_hold_nul=may_hold_nul)
    assert isinstance(value, dict)
    return _validated(value, ContactSignal), body


def read_activity_value(value: object, *, may_hold_nul: bool) -> tuple[ActivitySignal, bytes]:
    """Do the same for an activity signal."""
    body = within_bounds(value, may_hold_nul=may_hold_nul)
    assert isinstance(value, dict)
    return _validated(value, ActivitySignal), body


def is_activity(value: object) -> bool:
    """Tell whether a signal that came without an envelope says to be an activity."""
    kind = value.get("signal") if isinstance(value, dict) else None
    if kind not in (None, "contact", "activity"):
        raise PoisonMessageError(
            "invalid", "must be contact or activity, or left out", field="signal"
        )
    return kind == "activity"


def within_bounds(value: object, *, may_hold_nul: bool) -> bytes:
    """Return an object's JSON, or refuse it for its size, its depth, or a NUL character."""
    if not isinstance(value, dict):
        raise PoisonMessageError("malformed", f"is a JSON {type(value).__name__}; send an object")
    if deeper_than(value, MAX_DEPTH):
        raise PoisonMessageError("malformed", f"is nested deeper than {MAX_DEPTH} levels")
    body = orjson.dumps(value)
    refuse_large(body)
    # Looking through the JSON costs a twentieth, and is nearly always enough.
    if may_hold_nul and b"\\u0000" in body:
        refuse_nul(value)
    return body


def _validated(value: dict[str, Any], model: type[Signal]) -> Signal:
    """Return a signal as a struct; what the struct refuses its model judges, and words."""
    signal = converted(value, model)
    if signal is not None:
        return signal
    try:
        return as_struct(model.model_validate(value))
    except ValidationError as error:
        raise in_our_words(error) from None


def refuse_nul(raw: object) -> None:
    """Refuse NUL characters, which no database text can hold, by the field that has one."""
    for path in _nul_paths(raw, ""):
        raise PoisonMessageError("invalid", "contains a NUL character; leave it out", field=path)


def _nul_paths(value: object, path: str) -> Iterator[str]:
    stack = [(value, path)]
    while stack:
        value, path = stack.pop()
        if isinstance(value, str):
            if "\x00" in value:
                yield path
        elif isinstance(value, list):
            stack.extend((item, f"{path}.{index}") for index, item in enumerate(value))
        elif isinstance(value, dict):
            for key, item in value.items():
                if "\x00" in key:
                    yield f"{path}.(a key)".lstrip(".")
                known = not path and key in _FIELDS
                stack.append((item, key if known else path or "(an unknown field)"))


def in_our_words(error: ValidationError) -> PoisonMessageError:
    """Say what is wrong with the first bad field, and how many more there are."""
    details = error.errors(include_url=False, include_input=False, include_context=True)
    first = details[0]
    path: list[str] = []
    for part in first["loc"]:
        path.append(str(part))
        if part in _FREE_KEYS:
            break
    detail = _MESSAGES.get(first["type"], "")
    if first["type"] == "string_pattern_mismatch":
        detail = _PATTERNS.get(path[-1], "has a form that is not allowed")
    elif first["type"] == "string_too_long":
        detail = f"must have at most {first['ctx']['max_length']} characters"
    elif first["type"] == "too_long":
        detail = f"must have at most {first['ctx']['max_length']} entries"
    elif not detail:
        detail = first["msg"][0].lower() + first["msg"][1:]
    fields = {item["loc"] for item in details}
    more = f" (and {len(fields) - 1} more fields are wrong)" if len(fields) > 1 else ""
    return PoisonMessageError("invalid", detail + more, field=".".join(path))
