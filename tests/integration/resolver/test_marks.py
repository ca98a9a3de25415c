"""Tags and groups over HTTP: what people say for their workspace goes wherever the contact goes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from kith.administration import create_key
from services.resolver.domain.model import Delivery, Known
from services.resolver.routes import create_http
from services.resolver.store import writing
from services.resolver.store.labels import MARKS
from services.resolver.store.marking import MarkAnswer, Marks
from services.resolver.store.store import Transaction
from shared.auth import KeyRing
from shared.events.command import WorkspaceOrder
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_routes import key_for
from tests.support.invariants import check_database, folded


class Orders:
    """What a person orders of the resolver."""

    def __init__(self, home: Home, client: httpx.AsyncClient) -> None:
        self._home = home
        self.client = client

    async def __call__(self, command: str, status: int = 200, /, **body: Any) -> dict[str, Any]:
        """Order something that is answered with this status."""
        answer = await self.client.post(f"/v1/commands/{command}", json=body)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def tag(self, name: str) -> str:
        """Make a tag, and return its id."""
        return str((await self("create_tag", name=name))["shown"]["id"])

    async def group(self, name: str) -> str:
        """Make a group, and return its id."""
        return str((await self("create_group", name=name))["shown"]["id"])

    async def keeps(self, contact: str) -> tuple[list[str], list[str]]:
        """Return the labels and groups of a contact, which its events must tell alike."""
        connection = await asyncpg.connect(self._home.dsn("kith_cli"))
        try:
            assert await check_database(connection) == []
            state = (await folded(connection))[contact]
        finally:
            await connection.close()
        rows = await self._home.fetch(
            "SELECT labels, groups FROM contact.workspace_contact_binding b"
            " JOIN contact.contact c ON c.id = b.contact_id"
            " WHERE c.public_id = $1 AND b.deleted_at IS NULL",
            contact,
        )
        if not rows:
            return [], []
        told = state.bindings[self._home.workspace]
        assert sorted(rows[0]["labels"]) == sorted(told.labels)
        assert sorted(rows[0]["groups"]) == sorted(told.groups)
        return sorted(told.labels), sorted(told.groups)


@pytest.fixture
async def orders(home: Home, resolver: Resolver) -> AsyncIterator[Orders]:
    http = create_http()
    http.state.store = resolver.store
    http.state.keys = KeyRing(resolver.store._pool)
    transport = httpx.ASGITransport(app=http)
    async with httpx.AsyncClient(transport=transport, base_url="http://resolver") as client:
        client.headers["Authorization"] = f"Bearer {await key_for(home, 'contacts:write')}"
        yield Orders(home, client)


async def two(home: Home, resolver: Resolver) -> tuple[str, str]:
    """Make two contacts, Ada with a label of her address book."""
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=1, labels=("Friends",)),
        resolver.a_signal("bob", phone="+14155550100", name="Bob Ross", minutes=1),
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ada, bob = (row[0] for row in rows)
    return ada, bob


async def test_labels_of_sources_are_tags(home: Home, resolver: Resolver, orders: Orders) -> None:
    ada, _ = await two(home, resolver)
    [tag] = await home.fetch("SELECT public_id, name FROM contact.tag")
    assert tag["name"] == "Friends"
    taken = await orders("create_tag", 409, name="Friends")
    assert (taken["outcome"], taken["named"]) == ("name_taken", [tag["public_id"]])
    [row] = await home.fetch("SELECT source::text, tag_id FROM contact.contact_tags")
    assert row["source"] == "import"
    assert await orders.keeps(ada) == (["Friends"], [])


async def test_what_a_person_takes_off_stays_off(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Also when the source says it again, and until a person says otherwise."""
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    gone = await orders("remove_tag", tag_id=friends, contacts=[ada, bob])
    assert gone["positions"] == {ada: 3}  # Bob never had it
    assert await orders.keeps(ada) == ([], [])
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=2, labels=("Friends", "New"))
    )
    assert await orders.keeps(ada) == (["New"], [])
    await orders("add_tag", tag_id=friends, contacts=[ada])
    assert (await orders("add_tag", tag_id=friends, contacts=[ada]))["outcome"] == "unchanged"
    assert await orders.keeps(ada) == (["Friends", "New"], [])
    told = await home.fetch(
        "SELECT event_type, workspace_id IS NOT NULL AS private, cause FROM contact.contact_event"
        " WHERE event_type LIKE 'Tag%' ORDER BY sequence_number"
    )
    assert [row["event_type"] for row in told] == ["TagRemoved", "TagAdded"]
    assert all(row["private"] for row in told)
    audited = await home.value(
        "SELECT count(*) FROM contact.contact_field_audit WHERE cause = ANY($1::text[])",
        [row["cause"] for row in told],
    )
    assert audited == 2


