"""What a merge would make of two contacts, told before anybody decides (spec 003, 7.6)."""

from dataclasses import dataclass
from itertools import count
from typing import Final

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.cluster import Cluster, Order, Reshaping
from services.resolver.domain.composition import Composite, compose
from services.resolver.domain.merge import merge
from services.resolver.domain.model import Ids
from shared.events.contact import ContactStatus

_SAID: Final = ("addresses", "websites", "education", "skills")
"""What records say that is counted by what is distinct of it."""


@dataclass(frozen=True, slots=True)
class Card:
    """One contact as it is."""

    public_id: str
    version: int
    status: ContactStatus
    made: Composite


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Two contacts, and what a merge would make of them."""

    survivor: Card
    absorbed: Card
    outcome: str
    """`possible`, or why a person's order would do nothing."""
    merged: Composite | None
    """The survivor afterwards; None: nothing would be done."""
    is_kept_apart: bool = False
    """Whether a person separated them: to merge them overrules that."""
    settled: int = 0
    """Questions about the two that wait for review and would be answered."""

    def conflicts(self) -> list[tuple[str, str, str, str | None]]:
        """Return (field, the survivor's value, the other's, what would show) where they differ."""
        ours, theirs = self.survivor.made.fields, self.absorbed.made.fields
        merged = self.merged.fields if self.merged else {}
        return [
            (name, ours[name], theirs[name], merged.get(name))
            for name in ours
            if name in theirs and ours[name].casefold() != theirs[name].casefold()
        ]


def foresee(cluster: Cluster, survivor: int, absorbed: int, order: Order) -> Foreseen:
    """Merge two contacts in mind; the cluster is of no use afterwards."""
    assigned = Assigned.of(cluster)
    kept, taken = (_card(assigned, contact) for contact in (survivor, absorbed))
    plan = merge(cluster, survivor, absorbed, "", order)
    if not isinstance(plan, Reshaping):
        return Foreseen(kept, taken, plan.reason, None)
    return Foreseen(
        kept,
        taken,
        "possible",
        plan.composed[assigned.homes.root(survivor)],
        is_kept_apart=bool(plan.overruled),
        settled=len(plan.settled),
    )


def no_ids() -> Ids:
    """Return ids for what is never written."""
    return Ids(iter(()), iter(()), count(-1, -1), map(str, count()))


def counts(made: Composite) -> dict[str, int]:
    """Count what a contact holds, each thing once however many records say it.

    What people say for their workspaces is no record of a source, and theirs alone to know of.
    """
    claims = made.claims.values()
    said = {
        name: len({one for claim in claims for one in getattr(claim.facts, name)}) for name in _SAID
    }
    return {
        "records": sum(claim.source.name != WORKSPACE_ENTRY for claim in claims),
        "identifiers": len(made.identifiers),
        "emails": len(made.emails),
        "phones": len(made.phones),
        "employments": len(made.jobs),
        **said,
        "workspaces": len(made.bound),
    }


def _card(assigned: Assigned, contact: int) -> Card:
    root = assigned.homes.root(contact)
    stands = assigned.cluster.contacts[root]
    held = assigned.cluster.held.get(root, {})
    made = compose(assigned.applied[root], held.keys())
    return Card(stands.public_id, stands.version, stands.status, made)
