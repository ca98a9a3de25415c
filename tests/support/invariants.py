"""What must always hold (runtime 3.4), asked of a database; integration, e2e and chaos ask it."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg

from shared.events import topics
from shared.events.codec import parse_event
from shared.events.contact import CompanyEvent, ContactEvent
from shared.events.derived import Derived, derived
from shared.events.fold import ContactState, VersionGapError, fold, fold_activities
from shared.events.jobs import JobKey, job_key

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


@dataclass
class Broken:
    """What does not hold: one line each, naming rows by their public ids."""

    lines: list[str] = field(default_factory=list)

    def add(self, invariant: str, what: str) -> None:
        """Note a violation."""
        self.lines.append(f"{invariant}: {what}")

    def none(self, invariant: str, rows: list[asyncpg.Record], what: str) -> None:
        """Note every row as a violation."""
        for row in rows:
            self.add(invariant, f"{what}: {dict(row)}")


async def streams(
    connection: Connection, tenant_id: int | None = None
) -> dict[str, list[ContactEvent]]:
    """Read the events of every contact (of a tenant), in order."""
    types = {model.__name__: name for name, model in topics.EVENTS.messages.items()}
    found: dict[str, list[ContactEvent]] = defaultdict(list)
    for row in await connection.fetch(
        "SELECT entity_public_id, event_type, payload FROM contact.contact_event"
        " WHERE $1::bigint IS NULL OR tenant_id = $1 ORDER BY entity_id, sequence_number",
        tenant_id,
    ):
        event = parse_event(types[row["event_type"]], row["payload"])
        assert not isinstance(event, CompanyEvent)
        found[row["entity_public_id"]].append(event)
    return found


async def check_database(connection: Connection, tenant_id: int | None = None) -> list[str]:
    """Check I1 to I5 as far as the resolver's tables tell (of a tenant); an empty list is good."""
    broken = Broken()
    await check_tables(connection, tenant_id, await folded(connection, tenant_id), broken)
    return broken.lines


async def check_tables(
    connection: Connection,
    tenant_id: int | None,
    states: Mapping[str, ContactState],
    broken: Broken,
) -> None:
    """Check the same, where the fold of all events is there already."""
    await _no_loss(connection, broken, tenant_id)
    await _no_doubles(connection, broken, tenant_id)
    await _no_orphans(connection, broken, tenant_id)
    await _fold_equals_tables(connection, broken, tenant_id, dict(states))
    await _companies_are_as_told(connection, broken, tenant_id)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM contact.activity)"):
        await _activities_fold(connection, broken, tenant_id)


_COMPANIES = """
SELECT o.public_id, o.version, told.sequence_number, o.name
FROM contact.organisation AS o
LEFT JOIN LATERAL (
    SELECT e.sequence_number, e.payload, e.payload -> 'shape' -> 'profile' AS profile
    FROM contact.organisation_event AS e WHERE e.entity_id = o.id
    ORDER BY e.sequence_number DESC LIMIT 1
) AS told ON true
WHERE ($1::bigint IS NULL OR o.tenant_id = $1) AND (
    o.version IS DISTINCT FROM told.sequence_number
    OR o.version <> (SELECT count(*) FROM contact.organisation_event WHERE entity_id = o.id)
    OR o.name IS DISTINCT FROM coalesce(told.payload -> 'shape', told.payload) ->> 'name'
    OR o.industry IS DISTINCT FROM told.profile ->> 'industry'
    OR o.employee_count::text IS DISTINCT FROM told.profile ->> 'employee_count'
    OR o.city IS DISTINCT FROM told.profile ->> 'city'
    OR o.latest_funding_date::text IS DISTINCT FROM told.profile ->> 'latest_funding_date'
    OR o.linkedin_url IS DISTINCT FROM told.profile ->> 'linkedin_url')
"""


