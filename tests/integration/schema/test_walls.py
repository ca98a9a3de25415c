"""No row is seen past its tenant, and no private one past its workspace: table by table.

Every table of the catalogue is tried, so that a new one without its walls, or without a row in
`tests/support/planted.py`, fails here.
"""

from collections.abc import Iterable

import asyncpg

from shared.auth import Place
from tests.integration.schema.conftest import Planted
from tests.support.planted import ROWS

OF_ALL_TENANTS = {
    "contact.data_source",  # the registry of sources, the same for everyone
    "contact.outbox",  # a queue of the relay's, emptied at once; no reader but it
    "contact.kafka_offset",
    "contact.snapshot_cursor",  # a place in the log; the resolver's
    "enrichment.kafka_offset",
    "search.kafka_offset",
    "read.kafka_offset",
    "read.projection_state",
    "app.dead_letter_resolution",  # by place in a topic; the operator's
    "app.schema_version",
    "contact.schema_version",
    "read.schema_version",
    "search.schema_version",
    "enrichment.schema_version",
    "ingest.schema_version",
}
"""Tables about the installation: no tenant's data, each with its reason."""

SHARED_THOUGH_A_WORKSPACE_IS_NAMED = {
    "contact.contact_merge_log",  # two shared contacts are one for all; it names who found out
    "contact.org_source_record",  # companies are the tenant's; it names whose import brought it
    "contact.org_merge_log",
}

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relrowsecurity AS walled,
       c.relispartition AS is_partition,
       bool_or(a.attname = 'tenant_id') AS of_a_tenant,
       bool_or(a.attname = 'workspace_id') AS of_a_workspace,
       EXISTS (SELECT FROM pg_policies p WHERE p.schemaname = n.nspname
               AND p.tablename = c.relname AND 'kith_api' = ANY(p.roles)) AS for_the_api
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('app', 'contact', 'read', 'search', 'enrichment', 'ingest')
    AND c.relkind IN ('r', 'p')
GROUP BY n.nspname, c.relname, c.oid ORDER BY 1
"""


async def test_every_table_has_walls_or_a_reason(planted: Planted) -> None:
    """Partitions are reached through their parents: only who sees all tenants may name them."""
    for table in await planted.owner.fetch(TABLES):
        if table["is_partition"]:
            allowed = await planted.owner.fetch(
                "SELECT DISTINCT grantee::regrole::text AS role"
                " FROM aclexplode((SELECT relacl FROM pg_class WHERE oid = $1::regclass))",
                table["name"],
            )
            assert {row["role"] for row in allowed} <= {
                "kith_migrator",
                "kith_resolver",
                "kith_cli",
            }, table["name"]
        elif table["name"] not in OF_ALL_TENANTS:
            assert table["walled"], f"{table['name']} has no row-level security"
            assert table["name"] in ROWS, f"{table['name']}: plant a row in planted.py"
    assert not await planted.owner.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'kith%' AND (rolsuper OR rolbypassrls)"
    )


async def seen(
    planted: Planted, place: Place, key: str, tables: Iterable[str] = ROWS
) -> dict[str, int]:
    """Count what the api would see of `here`'s rows from a place, were it granted all tables."""
    api = await asyncpg.connect(planted.dsn("kith_api"))
    try:
        async with api.transaction():
            await api.execute(
                "SELECT set_config('kith.tenant_id', $1, true),"
                " set_config('kith.workspace_id', $2, true)",
                str(place.tenant_id),
                str(place.workspace_id),
            )
            return {
                table: await api.fetchval(
                    f"SELECT count(*) FROM {table}"
                    f" WHERE {'id' if table == 'app.tenant' else key} = $1",
                    planted.here.tenant_id,
                )
                for table in tables
            }
    finally:
        await api.close()


