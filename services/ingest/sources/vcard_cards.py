"""vCard's cards: where each begins and ends, also where the file does not say so.

A card that does not end is ended by the next one's beginning, or by the file's end; one bad line
is left out of its card, and what stands in no card is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.ingest.sources.row import BadRow
from services.ingest.sources.vcard_property import Property, Stray, parts_of, unescaped

MAX_PROPERTIES: Final = 1_000
"""Properties of one card that are read."""

MAX_TEXT: Final = 131_072
"""Characters of one card that are read, its pictures aside: a note is at most 10,000."""

_MAX_NOTES: Final = 50
"""Lines of one card that are named as left out."""

_OUTSIDE: Final = "stands in no card: a line BEGIN:VCARD is missing before it"
_STRAY: Final = "is no property: a line is NAME:value; a folded one begins with a space"
_NO_END: Final = "is missing; the card was read as far as it goes"
_CUT: Final = "the file ends within this line, which was left out; export the file again"
_FULL: Final = "comes after 131,072 characters of this card; the rest of it was left out"
_AGENT: Final = "is a card of its own; its name is kept, the rest was left out"


@dataclass(slots=True)
class Card:
    """One card as the file has it."""

    line: int
    """Where it begins, from 1."""
    properties: list[Property] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(property or line, reason)."""
    cut: bool = False
    """The file ends before the card does."""
    text: int = 0
    """Characters read so far."""
    depth: int = 0
    """Cards within this one that have begun and not ended."""
    agents: list[str] = field(default_factory=list)
    """Names of those whose cards are within this one."""

    def note(self, place: str, reason: str) -> None:
        """Name something that was left out."""
        if len(self.left_out) < _MAX_NOTES:
            self.left_out.append((place, reason))

    def add(self, one: Property | Stray) -> None:
        """Take a line in, as far as the bounds allow."""
        if self.depth:
            self._add_to_agent(one)
        elif isinstance(one, Stray):
            self._add_stray(one)
        elif len(self.properties) <= MAX_PROPERTIES and self.text <= MAX_TEXT:
            self.text += len(one.value)
            if self.text <= MAX_TEXT:
                self.properties.append(one)
            else:
                self.note(one.head.name, _FULL)

    def begin_agent(self) -> None:
        """Begin a card within this one, or within one of those."""
        self.depth += 1
        if self.depth == 1:
            self.agents.append("")
            self.note("AGENT", _AGENT)

    def _add_to_agent(self, one: Property | Stray) -> None:
        """Keep the name of a card within."""
        if isinstance(one, Stray) or self.depth > 1:
            return
        if one.head.name == "FN":
            self.agents[-1] = unescaped(one.value).strip()
        elif one.head.name == "N" and not self.agents[-1]:
            family, given, *_ = [*parts_of(one.value), ""]
            self.agents[-1] = f"{given} {family}".strip()

    def _add_stray(self, stray: Stray) -> None:
        """Take a line that is no property: text of a note that was not folded, or nothing."""
        last = self.properties[-1] if self.properties else None
        if last is None or last.head.name != "NOTE" or last.left_out:
            self.note(f"line {stray.line}", _STRAY)
            return
        self.text += len(stray.text)
        if self.text <= MAX_TEXT:
            value = f"{last.value}\n{stray.text}"
            self.properties[-1] = last._replace(value=value, ended=stray.ended)
        else:
            self.note("NOTE", _FULL)


def read_cards(lines: Iterator[Property | Stray]) -> Iterator[Card | BadRow]:
    """Yield every card, and a `BadRow` where lines stand in none."""
    card: Card | None = None
    outside = False  # lines that stand in no card have been named
    before = ""
    last: Property | Stray | None = None
    for last in lines:
        frame = _frame_of(last)
        if card is None:
            if frame == "BEGIN":
                card, outside = Card(last.line), False
            elif not frame and not outside:
                outside = True
                yield BadRow(last.line, "", _OUTSIDE)
        elif frame == "AGENT" or (frame == "BEGIN" and before == "AGENT:"):
            card.begin_agent()
        elif frame == "BEGIN":
            card.note("END", _NO_END)
            yield card
            card = Card(last.line)
        elif frame == "END" and card.depth:
            card.depth -= 1
        elif frame == "END":
            yield card
            card = None
        elif not frame:
            card.add(last)
        before = frame
    if card is not None and last is not None:
        yield _cut(card, last)


def _frame_of(one: Property | Stray) -> str:
    """Say what a line begins or ends, if anything; `AGENT:` announces a card within (2.1)."""
    if isinstance(one, Stray) or one.head.name not in ("BEGIN", "END", "AGENT"):
        return ""
    word = one.value.strip().upper()
    if one.head.name == "AGENT":
        return {"": "AGENT:", "BEGIN:VCARD": "AGENT"}.get(word, "")
    return one.head.name if word == "VCARD" else ""


def _cut(card: Card, last: Property | Stray) -> Card:
    """Close a card that the file's end interrupts; a line that is cut off may say wrong things."""
    card.cut = True
    if not last.ended:
        if card.properties and not card.properties[-1].ended:
            card.properties.pop()
        card.note(f"line {last.line}", _CUT)
    card.note("END", _NO_END)
    return card
