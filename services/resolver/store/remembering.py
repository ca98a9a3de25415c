"""What a process remembers of contacts that very many records tell of.

Reading ten thousand records for every batch that adds one to them would cost more with each. What
was claimed at some version stays claimed until the contact is merged, split or some of it taken
back, which its row says: only what came since has to be read (ADR 0067).
"""

from collections.abc import Iterable
from typing import Final

from services.resolver.domain.model import Contact

LEAST: Final = 256
"""Claims from which a contact is remembered: fewer are read as fast."""

MOST: Final = 12_000
"""Claims remembered in all, some 80 MB: of the contacts told of last."""


class Remembered:
    """Contacts as transactions left them, for the next one that has them locked."""

    def __init__(self) -> None:
        self._contacts: dict[int, Contact] = {}

    def recall(self, contact: Contact) -> int | None:
        """Give a contact the claims that are remembered; returns as of which version.

        None: nothing is, or it does not hold any more. Nobody else is given the same claims until
        they are kept again: a transaction that fails has changed them for nothing.
        """
        found = self._contacts.pop(contact.id, None)
        if (
            found is None
            or found.reshaped_at != contact.reshaped_at
            or found.version > contact.version
        ):
            return None
        contact.claims = found.claims
        return found.version

    def keep(self, contacts: Iterable[Contact]) -> None:
        """Remember contacts of a transaction that is committed, as it left them."""
        many = [one for one in contacts if LEAST <= len(one.claims) <= MOST]
        if not many:
            return
        for one in many:
            self._contacts.pop(one.id, None)
            self._contacts[one.id] = one
        left = sum(len(one.claims) for one in self._contacts.values()) - MOST
        for one in list(self._contacts.values()):
            if left <= 0:
                break
            left -= len(one.claims)
            del self._contacts[one.id]
