"""Read what a batch touches: locks first, then everything in a handful of statements."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.resolver.domain.companies import company_keys
from services.resolver.domain.company_ledger import DOMAIN, keys_of, lock_names, told_of
from services.resolver.domain.gate import identifier_keys
from services.resolver.domain.ledger import standing
from services.resolver.domain.model import (
    Claim,
    Company,
    Contact,
    Delivery,
    IdentifierKey,
    Known,
    Revision,
    Sharing,
    Source,
)
from services.resolver.domain.survivorship import groups_of
from services.resolver.store.queries import QUERIES
from services.resolver.store.remembering import Remembered
from shared.errors import TransientError
from shared.events.signal import Facts
from shared.events.structs import Reader
from shared.postgres.pool import Connection

_read_facts: Final = Reader(Facts).read

Span = tuple[tuple[int, bytes], datetime, datetime]
"""A source record, and the earliest and the latest moment that a batch states something of it."""

_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
"""A moment at which nothing was stated."""

_LOOKS: Final = 5
"""How often a batch looks again for contacts that are merged and split under its eyes."""


class Loader:
    """Reads for one batch, inside its transaction."""

    def __init__(
        self,
        connection: Connection,
        sources: Mapping[int, Source],
        remembered: Remembered | None = None,
        *,
        looking: bool = False,
    ) -> None:
        """Look only, where nothing will be written, in a transaction of one snapshot.

        Then nobody is locked out, and whom duplicates belong to is read too.
        """
        self._connection = connection
        self._remembered = remembered or Remembered()
        self._looking = looking
        self._sources = sources
        self._known = Known()
        self._reshaped = False
        """Whether a contact was merged or split a moment ago."""
        self._bystanders: set[int] = set()
        """Contacts of which nothing is read that they are made of: the gate won't ask."""

    async def load(self, deliveries: Sequence[Delivery], alone: Sequence[Delivery] = ()) -> Known:
        """Lock and read all that the deliveries may lead to; `alone` tell of companies alone."""
        identifiers = sorted(identifier_keys(deliveries))
        domains, names = company_keys(deliveries)
        told = told_of([*deliveries, *alone])
        domains |= {(tenant, value) for tenant, kind, value in keys_of(told) if kind == DOMAIN}
        records = _spans(deliveries)
        await self._read_companies(domains, names)
        known = self._known
        strange = sorted(domains - known.companies_by_domain.keys())
        await self._lock(
            [
                *[
                    lock_key(f"identifier\0{tenant}\0{kind}\0{value}")
                    for tenant, kind, value in identifiers
                ],
                *[lock_key(f"record\0{tenant}\0{key.hex()}") for (tenant, key), _, _ in records],
                *[lock_key(f"domain\0{tenant}\0{domain}") for tenant, domain in strange],
                *[lock_key("company\0" + name) for name in lock_names(told)],
                *self._more_locks(),
            ]
        )
        await self._read_revisions(records)
        await self._read_holders(identifiers)
        await self._read_about(deliveries)
        # Another batch may have met the same company while this one waited.
        await self._read_companies(strange, names - known.companies_by_name.keys())
        await self._read_contacts(self._touched(deliveries))
        if self._reshaped and not self._looking:
            await self._look_again(deliveries, records, identifiers)
        await self._read_dropped(deliveries, set(identifiers))
        return self._known

    async def _read_dropped(
        self, deliveries: Iterable[Delivery], read: Collection[IdentifierKey]
    ) -> None:
        """Find who holds what a newer version of a record says no more, where there is any.

        Not locked: what a contact of the batch holds, nobody else changes meanwhile.
        """
        known = self._known
        dropped: set[IdentifierKey] = set()
        for one in deliveries:
            for revision in known.records.get((one.tenant_id, one.record_key), ()):
                contact = known.contacts.get(revision.contact_id) if revision.current else None
                claim = contact.claims.get(one.record_key) if contact else None
                if claim and claim.facts.identifiers != one.signal.facts.identifiers:
                    dropped.update(
                        (one.tenant_id, said.type, said.value) for said in claim.facts.identifiers
                    )
        missing = sorted(dropped.difference(read))
        if missing:
            for row in await self._connection.fetch(QUERIES["find_holders"], missing):
                key = (row["tenant_id"], row["kind"], row["value"])
                if row["contact_id"] in known.contacts:
                    known.holders[key] = row["contact_id"]

    def _more_locks(self) -> list[int]:
        """Return what else nobody may decide about meanwhile."""
        return []

    async def _look_again(
        self,
        deliveries: Sequence[Delivery],
        records: Sequence[Span],
        identifiers: Sequence[tuple[int, str, str]],
    ) -> None:
        """Read again who holds what: a merge or a split may have come before our locks did.

        Whoever is found only now is locked out of order; should that close a circle, PostgreSQL
        ends one of the transactions, and its batch is tried again.
        """
        known = self._known
        for _ in range(_LOOKS):
            known.records.clear()
            known.holders.clear()
            await self._read_revisions(records)
            await self._read_holders(identifiers)
            await self._read_about(deliveries)
            missing = self._touched(deliveries) - known.contacts.keys()
            if not missing:
                return
            await self._read_contacts(missing)
        raise TransientError("contacts were merged and split faster than they could be read")

    async def load_named(self, public_ids: Sequence[tuple[int, str]]) -> list[Contact]:
        """Lock and read contacts by (tenant, public id); those unknown are left out."""
        if not public_ids:
            return []
        tenants, names = zip(*public_ids, strict=True)
        rows = await self._connection.fetch(QUERIES["find_named"], tenants, names)
        await self._read_contacts({row["id"] for row in rows})
        return list(self._known.contacts.values())

    async def load_ids(self, ids: set[int]) -> list[Contact]:
        """Lock and read contacts by id, those that stand for themselves."""
        await self._read_contacts(ids)
        return [one for one in self._known.contacts.values() if one.status != "merged"]

    async def load_standing(self, tenant_id: int, public_ids: Sequence[str]) -> dict[str, Contact]:
        """Lock and read who stands for contacts, by the public ids that they were asked by."""
        tenants = [tenant_id] * len(public_ids)
        rows = await self._connection.fetch(QUERIES["find_asked"], tenants, public_ids)
        await self._read_contacts({row["id"] for row in rows})
        contacts = self._known.contacts
        if any(one.status == "merged" for one in contacts.values()):
            raise TransientError("contacts were merged meanwhile")
        return {row["public_id"]: contacts[row["id"]] for row in rows}

    async def load_revisions(
        self, names: Iterable[tuple[int, bytes]]
    ) -> Mapping[tuple[int, bytes], Sequence[Revision]]:
        """Read what the ledger holds of records, (tenant, key), of contacts that are locked."""
        await self._read_revisions([(name, _LONG_AGO, _LONG_AGO) for name in sorted(names)])
        return self._known.records

    async def _lock(self, keys: Iterable[int]) -> None:
        ordered = sorted(set(keys))
        if ordered and not self._looking:
            await self._connection.fetchval(QUERIES["lock"], ordered)

    def _touched(self, deliveries: Sequence[Delivery]) -> set[int]:
        """Contacts that a delivery names, by its record or by an identifier.

        A record of which the batch holds nothing new names none: a redelivered batch then reads
        next to nothing.
        """
        known = self._known
        moving = {
            (one.tenant_id, one.record_key)
            for one in deliveries
            if self._looking
            or standing(one, known.records.get((one.tenant_id, one.record_key), [])) != "duplicate"
        }
        touched: set[int] = set()
        for one in deliveries:
            record = (one.tenant_id, one.record_key)
            if record not in moving:
                continue
            touched.update(
                revision.contact_id
                for revision in known.records.get(record, [])
                if revision.current
            )
            for key, _ in one.identifiers:
                if key in known.holders:
                    touched.add(known.holders[key])
                if key in known.sharing:
                    touched.update(known.sharing[key].contacts)
            if one.signal.about is not None:
                touched.update(self._asked(one.tenant_id, one.signal.about))
            for alike in one.signal.possible_duplicates:
                touched.update(self._asked(one.tenant_id, alike))
        return touched

    async def _read_revisions(self, records: Sequence[Span]) -> None:
        if not records:
            return
        columns = zip(*records, strict=True)
        for row in await self._connection.fetch(QUERIES["find_revisions"], *map(list, columns)):
            self._known.records.setdefault((row["tenant_id"], row["record_key"]), []).append(
                Revision(
                    number=row["revision"],
                    content_hash=row["content_hash"],
                    occurred_at=row["occurred_at"],
                    source_version=row["source_version"],
                    current=row["current"],
                    contact_id=row["contact_id"],
                    applied_version=row["applied_version"],
                    import_id=row["import_id"],
                    is_undone=row["is_undone"],
                )
            )

    async def _read_holders(self, identifiers: Sequence[tuple[int, str, str]]) -> None:
        if not identifiers:
            return
        for tenant, kind, value, holder, sharing, contacts in await self._connection.fetch(
            QUERIES["find_gating"], identifiers
        ):
            if holder is not None:
                self._known.holders[tenant, kind, value] = holder
            if sharing is not None:
                self._known.sharing[tenant, kind, value] = Sharing(sharing, list(contacts))

    def _asked(self, tenant_id: int, public_id: str) -> list[int]:
        found = self._known.about.get((tenant_id, public_id))
        return [] if found is None else [found]

    def _named(self, deliveries: Iterable[Delivery]) -> set[tuple[int, str]]:
        """Name the contacts that vendors were asked about, and those that may be meant."""
        asked = {(one.tenant_id, one.signal.about) for one in deliveries if one.signal.about}
        asked |= {
            (one.tenant_id, alike) for one in deliveries for alike in one.signal.possible_duplicates
        }
        return asked

    async def _read_about(self, deliveries: Iterable[Delivery]) -> None:
        """Find the contacts that are named by their ids."""
        asked = self._named(deliveries)
        if not asked:
            return
        tenants, names = zip(*asked, strict=True)
        for row in await self._connection.fetch(QUERIES["find_asked"], tenants, names):
            self._known.about[row["tenant_id"], row["public_id"]] = row["id"]

    async def _read_companies(
        self, domains: Iterable[tuple[int, str]], names: Iterable[tuple[int, str]]
    ) -> None:
        asked = [
            *((tenant, "domain", value) for tenant, value in domains),
            *((tenant, "name_normalized", value) for tenant, value in names),
        ]
        if not asked:
            return
        for row in await self._connection.fetch(QUERIES["find_companies"], asked):
            company = Company(row["id"], row["public_id"], row["name"])
            by_domain = row["kind"] == "domain"
            found = self._known.companies_by_domain if by_domain else self._known.companies_by_name
            found[row["tenant_id"], row["value"]] = company
            self._known.company_ids[company.public_id] = company.id

    async def _read_contacts(self, ids: set[int]) -> None:
        """Lock contacts in the order of their ids, then read them and what is claimed of them."""
        if not ids:
            return
        # A negative key is a contact: identifiers, which are locked before, are positive.
        await self._lock(-one for one in ids)
        known, wanted = self._known, sorted(ids)
        for row in await self._connection.fetch(QUERIES["get_contacts"], wanted):
            self._reshaped |= row["reshaped"] or row["status"] == "merged"
            known.contacts[row["id"]] = Contact(
                id=row["id"],
                public_id=row["public_id"],
                tenant_id=row["tenant_id"],
                version=row["version"],
                status=row["status"],
                reshaped_at=row["reshaped_at"],
            )
        await self._read_claims([one for one in wanted if one not in self._bystanders])
        for row in await self._connection.fetch(QUERIES["find_bindings"], wanted):
            contact = known.contacts[row["contact_id"]]
            contact.bindings[row["workspace_id"]] = row["id"]
            if row["is_owned"]:
                contact.owned.add(row["workspace_id"])
        if len(wanted) > 1:
            tenants = {contact.tenant_id for contact in known.contacts.values()}
            rows = await self._connection.fetch(
                QUERIES["find_asked_pairs"], wanted, sorted(tenants)
            )
            known.asked.update((row["contact_id_a"], row["contact_id_b"]) for row in rows)
        await self._read_company_ids()

    async def _read_claims(self, contacts: Sequence[int]) -> None:
        """Read all that is claimed, of contacts that are remembered what was claimed since."""
        known, remembered = self._known.contacts, self._remembered
        since = {
            one: version
            for one in contacts
            if not self._looking and (version := remembered.recall(known[one])) is not None
        }
        if since:
            rows = await self._connection.fetch(
                QUERIES["find_claims_since"], list(since), list(since.values())
            )
            for row in rows:
                known[row["contact_id"]].claims[row["record_key"]] = self._claim(row)
        strange = [one for one in contacts if one not in since]
        if strange:
            for row in await self._connection.fetch(QUERIES["find_claims"], strange):
                known[row["contact_id"]].claims[row["record_key"]] = self._claim(row)

    def _claim(self, row: asyncpg.Record) -> Claim:
        facts = _read_facts(row["facts"])
        return Claim(
            record_key=row["record_key"],
            source=self._sources[row["source_id"]],
            workspace_id=row["workspace_id"],
            confidence=row["confidence"],
            asserted_at=row["occurred_at"],
            facts=facts,
            groups=groups_of(facts),
        )

    async def _read_company_ids(self) -> None:
        """Find the rows of companies that earlier claims refer to."""
        named = {
            job.company_id
            for contact in self._known.contacts.values()
            for claim in contact.claims.values()
            for job in claim.facts.employments
            if job.company_id
        }
        missing = sorted(named - self._known.company_ids.keys())
        if missing:
            for row in await self._connection.fetch(QUERIES["get_company_ids"], missing):
                self._known.company_ids[row["public_id"]] = row["id"]


def _spans(deliveries: Iterable[Delivery]) -> list[Span]:
    """Return the records of a batch, sorted, with the first and the last moment stated of each."""
    spans: dict[tuple[int, bytes], tuple[datetime, datetime]] = {}
    for one in deliveries:
        name, at = (one.tenant_id, one.record_key), one.signal.occurred_at
        earliest, latest = spans.get(name, (at, at))
        spans[name] = min(earliest, at), max(latest, at)
    return [(name, *spans[name]) for name in sorted(spans)]


def lock_key(name: str) -> int:
    """Return the advisory lock of a value: a positive number of 32 bits.

    Two values that share one merely wait for one another.
    """
    return zlib.crc32(name.encode())
