"""Mailboxes that spell a name: those of namesakes agree, and say nothing that the name did not."""

import re
from typing import Final

from services.resolver.domain.matching.model import Profile

_NO_LETTERS: Final = re.compile(r"[^a-z]+")
_NO_DIGITS: Final = re.compile(r"\D+")
_UMLAUT: Final = re.compile(r"(?<=[aou])e")
"""`mueller@` is how Müller writes it, whose name is folded to `muller`."""


def spell_their_names(left: Profile, right: Profile, mailbox: str, other: str) -> bool:
    """Tell whether two addresses spell their owners' names, each its own, and add no same number.

    `john.smith@` of one host and of another agree as any two John Smiths do.
    """
    one, two = mailbox.rpartition("@")[0], other.rpartition("@")[0]
    number = _NO_DIGITS.sub("", one)
    if number and number == _NO_DIGITS.sub("", two):
        return False
    return _spells(one, left) and _spells(two, right)


def _spells(mailbox: str, profile: Profile) -> bool:
    """Tell whether a mailbox is a name written out: `ada.byron`, `abyron`, `byron.ada2`."""
    written = _letters(mailbox.partition("+")[0])
    return any(
        written in (given + family, family + given, given, family)
        for given in _forms(profile, "given")
        for family in _forms(profile, "family")
        if len(given) + len(family) > 2
    )


def _forms(profile: Profile, part: str) -> list[str]:
    """Return how mailboxes write a part of a name: all of it, its first word, its initials."""
    found = []
    for name in profile.values.get(part, ())[:1]:
        words = [_letters(word) for word in name.split()]
        found = ["".join(words), words[0], words[-1], words[0][:1], "".join(w[:1] for w in words)]
    return found


def _letters(text: str) -> str:
    return _UMLAUT.sub("", _NO_LETTERS.sub("", text))