async def _companies_are_as_told(
    connection: Connection, broken: Broken, tenant_id: int | None
) -> None:
    """Check that companies are what their newest events say, and have no version missing."""
    rows = await connection.fetch(_COMPANIES, tenant_id)
    broken.none("I5", rows, "a company is not what its events tell")
    twice = await connection.fetch(
        "SELECT encode(record_key, 'hex') AS record FROM contact.org_source_record"
        " WHERE superseded_at IS NULL AND ($1::bigint IS NULL OR tenant_id = $1)"
        " GROUP BY tenant_id, record_key HAVING count(*) > 1",
        tenant_id,
    )
    broken.none("I2", twice, "a company's record with two present versions")


async def _no_loss(connection: Connection, broken: Broken, tenant_id: int | None) -> None:
    broken.none(
        "I1",
        await connection.fetch(
            "SELECT encode(r.record_key, 'hex') AS record, r.revision"
            " FROM contact.source_record r"
            " WHERE ($1::bigint IS NULL OR r.tenant_id = $1)"
            " AND r.superseded_at IS DISTINCT FROM r.applied_at AND NOT EXISTS ("
            # What came too late because of an import that was taken back has the order's event.
            "   SELECT FROM contact.source_record u WHERE u.tenant_id = r.tenant_id"
            "   AND u.record_key = r.record_key AND u.undone_at IS NOT NULL) AND NOT EXISTS ("
            "   SELECT FROM contact.contact_event e"
            "   WHERE e.tenant_id = r.tenant_id AND e.cause = r.signal_id)",
            tenant_id,
        ),
        "a delivery was applied without an event",
    )


async def _no_doubles(connection: Connection, broken: Broken, tenant_id: int | None) -> None:
    broken.none(
        "I2",
        # A sender may use one id for several versions of a record: each has its own event. Who
        # is merged for what a signal said, or parted, may tell workspaces so on its behalf.
        await connection.fetch(
            "SELECT e.entity_public_id, e.cause, e.event_type, count(*)"
            " FROM contact.contact_event e WHERE ($1::bigint IS NULL OR e.tenant_id = $1)"
            " AND e.event_type IN ('ContactCreated', 'FactAsserted', 'BindingChanged')"
            " GROUP BY e.entity_id, e.workspace_id, 1, 2, 3 HAVING count(*) > 1 AND count(*) > ("
            "   SELECT count(*) FROM contact.source_record r"
            "   WHERE r.tenant_id = min(e.tenant_id) AND r.signal_id = e.cause) + CASE"
            "   WHEN e.event_type = 'BindingChanged' THEN (SELECT count(*)"
            "     FROM contact.contact_event d WHERE d.entity_id = e.entity_id"
            "     AND d.cause = e.cause AND d.event_type IN ('ContactsMerged', 'ContactsSplit'))"
            "   ELSE 0 END",
            tenant_id,
        ),
        "an event twice for one signal",
    )
    broken.none(
        "I2",
        await connection.fetch(
            "SELECT tenant_id, encode(record_key, 'hex') AS record FROM contact.source_record"
            " WHERE superseded_at IS NULL AND ($1::bigint IS NULL OR tenant_id = $1)"
            " GROUP BY 1, 2 HAVING count(*) <> 1",
            tenant_id,
        ),
        "a record with two present versions",
    )
    broken.none(
        "I2",
        await connection.fetch(
            "SELECT tenant_id, identifier_type::text, count(*) FROM contact.contact_identifier"
            " WHERE deleted_at IS NULL AND ($1::bigint IS NULL OR tenant_id = $1)"
            " GROUP BY 1, 2, normalized_value HAVING count(*) > 1",
            tenant_id,
        ),
        "an identifier held twice",
    )


