"""How a card's person is reached: e-mail addresses, phones, postal addresses."""

import re
from typing import Any, Final
from urllib.parse import unquote

from services.ingest.sources.row import compact
from services.ingest.sources.vcard_gathered import Gathered, preference_of, text_of
from services.ingest.sources.vcard_property import Property, fields_of

_SEVERAL = re.compile(r"[,;\s]+")
_PAUSE = re.compile(r"(?<=\d)\s*[pw]+\s*(\d{1,7})#?", re.IGNORECASE)
"""Digits that a phone dials after a pause: an extension."""

_LIST_COMMA = re.compile(r"(?<!\\),(?=[^\s,;])")
"""A comma between several values of one part, as of several lines of a street."""

_ADDRESS_PARTS: Final = 7


def add_points(found: Gathered) -> None:
    """Add e-mail addresses and phones; of each kind the one that is wanted most is primary."""
    emails = found.take("EMAIL")
    best = _most_wanted(emails)
    for one in emails:
        text = text_of(one)
        several = text.count("@") > 1 and "<" not in text
        for value in filter(None, _SEVERAL.split(text) if several else [text]):
            _add_point(found, "emails", one, value, primary=one is best)
    phones = found.take("TEL", "X-MS-TEL")
    best = _most_wanted(phones)
    for one in phones:
        _add_point(found, "phones", one, _number(text_of(one)), primary=one is best)


def _most_wanted(points: list[Property]) -> Property | None:
    best = min(points, key=preference_of, default=None)
    return best if best is not None and best.head.preference is not None else None


def _add_point(found: Gathered, path: str, one: Property, value: str, *, primary: bool) -> None:
    label = found.label_of(one)
    point = compact({"value": value, "label": label, "primary": primary or None})
    if value:
        found.append_value(path, point, one.head.name)


def _number(text: str) -> str:
    """Read a number out of a `tel:` address (RFC 3966), and a pause as an extension."""
    if text[:4].lower() == "tel:":
        number, *parameters = unquote(text[4:]).split(";")
        extension = next((one for one in parameters if one.lower().startswith("ext=")), None)
        return f"{number};{extension}" if extension else number
    return _PAUSE.sub(r";ext=\1", text)


def add_addresses(found: Gathered) -> None:
    """Add postal addresses; one that is only printed (`LABEL`) is kept as it is printed."""
    kinds: set[str | None] = set()
    for one in found.take("ADR"):
        label = found.label_of(one)
        address = _address(found, one)
        if address:
            kinds.add(label)
            found.append("addresses", compact({**address, "label": label}), "ADR")
    for one in found.take("LABEL"):
        label = found.label_of(one)
        street = _one_line(text_of(one))
        if street and label not in kinds:
            address = {"street": found.fitted(street, "LABEL"), "label": label}
            found.append("addresses", compact(address), "LABEL")


def _address(found: Gathered, one: Property) -> dict[str, Any]:
    parts = [_one_line(part) for part in fields_of(_LIST_COMMA.sub(", ", one.value))]
    box, extended, street, city, state, code, country = [
        *parts[:_ADDRESS_PARTS],
        *[""] * (_ADDRESS_PARTS - len(parts)),
    ]
    if box.isdigit():
        box = f"PO Box {box}"
    lines = ", ".join(line for line in (street, extended, box) if line)
    address = {
        "street": lines,
        "city": city,
        "state": state,
        "postal_code": code,
        "country": country,
    }
    if not any(address.values()):
        address["street"] = _one_line(one.head.parameters.get("LABEL", ""))
    return compact({name: found.fitted(part, "ADR") for name, part in address.items()})


def _one_line(text: str) -> str:
    return ", ".join(line for line in map(str.strip, text.splitlines()) if line)
