"""Whether some XML is a phone book: shops and feeds have items, entries and contacts, too."""

import re
from collections.abc import Sequence
from typing import Final

from services.ingest.domain.suggesting import REASON
from services.ingest.sources.phone_book_cells import Value, is_dialled

_BOOK: Final = re.compile(
    r"phone[-_]?books?|address[-_]?book|tbook|root_contact|\w{0,40}ipphone(?:directory|book)"
)
"""Elements that hold a phone book, wherever they stand."""

_PLACES: Final = frozenset({"contacts", "directory/item_list"})
"""The elements around an entry that hold a phone book where nothing is around them."""

_REJECTS: Final = f"{REASON}:"

_OF_OTHERS: Final = frozenset(
    {
        *("price", "prices", "unitprice", "sku", "quantity", "qty", "amount", "currency", "isbn"),
        *("ean", "gtin", "stock", "link", "guid", "pubdate", "published", "updated", "author"),
    }
)
"""What articles of shops and feeds have, and nobody in a phone book."""


class Evidence:
    """What the entries of a file say for its being a phone book."""

    def __init__(self) -> None:
        self._is_named = False
        self._is_other = False
        self._names: set[str] = set()
        self._entries = 0
        self._dialled = 0

    def add(self, name: str, around: Sequence[str], values: Sequence[Value]) -> None:
        """Hear an entry: its element, the elements around it from the root on, and its values."""
        self._is_named |= "/".join(around) in _PLACES or any(map(_BOOK.fullmatch, around))
        self._is_other |= not around or any(
            not _OF_OTHERS.isdisjoint((value.name, *value.above)) for value in values
        )
        self._names.add(name)
        self._entries += 1
        self._dialled += any(map(is_dialled, values))

    def add_product(self) -> None:
        """Hear that the file says of itself what it is."""
        self._is_named = True

    def add_comment(self, text: str) -> None:
        """Hear a comment: a reason above an entry says that it was rejected of a phone book."""
        self._is_named |= text.strip().startswith(_REJECTS)

    def is_phone_book(self) -> bool:
        """Tell a phone book: it says so, or its entries are of one kind and half have a number."""
        if self._is_named:
            return True
        is_even = len(self._names) == 1 and not self._is_other
        return is_even and self._dialled * 2 >= self._entries