async def test_a_tag_that_a_person_gives_stays_when_its_source_says_it_no_more(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, _ = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    assert (await orders("add_tag", tag_id=friends, contacts=[ada]))["outcome"] == "done"
    assert (await orders("add_tag", tag_id=friends, contacts=[ada]))["outcome"] == "unchanged"
    await resolver.resolve(resolver.a_signal("ada", email="ada@acme.io", minutes=2))
    assert await orders.keeps(ada) == (["Friends"], [])


async def test_what_a_person_took_off_stays_off_when_the_tag_is_deleted_and_comes_again(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    await orders("add_tag", tag_id=friends, contacts=[bob])
    await orders("remove_tag", tag_id=friends, contacts=[ada])
    await orders("delete_tag", tag_id=friends)
    assert await orders.keeps(bob) == ([], [])
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=2, labels=("Friends", "New")),
        resolver.a_signal(
            "bob", phone="+14155550100", name="Bob Ross", minutes=2, labels=("Friends",)
        ),
    )
    assert await orders.keeps(ada) == (["New"], [])
    assert await orders.keeps(bob) == (["Friends"], [])
    again = await home.value("SELECT public_id FROM contact.tag WHERE name = 'Friends'")
    await orders("add_tag", tag_id=again, contacts=[ada])
    assert await orders.keeps(ada) == (["Friends", "New"], [])


