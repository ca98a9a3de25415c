"""Custom fields over HTTP: what people say stands, and goes wherever the contact goes."""

from typing import Any

import asyncpg
import pytest

from kith.administration import create_key
from shared.events.custom_field import MOST_DEFINED, MOST_FIELDS
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_marks import Orders, orders
from tests.support.invariants import check_database, folded

__all__ = ["orders"]


class Keeping:
    """Reads what the workspace keeps of contacts."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def __call__(self, contact: str) -> dict[str, Any]:
        """Return the custom fields of a contact, which its events must tell alike."""
        connection = await asyncpg.connect(self._home.dsn("kith_cli"))
        try:
            assert await check_database(connection) == []
            state = (await folded(connection))[contact]
        finally:
            await connection.close()
        told = state.bindings.get(self._home.workspace)
        return dict(told.custom_fields) if told else {}


@pytest.fixture
def keeps(home: Home) -> Keeping:
    return Keeping(home)


@pytest.fixture
async def pair(home: Home, resolver: Resolver) -> tuple[str, str]:
    """Make two contacts, of whom their sources say what size they wear."""
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=1, custom_fields={"size": "m"}),
        resolver.a_signal(
            "bob", phone="+14155550100", name="Bob Ross", minutes=1, custom_fields={"size": "huge"}
        ),
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ada, bob = (row[0] for row in rows)
    return ada, bob


async def test_what_a_person_says_stands(
    home: Home, resolver: Resolver, orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    """Also when a source says otherwise later; and nothing, where they said nothing."""
    ada, bob = pair
    await orders("create_field", key="size", type="select", options=["S", "M", "L"])
    assert await keeps(bob) == {"size": "huge"}  # it does not fit, and is not lost
    said = await orders("fill_fields", contacts=[ada], values={"size": "l"})
    assert said["positions"] == {ada: 3}
    assert await keeps(ada) == {"size": "L"}
    [audited] = await home.fetch(
        "SELECT field_name, old_value, new_value FROM contact.contact_field_audit WHERE cause = $1",
        said["command_id"],
    )
    assert tuple(audited) == ("custom_fields.size", "m", "L")
    again = await orders("fill_fields", contacts=[ada], values={"size": "L"})
    assert again["outcome"] == "unchanged"
    later = resolver.a_signal(
        "ada", email="ada@acme.io", minutes=9, custom_fields={"size": "S", "shoe": "43"}
    )
    await resolver.resolve(later)
    assert await keeps(ada) == {"size": "L", "shoe": "43"}
    await orders("fill_fields", contacts=[ada, bob], values={"size": None})
    assert await keeps(ada) == {"shoe": "43"}
    assert await keeps(bob) == {}
    later = resolver.a_signal("ada", email="ada@acme.io", minutes=10, custom_fields={"size": "S"})
    await resolver.resolve(later)
    assert await keeps(ada) == {}


async def test_what_a_person_says_stands_where_sources_said_the_same(
    home: Home, resolver: Resolver, orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    """It is theirs from then on: the source may say otherwise, or something for the first time."""
    ada, _ = pair
    for key, kind in (("size", "text"), ("hat", "text"), ("n", "number")):
        await orders("create_field", key=key, type=kind)
    await resolver.resolve(
        resolver.a_signal(
            "ada", email="ada@acme.io", minutes=2, custom_fields={"size": "m", "n": True}
        )
    )
    values = {"size": "m", "hat": None, "n": 1}
    said = await orders("fill_fields", contacts=[ada], values=values)
    assert said["outcome"] == "done"
    kept = await keeps(ada)
    assert kept == {"size": "m", "n": 1}
    assert kept["n"] is not True
    audited = await home.fetch(
        "SELECT field_name, old_value, new_value FROM contact.contact_field_audit WHERE cause = $1",
        said["command_id"],
    )
    assert [tuple(one) for one in audited] == [("custom_fields.n", "true", "1")]
    again = await orders("fill_fields", contacts=[ada], values=values)
    assert again["outcome"] == "unchanged"
    later = {"size": "XXL", "hat": "fez", "n": 2}
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=9, custom_fields=later)
    )
    assert await keeps(ada) == {"size": "m", "n": 1}


async def test_an_integer_beyond_64_bits_is_kept(
    resolver: Resolver, orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    """As its source said it; what people set beside it is written with it."""
    ada, _ = pair
    ref = 12345678901234567890123
    told = {"ref": ref}
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=9, custom_fields=told)
    )
    await orders("create_field", key="hat", type="text")
    await orders("fill_fields", contacts=[ada], values={"hat": "fez"})
    assert await keeps(ada) == {"ref": ref, "hat": "fez"}


async def test_wrong_values_are_refused_all_at_once(
    orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    ada, _ = pair
    await orders("create_field", key="shoe", type="number", is_required=True)
    old = (await orders("create_field", key="old", type="text"))["shown"]["id"]
    await orders("change_field", field_id=old, is_archived=True)
    values = {"shoe": "big", "old": "x", "hat": 1}
    refused = await orders("fill_fields", 422, contacts=[ada], values=values)
    told = {tuple(one["path"]): one["detail"] for one in refused["problems"]}
    assert told.keys() == {("custom_fields", key) for key in values}
    assert "like 42" in told["custom_fields", "shoe"]
    assert "big" not in str(refused)
    refused = await orders("fill_fields", 422, contacts=[ada], values={"shoe": None})
    assert "required" in refused["problems"][0]["detail"]
    assert await keeps(ada) == {"size": "m"}
    await orders("fill_fields", 404, contacts=["con_" + "0" * 26], values={"shoe": 1})


async def test_values_come_apart_with_a_merge_undone(
    orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    ada, bob = pair
    await orders("create_field", key="shoe", type="number")
    await orders("create_field", key="hat", type="number")
    await orders("fill_fields", contacts=[bob], values={"shoe": 45})
    await orders("merge_contacts", contact_id=ada, absorbed_id=bob)
    assert (await keeps(ada))["shoe"] == 45
    await orders("fill_fields", contacts=[bob], values={"hat": 7})  # stands for its survivor
    await orders("split_contact", contact_id=ada)
    assert await keeps(ada) == {"size": "m", "hat": 7}
    assert await keeps(bob) == {"size": "huge", "shoe": 45}


async def test_an_erasure_takes_what_people_said(
    home: Home, orders: Orders, pair: tuple[str, str]
) -> None:
    ada, _ = pair
    await orders("create_field", key="motto", type="text")
    await orders("fill_fields", contacts=[ada], values={"motto": "per aspera"})
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    scopes = ["contacts:write", "contacts:erase"]
    key = await create_key(connection, home.workspace, "erases", scopes, None)
    await connection.close()
    orders.client.headers["Authorization"] = f"Bearer {key.token}"
    await orders("erase_contact", contact_id=ada, ground="data_subject")
    for table in ("contact_event", "source_record", "workspace_contact_binding"):
        rows = await home.fetch(f"SELECT one::text AS said FROM contact.{table} AS one")
        assert rows
        assert not any("aspera" in row["said"] for row in rows), table


async def test_a_type_changes_where_all_values_fit(
    orders: Orders, keeps: Keeping, pair: tuple[str, str]
) -> None:
    """What did not fit before is no reason: it stays as its source said it."""
    ada, bob = pair
    options = ["M", "L"]
    made = await orders("create_field", key="size", type="select", options=options)
    size = made["shown"]["id"]
    refused = await orders("change_field", 409, field_id=size, type="number")
    assert (refused["outcome"], refused["named"]) == ("values_in_use", [ada])
    refused = await orders("change_field", 409, field_id=size, options=["L"])
    assert (refused["outcome"], refused["named"]) == ("values_in_use", [ada])
    await orders("change_field", field_id=size, options=["S", "M"])
    await orders("change_field", field_id=size, type="text")
    wrong = await orders("change_field", 422, field_id=size, options=["S"])
    assert wrong["problems"][0]["path"] == ["options"]
    wrong = await orders("change_field", 422, field_id=size, type="currency")
    assert wrong["problems"][0]["path"] == ["currency"]
    await orders("change_field", 404, field_id="fld_" + "0" * 26, label="Size")
    assert await keeps(bob) == {"size": "huge"}


async def test_a_key_is_defined_once_and_fields_are_bounded(home: Home, orders: Orders) -> None:
    made = (await orders("create_field", label="Shoe size", type="number"))["shown"]
    assert made["key"] == "Shoe size"
    taken = await orders("create_field", 409, key="Shoe size", type="text")
    assert taken["named"] == [made["id"]]
    await orders("change_field", field_id=made["id"], is_archived=True)
    taken = await orders("create_field", 409, key="Shoe size", type="text")  # restore it instead
    assert taken["named"] == [made["id"]]
    await home.execute(
        "INSERT INTO contact.custom_field (public_id, tenant_id, workspace_id, entity_type, key,"
        " label, type) SELECT 'fld_' || lpad(n::text, 26, '0'), f.tenant_id, f.workspace_id,"
        " 'contact', 'k' || n, 'k', 'text' FROM contact.custom_field f,"
        " generate_series(1, $1::integer) AS n",
        MOST_FIELDS,
    )
    full = await orders("create_field", 422, key="more", type="text")
    assert full["outcome"] == "too_many"
    full = await orders("change_field", 422, field_id=made["id"], is_archived=False)
    assert full["outcome"] == "too_many"
    # Who archives each makes no more for that: they are read, too.
    await home.execute(
        "INSERT INTO contact.custom_field (public_id, tenant_id, workspace_id, entity_type, key,"
        " label, type, archived_at) SELECT 'fld_' || lpad(n::text, 26, '0'), f.tenant_id,"
        " f.workspace_id, 'contact', 'k' || n, 'k', 'text', now() FROM contact.custom_field f,"
        " generate_series($2::integer, $3::integer) AS n WHERE f.public_id = $1",
        made["id"],
        MOST_FIELDS + 1,
        MOST_DEFINED - 1,
    )
    await home.execute("UPDATE contact.custom_field SET archived_at = now()")
    full = await orders("create_field", 422, key="more", type="text")
    assert full["outcome"] == "too_many"
    await orders("change_field", field_id=made["id"], is_archived=False)
    await orders("create_field", 422, type="text")
    await orders("create_field", 422, key="x", type="colour")


PARIS = {"filters": [{"field": "city", "op": "eq", "value": "Paris"}]}


async def test_a_smart_group_asks_what_can_be_answered(orders: Orders) -> None:
    """And goes on doing so: what it asks of a field is in the way of the field's change."""
    manual = await orders.group("Board")
    await orders("create_group", 422, name="a", is_smart=True)
    await orders("create_group", 422, name="a", is_smart=False, query_def=PARIS)
    await orders("change_group", 422, group_id=manual, query_def=PARIS)
    asked = {"filters": [{"field": "custom.size", "op": "eq", "value": "M"}]}
    wrong = await orders("create_group", 422, name="a", query_def=asked)
    assert wrong["problems"][0]["path"] == ["query_def", "filters", 0, "field"]
    size = await orders("create_field", key="size", type="select", options=["M", "L"])
    smart = (await orders("create_group", name="Medium", query_def=asked))["shown"]["id"]
    refused = await orders("change_field", 409, field_id=size["shown"]["id"], options=["L"])
    assert (refused["outcome"], refused["named"]) == ("asked_for", [smart])
    of_groups = {"filters": [{"field": "group", "op": "in", "values": [manual, smart]}]}
    wrong = await orders("create_group", 422, name="b", query_def=of_groups)
    assert "people's own" in wrong["problems"][0]["detail"]
    of_groups["filters"][0]["values"] = [manual]
    await orders("create_group", name="b", query_def=of_groups)
    await orders("change_group", group_id=smart, query_def=PARIS)
    await orders("change_field", field_id=size["shown"]["id"], options=["L"])
    await orders("change_group", group_id=smart, name="In Paris")
    for command in ("add_group_members", "remove_group_members"):
        refused = await orders(command, 409, group_id=smart, contacts=["con_" + "0" * 26])
        assert refused["outcome"] == "smart_group"
    await orders("delete_group", group_id=smart)
