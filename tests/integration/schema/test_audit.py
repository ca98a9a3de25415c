"""A change of a binding past the resolver leaves its trace, set-based; the resolver's does not."""

import json

import asyncpg

from tests.integration.schema.conftest import Planted


async def audited(planted: Planted) -> list[tuple[object, ...]]:
    rows = await planted.owner.fetch(
        "SELECT entity_type, entity_id, field_name, old_value, new_value, changed_by, cause"
        " FROM contact.contact_field_audit WHERE cause <> 's' ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def test_each_changed_field_is_one_row(planted: Planted) -> None:
    await planted.owner.execute(
        "SELECT set_config('kith.user_id', '42', false);"
        "UPDATE contact.workspace_contact_binding"
        " SET title = 'CEO', stage = 'customer', labels = '{vip}', notes = notes,"
        " updated_at = now() WHERE id = 301"
    )
    found = await audited(planted)
    assert sorted(found, key=lambda row: str(row[2])) == [
        ("contact_binding", 301, "labels", '["VIP"]', '["vip"]', 42, "role postgres"),
        ("contact_binding", 301, "stage", "new", "customer", 42, "role postgres"),
        ("contact_binding", 301, "title", "CTO", "CEO", 42, "role postgres"),
    ]
    row = await planted.owner.fetchrow(
        "SELECT tenant_id, workspace_id FROM contact.contact_field_audit WHERE field_name = 'title'"
    )
    assert row
    assert tuple(row) == (planted.here.tenant_id, planted.here.workspace_id)


async def test_custom_fields_are_told_one_by_one(planted: Planted) -> None:
    for value in ({"shoe": 42, "hat": None}, {"shoe": 43, "tie": "red"}):
        await planted.owner.execute(
            "UPDATE contact.org_bindings SET custom_fields = $1 WHERE id = 302", json.dumps(value)
        )
    assert sorted(((row[0], *row[2:5]) for row in await audited(planted)), key=str) == [
        ("org_binding", "custom_fields.shoe", "42", "43"),
        ("org_binding", "custom_fields.shoe", None, "42"),
        ("org_binding", "custom_fields.tie", None, "red"),
    ]


async def test_a_statement_over_many_rows_is_audited_whole(planted: Planted) -> None:
    await planted.owner.execute(
        "INSERT INTO contact.workspace_contact_binding"
        " (id, tenant_id, workspace_id, contact_id, title, created_at, updated_at)"
        f" SELECT 1000 + n, {planted.here.tenant_id}, {planted.here.workspace_id}, 1000 + n,"
        " 'Dr', now(), now() FROM generate_series(1, 3000) AS n;"
        "UPDATE contact.workspace_contact_binding SET city = 'Bonn' WHERE contact_id > 1000;"
        "UPDATE contact.workspace_contact_binding SET title = title WHERE contact_id > 1000"
    )
    found = await audited(planted)
    assert len(found) == 3000
    assert {row[2:5] for row in found} == {("city", None, "Bonn")}


async def test_the_resolver_writes_its_own(planted: Planted) -> None:
    resolver = await asyncpg.connect(planted.dsn("kith_resolver"))
    try:
        await resolver.execute(
            "UPDATE contact.workspace_contact_binding SET title = 'CEO' WHERE id = 301"
        )
    finally:
        await resolver.close()
    assert await audited(planted) == []
