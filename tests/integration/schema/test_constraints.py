"""What the specifications rule out, the tables refuse."""

import asyncio

import asyncpg
import pytest

from tests.integration.schema.conftest import Planted
from tests.support.planted import KEY, ROWS, ULID, plant

TWICE = [
    table
    for table in ROWS
    if table
    not in {
        "app.tenant",
        "app.workspace",
        "contact.contact_employment",  # several jobs may be alike until the resolver joins them
        "contact.match_decision",  # a pair may be decided anew
        "contact.contact_field_audit",
        "contact.blocking_key",
        "ingest.import_file",  # the same file may come again
    }
]
"""Tables that take no row a second time."""

CHECKS = {
    "a merged contact names its survivor": "UPDATE contact.contact SET status = 'merged'",
    "only a merged one does": "UPDATE contact.contact SET merged_into_id = 102 WHERE id = 101",
    "nobody is merged into himself": "UPDATE contact.contact"
    " SET status = 'merged', merged_into_id = id",
    "confidence is a share": "UPDATE contact.contact_identifier SET confidence = 1.01",
    "an identifier ends after it begins": "UPDATE contact.contact_identifier"
    " SET valid_from = '2020-02-02', valid_until = '2020-02-01'",
    "an e-mail too": "UPDATE contact.contact_email"
    " SET valid_from = '2020-02-02', valid_until = '2020-02-01'",
    "a phone too": "UPDATE contact.contact_phones"
    " SET valid_from = '2020-02-02', valid_until = '2020-02-01'",
    "a job's confidence": "UPDATE contact.contact_employment SET confidence = -0.1",
    "scores of a binding": "UPDATE contact.workspace_contact_binding SET engagement_score = 1.5",
    "candidates are in order": "UPDATE contact.contact_dedup_candidates SET contact_id_b = 100",
    "candidates of companies too": "UPDATE contact.org_dedup_candidates SET org_id_b = 201",
    "judgements are in order": "UPDATE contact.identity_judgement SET entity_id_b = 101",
    "thresholds are in order": "UPDATE contact.match_settings SET review_threshold = 0.7",
    "a probability is one": "UPDATE contact.match_decision SET probability = 1.1",
    "evidence is a list": "UPDATE contact.match_decision SET match_signals = '{}'",
    "a decision is of a pair, or of a record": "UPDATE contact.match_decision"
    " SET entity_id_b = NULL",
    "a merge has two sides": "UPDATE contact.contact_merge_log SET merged_from_id = 101",
    "a score is of a hundred": "UPDATE contact.contact_merge_log SET similarity_score = 101",
    "only people clear a shared value": "UPDATE contact.shared_identifier SET sharing = 'cleared'",
    "a company is not its own parent": "UPDATE contact.organisation SET parent_org_id = id",
    "a merged company names its survivor": "UPDATE contact.organisation SET status = 'merged'",
    "employees count": "UPDATE contact.organisation SET employee_count = -1",
    "money counts": "UPDATE contact.organisation SET total_funding_cents = -1",
    "a company is not its own client": "UPDATE contact.org_relation SET from_org_id = 201",
    "partners are kept once": "UPDATE contact.org_relation SET kind = 'partner'",
    "options belong to a choice": "UPDATE contact.custom_field SET options = '{a}'",
    "a choice has options": "UPDATE contact.custom_field SET type = 'select'",
    "money has a currency": "UPDATE contact.custom_field SET type = 'currency'",
    "a colour is one": "UPDATE contact.tag SET color = 'red'",
    "a smart group has a filter": "UPDATE contact.contact_group SET is_smart = true",
    "a manual one has none": "UPDATE contact.contact_group SET query_def = '{}'",
    "an activity ends after it begins": "UPDATE contact.activity"
    " SET ended_at = occurred_at - interval '1 second'",
    "audit is of bindings": "UPDATE contact.contact_field_audit SET entity_type = 'contact'",
}


@pytest.mark.parametrize("table", TWICE)
async def test_no_row_comes_twice(standing: Planted, table: str) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await standing.owner.execute(plant(table, standing.here))