async def test_no_row_is_seen_past_its_walls(planted: Planted) -> None:
    """Also where a grant was given in error: the wall is the policy, not the grant."""
    for schema in ("app", "contact", "read", "search", "enrichment", "ingest"):
        await planted.owner.execute(
            f"GRANT USAGE ON SCHEMA {schema} TO kith_api;"
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO kith_api"
        )
    tables = {row["name"]: row for row in await planted.owner.fetch(TABLES)}
    here = await seen(planted, planted.here, "tenant_id")
    beside = await seen(planted, planted.beside, "tenant_id")
    elsewhere = await seen(planted, planted.elsewhere, "tenant_id")
    nowhere = await seen(planted, Place(0, 0, "", ""), "tenant_id")
    crossed = await seen(
        planted,
        Place(planted.elsewhere.tenant_id, planted.here.workspace_id, "", ""),
        "tenant_id",
    )
    for name in ROWS:
        table = tables[name]
        private = table["of_a_workspace"] and name not in SHARED_THOUGH_A_WORKSPACE_IS_NAMED
        assert (here[name] > 0) == table["for_the_api"], name
        assert elsewhere[name] == nowhere[name] == crossed[name] == 0, name
        if name == "app.workspace":
            continue  # each sees its own: one row of the tenant from either
        assert beside[name] == (0 if private else here[name]), name


VIEWS = """
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       coalesce(c.reloptions @> '{security_invoker=true}', false) AS is_walled
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('app', 'contact', 'read', 'search', 'enrichment', 'ingest')
    AND c.relkind IN ('v', 'm') ORDER BY 1
"""


HIDDEN = {
    "contact.contact_digest",
    "contact.contact_identifiers",
    "contact.contact_score",
    "contact.contact_tags",
    "contact.group_members",
}
"""Views over tables that the api sees nothing of: it asks functions that take the place."""


TENANTS = {
    "contact.match_signal",
    "contact.org_funding_event",
    "contact.org_technologies",
    "contact.org_phones",
    "contact.org_history",
}
"""Views over tables that all workspaces of a tenant share."""


async def test_a_view_shows_what_its_tables_show(planted: Planted) -> None:
    """A view of its owner's rights would see past every wall."""
    views = await planted.owner.fetch(VIEWS)
    assert all(view["is_walled"] for view in views), views
    await planted.owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA contact TO kith_api")
    names = [view["name"] for view in views]
    assert set(names) >= {
        "contact.contact_addresses",
        "contact.contact_identifiers",
        "contact.contact_education",
        "contact.contact_tags",
        "contact.group_members",
        "contact.contact_skills",
        "contact.contact_certifications",
        "contact.contact_languages",
        "contact.contact_social_posts",
        *TENANTS,
        "contact.contact_key_dates",
        "contact.contact_social_profiles",
    }
    places = (planted.here, planted.beside, planted.elsewhere)
    for name in names:
        here, beside, elsewhere = [
            (await seen(planted, place, "tenant_id", [name]))[name] for place in places
        ]
        if name in HIDDEN:
            assert (here, beside, elsewhere) == (0, 0, 0), name
            continue
        private = name not in TENANTS
        assert here > 0, name
        assert (beside, elsewhere) == (0 if private else here, 0), name


async def test_planted_rows_are_all_there(planted: Planted) -> None:
    """What is looked for above exists: an empty table would hide everything."""
    for table in ROWS:
        assert await planted.owner.fetchval(f"SELECT count(*) FROM {table}") > 0, table


async def test_only_its_service_writes_a_table(planted: Planted) -> None:
    """No foreign role may write in schema contact; the relay may only delete what it published."""
    rows = await planted.owner.fetch(
        "SELECT c.relname AS name, acl.grantee::regrole::text AS role, acl.privilege_type AS what"
        " FROM pg_class c, aclexplode(c.relacl) acl"
        " WHERE c.relnamespace = 'contact'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND acl.privilege_type <> 'SELECT'"
    )
    writers = {(row["role"], row["what"], row["name"]) for row in rows}
    assert {one for one in writers if one[0] not in ("kith_migrator", "kith_resolver")} == {
        ("kith_relay", "DELETE", "outbox")
    }
    assert ("kith_resolver", "UPDATE", "contact_field_audit") not in writers
    assert ("kith_resolver", "INSERT", "data_source") not in writers
