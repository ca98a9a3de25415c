"""Where people's words for their workspaces belong once nothing else is left of whom they were of.

They tell nothing of who somebody is (ADR 0088): no contact is made of them alone.
"""

from dataclasses import replace

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.homes import Homes
from services.resolver.domain.redeciding import Delivered, name_of


def rehome_words(
    before: Assigned, after: Assigned, homes: Homes
) -> tuple[Assigned, set[Delivered]]:
    """Let words go to who is left of a contact that people merged; `homes` are as they will be.

    Also returns those of which nobody is left: they stay where they are.
    """
    telling = telling_homes(after)
    empty = telling_homes(before) - telling
    hosts: dict[int, int | None] = {}
    for group in homes.groups.values():
        host = next((home for home in group if home in telling), None)
        for home in group:
            if home in empty:
                hosts[home] = host
            elif host is None:
                former = before.homes.groups.get(before.homes.root(home), ())
                hosts[home] = next((other for other in former if other in telling), None)
    rehomed = Assigned(after.cluster, after.homes, identifiers=after.identifiers)
    about_nobody = set()
    for root, applied in after.applied.items():
        rehomed.applied[root] = kept = []
        for one in applied:
            host = None
            if one.home in hosts and one.source.name == WORKSPACE_ENTRY:
                host = hosts[one.home]
                if host is None:
                    about_nobody.add(name_of(one))
            kept.append(one if host is None else replace(one, home=host, evidence="own"))
    return rehomed, about_nobody


def telling_homes(assigned: Assigned) -> set[int]:
    """Return the homes of which more is left than people's words for their workspaces."""
    return {
        one.home
        for applied in assigned.applied.values()
        for one in applied
        if one.home is not None and one.source.name != WORKSPACE_ENTRY
    }