@pytest.mark.parametrize("rule", CHECKS)
async def test_a_row_that_breaks_a_rule_is_refused(standing: Planted, rule: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await standing.owner.execute(CHECKS[rule])


ONE_OF_A_KIND = {
    "primary identifier": "INSERT INTO contact.contact_identifier (tenant_id, identifier_type,"
    " normalized_value, contact_id, source_id, created_at, is_primary)"
    " SELECT tenant_id, 'email', n::text, 101, 1, now(), true"
    " FROM contact.contact, generate_series(1, 2) AS n WHERE id = 101",
    "primary job": "INSERT INTO contact.contact_employment"
    " (tenant_id, contact_id, is_current, is_primary, source_id, created_at)"
    " SELECT tenant_id, 101, true, true, 1, now()"
    " FROM contact.contact, generate_series(1, 2) WHERE id = 101",
    "absorbed once": "INSERT INTO contact.contact_merge_log (tenant_id, merge_id,"
    " merged_into_id, merged_from_id, named_into_id, named_from_id, by_person, merge_reason,"
    f" absorbed_contact_snapshot) SELECT tenant_id, 'mrg_{ULID[:-1]}W', 101, 102, 101, 102,"
    " true, 'r', '{}' FROM contact.contact WHERE id = 101",
}


@pytest.mark.parametrize("kind", ONE_OF_A_KIND)
async def test_there_is_one_of_a_kind(standing: Planted, kind: str) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await standing.owner.execute(ONE_OF_A_KIND[kind])


async def test_what_is_over_makes_room(planted: Planted) -> None:
    """Undone merges, withdrawn judgements and values out of the gate no longer stand in the way."""
    for statement in (
        "UPDATE contact.contact_merge_log SET split_at = now(), merge_id = 'mrg_' || $1",
        "UPDATE contact.identity_judgement SET withdrawn_at = now(), id = 2 WHERE $1 <> ''",
        "UPDATE contact.contact_identifier SET deleted_at = now() WHERE $1 <> ''",
        "UPDATE contact.org_bindings SET deleted_at = now(), id = 303 WHERE $1 <> ''",
    ):
        if "identity_judgement" in statement:
            await planted.owner.execute("DELETE FROM contact.identity_judgement_record")
        await planted.owner.execute(statement, f"{ULID[:-1]}W")
    for table in (
        "contact.contact_merge_log",
        "contact.identity_judgement",
        "contact.contact_identifier",
        "contact.org_bindings",
    ):
        await planted.owner.execute(plant(table, planted.here))


async def test_a_contact_takes_its_details_along(planted: Planted) -> None:
    """Foreign keys of what is seldom written; a snapshot in the merge log forbids forgetting."""
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await planted.owner.execute("DELETE FROM contact.contact WHERE id = 101")
    await planted.owner.execute("DELETE FROM contact.contact_merge_log")
    await planted.owner.execute("DELETE FROM contact.contact WHERE id = 101")
    for table in (
        "contact_activities",
        "shared_identifier_contact",
        "contact_latest_data",
    ):
        assert await planted.owner.fetchval(f"SELECT count(*) FROM contact.{table}") == 0, table
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await planted.owner.execute("DELETE FROM contact.organisation WHERE id = 201")
    await planted.owner.execute(
        "DELETE FROM contact.org_merge_log; DELETE FROM contact.org_identifier"
    )
    await planted.owner.execute("DELETE FROM contact.organisation WHERE id = 201")
    for table in ("org_funding_event", "org_technologies", "org_phones", "org_bindings"):
        assert await planted.owner.fetchval(f"SELECT count(*) FROM contact.{table}") == 0, table
    assert await planted.owner.fetchval("SELECT org_id FROM contact.contact_employment") is None


async def test_parents_make_no_circle(planted: Planted) -> None:
    await planted.owner.execute(
        "UPDATE contact.organisation SET parent_org_id = 201 WHERE id = 202"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await planted.owner.execute(
            "UPDATE contact.organisation SET parent_org_id = 202 WHERE id = 201"
        )


async def test_two_writers_close_no_circle_between_them(planted: Planted) -> None:
    other = await asyncpg.connect(planted.dsn("kith_resolver"))
    try:
        async with planted.owner.transaction():
            await planted.owner.execute(
                "UPDATE contact.organisation SET parent_org_id = 201 WHERE id = 202"
            )
            second = asyncio.create_task(
                other.execute("UPDATE contact.organisation SET parent_org_id = 202 WHERE id = 201")
            )
            await asyncio.sleep(0.2)
            assert not second.done()
        with pytest.raises(asyncpg.CheckViolationError):
            await second
    finally:
        await other.close()


FIELDS = (
    "INSERT INTO contact.custom_field"
    " (public_id, tenant_id, workspace_id, entity_type, key, label, type)"
    " SELECT 'fld_' || lpad(($1::int + n)::text, 26, '0'), $2, $3, 'contact',"
    " 'k' || ($1::int + n), 'K', 'text' FROM generate_series(1, $4::int) AS n"
)


async def test_a_workspace_has_at_most_200_fields_of_its_own(planted: Planted) -> None:
    tenant, workspace = planted.here.tenant_id, planted.here.workspace_id
    await planted.owner.execute(FIELDS, 1000, tenant, workspace, 199)
    with pytest.raises(asyncpg.CheckViolationError, match="200 fields"):
        await planted.owner.execute(FIELDS, 2000, tenant, workspace, 1)
    await planted.owner.execute(FIELDS, 3000, tenant, planted.beside.workspace_id, 200)
    await planted.owner.execute(
        "UPDATE contact.custom_field SET archived_at = now() WHERE key = 'k1001'"
    )
    await planted.owner.execute(FIELDS, 2000, tenant, workspace, 1)
    with pytest.raises(asyncpg.CheckViolationError, match="200 fields"):
        await planted.owner.execute(
            "UPDATE contact.custom_field SET archived_at = NULL WHERE key = 'k1001'"
        )


async def test_every_key_begins_with_the_tenant_or_a_row_of_the_tenants_own(
    planted: Planted,
) -> None:
    """DESIGN 4.1: two tenants never collide.

    Primary keys and public ids aside, a unique key begins with `tenant_id`, or with the number of
    a row that belongs to one tenant, which says as much.
    """
    rows = await planted.owner.fetch(
        "SELECT i.indexrelid::regclass::text AS name,"
        " (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid"
        "  AND attnum = i.indkey[0]) AS first"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " WHERE i.indisunique AND NOT i.indisprimary AND NOT c.relispartition"
        " AND c.relnamespace = 'contact'::regnamespace"
    )
    assert rows
    for row in rows:
        assert row["first"] in {
            "tenant_id",
            "public_id",
            "contact_id",
            "workspace_contact_binding_id",
            "source_provider",
        }, row["name"]


async def test_companies_are_found_by_name_within_their_tenant(planted: Planted) -> None:
    await planted.owner.execute(
        "INSERT INTO contact.organisation"
        " (id, tenant_id, public_id, name, source_id, version, created_at, updated_at)"
        " VALUES (203, 77, 'cmp_3', 'Acme Elsewhere', 1, 1, now(), now()),"
        f" (204, {planted.here.tenant_id}, 'cmp_4', 'Lovelace Engines', 1, 1, now(), now())"
    )
    api = await asyncpg.connect(planted.dsn("kith_api"))
    try:

        async def names(query: str) -> list[str]:
            rows = await api.fetch(
                "SELECT name FROM contact.find_organisations($1, $2, 10)",
                planted.here.tenant_id,
                query,
            )
            return [row["name"] for row in rows]

        assert await names("acme") == ["Acme", "Acme Germany"]
        assert await names("lovlace engins") == ["Lovelace Engines"]
        assert await names("ger acm") == ["Acme Germany"]
        assert await names("engine") == ["Lovelace Engines"]
        assert await names("'; DROP TABLE") == []
        assert await names(" ") == []
    finally:
        await api.close()


async def test_evidence_reads_signal_by_signal(planted: Planted) -> None:
    row = await planted.owner.fetchrow(
        "SELECT position, signal, level, weight, left_value, right_value FROM contact.match_signal"
    )
    assert row
    assert tuple(row) == (1, "email", "equal", 9.5, "a", "a")


async def test_a_blocking_key_is_looked_up_by_its_index(planted: Planted) -> None:
    await planted.owner.execute(
        "INSERT INTO contact.blocking_key"
        f" SELECT {planted.here.tenant_id}, n % 5000, n, {KEY} FROM generate_series(1, 20000) AS n;"
        "ANALYZE contact.blocking_key"
    )
    plan = await planted.owner.fetch(
        "EXPLAIN SELECT hit.contact_id FROM unnest($1::bigint[]) AS asked (key)"
        " CROSS JOIN LATERAL (SELECT contact_id FROM contact.blocking_key AS b"
        f" WHERE b.tenant_id = {planted.here.tenant_id} AND b.key = asked.key LIMIT 50) AS hit",
        [1, 2, 3],
    )
    assert any("blocking_key_block" in row[0] for row in plan)