async def _no_orphans(connection: Connection, broken: Broken, tenant_id: int | None) -> None:
    for table in (
        "contact_identifier",
        "contact_email",
        "contact_phones",
        "contact_employment",
        "blocking_key",
        "workspace_contact_binding",
        "source_record",
    ):
        broken.none(
            "I3",
            await connection.fetch(
                f"SELECT contact_id FROM contact.{table} t"
                " WHERE ($1::bigint IS NULL OR t.tenant_id = $1) AND NOT EXISTS ("
                " SELECT FROM contact.contact c"
                " WHERE c.id = t.contact_id AND c.tenant_id = t.tenant_id)",
                tenant_id,
            ),
            f"{table} without its contact",
        )
    broken.none(
        "I3",
        await connection.fetch(
            "SELECT c.public_id FROM contact.contact c"
            " WHERE ($1::bigint IS NULL OR c.tenant_id = $1) AND (c.version <> ("
            " SELECT coalesce(max(sequence_number), 0) FROM contact.contact_event e"
            " WHERE e.entity_id = c.id)"
            " OR NOT EXISTS (SELECT FROM contact.contact_latest_data l WHERE l.contact_id = c.id))",
            tenant_id,
        ),
        "a contact whose version is not its newest event's, or without authoritative binding",
    )


async def _activities_fold(connection: Connection, broken: Broken, tenant_id: int | None) -> None:
    """Check that a contact's events tell whose timelines activities are on, and nothing else."""
    told = {
        (contact, activity, role)
        for contact, events in (await streams(connection, tenant_id)).items()
        for activity, event in fold_activities(events).items()
        for role in event.roles
    }
    kept = {
        (row["contact"], row["activity"], row["role"])
        for row in await connection.fetch(
            "SELECT c.public_id AS contact, a.public_id AS activity, p.role"
            " FROM contact.contact_activities p JOIN contact.activity a ON a.id = p.activity_id"
            " JOIN contact.contact c ON c.id = p.contact_id"
            " WHERE $1::bigint IS NULL OR p.tenant_id = $1",
            tenant_id,
        )
    }
    for one in sorted(told - kept):
        broken.add("I5", f"told and in no table: {one}")
    for one in sorted(kept - told):
        broken.add("I5", f"in the table and not told: {one}")
    broken.none(
        "I2",
        await connection.fetch(
            "SELECT tenant_id, encode(record_key, 'hex') AS record FROM contact.activity_record"
            " WHERE superseded_at IS NULL AND ($1::bigint IS NULL OR tenant_id = $1)"
            " GROUP BY 1, 2 HAVING count(*) <> 1",
            tenant_id,
        ),
        "an activity with two present versions",
    )


async def folded(connection: Connection, tenant_id: int | None = None) -> dict[str, ContactState]:
    """Fold every contact (of a tenant) from its events; one whose versions have a gap is absent."""
    states: dict[str, ContactState] = {}
    for contact, events in (await streams(connection, tenant_id)).items():
        with suppress(VersionGapError):
            state = fold(None, events)
            if state:
                states[contact] = state
    return states


async def _fold_equals_tables(
    connection: Connection,
    broken: Broken,
    tenant_id: int | None,
    states: dict[str, ContactState],
) -> None:
    for row in await connection.fetch(_TABLES, tenant_id):
        state = states.pop(row["public_id"], None)
        if state is None:
            broken.add("I5", f"{row['public_id']}: no events, or versions have a gap")
        elif (told := _of_state(state)) != (kept := _of_row(row)):
            wrong = [name for name in told if told[name] != kept[name]]
            broken.add("I5", f"{row['public_id']}: tables differ from events in {wrong}")
    for contact in states:
        broken.add("I5", f"{contact}: events without a contact")


