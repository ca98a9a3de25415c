"""What people set on bindings: whose own it is while contacts are merged, and after."""

from collections.abc import Mapping, Sequence

from services.resolver.domain.cluster import NOTHING_KEPT, Cluster, Kept
from services.resolver.domain.homes import Homes

Own = Mapping[tuple[int, int], Kept]
"""(home, workspace) → what was set on that home's own binding."""


def own_of(cluster: Cluster, homes: Homes) -> Own:
    """Say what is every home's own of the bindings.

    What people changed since the homes were merged is the survivor's. A binding that was put aside
    is nobody's any more, for none of those who were merged then.
    """
    stored = {place: one.own or one.shown for place, one in cluster.bindings.items()}
    found = dict(stored)
    for (owner, workspace), binding in cluster.bindings.items():
        group = homes.groups.get(owner)
        if group is None:
            continue
        if not binding.is_live:
            found |= {(home, workspace): NOTHING_KEPT for home in group}
        elif len(group) > 1:
            own = binding.own or NOTHING_KEPT
            merged = shown_by({**stored, (owner, workspace): own}, group, workspace)
            found[owner, workspace] = binding.shown.changed_since(merged, own)
    return found


def shown_by(own: Own, group: Sequence[int], workspace: int) -> Kept:
    """Say what a contact's binding shows: the survivor's own, and what only the others have."""
    first, *others = group
    shown = own.get((first, workspace), NOTHING_KEPT)
    for home in others:
        shown = shown.joined(own.get((home, workspace), NOTHING_KEPT))
    return shown
