"""vCard files of many cards: 3.0 as iCloud exports it, and 2.1 and 4.0 (product research 3.5)."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from services.ingest.sources.row import BadRow, Blank, Row, Rows, compact, read_birthday
from services.ingest.sources.sniff import Sniffed
from services.ingest.sources.vcard_lines import Property, read_properties

MAX_PROPERTIES: Final = 1_000
"""Properties of one card that are read."""

_ESCAPE = re.compile(r"\\([nN,;:\\])")
_PART = re.compile(r"((?:\\.|[^\\;])*);?", re.DOTALL)
"""A part of a structured value: up to a semicolon that is not escaped."""

_NO_LABEL: Final = frozenset({"pref", "internet", "voice", "text", "x-internet", "utf-8"})
"""Types that say nothing a person would call a label."""

_APPLE_LABEL = re.compile(r"_\$!<(.+)>!\$_")
"""How Apple wraps the labels that it translates."""

_SOCIAL: Final = {
    "twitter": "twitter_handle",
    "github": "github_username",
    "instagram": "ig_username",
}
_COMPANY: Final = "is a company's card; only people are imported from address books"
_TOO_MANY: Final = "has more than 1,000 properties; it is no person's card"
_BAD_BIRTHDAY: Final = "is not a date like 1815-12-10, or --12-10"


def read_vcard(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per card; a card that does not end is ended by the next one's beginning."""
    card: list[Property] | None = None
    begin = 0
    for found in read_properties(file, sniffed.encoding):
        word = found.value.strip().upper()
        if found.name in ("BEGIN", "END") and word == "VCARD":
            if card is not None:
                yield _row(begin, card)
            card, begin = ([], found.line) if found.name == "BEGIN" else (None, 0)
        elif card is not None and len(card) <= MAX_PROPERTIES:
            card.append(found)
    if card is not None:
        yield _row(begin, card)


def _row(line: int, card: list[Property]) -> Row | BadRow | Blank:
    if len(card) > MAX_PROPERTIES:
        return BadRow(line, "", _TOO_MANY)
    first = _firsts(card)
    kind = first.get("KIND") or first.get("X-ADDRESSBOOKSERVER-KIND")
    if kind is not None and kind.value.strip().lower() == "group":
        return Blank(line)
    shown_as = first.get("X-ABSHOWAS")
    is_company = shown_as is not None and shown_as.value.strip().upper() == "COMPANY"
    if is_company or (kind is not None and kind.value.strip().lower() == "org"):
        return BadRow(line, "X-ABSHOWAS" if is_company else "KIND", _COMPANY)
    columns: dict[str, str] = {"linkedin_url": "URL"}
    left_out: list[tuple[str, str]] = []
    record = compact(
        {
            **_names(first),
            **_many(card, columns),
            "birthday": _birthday(first.get("BDAY"), left_out),
            "employments": _employments(first),
            "notes": _text(first.get("NOTE")),
        }
    )
    uid = _text(first.get("UID") or first.get("X-ABUID"))
    return Row(line, record, _raw(card), uid, left_out, columns) if record else Blank(line)


def _firsts(card: list[Property]) -> dict[str, Property]:
    """Return the first property of each name."""
    first: dict[str, Property] = {}
    for one in card:
        first.setdefault(one.name, one)
    return first


def _raw(card: list[Property]) -> dict[str, Any]:
    raw: dict[str, list[str]] = {}
    for one in card:
        raw.setdefault(one.name, []).append(_unescaped(one.value))
    return {name: values[0] if len(values) == 1 else values for name, values in raw.items()}


def _names(first: dict[str, Property]) -> dict[str, str | None]:
    family, given, middle, prefix, suffix = _parts(first.get("N"), 5)
    return {
        "full_name": _text(first.get("FN")),
        "first_name": given,
        "middle_name": middle,
        "last_name": family,
        "name_prefix": prefix,
        "name_suffix": suffix,
        "nickname": _text(first.get("NICKNAME")),
    }


