"""The gate: whose signal is this? Decides a whole batch in memory, as if signals came one by one.

Nothing hit → a new contact. One contact hit → that one, unless names deny it: then a new contact
and a candidate for review. Several hit → the holder of the strongest identifier that nothing speaks
against receives the signal, and each other becomes a candidate (`admission`). A newer version of a
source record stays with the contact that the record was given to.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from services.resolver.domain import telling
from services.resolver.domain.admission import Admission, admit
from services.resolver.domain.auditing import private_changed, values_changed
from services.resolver.domain.bindings import (
    NOTHING_PRIVATE,
    Private,
    authoritative,
    private_values,
    view_of,
)
from services.resolver.domain.claims import claims_showing, claims_telling
from services.resolver.domain.cluster import pair_of
from services.resolver.domain.companies import link_companies
from services.resolver.domain.company_ledger import CompanyNews
from services.resolver.domain.company_records import take_companies
from services.resolver.domain.details import (
    added_details,
    dropped_details,
    jobs_told,
    retold_details,
    retold_jobs,
    unsaid_identifiers,
)
from services.resolver.domain.ledger import after, standing, unsaid
from services.resolver.domain.lifecycle import grown, status_at_birth
from services.resolver.domain.matching.statistics import SHARED_BY
from services.resolver.domain.model import (
    AuditRow,
    Candidate,
    Claim,
    Contact,
    Delivery,
    Document,
    FoundOut,
    IdentifierKey,
    Ids,
    Known,
    LedgerRow,
    Plan,
    RecordedEvent,
    Revision,
    Sharing,
)
from services.resolver.domain.point_statuses import note_statuses
from services.resolver.domain.survivorship import Values, choose, differences, groups_of
from shared.events.contact import (
    CompanyEvent,
    ContactEvent,
    ContactStatus,
    FieldChange,
    ProposalReason,
)
from shared.events.signal import Facts, Identifier
from shared.events.structs import struct_of


def decide(
    deliveries: Iterable[Delivery],
    known: Known,
    ids: Ids,
    now: datetime,
    news: CompanyNews | None = None,
) -> Plan:
    """Decide a batch. `known` is the batch's own copy and is brought forward signal by signal.

    `news` is what the batch tells of companies, where it tells of any.
    """
    gate = _Gate(known, ids, Plan(now=now))
    if news is not None:
        take_companies(news, known, ids, gate.plan)
    for delivery in deliveries:
        outcome = gate.admit(delivery)
        gate.plan.outcomes[outcome] = gate.plan.outcomes.get(outcome, 0) + 1
    return gate.plan


class _Gate:
    """One batch on its way through; holds the plan as it grows."""

    def __init__(self, known: Known, ids: Ids, plan: Plan) -> None:
        self.known = known
        self.ids = ids
        self.plan = plan
        self._values: dict[int, Values] = {}

    def admit(self, delivery: Delivery) -> str:
        """Let one signal through; returns its outcome."""
        revisions = self.known.records.setdefault((delivery.tenant_id, delivery.record_key), [])
        what = standing(delivery, revisions)
        if what == "duplicate":
            return "duplicate"
        if what == "stale":
            current = next(one for one in revisions if one.current)
            holder = self.known.contacts[current.contact_id]
            said = telling.document(delivery.signal.facts)
            self._enter(delivery, said, revisions, holder, superseded=True)
            return "stale"
        admission = self._ask(delivery, revisions)
        if admission.receiver is not None:
            asked = self.known.contacts[admission.receiver]
            if asked.status == "deleted":  # a vendor's answer about somebody who is gone
                self._enter(unsaid(delivery), _NOTHING, revisions, asked, superseded=True)
                return "stale"
        companies = len(self.plan.companies)
        said = telling.document(link_companies(delivery, self.known, self.ids, self.plan))
        for new in self.plan.companies[companies:]:
            self._record(delivery, new.company.id, telling.company_created(delivery, new))
        if admission.receiver is not None:
            contact = self.known.contacts[admission.receiver]
            kept = private_values(contact, delivery.workspace_id)
            changes = self._update(contact, delivery, said)
        else:
            kept, changes = NOTHING_PRIVATE, None
            contact = self._create(delivery, said)
        self._bind(contact, delivery, kept, changes)
        if delivery.source.is_enrichment:
            told, before = delivery.signal.occurred_at, self.plan.enriched.get(contact.id)
            self.plan.enriched[contact.id] = told if before is None else max(before, told)
        for other, reason in admission.proposals:
            self._propose(contact, self.known.contacts[other], delivery, reason)
        for key in admission.contested:
            self._contest(contact, key, delivery)
        if delivery.signal.possible_duplicates and admission.receiver is None:
            self._propose_namesakes(contact, delivery)
        self._enter(delivery, said, revisions, contact, superseded=False)
        return "created" if admission.receiver is None else "updated"

    def _ask(self, delivery: Delivery, revisions: list[Revision]) -> Admission:
        """Find the contacts that the signal names, and which of them receives it.

        A vendor that was asked about a contact and names no identifier of anybody spoke of that
        contact: nobody else would be found, and a stranger made of the answer.
        """
        hits: dict[int, list[IdentifierKey]] = {}
        pinned = next((one.contact_id for one in revisions if one.current), None)
        if pinned is not None:
            hits[pinned] = []
        holders = self.known.holders
        for key, _ in delivery.identifiers:
            if key in holders:
                hits.setdefault(holders[key], []).append(key)
        if not hits and delivery.signal.about is not None:
            asked = self.known.about.get((delivery.tenant_id, delivery.signal.about))
            if asked is not None:
                hits[asked] = []
        return admit(delivery, hits, pinned, self.known) if hits else _NAMES_NOBODY

    def _attach(self, contact: Contact, delivery: Delivery) -> tuple[Identifier, ...]:
        """Give the contact the identifiers that nobody holds yet, and that one person may.

        One that it holds though no record said it any more is said again.
        """
        holders, sharing = self.known.holders, self.known.sharing
        claims = claims_telling(contact, delivery.facts)
        added: list[Identifier] = []
        for key, identifier in delivery.identifiers:
            holder = holders.get(key)
            if holder is None:
                if key not in sharing or sharing[key].gates:
                    holders[key] = contact.id
                    self.plan.identifiers.append((key, identifier, contact.id, delivery))
                    added.append(identifier)
            elif holder == contact.id and not _says(claims, identifier):
                said = (identifier, delivery.source, delivery.signal.confidence)
                self.plan.said[key] = said
                added.append(identifier)
        return tuple(added)

    def _create(self, delivery: Delivery, said: Document) -> Contact:
        contact_id, public_id = next(self.ids.contacts)
        contact = Contact(
            id=contact_id,
            public_id=public_id,
            tenant_id=delivery.tenant_id,
            version=1,
            status=status_at_birth(delivery.source, delivery.signal.facts),
        )
        self.known.contacts[contact_id] = contact
        self.plan.contacts[contact_id] = contact
        self.plan.created[contact_id] = (contact, delivery.source)
        identifiers = self._attach(contact, delivery)
        added_details(self.plan, self.known, contact, delivery, said.facts)
        values = self._claim(contact, delivery, said)
        note_statuses(self.plan, contact, said.facts)
        event = telling.created(delivery, contact, said, identifiers, values)
        self._record(delivery, contact_id, event)
        return contact

    def _update(
        self, contact: Contact, delivery: Delivery, said: Document
    ) -> tuple[FieldChange, ...]:
        """Add a fact to a known contact; returns the visible values that changed."""
        self.plan.contacts[contact.id] = contact
        identifiers = self._attach(contact, delivery)
        employments = added_details(self.plan, self.known, contact, delivery, said.facts)
        replaced = contact.claims.get(delivery.record_key)
        told = (said.facts, replaced.facts) if replaced is not None else (said.facts,)
        jobs = jobs_told(contact, *told)
        before = self._values_of(contact)
        values = self._claim(contact, delivery, said)
        changes = differences(before, values, claims_showing(contact), delivery.record_key)
        note_statuses(self.plan, contact, *told)
        if jobs or employments:
            retold = retold_jobs(employments, jobs, jobs_told(contact, *told))
            employments = retold_details(self.plan, self.known, contact, employments, retold)
        status = _grown(contact)
        self._advance(contact)
        event = telling.fact_asserted(
            delivery,
            contact,
            said,
            status=status,
            identifiers=identifiers,
            employments=employments,
            changes=changes,
        )
        self._record(delivery, contact.id, event)
        if replaced is not None:
            self._drop(contact, delivery, replaced.facts, said.facts)
        return changes

    def _drop(self, contact: Contact, delivery: Delivery, before: Facts, after: Facts) -> None:
        """Take back what the record said before, where nothing says it now."""
        for one in unsaid_identifiers(before, after, claims_telling(contact, before)):
            key = (contact.tenant_id, one.type, one.value)
            if self.known.holders.get(key) == contact.id:
                self.plan.said[key] = None
                self._advance(contact)
                event = telling.identifier_removed(delivery, contact, one, "dropped")
                self._record(delivery, contact.id, event)
        jobs, kept = dropped_details(self.plan, self.known, contact, before, after)
        if jobs:
            self._advance(contact)
            retracted = telling.jobs_retracted(delivery, contact, jobs, kept)
            self._record(delivery, contact.id, retracted)

    def _advance(self, contact: Contact) -> None:
        contact.version += 1
        if contact.id not in self.plan.created:
            self.plan.updated.add(contact.id)

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
            contact.bindings[workspace] = next(self.ids.bindings)
        keeps = private_values(contact, workspace)
        if keeps != kept:
            self._advance(contact)
            event = telling.binding_changed(delivery, contact, keeps)
            self._record(delivery, contact.id, event, private=True)
        if len(contact.bindings) > 1:
            self.plan.authoritative[contact.id] = authoritative(contact)
        if keeps == kept and not changed and not is_new:
            return
        for bound, binding_id in contact.bindings.items():
            if not changed and bound != workspace:
                continue
            previous = self.plan.bindings.get((contact.id, bound))
            born = (bound == workspace and is_new) or bool(previous and previous.is_new)
            if not born:
                own = (kept, keeps) if bound == workspace else None
                self._audit(delivery, (binding_id, bound), changes or (), own)
            self.plan.bindings[contact.id, bound] = view_of(
                contact,
                bound,
                binding_id,
                self._values[contact.id],
                self.known.company_ids,
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
            ((one.field, one.old, one.new) for one in changes), self.known.company_ids
        )
        if private is not None:
            changed += private_changed(*private)
        source, cause = delivery.source.id, delivery.signal.signal_id
        self.plan.audit += [
            AuditRow(delivery.tenant_id, *binding, one.field, one.old, one.new, source, cause)
            for one in changed
        ]

    def _contest(self, contact: Contact, key: IdentifierKey, delivery: Delivery) -> None:
        """Note that a contact has an identifier whose holder is called otherwise.

        From `SHARED_BY` contacts on it is shared: nobody is known by it any more, and what it has
        joined is decided again (`reconsidering`).
        """
        known, plan = self.known, self.plan
        sharing = known.sharing.setdefault(key, Sharing())
        if sharing.status != "suspected":
            return
        holder = known.contacts[known.holders[key]]
        new = [one for one in (holder.id, contact.id) if one not in sharing.contacts]
        if not new:
            return
        sharing.contacts += new
        plan.sharing[key] = sharing
        if len(sharing.contacts) < SHARED_BY:
            return
        sharing.status = "shared"
        del known.holders[key]
        plan.retired.append(key)
        taking = [one for one in sharing.contacts if len(known.contacts[one].claims) > 1]
        plan.found_out.append(FoundOut(key, tuple(taking), delivery))
        plan.contacts[holder.id] = holder
        self._advance(holder)
        identifier = next(one for named, one in delivery.identifiers if named == key)
        event = telling.identifier_removed(delivery, holder, identifier, "shared")
        self._record(delivery, holder.id, event)

    def _propose(
        self, contact: Contact, other: Contact, delivery: Delivery, reason: ProposalReason
    ) -> None:
        """Two contacts may be one person: put the pair up for review, once."""
        pair = pair_of(contact.id, other.id)
        if pair in self.known.candidates:
            return
        self.known.candidates.add(pair)
        shared = tuple(
            identifier
            for key, identifier in delivery.identifiers
            if self.known.holders.get(key) == other.id
        )
        self.plan.candidates.append(
            Candidate(contact.tenant_id, *pair, identifiers=shared, reason=reason)
        )
        self.plan.contacts[other.id] = other
        for one, another in ((contact, other), (other, contact)):
            self._advance(one)
            event = telling.merge_proposed(delivery, one, another, shared, reason)
            self._record(delivery, one.id, event)

    def _propose_namesakes(self, contact: Contact, delivery: Delivery) -> None:
        """Put a new contact up for review with those whom an import's preview found alike.

        Whoever has gone since is nobody to be the same person as.
        """
        for public_id in delivery.signal.possible_duplicates:
            found = self.known.about.get((delivery.tenant_id, public_id))
            if found is None or found == contact.id:
                continue
            other = self.known.contacts[found]
            if other.status not in _GONE:
                self._propose(contact, other, delivery, "same_name")

    def _record(
        self,
        delivery: Delivery,
        entity_id: int,
        event: ContactEvent | CompanyEvent,
        *,
        private: bool = False,
    ) -> None:
        signal = delivery.signal
        self.plan.events.append(
            RecordedEvent(
                event_id=next(self.ids.events),
                tenant_id=delivery.tenant_id,
                tenant=signal.tenant,
                entity_id=entity_id,
                event=event,
                private_to=(delivery.workspace_id, signal.workspace) if private else None,
                received_at=signal.received_at,
                traceparent=delivery.traceparent,
            )
        )

    def _enter(
        self,
        delivery: Delivery,
        said: Document,
        revisions: list[Revision],
        contact: Contact,
        *,
        superseded: bool,
    ) -> None:
        """Write the delivery into the ledger, in place of the record's present version."""
        revision = after(delivery, revisions, contact, current=not superseded)
        if not superseded:
            for index, one in enumerate(revisions):
                if one.current:
                    name = (delivery.tenant_id, delivery.record_key, one.number)
                    self.plan.superseded.append(name)
                    revisions[index] = one.replaced()
        self.plan.ledger.append(
            LedgerRow(delivery, said, revision.number, contact.id, contact.version, superseded)
        )
        revisions.append(revision)


_NOTHING: Final = telling.document(struct_of(Facts)())
"""What is kept of what was said of somebody who is gone."""

_GONE: Final[frozenset[ContactStatus]] = frozenset({"merged", "deleted"})
"""Of contacts that nobody is shown any more; whoever absorbed one stands for it."""

_NAMES_NOBODY: Final = Admission(None)
"""Of a signal that names no contact."""


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


def identifier_keys(deliveries: Iterable[Delivery]) -> set[IdentifierKey]:
    """Return every identifier that a batch names."""
    return {key for delivery in deliveries for key, _ in delivery.identifiers}
