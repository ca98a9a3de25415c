"""docs/schema.md is the catalogue: no table without a line, no line without a table."""

import re
from pathlib import Path

from tests.integration.schema.conftest import Planted

PAGE = Path(__file__).parents[3] / "docs/schema.md"

COLUMNS = """
SELECT format('%s.%s', n.nspname, c.relname) AS name, array_agg(a.attname::text) AS columns,
       bool_or(c.relispartition) AS is_partition, bool_or(c.relrowsecurity) AS walled
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('app', 'contact', 'read', 'search', 'enrichment', 'ingest')
    AND c.relkind = ANY ($1::text[]) AND c.relname <> 'schema_version'
GROUP BY 1
"""
TABLES, VIEWS = ["r", "p"], ["v"]
"""Kinds of relations, as `pg_class` has them."""


def section(title: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    text = PAGE.read_text().split(f"## {title}")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in rows[1:]]


async def test_every_table_is_on_the_page(standing: Planted) -> None:
    """With its wall: `none` is said of tables without row-level security, or without tenants."""
    tables = {
        row["name"]: row
        for row in await standing.owner.fetch(COLUMNS, TABLES)
        if not row["is_partition"]
    }
    told = {cells[0].strip("`"): cells for cells in section("Which table holds what")}
    assert told.keys() == tables.keys()
    for name, (_, holds, wall) in told.items():
        columns = tables[name]["columns"]
        assert holds
        assert wall in {"none", "tenant", "workspace", "workspace, or tenant where shared"}, name
        assert (wall == "none") == ("tenant_id" not in columns and name != "app.tenant"), name
        assert wall == "none" or tables[name]["walled"], name


async def test_every_view_is_on_the_page(standing: Planted) -> None:
    views = {row["name"] for row in await standing.owner.fetch(COLUMNS, VIEWS)}
    assert {cells[0].strip("`") for cells in section("Views")} == views


async def test_every_named_column_exists(standing: Planted) -> None:
    rows = await standing.owner.fetch(COLUMNS, TABLES + VIEWS)
    tables = {row["name"]: set(row["columns"]) for row in rows}
    checked = section("From the customer's documents")
    assert len(checked) > 50
    for document, table, columns, _notes in checked:
        named = re.findall(r"`(\w+)`", columns)
        assert named, document
        missing = set(named) - tables[table.strip("`")]
        assert not missing, f"{document}: {table} has no {sorted(missing)}"
        assert len(set(named)) == len(named), document


async def test_the_sources_are_there(standing: Planted) -> None:
    """Spec 004's, DESIGN 4.6's, those of activities, and what people say for their workspace."""
    rows = await standing.owner.fetch(
        "SELECT source_provider, source_type::text, priority FROM contact.data_source"
    )
    assert {tuple(row) for row in rows} == {
        ("manual_entry", "manual", 100),
        ("api_push", "manual", 15),
        ("csv_upload", "manual", 10),
        ("gmail_api", "integration", 20),
        ("outlook_api", "integration", 20),
        ("hubspot_crm", "integration", 25),
        ("salesforce_crm", "integration", 25),
        ("apollo", "enrichment", 30),
        ("crunchbase", "enrichment", 30),
        ("tracxn", "enrichment", 30),
        ("apify_linkedin_profile", "enrichment", 35),
        ("apify_instagram_profile", "enrichment", 35),
        ("ai_deep_research", "ai", 40),
        ("ai_classification", "ai", 40),
        ("google_contacts", "integration", 20),
        ("email_sync", "integration", 20),
        ("linkedin_capture", "integration", 35),
        ("vcard_upload", "manual", 10),
        ("people_data_labs", "enrichment", 30),
        ("clearbit", "enrichment", 30),
        ("calendar", "integration", 15),
        ("call_log", "manual", 10),
        ("web_tracking", "integration", 10),
        ("workspace_entry", "manual", 0),
    }


ENUMS = {
    "identifier_type": "linkedin_urn linkedin_public_id email phone_e164 fb_user_id ig_user_id"
    " ig_username twitter_handle github_username domain",
    "org_identifier_type": "domain linkedin_uid crunchbase_slug tracxn_slug name_normalized",
    "source_type": "manual integration enrichment ai",
    "contact_status": "incomplete active archived merged deleted",
    "identifier_status": "active inactive unverified",
    "email_status": "verified unverified bounced catch_all spam_trap",
    "phone_status": "valid invalid dnc unverified",
    "language_proficiency": "native full_professional professional limited elementary",
    "data_owner": "user enrichment",
    "stage": "new contacted qualified nurturing customer lost inactive",
    "social_platform": "linkedin twitter github facebook instagram other",
    "key_date_type": "birthday work_anniversary first_met custom",
    "org_relation_kind": "subsidiary division acquisition spinoff partner competitor vendor client",
    "tag_source": "manual ai_suggested import rule",
    "candidate_status": "open approved rejected retired auto_merged",
}
"""Values that the documents list: all of them, no others but `deleted` (ADR 0053)."""


async def test_listed_values_are_the_enums_values(standing: Planted) -> None:
    rows = await standing.owner.fetch(
        "SELECT t.typname AS name, array_agg(e.enumlabel::text) AS labels FROM pg_type t"
        " JOIN pg_enum e ON e.enumtypid = t.oid"
        " WHERE t.typnamespace = 'contact'::regnamespace GROUP BY 1"
    )
    found = {row["name"]: set(row["labels"]) for row in rows}
    for name, values in ENUMS.items():
        assert found[name] == set(values.split()), name
    assert {
        "pre_seed",
        "seed",
        "series_a",
        "ipo",
        "angel",
        "grant",
        "private_equity",
    } <= found["funding_type"]
