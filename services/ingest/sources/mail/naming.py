"""Whether a line of a signature names the sender of the message: nobody else's is believed."""

import re
from functools import lru_cache
from typing import Final

from anyascii import anyascii
from nicknames import NickNamer

from services.ingest.sources.mail.addresses import Mailbox
from services.ingest.sources.mail.wording import wording

MAX_NAME_WORDS: Final = 6
"""Words of a person's name."""


@lru_cache(maxsize=1)
def _nicknames() -> NickNamer:
    return NickNamer()


_BEHIND = re.compile(r"\s*(?:,|\(|\[|\s[-–]\s|/).*$")
_EAST_ASIAN: Final = "\u2e80"
"""The first character of the scripts in which one word is a whole name."""

_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = re.compile(r"[a-z]+")
_DIGIT = re.compile(r"\d")

MAX_NAME: Final = 90
"""Characters of a name with all that may stand before and behind it."""


class Sender:
    """Who sent a message, as they may sign it."""

    def __init__(self, mailbox: Mailbox) -> None:
        local, _, self.domain = mailbox.address.lower().partition("@")
        self._local = tuple(_LETTERS.findall(anyascii(local.partition("+")[0]).lower()))
        self._name = frozenset(_folded(mailbox.name or ""))
        self._long = [name for name in self._name if len(name) > 1]
        self._joined = "".join(self._local)
        self._written = "".join((mailbox.name or "").split()).casefold()

    def names(self, line: str) -> int:
        """Return how well a line names the sender: 0 not, 1 by a first name, 2 in full."""
        if len(line) > MAX_NAME or not self.may_name(line):
            return 0
        if "@" in line or _DIGIT.search(line) or wording().greeting.match(line):
            return 0
        name = person(line)
        words = _folded(name)
        if not words or len(words) > MAX_NAME_WORDS:
            return 0
        if self.writes(line):
            return 2 if len(words) > 1 or not name.isascii() else 1
        if self._written >= _EAST_ASIAN and self.before_name(line)[0]:
            return 2
        if self._name:
            return self._by_name(words)
        return self._by_address(words)

    def may_name(self, line: str) -> bool:
        """Rule most lines out at once: no word of theirs is in the name or in the address."""
        plain = (line if line.isascii() else anyascii(line)).lower()
        if any(name in plain for name in self._long):
            return True
        if self._written and not line.isascii():
            return self._written in "".join(line.split()).casefold()
        return any(word in self._joined for word in _LETTERS.findall(plain) if len(word) > 1)

    def writes(self, line: str) -> bool:
        """Tell whether a line is the name as the message's header has it."""
        return bool(self._written) and "".join(person(line).split()).casefold() == self._written

    def before_name(self, line: str) -> tuple[list[str], str]:
        """Return the words before the sender's name where it ends a line, and the name.

        In Japan a name stands behind the department and the position on one line.
        """
        name = person(line)
        words = name.split()
        for cut in range(1, len(words)):
            if self._written and "".join(words[cut:]).casefold() == self._written:
                return words[:cut], " ".join(words[cut:])
        return [], name

    def _by_name(self, words: list[str]) -> int:
        same = self._name.intersection(words)
        if len(same) >= 2:
            return 2
        if same and len(self._name) > 1 and len(words) > 1:
            # `A. Brooks` and `Angela M. Brooks`: one name and the other's initial.
            initials = {word for word in words if len(word) == 1}
            others = {name[0] for name in self._name - same}
            theirs = {name for name in self._name if len(name) == 1}
            if initials & others or theirs & {word[0] for word in set(words) - same}:
                return 2
        if same and len(words) == 1:
            return 1
        if same and len(words) > 1 and self._by_nickname(words, same):
            return 2
        return self._by_address(words) if same or len(self._name) < 2 else 0

    def _by_nickname(self, words: list[str], same: frozenset[str]) -> bool:
        """Compare the first names: `Bob Carpenter` signs as Robert Carpenter."""
        names = _nicknames()
        for given in self._name - same:
            forms = names.nicknames_of(given) | names.canonicals_of(given)
            if forms.intersection(words):
                return True
        return False

    def _by_address(self, words: list[str]) -> int:
        """Compare with the part before the at: `abrooks`, `angela.brooks`, `brooks`, `angela`."""
        local, joined = set(self._local), "".join(self._local)
        if len(joined) < 2:
            return 0
        if len(words) == 1:
            return int(words[0] in local)
        first, last = words[0], words[-1]
        spellings = {
            first + last,
            last + first,
            first[0] + last,
            first + last[0],
            last + first[0],
            "".join(words),
        }
        if joined in spellings or len(local.intersection(words)) >= 2:
            return 2
        whole = [one for one in (first, last, *words) if len(one) > 2]
        return 2 if len(self._local) == 1 and joined in whole else 0


def person(line: str) -> str:
    """Return the name in a line, without honorifics, degrees and pronouns."""
    text = line.strip(" *_~\"'“”«»-–—")
    text = wording().before_name.sub("", text) if wording().before_name.match(text) else text
    text = _BEHIND.sub("", text).strip(" .,:;")
    return wording().behind_name.sub("", text).strip(" .,:;")


def _folded(name: str) -> list[str]:
    """Return the words of a name as plain small letters."""
    if not name.isascii():
        name = anyascii(name)
    return _LETTERS.findall(name.replace("'", "").replace("’", "").lower())
