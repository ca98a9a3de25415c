"""How well records were put together: every pair of records, compared with the truth."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairwise, each 0.0 to 1.0; 1.0 where there is nothing to find."""

    precision: float
    """Of the pairs put together, how many belong together."""
    recall: float
    """Of the pairs that belong together, how many were put together."""
    f1: float


def compare(truth: Mapping[str, Hashable], found: Mapping[str, Hashable]) -> Quality:
    """Compare clusters of records with the truth; a record that was not found stands alone."""
    placed = {record: found.get(record, ("alone", record)) for record in truth}
    together = _pairs(Counter(placed.values()))
    true = _pairs(Counter(truth.values()))
    right = _pairs(Counter((truth[record], place) for record, place in placed.items()))
    precision = right / together if together else 1.0
    recall = right / true if true else 1.0
    return Quality(
        precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
    )


def join(
    found: Mapping[str, Hashable], pairs: Iterable[tuple[Hashable, Hashable]]
) -> dict[str, Hashable]:
    """Put records together whose clusters are connected by pairs of clusters."""
    parents: dict[Hashable, Hashable] = {}

    def root(one: Hashable) -> Hashable:
        while (parent := parents.get(one, one)) != one:
            parents[one] = parents.get(parent, parent)
            one = parent
        return one

    for a, b in pairs:
        parents[root(a)] = root(b)
    return {record: root(cluster) for record, cluster in found.items()}


def _pairs(sizes: Counter[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
