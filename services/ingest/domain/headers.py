"""What a column's name says beyond a known phrase: `Person - Phone - Work`, `Billing City`.

Products and people put what a column is beside whose it is, where it belongs and which of several
it is, in any order.  The words that say so are data (`sources/data/aliases.toml`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from services.ingest.domain.columns import Target, target_of
from services.ingest.domain.vocabulary import Vocabulary

_PLACED: Final = frozenset({"email", "phone", "address", "website"})
"""Kinds of which somebody has several, told apart by a label."""

_OF_JOBS: Final = frozenset({"work", "billing"})
"""Labels under which a company is the employer: who pays for what somebody buys."""

_NUMBERED: Final = _PLACED | {"job"}
_REACHED: Final = frozenset({"email", "phone"})
OF_PHONES: Final = frozenset({"mobile", "whatsapp", "fax", "pager"})
"""Labels that no address or page has."""

_ADDRESSES: Final = frozenset({"address", "addresses"})
_LABELS: Final = frozenset({"type", "label"})
_MOST_WORDS: Final = 7
"""Words of a header that are looked at: a longer one is a sentence, not a name."""

_MOST_EITHER: Final = 4
"""Words of a header that gives two names."""

_ASKED = re.compile(
    r"(?:(?:hi|hello|and|so|first|great|thanks) )*"
    r"(?:(?:please )?(?:enter|provide|what(?: is| s| are)) (?:your |the )?|(?<=and )your )"
)
"""How forms ask for what the rest of a column's name is."""


class Said(NamedTuple):
    """What a header says, and the phrase that it was known by."""

    target: Target
    phrase: str


class _Word(NamedTuple):
    """What is said by a word at an end of a header."""

    label: str = ""
    number: str = ""
    is_label: bool = False
    """The column holds the label of another."""
    is_address: bool = False
    """What follows is a part of an address."""


@lru_cache(maxsize=16_384)
def read_header_words(
    key: str, vocabulary: Vocabulary, *, looks_closer: bool = True
) -> Said | None:
    """Return where a column goes whose name holds a known phrase among words that qualify it.

    Without looking closer the whole name must be the phrase.
    """
    text = vocabulary.aliases.find(key)
    if text is not None or not looks_closer:
        return None if text is None else Said(target_of(text), key)
    asked = _ASKED.match(key)
    words = tuple(key[asked.end() if asked else 0 :].split())
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    return _Header(words, vocabulary).read()


class _Header:
    """The words of one header, each run of them read once."""

    def __init__(self, words: tuple[str, ...], vocabulary: Vocabulary) -> None:
        self._words = words
        self._vocabulary = vocabulary
        self._read: dict[tuple[int, int], Said | None] = {}

    def read(self) -> Said | None:
        """Read the whole, or two names for the same: `Company / Organisation`."""
        end = len(self._words)
        if (said := self._known(0, end)) is not None or end > _MOST_EITHER:
            return said
        for cut in range(1, end):
            one, other = self._known(0, cut), self._known(cut, end)
            if (
                one is not None
                and other is not None
                and (one.target.kind, one.target.part) == (other.target.kind, other.target.part)
            ):
                return one
        return None

    def _known(self, begin: int, end: int) -> Said | None:
        """Take qualifying words off either end until a known phrase is left."""
        if (begin, end) not in self._read:
            self._read[begin, end] = self._find(begin, end)
        return self._read[begin, end]

    def _find(self, begin: int, end: int) -> Said | None:
        phrase = " ".join(self._words[begin:end])
        text = self._vocabulary.aliases.find(phrase)
        if text is not None:
            return Said(target_of(text), phrase)
        for first, last, word in self._less(begin, end):
            said = self._known(first, last)
            target = None if said is None else _qualified(said.target, word)
            if said is not None and target is not None:
                return Said(target, said.phrase)
        return None

    def _less(self, begin: int, end: int) -> Iterator[tuple[int, int, _Word]]:
        """Yield the runs that are one qualifying word shorter, and what it says."""
        if end - begin < 2:
            return
        first, last = self._words[begin], self._words[end - 1]
        owners, places = self._vocabulary.owners, self._vocabulary.places
        if last in _LABELS:
            yield begin, end - 1, _Word(is_label=True)
        if first in owners:
            yield begin + 1, end, _Word()
        if last in owners:
            yield begin, end - 1, _Word()
        if last in places:
            yield begin, end - 1, _Word(label=places[last])
        if first in places:
            yield begin + 1, end, _Word(label=places[first])
        if first in _ADDRESSES:
            second = self._words[begin + 1]
            if second.isdecimal() and end - begin > 2:
                yield begin + 2, end, _Word(number=str(int(second)), is_address=True)
            yield begin + 1, end, _Word(is_address=True)
        if last.isdecimal():
            yield begin, end - 1, _Word(number=str(int(last)))


def _qualified(target: Target, word: _Word) -> Target | None:
    """Return a target with what a word says of it; None: the word can't be said of it."""
    kind, slot = target.kind, target.slot
    if word.is_label:
        may_have = kind in _REACHED and target.part == "value" and slot.isdecimal()
        return replace(target, part="label") if may_have else None
    if word.is_address and kind != "address":
        # A shop keeps a number and a company with every address.
        return target if kind == "phone" or target.part == "company_name" else None
    if word.number:
        return _counted(target, word.number) if kind in _NUMBERED else None
    if word.label:
        if kind == "job":
            return target if word.label in _OF_JOBS and not slot else None
        if kind not in _PLACED or (kind != "phone" and word.label in OF_PHONES):
            return None
        return replace(target, slot=word.label if slot in ("", "1") else f"{word.label} {slot}")
    return target


def _counted(target: Target, number: str) -> Target | None:
    """Return one of several: the second `phone[mobile]` is `phone[mobile 2]`."""
    slot = target.slot
    if slot in ("", "1"):
        return replace(target, slot=number)
    if slot.isdecimal():
        return None
    return target if number == "1" else replace(target, slot=f"{slot} {number}")
