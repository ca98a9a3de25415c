"""What is measured of a partition: pairs of records that share a contact, right and wrong."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairwise precision, recall and F1, after everything that was joined is joined."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @classmethod
    def of(cls, found: Mapping[Key, object], truth: Mapping[Key, object]) -> Self:
        """Compare who shares a contact with who should."""
        together = _pairs(Counter((found[key], person) for key, person in truth.items()))
        claimed = _pairs(Counter(found[key] for key in truth))
        wanted = _pairs(Counter(truth.values()))
        return cls(together / claimed if claimed else 1.0, together / wanted if wanted else 1.0)


def majority(people: Iterable[str]) -> str | None:
    """Return who most of these records are about, the first by name of equals; None of none."""
    counts = Counter(people)
    return min(counts, key=lambda person: (-counts[person], person)) if counts else None


def left_over(found: Mapping[Key, object], truth: Mapping[Key, object]) -> float:
    """Return the share of contacts that should not be there: more than one of a person."""
    contacts = {(found[key], person) for key, person in truth.items()}
    return 1.0 - len(set(truth.values())) / len(contacts) if contacts else 0.0


def _pairs(sizes: Counter[object]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def impure(found: Mapping[Key, object], truth: Mapping[Key, object]) -> float:
    """Return the share of contacts of several records that hold more than one person."""
    people: dict[object, list[object]] = {}
    for key, contact in found.items():
        people.setdefault(contact, []).append(truth[key])
    merged = [group for group in people.values() if len(group) > 1]
    return sum(len(set(group)) > 1 for group in merged) / len(merged) if merged else 0.0


def closure(keys: Iterable[Key], pairs: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """Join all pairs, directly or through others: what a plain matcher delivers."""
    parent = {key: key for key in keys}

    def root(key: Key) -> Key:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for one, other in pairs:
        parent[root(one)] = root(other)
    return {key: root(key) for key in parent}
