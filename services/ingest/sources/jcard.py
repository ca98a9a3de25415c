"""jCard (RFC 7095): cards as JSON, read as the cards that they are."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, Final

from services.ingest.sources.json_items import Item, read_items
from services.ingest.sources.row import BadRow, Rows
from services.ingest.sources.vcard import read_card
from services.ingest.sources.vcard_cards import MAX_PROPERTIES, MAX_TEXT, Card
from services.ingest.sources.vcard_groups import Groups
from services.ingest.sources.vcard_property import Property, head_of

NAME: Final = "vcard"
"""The first element of a card, and of a file that is one card."""

_ESCAPED = re.compile(r"[\\,;\n]")
_FEWEST: Final = 4
"""Elements of a property: name, parameters, type, value."""

_NO_CARD: Final = 'is no card: a jCard is ["vcard", [[name, {parameters}, type, value], …]]'
_NO_PROPERTY: Final = "is no property: [name, {parameters}, type, value]"
_LONG: Final = f"has more than {MAX_TEXT:,} characters"
_MANY: Final = f"has more than {MAX_PROPERTIES:,} properties; it is no person's card"


def is_jcard(value: Any) -> bool:
    """Tell whether the first item of a file is a card, or begins the only one."""
    return value == NAME or (isinstance(value, list) and value[:1] == [NAME])


def read_jcard(file: BinaryIO, encoding: str) -> Rows:
    """Yield a row per card.  Groups name no members here: their cards are passed by."""
    for item in _cards(read_items(file, encoding)):
        if isinstance(item, BadRow):
            yield item
            continue
        card = _card(item)
        yield card if isinstance(card, BadRow) else read_card(card, Groups({}))


def _cards(items: Iterator[Item | BadRow]) -> Iterator[Item | BadRow]:
    """Yield the items; a file that is one card is one."""
    first = next(items, None)
    if isinstance(first, Item) and first.value == NAME:
        rest = list(items)
        bad = [one for one in rest if isinstance(one, BadRow)]
        values = [one.value for one in rest if isinstance(one, Item)]
        yield bad[0] if bad else Item(1, [NAME, *values])
    elif first is not None:
        yield from chain([first], items)


def _card(item: Item) -> Card | BadRow:
    match item.value:
        case ["vcard", list(properties)]:
            pass
        case _:
            return BadRow(item.number, "", _NO_CARD)
    if len(properties) > MAX_PROPERTIES:
        return BadRow(item.number, "", _MANY)
    card = Card(item.number)
    for number, one in enumerate(properties, start=1):
        found = _property(item.number, one)
        if isinstance(found, Property):
            card.add(found)
        else:
            card.note(f"property {number}", found)
    return card


def _property(line: int, value: Any) -> Property | str:
    """Write a property as a line of a card would say it; or why it is none."""
    match value:
        case [str(name), dict(parameters), str(kind), *values] if len(value) >= _FEWEST:
            head = head_of(_head_text(name, parameters).encode("utf-8", "replace"))
        case _:
            return _NO_PROPERTY
    if head is None:
        return _NO_PROPERTY
    text = ",".join(_text(one, kind) for one in values)
    if head.binary and not text.startswith(("http:", "https:")):
        return Property(line, head, "", len(text), ended=True)
    return _LONG if len(text) > MAX_TEXT else Property(line, head, text, 0, ended=True)


def _head_text(name: str, parameters: Mapping[str, Any]) -> str:
    """Write name and parameters (RFC 7095 3.3); the group is a parameter there."""
    group = parameters.get("group")
    parts = [f"{group}.{name}" if isinstance(group, str) else name]
    for key, value in parameters.items():
        values = value if isinstance(value, list) else [value]
        if key.lower() != "group":
            joined = ",".join(str(one).replace('"', "'") for one in values)
            parts.append(f'{key.upper()}="{joined}"')
    return ";".join(parts)


def _text(value: Any, kind: str) -> str:
    """Write a value (RFC 7095 3.3, 3.4): a list is structured, a list in it has several parts."""
    match value:
        case list():
            return ";".join(
                ",".join(_text(part, kind) for part in _listed(component)) for component in value
            )
        case str() if kind == "uri":
            return value
        case str():
            return _ESCAPED.sub(_escaped, value)
        case _:
            return "" if value is None else str(value)


def _listed(component: Any) -> Iterable[Any]:
    return component if isinstance(component, list) else [component]


def _escaped(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else f"\\{match[0]}"