_TABLES = """
WITH held AS (
    SELECT contact_id, array_agg(identifier_type || ':' || normalized_value) AS identifiers
    FROM contact.contact_identifier
    WHERE deleted_at IS NULL AND status <> 'inactive'
        AND ($1::bigint IS NULL OR tenant_id = $1)
    GROUP BY 1
), pairs AS (
    SELECT tenant_id, contact_id_a AS one, contact_id_b AS other
    FROM contact.contact_dedup_candidates WHERE status = 'open'
    UNION ALL
    SELECT tenant_id, contact_id_b, contact_id_a
    FROM contact.contact_dedup_candidates WHERE status = 'open'
), proposed AS (
    -- Candidates of an absorbed contact are its survivor's.
    SELECT coalesce(c.merged_into_id, c.id) AS one, array_agg(DISTINCT o.public_id) AS candidates
    FROM pairs p JOIN contact.contact c ON c.id = p.one JOIN contact.contact o ON o.id = p.other
    WHERE $1::bigint IS NULL OR p.tenant_id = $1 GROUP BY 1
), employed AS (
    SELECT contact_id, count(*) AS jobs FROM contact.contact_employment
    WHERE $1::bigint IS NULL OR tenant_id = $1 GROUP BY 1
), bound AS (
    SELECT contact_id, count(*) AS workspaces FROM contact.workspace_contact_binding
    WHERE deleted_at IS NULL AND ($1::bigint IS NULL OR tenant_id = $1) GROUP BY 1
)
SELECT c.public_id, c.status::text, c.version, s.public_id AS survivor,
       b.first_name, b.last_name, b.full_name, b.title, b.headline, b.primary_email,
       b.seniority, b.departments, b.timezone, b.avatar_url,
       b.primary_phone, b.city, b.state, b.country, b.current_org_name,
       org.public_id AS company,
       coalesce(held.identifiers, '{}') AS identifiers,
       coalesce(proposed.candidates, '{}') AS candidates,
       coalesce(employed.jobs, 0) AS jobs,
       coalesce(bound.workspaces, 0) AS workspaces
FROM contact.contact c
JOIN contact.contact_latest_data l ON l.contact_id = c.id
LEFT JOIN contact.workspace_contact_binding b
    ON b.id = l.workspace_contact_binding_id AND b.deleted_at IS NULL
LEFT JOIN contact.contact s ON s.id = c.merged_into_id
LEFT JOIN contact.organisation org ON org.id = b.current_org_id
LEFT JOIN held ON held.contact_id = c.id
LEFT JOIN proposed ON proposed.one = c.id
LEFT JOIN employed ON employed.contact_id = c.id
LEFT JOIN bound ON bound.contact_id = c.id
WHERE $1::bigint IS NULL OR c.tenant_id = $1
"""

_COLUMNS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "full_name": "display_name",
    "title": "job_title",
    "headline": "headline",
    "primary_email": "email_primary",
    "primary_phone": "phone_primary",
    "city": "city",
    "state": "state",
    "country": "country",
    "current_org_name": "company_name",
    "company": "company_id",
    "avatar_url": "avatar_url",
}


def _of_state(state: ContactState) -> dict[str, object]:
    return {
        **{column: state.fields.get(name) for column, name in _COLUMNS.items()},
        "derived": derived(state.fields),
        "status": state.status,
        "version": state.version,
        "identifiers": sorted(f"{one.type}:{one.value}" for one in state.identifiers),
        "candidates": sorted(state.candidates),
        "jobs": len(_jobs(state)),
        # Who knew an absorbed contact is led on; nobody is bound to it.
        "workspaces": 0 if state.survivor_id else len(state.bindings),
        "merged": state.survivor_id is not None,
    }


def _jobs(state: ContactState) -> set[JobKey]:
    """Jobs as the resolver tells them apart: by employer, title and start."""
    return {job_key(job) for job in state.employments if job.company_domain or job.company_name}


def _of_row(row: asyncpg.Record) -> dict[str, object]:
    return {
        **{column: row[column] for column in _COLUMNS},
        "derived": Derived(row["seniority"], tuple(row["departments"] or ()), row["timezone"]),
        "status": row["status"],
        "version": row["version"],
        "identifiers": sorted(row["identifiers"]),
        "candidates": sorted(row["candidates"]),
        "jobs": row["jobs"],
        "workspaces": row["workspaces"],
        "merged": row["survivor"] is not None,
    }