def _employments(first: dict[str, Property]) -> list[dict[str, str]]:
    company, department = _parts(first.get("ORG"), 2)
    job = compact(
        {"company_name": company, "department": department, "title": _text(first.get("TITLE"))}
    )
    return [job] if job else []


def _birthday(found: Property | None, left_out: list[tuple[str, str]]) -> str | None:
    if found is None or not found.value.strip():
        return None
    birthday = read_birthday(found.value)
    if birthday is None:
        left_out.append(("BDAY", _BAD_BIRTHDAY))
    elif omitted := found.parameters.get("X-APPLE-OMIT-YEAR"):
        return birthday.replace(omitted, "-", 1) if birthday.startswith(omitted) else birthday
    return birthday


def _many(card: list[Property], columns: dict[str, str]) -> dict[str, Any]:
    """Collect what a card may hold several times."""
    labels = {
        one.group: _APPLE_LABEL.sub(r"\1", _unescaped(one.value)).strip()
        for one in card
        if one.name == "X-ABLABEL" and one.group
    }
    found: dict[str, Any] = {
        "emails": [],
        "phones": [],
        "addresses": [],
        "websites": [],
        "labels": [],
        "identifiers": [],
        "linkedin_url": None,
    }
    for one in card:
        label, primary = _label(one, labels)
        value = _unescaped(one.value).strip()
        match one.name:
            case "EMAIL" | "TEL" if value:
                field = "emails" if one.name == "EMAIL" else "phones"
                columns[f"{field}.{len(found[field])}.value"] = one.name
                point = {"value": value, "label": label, "primary": primary or None}
                found[field].append(compact(point))
            case "ADR":
                found["addresses"] += _address(one, label)
            case "CATEGORIES":
                found["labels"] += [part for part in map(str.strip, value.split(",")) if part]
            case "URL" | "X-SOCIALPROFILE" | "IMPP" if value:
                _add_link(found, one, value)
    return found


def _label(one: Property, labels: dict[str, str]) -> tuple[str | None, bool]:
    primary = "pref" in one.types or "PREF" in one.parameters
    if one.group in labels:
        return labels[one.group] or None, primary
    words = sorted(one.types - _NO_LABEL)
    if not words:
        return None, primary
    return "mobile" if "cell" in words else words[0], primary


def _address(one: Property, label: str | None) -> list[dict[str, str]]:
    _, extended, street, city, state, code, country = _parts(one, 7)
    address = compact(
        {
            "street": ", ".join(part for part in (street, extended) if part).replace("\n", ", "),
            "city": city,
            "state": state,
            "postal_code": code,
            "country": country,
        }
    )
    return [compact({**address, "label": label})] if address else []


def _add_link(found: dict[str, Any], one: Property, value: str) -> None:
    """File a link under the network that it leads to, else under websites."""
    network = next(
        (name for name in (*_SOCIAL, "linkedin") if name in one.types or f"{name}.com/" in value),
        None,
    )
    if network == "linkedin" and "/company/" not in value:
        found["linkedin_url"] = found["linkedin_url"] or value
    elif network in _SOCIAL:
        handle = one.parameters.get("X-USER") or value
        found["identifiers"].append({"type": _SOCIAL[network], "value": handle})
    elif one.name == "URL":
        found["websites"].append(value)


def _text(found: Property | None) -> str | None:
    return (_unescaped(found.value).strip() or None) if found else None


def _unescaped(value: str) -> str:
    r"""Undo the escapes; Apple also writes `http\://`."""
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _parts(found: Property | None, count: int) -> Iterator[str | None]:
    """Split a structured value at its semicolons, into exactly so many parts."""
    parts = _PART.findall(found.value) if found else []
    for index in range(count):
        part = _unescaped(parts[index]).strip() if index < len(parts) else ""
        yield part or None
