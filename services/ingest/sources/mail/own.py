"""Which mailboxes are the user's own: said by them, or shown by the mail itself.

A mailbox shows it in two ways: its user wrote what lies in its folder of sent mail, and it was
delivered to what the last server wrote on top.  A sender can forge the second, so it takes several
messages, and a share of them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO, Final

from services.ingest.sources.mail.addresses import read_addresses
from services.ingest.sources.mail.boxes import Heads, Stored, sniff_box
from services.ingest.sources.mail.judging import is_sent, nobody
from services.ingest.sources.mail.message import read_headers
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Refused

MIN_DELIVERED: Final = 3
"""So many messages, or all, must have been delivered to a mailbox that is taken for an own one."""

MIN_SHARE: Final = 0.1
"""And such a share of those that say where they were delivered."""

MIN_SENT: Final = 2
"""So many messages in the folder of sent mail show who writes there, or all that are."""

_DELIVERED: Final = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_BEFORE = re.compile(r"^[^@]*?([^\s<>@,;]+@[^\s<>@,;]+)")


@dataclass(slots=True)
class OwnSurvey:
    """What the messages of a mailbox show so far."""

    messages: int = 0
    delivered: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)

    def look_at(self, stored: Stored) -> None:
        """Take one message into account."""
        self.messages += 1
        headers = read_headers(stored.raw)
        for name in _DELIVERED:
            # Only the topmost is the last server's; what the sender wrote stands below.
            values = headers.get(name)
            if values and _above_received(headers, name):
                self.delivered.update(_normalized(values[0]))
                break
        if is_sent(headers, stored.folder):
            for value in headers.get("from", ())[:1]:
                boxes = read_addresses(value)[:1]
                self.sent.update(one for box in boxes for one in _normalized(box.address))

    def learnt(self) -> frozenset[str]:
        """Return the mailboxes that are the user's own, normalised."""
        total, sent = self.delivered.total(), self.sent.total()
        own = {
            address
            for address, count in self.delivered.items()
            if count >= min(MIN_DELIVERED, self.messages) and count >= MIN_SHARE * total
        }
        own |= {a for a, count in self.sent.items() if count >= min(MIN_SENT, sent)}
        return frozenset(address for address in own if nobody(address) is None)


def _above_received(headers: dict[str, list[str]], name: str) -> bool:
    names = list(headers)
    return "received" in headers and names.index(name) < names.index("received")


def _normalized(text: str) -> Iterator[str]:
    found = _BEFORE.match(text)
    address = normalize_email(found[1]) if found else None
    if address is not None and not isinstance(address, Refused):
        yield address


class GrowingSurvey:
    """Looks at a mailbox while it comes, so that nobody waits for that when it is there."""

    def __init__(self) -> None:
        self._found = OwnSurvey()
        self._heads = Heads()
        self._looking = Lock()
        self._is_mbox: bool | None = None
        self._is_done = False

    def follow(self, file: BinaryIO, size: int) -> None:
        """Look at as much of a file as is here; it begins as all of it does."""
        with self._looking:
            if self._is_mbox is not False and not self._is_done and self._heads.is_due(size):
                try:
                    self._look(file, is_whole=False)
                except Exception:  # noqa: BLE001  # who reads the file is told, not who sends it
                    self._is_mbox = False

    def learnt(self, file: BinaryIO) -> frozenset[str] | None:
        """Return the mailboxes that are the user's own, of an mbox that is whole.

        None: it was not followed.
        """
        with self._looking:
            if not self._is_mbox:
                return None
            if not self._is_done:
                self._look(file, is_whole=True)
                self._is_done = True
            return self._found.learnt()

    def _look(self, file: BinaryIO, *, is_whole: bool) -> None:
        if self._is_mbox is None:
            self._is_mbox = sniff_box(file) == "mbox"
        if self._is_mbox:
            for stored in self._heads.read(file, is_whole=is_whole):
                self._found.look_at(stored)
