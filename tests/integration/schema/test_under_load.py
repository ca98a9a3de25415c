"""From the release before, with its rows, while its writers write: nobody waits a second."""

import asyncio
from itertools import count
from pathlib import Path
from shutil import copy
from uuid import uuid4

import asyncpg
import pytest

from kith.migrate import PACKAGES
from shared.postgres.migrate import migrate

RELEASED = "0001_pre_contact_schema.sql"

ROWS = """
INSERT INTO contact.contact
    (id, tenant_id, public_id, status, source_id, version, created_at, updated_at)
    SELECT n, 1, 'con_' || n, 'active', 2, 1, now(), now() FROM generate_series(1, 20000) AS n;
INSERT INTO contact.contact_identifier
    (tenant_id, identifier_type, normalized_value, contact_id, source_id, created_at)
    SELECT 1, 'email', n || '@acme.test', n, 2, now() FROM generate_series(1, 20000) AS n;
INSERT INTO contact.organisation
    (id, tenant_id, public_id, name, primary_domain, source_id, version, created_at, updated_at)
    SELECT n, 1, 'cmp_' || n, 'Company ' || n, n || '.test', 2, 1, now(), now()
    FROM generate_series(1, 5000) AS n;
INSERT INTO contact.workspace_contact_binding
    (id, tenant_id, workspace_id, contact_id, title, created_at, updated_at)
    SELECT n, 1, 1, n, 'CTO', now(), now() FROM generate_series(1, 20000) AS n;
"""

BATCH = """
WITH drawn AS (SELECT $1::bigint * 1000 + n AS id FROM generate_series(1, 50) AS n),
contacts AS (
    INSERT INTO contact.contact
        (id, tenant_id, public_id, status, source_id, version, created_at, updated_at)
    SELECT id, 1, 'con_' || id, 'active', 2, 1, now(), now() FROM drawn),
companies AS (
    INSERT INTO contact.organisation
        (id, tenant_id, public_id, name, source_id, version, created_at, updated_at)
    SELECT id, 1, 'cmp_' || id, 'Company', 2, 1, now(), now() FROM drawn),
records AS (
    INSERT INTO contact.source_record (tenant_id, workspace_id, source_id, record_key, revision,
        content_hash, signal_id, occurred_at, received_at, applied_at, contact_id,
        applied_version, confidence, facts, raw)
    SELECT 1, 1, 2, decode(md5(id::text), 'hex'), 1, decode(md5(id::text), 'hex'), 's', now(),
        now(), now(), id, 1, 1, '{}', '{}' FROM drawn),
identifiers AS (
    INSERT INTO contact.contact_identifier
        (tenant_id, identifier_type, normalized_value, contact_id, source_id, created_at)
    SELECT 1, 'email', id || '@load.test', id, 2, now() FROM drawn),
emails AS (
    INSERT INTO contact.contact_email (tenant_id, contact_id, email, source_id, created_at)
    SELECT 1, id, id || '@load.test', 2, now() FROM drawn),
phones AS (
    INSERT INTO contact.contact_phones
        (tenant_id, contact_id, e164_number, source_id, created_at)
    SELECT 1, id, '+' || id, 2, now() FROM drawn),
jobs AS (
    INSERT INTO contact.contact_employment
        (tenant_id, contact_id, company_name, is_current, source_id, created_at)
    SELECT 1, id, 'Acme', true, 2, now() FROM drawn),
bindings AS (
    INSERT INTO contact.workspace_contact_binding
        (id, tenant_id, workspace_id, contact_id, created_at, updated_at)
    SELECT id, 1, 1, id, now(), now() FROM drawn)
INSERT INTO contact.contact_dedup_candidates
    (tenant_id, contact_id_a, contact_id_b, reason, evidence, created_at)
SELECT 1, id, id + 1, 'r', '[]', now() FROM drawn
"""


@pytest.fixture
def previous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Name the packages of the release before: schema contact as 0001 alone makes it."""
    package = f"previous_{uuid4().hex[:12]}"
    (tmp_path / package / "migrations").mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    copy(f"services/resolver/sql/migrations/{RELEASED}", tmp_path / package / "migrations")
    monkeypatch.syspath_prepend(tmp_path)
    return [(schema, package if schema == "contact" else own) for schema, own in PACKAGES]


async def write_until(done: asyncio.Event, dsn: str, numbers: "count[int]") -> int:
    """Write batches as a resolver does, none of which may wait a second; returns how many."""
    connection = await asyncpg.connect(dsn, server_settings={"lock_timeout": "1s"})
    batches = 0
    try:
        while not done.is_set():
            async with connection.transaction():
                await connection.execute(BATCH, next(numbers))
                await connection.execute(
                    "UPDATE contact.contact SET version = version + 1 WHERE id = ANY($1);", [1, 2]
                )
                await connection.execute(
                    "UPDATE contact.workspace_contact_binding SET city = 'Bonn' WHERE id = 3"
                )
            batches += 1
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
    return batches


async def test_writers_never_wait_a_second(
    dsn: str, owner: asyncpg.Connection, previous: list[tuple[str, str]]
) -> None:
    """PostgreSQL itself tells: a wait for a lock of more than a second ends the writer's batch."""
    assert await migrate(dsn, previous) > 0
    await owner.execute(ROWS)
    done, numbers = asyncio.Event(), count(1000)
    writers = [asyncio.create_task(write_until(done, dsn, numbers)) for _ in range(2)]
    try:
        await asyncio.sleep(0.5)
        assert await migrate(dsn, PACKAGES) > 5
        await asyncio.sleep(0.5)
    finally:
        done.set()
        written = sum(await asyncio.gather(*writers))
    assert written > 0
    contacts = await owner.fetchval("SELECT count(*) FROM contact.contact")
    assert contacts == 20000 + 50 * written
    assert await owner.fetchval(
        "SELECT count(*) FROM contact.contact_identifier WHERE status = 'active'"
    ) == (20000 + 50 * written)
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    assert await owner.fetch(invalid) == []
    unproven = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
    assert await owner.fetch(unproven) == []
