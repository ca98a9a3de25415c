"""What a signal changes of the contact that takes it: identifiers, values, jobs, views.

Whose the signal is was decided before (`gate`). Here the contact is brought forward, and the plan
is told what to write of it, and which events tell of it.
"""

from collections.abc import Iterable

from services.resolver.domain import telling
from services.resolver.domain.auditing import private_changed, values_changed
from services.resolver.domain.bindings import (
    NOTHING_PRIVATE,
    Private,
    authoritative,
    private_values,
    view_of,
)
from services.resolver.domain.claims import claims_showing, claims_telling
from services.resolver.domain.details import (
    added_details,
    dropped_details,
    jobs_told,
    retold_details,
    retold_jobs,
    unsaid_identifiers,
)
from services.resolver.domain.lifecycle import grown, status_at_birth
from services.resolver.domain.model import (
    AuditRow,
    Claim,
    Contact,
    Delivery,
    Document,
    Ids,
    Known,
    Plan,
)
from services.resolver.domain.point_statuses import note_statuses
from services.resolver.domain.survivorship import Values, choose, differences, groups_of
from shared.events.contact import CompanyEvent, ContactEvent, ContactStatus, FieldChange
from shared.events.signal import Facts, Identifier


class Applying:
    """Brings the contacts of one batch forward, signal by signal."""

    def __init__(self, known: Known, ids: Ids, plan: Plan) -> None:
        self._known = known
        self._ids = ids
        self._plan = plan
        self._values: dict[int, Values] = {}
        """Contact → its visible values, as the batch has them so far."""

    def create(self, delivery: Delivery, said: Document) -> Contact:
        """Make a contact of a signal that is nobody's whom kith knows."""
        contact_id, public_id = next(self._ids.contacts)
        contact = Contact(
            id=contact_id,
            public_id=public_id,
            tenant_id=delivery.tenant_id,
            version=1,
            status=status_at_birth(delivery.source, delivery.signal.facts),
        )
        self._known.contacts[contact_id] = contact
        self._plan.contacts[contact_id] = contact
        self._plan.created[contact_id] = (contact, delivery.source)
        identifiers = self._attach(contact, delivery)
        added_details(self._plan, self._known, contact, delivery, said.facts)
        values = self._claim(contact, delivery, said)
        note_statuses(self._plan, contact, said.facts)
        event = telling.created(delivery, contact, said, identifiers, values)
        self.record(delivery, contact_id, event)
        self._bind(contact, delivery, NOTHING_PRIVATE, None)
        return contact

    def update(self, contact: Contact, delivery: Delivery, said: Document) -> None:
        """Let a known contact take a signal."""
        kept = private_values(contact, delivery.workspace_id)
        self._plan.contacts[contact.id] = contact
        identifiers = self._attach(contact, delivery)
        employments = added_details(self._plan, self._known, contact, delivery, said.facts)
        replaced = contact.claims.get(delivery.record_key)
        told = (said.facts, replaced.facts) if replaced is not None else (said.facts,)
        jobs = jobs_told(contact, *told)
        before = self._values_of(contact)
        values = self._claim(contact, delivery, said)
        changes = differences(before, values, claims_showing(contact), delivery.record_key)
        note_statuses(self._plan, contact, *told)
        if jobs or employments:
            retold = retold_jobs(employments, jobs, jobs_told(contact, *told))
            employments = retold_details(self._plan, self._known, contact, employments, retold)
        status = _grown(contact)
        self.advance(contact)
        event = telling.fact_asserted(
            delivery,
            contact,
            said,
            status=status,
            identifiers=identifiers,
            employments=employments,
            changes=changes,
        )
        self.record(delivery, contact.id, event)
        if replaced is not None:
            self._drop(contact, delivery, replaced.facts, said.facts)
        self._bind(contact, delivery, kept, changes)

    def advance(self, contact: Contact) -> None:
        """Give a contact its next version: what is told next is told of it."""
        contact.version += 1
        if contact.id not in self._plan.created:
            self._plan.updated.add(contact.id)

    def record(
        self,
        delivery: Delivery,
        entity_id: int,
        event: ContactEvent | CompanyEvent,
        *,
        private: bool = False,
    ) -> None:
        """Put an event behind the others of a contact or a company."""
        event_id = next(self._ids.events)
        told = telling.recorded(delivery, event_id, entity_id, event, is_private=private)
        self._plan.events.append(told)

    def _attach(self, contact: Contact, delivery: Delivery) -> tuple[Identifier, ...]:
        """Give the contact the identifiers that nobody holds yet, and that one person may.

        One that it holds though no record said it any more is said again.
        """
        holders, sharing = self._known.holders, self._known.sharing
        claims = claims_telling(contact, delivery.facts)
        added: list[Identifier] = []
        for key, identifier in delivery.identifiers:
            holder = holders.get(key)
            if holder is None:
                if key not in sharing or sharing[key].gates:
                    holders[key] = contact.id
                    self._plan.identifiers.append((key, identifier, contact.id, delivery))
                    added.append(identifier)
            elif holder == contact.id and not _says(claims, identifier):
                said = (identifier, delivery.source, delivery.signal.confidence)
                self._plan.said[key] = said
                added.append(identifier)
        return tuple(added)

    def _drop(self, contact: Contact, delivery: Delivery, before: Facts, after: Facts) -> None:
        """Take back what the record said before, where nothing says it now."""
        for one in unsaid_identifiers(before, after, claims_telling(contact, before)):
            key = (contact.tenant_id, one.type, one.value)
            if self._known.holders.get(key) == contact.id:
                self._plan.said[key] = None
                self.advance(contact)
                event = telling.identifier_removed(delivery, contact, one, "dropped")
                self.record(delivery, contact.id, event)
        jobs, kept = dropped_details(self._plan, self._known, contact, before, after)
        if jobs:
            self.advance(contact)
            retracted = telling.jobs_retracted(delivery, contact, jobs, kept)
            self.record(delivery, contact.id, retracted)

    def _values_of(self, contact: Contact) -> Values:
        """Return a contact's visible values as the batch has them so far."""
        values = self._values.get(contact.id)
        if values is None:
            values = self._values[contact.id] = choose(claims_showing(contact))
        return values

    def _claim(self, contact: Contact, delivery: Delivery, said: Document) -> Values:
        """Add what the record says; returns the visible values that follow."""
        contact.claims[delivery.record_key] = Claim(
            record_key=delivery.record_key,
            source=delivery.source,
            workspace_id=delivery.workspace_id,
            confidence=delivery.signal.confidence,
            asserted_at=delivery.signal.occurred_at,
            facts=said.facts,
            groups=groups_of(said.facts),
        )
        values = self._values[contact.id] = choose(claims_showing(contact))
        return values

    def _bind(
        self,
        contact: Contact,
        delivery: Delivery,
        kept: Private,
        changes: tuple[FieldChange, ...] | None,
    ) -> None:
        """Bring the workspaces' views up to date, and tell what is private to this one.

        `kept` is what the workspace kept for itself before the signal, `changes` the visible values
        that are others now; None: the contact is new.
        """
        changed = changes is None or bool(changes)
        workspace = delivery.workspace_id
        is_new = workspace not in contact.bindings
        if is_new:
            contact.bindings[workspace] = next(self._ids.bindings)
        keeps = private_values(contact, workspace)
        if keeps != kept:
            self.advance(contact)
            event = telling.binding_changed(delivery, contact, keeps)
            self.record(delivery, contact.id, event, private=True)
        if len(contact.bindings) > 1:
            self._plan.authoritative[contact.id] = authoritative(contact)
        if keeps == kept and not changed and not is_new:
            return
        for bound, binding_id in contact.bindings.items():
            if not changed and bound != workspace:
                continue
            previous = self._plan.bindings.get((contact.id, bound))
            born = (bound == workspace and is_new) or bool(previous and previous.is_new)
            if not born:
                own = (kept, keeps) if bound == workspace else None
                self._audit(delivery, (binding_id, bound), changes or (), own)
            self._plan.bindings[contact.id, bound] = view_of(
                contact,
                bound,
                binding_id,
                self._values[contact.id],
                self._known.company_ids,
                is_new=born,
                import_source=previous.import_source if previous else delivery.signal.import_source,
            )

    def _audit(
        self,
        delivery: Delivery,
        binding: tuple[int, int],
        changes: Iterable[FieldChange],
        private: tuple[Private, Private] | None,
    ) -> None:
        """Note what a signal changes of a binding (id, workspace), and of what is private to it."""
        changed = values_changed(
            ((one.field, one.old, one.new) for one in changes), self._known.company_ids
        )
        if private is not None:
            changed += private_changed(*private)
        source, cause = delivery.source.id, delivery.signal.signal_id
        self._plan.audit += [
            AuditRow(delivery.tenant_id, *binding, one.field, one.old, one.new, source, cause)
            for one in changed
        ]


def _says(claims: Iterable[Claim], identifier: Identifier) -> bool:
    """Tell whether one of these records says the identifier at present."""
    return any(
        one.value == identifier.value and one.type == identifier.type
        for claim in claims
        for one in claim.facts.identifiers
    )


def _grown(contact: Contact) -> ContactStatus | None:
    """Return the status that the contact has from now on, when it is another."""
    status = grown(contact.status, claims_showing(contact))
    if status == contact.status:
        return None
    contact.status = status
    return status
