"""What is found in one card, as the fields of a signal, and what had to be left out of them."""

from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.sources.vcard_cards import Card
from services.ingest.sources.vcard_labels import apple_label, label_of_types
from services.ingest.sources.vcard_property import Property, unescaped
from shared.events.signal import MAX_VALUES

MAX_SHORT: Final = 255
"""Characters of a name, a label, a title (`shared.events.wire.Short`)."""

MAX_NOTE: Final = 10_000
"""Characters of a note (`shared.events.wire.Long`)."""

_MAX_CUSTOM: Final = 100
"""Custom fields of one card."""

_MAX_CUSTOM_TEXT: Final = 16_000
"""Characters of all custom fields of one card."""

_LONG: Final = "is longer than {} characters; the rest was left out"
_LONG_VALUE: Final = "is longer than 255 characters; kept as a custom field"
_MANY: Final = "has more than 50 values; the rest was left out"
_MANY_CUSTOM: Final = "is more than custom fields of one record hold; it was left out"
_CUT_LINE: Final = "is longer than 65,536 bytes; the rest was left out"


@dataclass(slots=True)
class Gathered:
    """A card's properties, and the record that is made of them."""

    by_name: dict[str, list[Property]]
    """Those that nobody has taken yet."""
    labels: dict[str, str]
    """Group → what Apple's `X-ABLabel` calls its property."""
    left_out: list[tuple[str, str]]
    """(property, reason)."""
    record: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    """Path into `record` → property."""
    _custom_text: int = 0

    @classmethod
    def of(cls, card: Card) -> "Gathered":
        """Sort a card's properties by name."""
        by_name: dict[str, list[Property]] = {}
        for one in card.properties:
            by_name.setdefault(one.head.name, []).append(one)
            if one.left_out and not one.head.binary:
                card.note(one.head.name, _CUT_LINE)
        labels = {
            one.head.group: apple_label(text_of(one))
            for one in by_name.pop("X-ABLABEL", ())
            if one.head.group
        }
        return cls(by_name, labels, card.left_out)

    def take(self, *names: str) -> list[Property]:
        """Take the properties of some names that hold anything, in the order of the names."""
        by_name = self.by_name
        return [one for name in names if name in by_name for one in by_name.pop(name) if one.value]

    def best(self, found: list[Property]) -> Property | None:
        """Return the property that is wanted most, else the first."""
        if len(found) < 2:
            return found[0] if found else None
        return min(found, key=preference_of)

    def label_of(self, one: Property) -> str | None:
        """Return what a value is called: `work`, `home fax`, or the owner's own word."""
        head = one.head
        label = self.labels.get(head.group) if head.group else None
        return (label or head.label or label_of_types(head.types))[:MAX_SHORT] or None

    def note(self, name: str, reason: str) -> None:
        """Name something that is left out."""
        self.left_out.append((name, reason))

    def fitted(self, text: str, name: str, limit: int = MAX_SHORT) -> str:
        """Cut text to what a field takes, and say so."""
        if len(text) > limit:
            self.note(name, _LONG.format(f"{limit:,}"))
            return text[:limit]
        return text

    def put(self, path: str, text: str | None, name: str, limit: int = MAX_SHORT) -> None:
        """Set a field that holds one text, if it is not set."""
        if text and path not in self.record:
            self.record[path] = self.fitted(text, name, limit)
            self.columns[path] = name

    def append(self, path: str, value: str | dict[str, Any], name: str) -> int | None:
        """Add to a field that holds several values; return the place, or None if it is full."""
        values = self.record.setdefault(path, [])
        if len(values) >= MAX_VALUES:
            if (name, _MANY) not in self.left_out:
                self.note(name, _MANY)
            return None
        values.append(value)
        return len(values) - 1

    def append_value(self, path: str, value: str | dict[str, Any], name: str) -> None:
        """Add a value that is worthless when cut: an address, a number, a link."""
        text = value if isinstance(value, str) else value["value"]
        if len(text) > MAX_SHORT:
            self.keep_long(text, name)
            return
        place = self.append(path, value, name)
        if place is not None:
            self.columns[f"{path}.{place}" if value is text else f"{path}.{place}.value"] = name

    def keep_long(self, text: str, name: str) -> None:
        """Keep a value as a custom field that is worthless when cut, and longer than its field."""
        self.note(name, _LONG_VALUE)
        self.keep(name.lower().removeprefix("x-").replace("-", "_"), text, name)

    def keep(self, key: str, text: str, name: str) -> None:
        """Keep what no field holds as a custom field; several values of a key are joined."""
        before = self.custom.get(key)
        if not text or (before is not None and text in before.split("; ")):
            return
        full = len(self.custom) >= _MAX_CUSTOM and before is None
        if full or self._custom_text + len(text) > _MAX_CUSTOM_TEXT:
            self.note(name, _MANY_CUSTOM)
            return
        self._custom_text += len(text)
        self.custom[key[:MAX_SHORT]] = text if before is None else f"{before}; {text}"


def text_of(one: Property) -> str:
    """Return a property's whole value as text."""
    return unescaped(one.value).strip()


def preference_of(one: Property) -> int:
    """Return how much a property is wanted: 1 the most, 101 where nothing is said."""
    return one.head.preference if one.head.preference is not None else 101
