"""Make contacts what the merges in force make of them: one rule for merge, split and undo.

Everything has a home; contacts are groups of homes. Whatever changed, the contacts concerned are
composed anew from the deliveries at their homes, and what comes out differently is written and
told. Hence a merge that was undone leaves nothing behind (DESIGN 4.5, ADR 0043).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.bindings import NOTHING_PRIVATE, Private, private_values
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.cluster import BindingChange, HomeRow, Order, Reshaping
from services.resolver.domain.composition import Applied, Composite, compose
from services.resolver.domain.homes import Homes, Merge, interleave
from services.resolver.domain.keeping import own_of, shown_by
from services.resolver.domain.model import Claim, Contact, IdentifierKey
from services.resolver.domain.telling_merges import binding_told, contact_born, shape_of
from shared.events.contact import ContactEvent, Shape

Teller = Callable[[Contact, Shape | None], Iterator[ContactEvent]]
"""Makes the events that tell a contact's new shape; without one, that it was absorbed, or that
nothing is left of it.  Each is told before the next is made."""


def reshape(
    before: Assigned,
    after: Assigned,
    merges: Iterable[Merge],
    order: Order,
    tell: Teller,
) -> Reshaping:
    """Plan all that follows when these merges are in force over homes as `after` has them."""
    return _Reshape(before, after, list(merges), order, tell).plan()


class _Reshape:
    """One decision on its way into a plan."""

    def __init__(
        self,
        before: Assigned,
        after: Assigned,
        merges: list[Merge],
        order: Order,
        tell: Teller,
    ) -> None:
        self._before = before
        self._after = after
        self._merges = merges
        self._tell = tell
        self._cluster = after.cluster
        self._homes = Homes(self._cluster.contacts, merges)
        self._plan = Reshaping(order, self._cluster)
        self._own = own_of(before.cluster, before.homes)
        self._stored = {
            (one.claim.record_key, one.revision): (one.home, one.place)
            for applied in before.cluster.applied.values()
            for one in applied
        }
        self._histories = self._group()
        """Contact → its deliveries, by the contacts that had them."""
        self._owner = {
            one.claim.record_key: root
            for root, applied in before.applied.items()
            for one in applied
        }

    def plan(self) -> Reshaping:
        """Compose every contact anew; write and tell those that come out differently."""
        plan, before = self._plan, self._before
        for root in before.homes.groups:
            plan.was[root] = compose(before.applied[root], before.cluster.held.get(root, {}).keys())
        for root, homes in self._homes.groups.items():
            group = set(homes)
            applied = self._belonging(root)
            if not self._is_simple(root, group, applied):
                self._note_homes(applied)
            keys = {key for key, home in self._after.identifiers.items() if home in group}
            if self._same(root, applied, keys):
                continue
            if applied:
                self._stand(root, group, compose(applied, keys))
            else:
                self._vanish(root)
        for home, contact in self._cluster.contacts.items():
            self._stand_behind(home, contact)
        self._note_identifiers()
        self._note_own()
        plan.resolved = {
            one.merge.public_id: (one.survivor, one.absorbed) for one in self._homes.absorptions()
        }
        return plan

    def _group(self) -> dict[int, list[list[Applied]]]:
        found: dict[int, list[list[Applied]]] = {}
        for applied in self._after.applied.values():
            here: dict[int, list[Applied]] = {}
            for one in applied:
                if one.home is not None:
                    here.setdefault(self._homes.root(one.home), []).append(one)
            for root, history in here.items():
                found.setdefault(root, []).append(history)
        return found

    def _belonging(self, root: int) -> list[Applied]:
        """Return a group's deliveries in one order, each former contact's own order kept."""
        return interleave(self._histories.get(root, ()))

    def _same(self, root: int, applied: Sequence[Applied], keys: set[IdentifierKey]) -> bool:
        """Tell whether a contact holds what it held: then nothing happened to it."""
        if root not in self._before.homes.groups:
            return False
        was = self._before.applied[root]
        return (
            {(one.claim.record_key, one.revision) for one in was}
            == {(one.claim.record_key, one.revision) for one in applied}
            and self._before.cluster.held.get(root, {}).keys() == keys
            and self._before.homes.groups[root] == self._homes.groups[root]
        )

    def _stand(self, root: int, group: Collection[int], made: Composite) -> None:
        """Give a contact that stands for itself its new shape."""
        contact, plan, cluster = self._cluster.contacts[root], self._plan, self._cluster
        contact.claims = made.claims
        if self._is_archived(root):
            made.status = "archived"
        contact.status = made.status
        plan.composed[root] = made
        plan.survivors[root] = None
        others = sorted(
            {
                other
                for pair in cluster.candidates
                for one, other in (pair, pair[::-1])
                if one in group and other not in group
            }
        )
        shape = shape_of(made, cluster.workspaces, [cluster.names[one] for one in others])
        if contact.version == 0:
            claim = min(made.claims.values(), key=_is_entry)
            plan.created.append((contact, claim.source))
            self._plan.tell(contact, contact_born(plan.order, contact, claim))
        self._tell_all(contact, shape)
        self._tell_private(contact, made)
        self._bind(root, made)
        plan.records += [
            (key, root, contact.version) for key in made.claims if self._owner[key] != root
        ]

    def _is_archived(self, root: int) -> bool:
        """Tell whether a contact is archived: as it stands, or as it was when it was absorbed."""
        cluster = self._cluster
        return cluster.absorbed_as.get(root, cluster.contacts[root].status) == "archived"

    def _tell_private(self, contact: Contact, made: Composite) -> None:
        """Tell every workspace what it keeps for itself, where that is another thing now."""
        was = self._plan.was.get(contact.id, Composite())
        former = Contact(
            contact.id, contact.public_id, contact.tenant_id, 0, "active", claims=was.claims
        )
        for workspace in made.bound:
            kept: Private = NOTHING_PRIVATE
            if workspace in was.bound:
                kept = private_values(former, workspace)
            keeps = private_values(contact, workspace)
            if keeps != kept:
                name = self._cluster.workspaces[workspace]
                told = binding_told(self._plan.order, contact, name, keeps)
                self._plan.tell(contact, told, private_to=(workspace, name))

    def _stand_behind(self, home: int, contact: Contact) -> None:
        """Let a contact that another stands for say so, when that is new."""
        taken, before, plan = self._homes.absorption(home), self._before.homes, self._plan
        if taken is None:
            return
        root, was = self._homes.root(home), before.absorption(home)
        if was is None or before.root(home) != root:
            plan.survivors[home] = root
        if was is None:
            plan.absorbed_as[home] = contact.status
            plan.composed[home] = Composite(status="merged")
            plan.retired_bindings += [
                binding.id
                for (owner, _), binding in self._cluster.bindings.items()
                if owner == home and binding.is_live
            ]
        if was is None or was.survivor != taken.survivor:
            contact.status, contact.claims = "merged", {}
            self._tell_all(contact, None)

    def _vanish(self, root: int) -> None:
        """Let a contact go of which nothing is left."""
        contact, plan = self._cluster.contacts[root], self._plan
        contact.status, contact.claims, contact.bindings = "deleted", {}, {}
        plan.composed[root] = Composite(status="deleted")
        plan.survivors[root] = None
        plan.deleted.append(root)
        plan.retired_bindings += [
            binding.id
            for (owner, _), binding in self._cluster.bindings.items()
            if owner == root and binding.is_live
        ]
        self._tell_all(contact, None)

    def _tell_all(self, contact: Contact, shape: Shape | None) -> None:
        for event in self._tell(contact, shape):
            self._plan.tell(contact, event)

    def _is_simple(self, root: int, group: set[int], applied: Sequence[Applied]) -> bool:
        """Tell whether a contact stays all by itself: then no home has to be noted."""
        return (
            group == {root}
            and self._before.homes.groups.get(root) == [root]
            and all(
                self._owner[one.claim.record_key] == root
                and self._stored.get((one.claim.record_key, one.revision), (None,))[0] is None
                for one in applied
            )
        )

    def _note_homes(self, applied: Sequence[Applied]) -> None:
        for place, one in enumerate(applied):
            stored = self._stored.get((one.claim.record_key, one.revision))
            if one.home is not None and stored != (one.home, place):
                row = HomeRow(one.claim.record_key, one.revision, one.home, place, one.evidence)
                self._plan.homes.append(row)

    def _note_identifiers(self) -> None:
        holder = {key: root for root, held in self._before.cluster.held.items() for key in held}
        known = {
            key: home for held in self._before.cluster.held.values() for key, home in held.items()
        }
        for key, home in self._after.identifiers.items():
            root = self._homes.root(home)
            if holder.get(key) != root:
                self._plan.identifiers.append((key, root))
            if known.get(key) != home:
                self._plan.identifier_homes.append((key, home))

    def _bind(self, root: int, made: Composite) -> None:
        """Bring the contact's bindings in line with the workspaces that know it."""
        cluster, plan = self._cluster, self._plan
        contact = cluster.contacts[root]
        contact.bindings, contact.owned = {}, set()
        for workspace in made.bound:
            binding = cluster.bindings.get((root, workspace))
            shown = shown_by(self._own, self._homes.groups[root], workspace)
            binding_id = next(plan.order.ids.bindings) if binding is None else binding.id
            contact.bindings[workspace] = binding_id
            if shown.data_owner == "user":
                contact.owned.add(workspace)
            plan.bindings.append(
                BindingChange(binding_id, root, workspace, is_new=binding is None, shown=shown)
            )
        for (owner, workspace), binding in cluster.bindings.items():
            if owner == root and workspace not in made.bound and binding.is_live:
                plan.retired_bindings.append(binding.id)

    def _note_own(self) -> None:
        for root, group in self._homes.groups.items():
            if len(group) == 1:
                self._plan.standing_alone.append(root)
                continue
            for (owner, workspace), kept in self._own.items():
                if owner in group:
                    self._plan.own[owner, workspace] = kept


def _is_entry(claim: Claim) -> bool:
    """Tell whether a claim is of what people said for their workspace: nobody is born of it."""
    return claim.source.name == WORKSPACE_ENTRY
