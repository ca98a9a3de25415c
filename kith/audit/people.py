"""A tenant's contacts as a table that Splink links: one row each, with keys to find pairs by."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.resolver.domain.matching.blocking import HOT
from services.resolver.domain.matching.model import Profile

ATTRIBUTES: Final = (
    "given",
    "family",
    "email",
    "phone",
    "company",
    "title",
    "city",
    "postcode",
    "birthday",
)
"""Attributes of a profile that are compared."""

KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "key_name": ("family", "given"),
    "key_family_company": ("family", "company"),
    "key_given_company": ("given", "company"),
    "key_family_city": ("family", "city"),
    "key_given_city": ("given", "city"),
    "key_family_birthday": ("family", "birthday"),
    "key_given_birthday": ("given", "birthday"),
    "key_family_postcode": ("family", "postcode"),
    "key_given_postcode": ("given", "postcode"),
    "key_company_title": ("company", "title"),
    "key_phone": ("phone", "phone"),
    "key_email": ("email", "email"),
}
"""Column → the two attributes that make its key: contacts that share one are compared."""

UNIQUE_ID: Final = "unique_id"
"""The column that names the contact; Splink's own name for it."""


@dataclass(slots=True)
class People:
    """The columns of the table, as they are gathered."""

    columns: dict[str, list[str | None]] = field(
        default_factory=lambda: {name: [] for name in (UNIQUE_ID, *ATTRIBUTES)}
    )

    def __len__(self) -> int:
        """Return how many contacts there are."""
        return len(self.columns[UNIQUE_ID])

    def add(self, contact: str, profiles: Iterable[Profile]) -> None:
        """Add a contact by its records, the first that says something first."""
        said: dict[str, str] = {}
        for profile in profiles:
            for name in ATTRIBUTES:
                if name not in said and (values := profile.values.get(name)):
                    said[name] = values[0]
        self.columns[UNIQUE_ID].append(contact)
        for name in ATTRIBUTES:
            self.columns[name].append(said.get(name))

    def keys(self) -> Iterator[tuple[str, list[str | None]]]:
        """Yield the columns of keys; a key that too many contacts have finds nobody."""
        for column, (one, other) in KEYS.items():
            pairs = zip(self.columns[one], self.columns[other], strict=True)
            keys = [f"{left}|{right}" if left and right else None for left, right in pairs]
            counts = Counter(key for key in keys if key is not None)
            yield column, [key if key and 1 < counts[key] <= HOT else None for key in keys]
