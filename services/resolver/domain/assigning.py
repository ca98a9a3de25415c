"""A cluster with everything at its home: what a decision may then change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.resolver.domain.cluster import Cluster
from services.resolver.domain.composition import Applied, Evidence
from services.resolver.domain.homes import Homes, assign
from services.resolver.domain.model import IdentifierKey


@dataclass(slots=True)
class Assigned:
    """A cluster, each delivery and identifier at its home."""

    cluster: Cluster
    homes: Homes
    applied: dict[int, list[Applied]] = field(default_factory=dict)
    """Contact → its deliveries in their order, each at its home."""
    identifiers: dict[IdentifierKey, int] = field(default_factory=dict)
    """Identifier → home."""

    @classmethod
    def of(cls, cluster: Cluster) -> "Assigned":
        """Assign what came since the contacts were last merged or split."""
        assigned = cls(cluster, Homes(cluster.contacts, cluster.merges))
        for root, group in assigned.homes.groups.items():
            held = cluster.held.get(root, {})
            assigned.applied[root], homed = assign(cluster.applied.get(root, []), held, group, root)
            assigned.identifiers.update(homed)
        return assigned

    def group(self, contact: int) -> list[int]:
        """Return all homes that are one with a contact, the one that stands for them first."""
        return self.homes.groups[self.homes.root(contact)]


def moved(
    assigned: Assigned,
    records: Mapping[bytes, int],
    keys: Mapping[IdentifierKey, int],
    evidence: Evidence,
) -> Assigned:
    """Put records and identifiers to the homes that are named; `evidence` says why they belong."""
    applied = {
        root: [
            replace(one, home=records[one.claim.record_key], evidence=evidence)
            if one.claim.record_key in records
            else one
            for one in each
        ]
        for root, each in assigned.applied.items()
    }
    identifiers = {key: keys.get(key, home) for key, home in assigned.identifiers.items()}
    return Assigned(assigned.cluster, assigned.homes, applied, identifiers)