async def test_tags_and_groups_come_apart_with_a_merge_undone(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, bob = await two(home, resolver)
    vip, board = await orders.tag("VIP"), await orders.group("Board")
    late = await orders.tag("Late")
    await orders("add_tag", tag_id=vip, contacts=[bob])
    await orders("add_group_members", group_id=board, contacts=[bob])
    await orders("merge_contacts", contact_id=ada, absorbed_id=bob)
    assert await orders.keeps(ada) == (["Friends", "VIP"], [board])
    assert await orders.keeps(bob) == ([], [])
    await orders("add_tag", tag_id=late, contacts=[bob])  # an absorbed id stands for its survivor
    await orders("remove_group_members", group_id=board, contacts=[ada])
    await orders("remove_tag", tag_id=vip, contacts=[ada])
    assert await orders.keeps(ada) == (["Friends", "Late"], [])
    await orders("split_contact", contact_id=ada)
    assert await orders.keeps(bob) == (["VIP"], [board])
    assert await orders.keeps(ada) == (["Friends", "Late"], [])


async def test_whoever_stood_for_a_member_between_two_merges_is_none(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Undone the older first: its own id comes back when the member has left already."""
    ada, bob = await two(home, resolver)
    await resolver.resolve(resolver.a_signal("eve", email="eve@acme.io", name="Eve Poe"))
    eve = str(await home.value("SELECT max(public_id) FROM contact.contact"))
    board = await orders.group("Board")
    await orders("add_group_members", group_id=board, contacts=[bob])
    first = await orders("merge_contacts", contact_id=ada, absorbed_id=bob)
    second = await orders("merge_contacts", contact_id=eve, absorbed_id=ada)
    assert await orders.keeps(eve) == (["Friends"], [board])
    await orders("split_contact", contact_id=eve, merge_id=first["merge_id"])
    assert await orders.keeps(bob) == ([], [board])
    await orders("split_contact", contact_id=eve, merge_id=second["merge_id"])
    assert await orders.keeps(ada) == (["Friends"], [])


async def test_a_tag_is_renamed_wherever_it_is(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Sources that go on saying the old name mean it; an older version that returns does, too."""
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    await orders("add_tag", tag_id=friends, contacts=[bob])
    renamed = await orders("change_tag", tag_id=friends, name="Amis", color="#ff0000")
    assert (renamed["shown"]["name"], renamed["shown"]["color"]) == ("Amis", "#ff0000")
    assert await orders.keeps(ada) == await orders.keeps(bob) == (["Amis"], [])
    await resolver.resolve(
        resolver.a_signal("eve", email="eve@acme.io", name="Eve Poe", labels=("Friends",))
    )
    assert [row[0] for row in await home.fetch("SELECT name FROM contact.tag")] == ["Amis"]
    rows = await home.fetch("SELECT labels FROM contact.workspace_contact_binding ORDER BY id")
    assert [row["labels"] for row in rows] == [["Amis"]] * 3
    assert (await orders("change_tag", 409, tag_id=await orders.tag("VIP"), name="Amis"))[
        "outcome"
    ] == "name_taken"
    await orders("delete_tag", tag_id=friends)
    assert await orders.keeps(ada) == await orders.keeps(bob) == ([], [])
    assert await home.value("SELECT count(*) FROM contact.tag") == 1
    assert (await orders("delete_tag", 404, tag_id=friends))["outcome"] == "unknown_tag"


async def test_whoever_has_a_tag_has_it_under_the_name_of_a_deleted_one_that_was_taken_off(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Also who has it of a source alone; what was taken off of this very tag stays off."""
    ada, bob = await two(home, resolver)
    bobs = {"phone": "+14155550100", "name": "Bob Ross"}
    await resolver.resolve(resolver.a_signal("bob", **bobs, minutes=2, labels=("Friends", "gold")))
    friends = await home.value("SELECT public_id FROM contact.tag WHERE name = 'Friends'")
    gold = await home.value("SELECT public_id FROM contact.tag WHERE name = 'gold'")
    await resolver.resolve(
        resolver.a_signal(
            "eve", email="eve@acme.io", name="Eve Poe", minutes=1, labels=("Friends", "gold")
        )
    )
    eve = await home.value("SELECT public_id FROM contact.contact ORDER BY id DESC LIMIT 1")
    await orders("add_tag", tag_id=gold, contacts=[ada])
    await orders("remove_tag", tag_id=friends, contacts=[ada, bob, eve])
    await orders("remove_tag", tag_id=gold, contacts=[eve])
    await orders("delete_tag", tag_id=friends)
    await orders("change_tag", tag_id=gold, name="Friends")
    assert await orders.keeps(ada) == await orders.keeps(bob) == (["Friends"], [])
    assert await orders.keeps(eve) == ([], [])


async def test_a_group_is_deleted_and_nobody_is_in_it(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, bob = await two(home, resolver)
    board = await orders.group("Board")
    await orders("add_group_members", group_id=board, contacts=[ada, bob])
    assert await home.value("SELECT count(*) FROM contact.group_members") == 2
    await orders("change_group", group_id=board, name="Council", description="Who decides")
    await orders("remove_group_members", group_id=board, contacts=[ada])
    assert await home.value("SELECT count(*) FROM contact.group_members") == 1
    await orders("delete_group", group_id=board)
    assert await orders.keeps(ada) == (["Friends"], [])
    assert await orders.keeps(bob) == ([], [])


async def test_an_import_taken_back_leaves_no_tag_behind(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Whoever only the import had brought goes, with what people said of them."""
    brought = "imp_" + "1" * 26
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=1, labels=("Leads",)),
        resolver.a_signal(
            "bob", phone="+14155550100", name="Bob Ross", minutes=1, import_id=brought
        ),
        resolver.a_signal("rob", phone="+14155550101", name="Rob Ross", import_id=brought),
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ada, bob, rob = (row[0] for row in rows)
    await orders("merge_contacts", contact_id=bob, absorbed_id=rob)
    vip = await orders.tag("VIP")
    await orders("add_tag", tag_id=vip, contacts=[bob])
    await orders("retract_import", import_id=brought)
    assert await orders.keeps(bob) == ([], [])
    status = await home.value("SELECT status::text FROM contact.contact WHERE public_id = $1", bob)
    assert status == "deleted"
    assert (await orders("add_tag", 404, tag_id=vip, contacts=[bob]))["named"] == [bob]
    for gone in (bob, rob):
        refused = await orders("merge_contacts", 404, contact_id=ada, absorbed_id=gone)
        assert refused["outcome"] == "unknown_contact"


async def test_an_import_taken_back_leaves_a_tag_with_who_is_left_of_a_merge(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """The other has it, also once the merge is undone; what the import alone had made goes then."""
    brought = "imp_" + "1" * 26
    await resolver.resolve(resolver.a_signal("ada", email="ada@acme.io", import_id=brought))
    ada = await home.value("SELECT public_id FROM contact.contact")
    await resolver.resolve(resolver.a_signal("bob", phone="+14155550100", name="Bob", minutes=1))
    bob = await home.value("SELECT public_id FROM contact.contact ORDER BY id DESC LIMIT 1")
    await orders("merge_contacts", contact_id=ada, absorbed_id=bob)
    vip, board = await orders.tag("VIP"), await orders.group("Board")
    await orders("add_tag", tag_id=vip, contacts=[ada])
    await orders("add_group_members", group_id=board, contacts=[ada])
    await orders("retract_import", import_id=brought)
    assert await orders.keeps(ada) == (["VIP"], [board])
    await orders("remove_group_members", group_id=board, contacts=[ada])
    assert await orders.keeps(ada) == (["VIP"], [])
    await orders("split_contact", contact_id=ada)
    assert await orders.keeps(bob) == (["VIP"], [])
    assert await orders.keeps(ada) == ([], [])
    rows = await home.fetch("SELECT status::text FROM contact.contact ORDER BY id")
    assert [row["status"] for row in rows] == ["deleted", "active"]


async def test_nobody_marks_a_contact_that_the_workspace_does_not_know(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """One unknown id, and nothing is done of the order."""
    ada, _ = await two(home, resolver)
    vip = await orders.tag("VIP")
    stranger = "con_" + "0" * 26
    refused = await orders("add_tag", 404, tag_id=vip, contacts=[ada, stranger])
    assert refused["named"] == [stranger]
    assert await orders.keeps(ada) == (["Friends"], [])
    none: list[str] = []
    for wrong in (none, [ada] * 501, ["ada"]):
        await orders("add_tag", 422, tag_id=vip, contacts=wrong)
    assert (await orders("add_tag", 404, tag_id="tag_" + "0" * 26, contacts=[ada]))[
        "outcome"
    ] == "unknown_tag"
    for name in ("", " ", "x" * 256):
        await orders("create_tag", 422, name=name)


async def test_erasing_a_contact_erases_what_people_said(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, _ = await two(home, resolver)
    board = await orders.group("Board")
    await orders("add_group_members", group_id=board, contacts=[ada])
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    scopes = ["contacts:write", "contacts:erase"]
    key = await create_key(connection, home.workspace, "erases", scopes, None)
    await connection.close()
    orders.client.headers["Authorization"] = f"Bearer {key.token}"
    await orders("erase_contact", contact_id=ada, ground="data_subject")
    left = await home.fetch(
        "SELECT payload::text AS said FROM contact.contact_event e JOIN contact.contact c"
        " ON c.id = e.entity_id WHERE c.public_id = $1"
        " UNION ALL SELECT facts::text || raw::text FROM contact.source_record r"
        " JOIN contact.contact c ON c.id = r.contact_id WHERE c.public_id = $1",
        ada,
    )
    assert left
    assert not any("Board" in row["said"] or "Friends" in row["said"] for row in left)
    assert await home.value("SELECT count(*) FROM contact.group_members") == 0


async def test_a_rename_reaches_what_was_taken_off_and_what_is_no_more_said(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Who does not show the label is renamed too: it would come back under the old name."""
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    await orders("remove_tag", tag_id=friends, contacts=[ada])
    brought = "imp_" + "2" * 26
    bobs = {"phone": "+14155550100", "name": "Bob Ross"}
    await resolver.resolve(resolver.a_signal("bob", **bobs, minutes=2, labels=("Friends",)))
    await resolver.resolve(resolver.a_signal("bob", **bobs, minutes=3, import_id=brought))
    await orders("change_tag", tag_id=friends, name="Amis")
    await resolver.resolve(
        resolver.a_signal("ada", email="ada@acme.io", minutes=4, labels=("Friends", "New"))
    )
    assert await orders.keeps(ada) == (["New"], [])
    assert await orders.keeps(bob) == ([], [])
    await orders("retract_import", import_id=brought)
    assert await orders.keeps(bob) == (["Amis"], [])


async def test_a_former_name_given_to_a_new_tag_is_that_tags(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    await orders("change_tag", tag_id=friends, name="Amis")
    anew = await orders.tag("Friends")
    await orders("add_tag", tag_id=anew, contacts=[bob])
    await orders("change_tag", tag_id=friends, color="#ff0000")
    await orders("change_tag", tag_id=friends, name="Amici")
    assert await orders.keeps(ada) == (["Amici"], [])
    assert await orders.keeps(bob) == (["Friends"], [])


async def test_a_rename_waits_for_batches_that_read_the_old_name(
    home: Home, resolver: Resolver, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await two(home, resolver)
    friends = await home.value("SELECT public_id FROM contact.tag")
    renames: list[asyncio.Task[dict[str, Any]]] = []
    load = Transaction.load

    async def after_a_rename(one: Transaction, deliveries: Sequence[Delivery]) -> Known:
        order = orders("change_tag", tag_id=friends, name="Amis")
        renames.append(asyncio.create_task(order))
        await asyncio.wait(renames, timeout=0.3)
        return await load(one, deliveries)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "load", after_a_rename)
        await resolver.resolve(
            resolver.a_signal(
                "bob", phone="+14155550100", name="Bob Ross", minutes=2, labels=("Friends",)
            )
        )
        await asyncio.gather(*renames)
    assert await orders.keeps(ada) == await orders.keeps(bob) == (["Amis"], [])
    assert [row[0] for row in await home.fetch("SELECT name FROM contact.tag")] == ["Amis"]


@pytest.mark.parametrize("kind", ["tag", "group"])
async def test_whoever_is_added_while_it_is_deleted_has_it_no_more(
    home: Home,
    resolver: Resolver,
    orders: Orders,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    _, bob = await two(home, resolver)
    named = {f"{kind}_id": await (orders.tag("VIP") if kind == "tag" else orders.group("VIP"))}
    add = "add_tag" if kind == "tag" else "add_group_members"
    rewrite = Marks.rewrite
    added: list[dict[str, Any]] = []

    async def then_add(marks: Marks, order: WorkspaceOrder, trace: str | None) -> MarkAnswer | None:
        answer = await rewrite(marks, order, trace)
        if not added:
            added.append(await orders(add, **named, contacts=[bob]))
        return answer

    monkeypatch.setattr(Marks, "rewrite", then_add)
    await orders(f"delete_{kind}", **named)
    assert added[0]["outcome"] == "done"
    assert await orders.keeps(bob) == ([], [])


async def test_signals_without_labels_ask_nothing_about_tags(
    home: Home, resolver: Resolver, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two(home, resolver)
    noted: list[set[tuple[int, int, str]]] = []

    async def note(_: object, labels: set[tuple[int, int, str]], __: object) -> None:
        noted.append(labels)

    monkeypatch.setattr(writing, "insert_tags", note)
    ada = {"email": "ada@acme.io", "title": "Countess"}
    await resolver.resolve(resolver.a_signal("ada at work", **ada, minutes=2))
    assert noted == []
    await resolver.resolve(resolver.a_signal("ada at home", **ada, minutes=3, labels=("Kin",)))
    assert [{label for _, _, label in labels} for labels in noted] == [{"Kin"}]


async def test_an_order_is_newer_than_what_people_typed_in(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Also where the clock of who typed it in runs ahead."""
    ada, _ = await two(home, resolver)
    soon = datetime.now(UTC) + timedelta(hours=1)
    await resolver.resolve(
        resolver.a_signal(
            "typed", email="ada@acme.io", source="manual_entry", labels=("VIP",)
        ).model_copy(update={"occurred_at": soon})
    )
    vip = await home.value("SELECT public_id FROM contact.tag WHERE name = 'VIP'")
    await orders("remove_tag", tag_id=vip, contacts=[ada])
    assert await orders.keeps(ada) == (["Friends"], [])
    await orders("add_tag", tag_id=vip, contacts=[ada])
    assert await orders.keeps(ada) == (["Friends", "VIP"], [])


async def test_an_erasure_takes_tags_that_nobody_else_is_said_to_have(
    home: Home, resolver: Resolver, orders: Orders
) -> None:
    """Others that nobody shows at present are not the erased person's."""
    ada, _ = await two(home, resolver)
    bobs = {"phone": "+14155550100", "name": "Bob Ross"}
    await resolver.resolve(
        resolver.a_signal("bob", **bobs, minutes=2, labels=("Idle", "Both")),
        resolver.a_signal(
            "ada", email="ada@acme.io", minutes=2, labels=("Friends", "Hers", "Both")
        ),
    )
    await resolver.resolve(resolver.a_signal("bob", **bobs, minutes=3))
    friends = await home.value("SELECT public_id FROM contact.tag WHERE name = 'Friends'")
    await orders("change_tag", tag_id=friends, name="Amis")
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    scopes = ["contacts:write", "contacts:erase"]
    key = await create_key(connection, home.workspace, "erases", scopes, None)
    await connection.close()
    orders.client.headers["Authorization"] = f"Bearer {key.token}"
    await orders("erase_contact", contact_id=ada, ground="data_subject")
    left = await home.fetch("SELECT name, aliases FROM contact.tag ORDER BY name")
    none: list[str] = []
    assert [tuple(row) for row in left] == [("Amis", none), ("Both", none), ("Idle", none)]


async def test_words_are_found_by_index(home: Home) -> None:
    """Few records of many say a label, and few tags of many were called otherwise before."""
    words = ["w7"]
    connection = await asyncpg.connect(home.dsn("kith_migrator"))
    try:
        [place] = await connection.fetch("SELECT tenant_id, id FROM app.workspace")
        await connection.execute(
            "INSERT INTO contact.source_record (tenant_id, workspace_id, source_id, record_key,"
            " revision, content_hash, signal_id, occurred_at, received_at, applied_at, contact_id,"
            " applied_version, confidence, facts, raw) SELECT $1, $2, 1,"
            " decode(md5(n::text), 'hex'), 1, decode(md5(n::text), 'hex'), n::text,"
            " now(), now(), now(), n, 1, 1,"
            " CASE WHEN n % 20 = 0 THEN json_build_object('labels', ARRAY['w' || n]) ELSE '{}' END,"
            " '{}' FROM generate_series(1, 5000) AS n",
            *place,
        )
        await connection.execute(
            "INSERT INTO contact.tag (tenant_id, workspace_id, public_id, name, aliases)"
            " SELECT $1, $2, 'tag_' || lpad(n::text, 26, '0'), 'now' || n,"
            " CASE WHEN n % 20 = 0 THEN ARRAY['w' || n] ELSE '{}' END"
            " FROM generate_series(1, 5000) AS n",
            *place,
        )
        await connection.execute("ANALYZE contact.source_record; ANALYZE contact.tag")
        for name, arguments, index in (
            ("find_marked", (*place, words, ["labels"], 5), "source_record_marks"),
            ("find_tag_called", (*place, words[0], ""), "tag_aliases"),
            ("find_renamed", ([place[0]], [place[1]], words), "tag_aliases"),
        ):
            rows = await connection.fetch(f"EXPLAIN {MARKS[name]}", *arguments)
            assert index in "\n".join(row[0] for row in rows), name
    finally:
        await connection.close()
