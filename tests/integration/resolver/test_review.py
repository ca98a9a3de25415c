"""The review queue and the reasons for decisions, on real tables, through the command line."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from kith.demo.case import choose_case
from services.resolver.domain.explaining import is_exact
from services.resolver.domain.matching import weights
from services.resolver.domain.matching.weights import default_weights, to_document
from services.resolver.domain.reviewing import Filters
from services.resolver.store.questions import how, list_pairs, show_pair, why, why_not
from services.resolver.store.review import ReviewStore
from shared.auth import Directory, Place
from shared.postgres.pool import Pool, connect
from shared.postgres.settings import PostgresSettings
from tests.integration.resolver.conftest import Home, Resolver, Terminal
from tests.integration.resolver.test_matching import ADA, Matched

NAMES = ("Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Tony Hoare")


@pytest.fixture
async def pool(home: Home) -> AsyncIterator[Pool]:
    settings = PostgresSettings.model_validate({"dsn": home.dsn("kith_cli")})
    async with connect(settings, "test-review") as pool:
        yield pool


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[ReviewStore]:
    """Ask as the operator at the command line does."""
    async with pool.acquire() as connection:
        yield ReviewStore(connection)


async def in_two_minds(home: Home, resolver: Resolver) -> tuple[str, str]:
    """Let a pair wait: one record names identifiers of two contacts."""
    await resolver.resolve(resolver.a_signal("r1", email="ada@acme.io", name="Ada Lovelace"))
    await resolver.resolve(
        resolver.a_signal("r2", phone="+14155550100", name="Ada King", company="Acme")
    )
    await resolver.resolve(
        resolver.a_signal("r3", email="ada@acme.io", phone="+14155550100", name="Ada Lovelace")
    )
    rows = await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    return rows[0][0], rows[1][0]


async def test_a_pair_waits_is_shown_side_by_side_and_approved(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    ada, king = await in_two_minds(home, resolver)
    (pair,) = await terminal.read("review", "list")
    assert [one["id"] for one in pair["contacts"]] == [ada, king]
    assert {one["value"] for one in pair["named"]} == {"+14155550100"}
    (case,) = await terminal.read("review", "show", str(pair["number"]))
    rows = {row["field"]: row for row in case["values"]}
    assert rows["full_name"]["left"][0]["value"] == "Ada Lovelace"
    assert rows["full_name"]["right"][0]["value"] == "Ada King"
    assert rows["job"]["right"][0]["source"] == "hubspot_crm"
    assert not rows["full_name"]["agrees"]
    seen = f"{pair['number']}@{pair['contacts'][0]['version']}.{pair['contacts'][1]['version']}"
    done = await terminal.kith("review", "approve", seen, "--why", "her married name")
    assert done.exit_code == 0
    assert "mrg_" in done.output
    assert await terminal.read("review", "list") == []
    (told,) = await terminal.read("why", king)
    assert (told["id"], told["asked"]) == (ada, king)
    (merge,) = told["merges"]
    assert (merge["by"], merge["absorbed"]) == ("person", king)
    undone = await terminal.kith("review", "undo", ada)
    assert undone.exit_code == 0
    statuses = await home.fetch("SELECT status::text FROM contact.contact ORDER BY id")
    assert [row[0] for row in statuses] == ["active", "active"]


async def test_what_changed_since_it_was_seen_is_not_decided(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    ada, king = await in_two_minds(home, resolver)
    (pair,) = await terminal.read("review", "list")
    left, right = (one["version"] for one in pair["contacts"])
    await resolver.resolve(resolver.a_signal("r4", email="ada@acme.io", title="Countess"))
    late = await terminal.kith("review", "reject", f"{ada}.{king}@{left}.{right}")
    assert late.exit_code == 1
    assert "changed since" in late.output
    assert len(await terminal.read("review", "list")) == 1
    now = await terminal.kith("review", "reject", f"{ada}.{king}")
    assert now.exit_code == 0
    assert await terminal.read("review", "list") == []
    assert len(await terminal.read("review", "list", "--status", "rejected")) == 1
    (compared,) = await terminal.read("why-not", ada, king)
    assert compared["is_kept_apart"]


async def test_the_list_says_of_whom_there_can_be_no_pair(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    ada, king = await in_two_minds(home, resolver)
    assert len(await terminal.read("review", "list", "--contact", king)) == 1
    changed = await terminal.kith("review", "show", f"{ada}.{king}@99.99")
    assert "changed since" in changed.output
    assert (await terminal.kith("review", "approve", f"{ada}.{king}")).exit_code == 0
    gone = await terminal.kith("review", "list", "--contact", king)
    assert (gone.exit_code, "was merged" in gone.output) == (2, True)
    unknown = await terminal.kith("review", "list", "--contact", "con_1")
    assert (unknown.exit_code, "no such contact" in unknown.output) == (2, True)


async def test_many_are_decided_at_once_only_when_asked_twice(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    await in_two_minds(home, resolver)
    asked = await terminal.kith("review", "approve", "--all")
    assert "nothing is done without --yes" in asked.output
    assert len(await terminal.read("review", "list")) == 1
    assert (await terminal.kith("review", "approve", "--all", "--yes")).exit_code == 0
    assert await terminal.read("review", "list") == []


async def test_identifiers_are_taken_out_by_hand(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@acme.io"),
        resolver.a_signal("r2", email="ada@acme.io", phone="+14155550100"),
    )
    ada = await home.value("SELECT public_id FROM contact.contact")
    (told,) = await terminal.read("why", ada)
    assert [one["through"] for one in told["records"]] == [
        [],
        [{"type": "email", "value": "ada@acme.io"}],
    ]
    flagged = [one for one in told["records"] if one["is_flagged"]]
    assert len(flagged) == 1, "a name and a mailbox are a thread: one of the two hangs on it"
    assert flagged[0]["evidence"]["action"] == "merge_and_flag"
    assert flagged[0]["evidence"]["exact"]
    assert "marked for a look" in (await terminal.kith("why", ada)).output
    words = ("review", "split", ada, "--record", told["records"][1]["record"])
    assert (await terminal.kith(*words)).exit_code == 0
    assert await home.value("SELECT count(*) FROM contact.contact") == 2
    refused = await terminal.kith("review", "split", ada, "--identifier", "email:no@where.example")
    assert (refused.exit_code, "no such record" in refused.output) == (1, True)


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Bring other weights than those of today, which stay where they can be read."""
    present = to_document(default_weights())
    other = present | {"version": "next", "prior": 5.0, "slope": present["slope"] / 2}
    for document in (present, other):
        (tmp_path / f"{document['version']}.json").write_bytes(orjson.dumps(document))

    def release() -> None:
        monkeypatch.setattr(weights, "RELEASES", tmp_path)
        monkeypatch.setattr(weights, "CURRENT", "next")

    return release


async def test_every_decision_recomputes_to_its_stored_score(
    home: Home, resolver: Resolver, store: ReviewStore, next_release: Callable[[], None]
) -> None:
    """Merges and reviews of many people; `why` says the stored score of each again, exactly.

    So it does when a later release brings other weights.
    """
    matched = Matched(home, resolver)
    for number, name in enumerate(NAMES):
        given, _, family = name.partition(" ")
        local = f"{given}.{family}".lower()
        said: dict[str, Any] = {"company": f"Works {number}", "title": "Engineer"}
        await matched.resolve(f"a{number}", name=name, email=f"{local}@works.example", **said)
        await matched.resolve(f"b{number}", name=name, email=f"{local}@gmail.com", **said)
        await matched.resolve(f"c{number}", name=f"{given[0]} {family}", **said)
    decisions = await home.fetch("SELECT id, probability FROM contact.match_decision")
    assert len(decisions) >= len(NAMES)
    next_release()
    explained = await store.find_evidence({row["id"] for row in decisions})
    for row in decisions:
        evidence, scorer = explained[row["id"]]
        again = scorer.recompute(evidence.signals)
        assert (again.probability, again.weight) == (row["probability"], evidence.weight)
    absorbed = await home.fetch("SELECT public_id FROM contact.contact WHERE status = 'merged'")
    assert absorbed
    for (contact,) in absorbed:
        told = await why(store, contact)
        assert told
        evidences = [merge["evidence"] for merge in told["merges"]]
        assert evidences
        assert all(one["exact"] and one["score"] == one["recomputed"] for one in evidences)


async def test_what_weights_of_a_later_release_decided_is_said_to_be_another_score(
    home: Home, resolver: Resolver, store: ReviewStore, next_release: Callable[[], None]
) -> None:
    """As while two releases run side by side, or after going back."""
    matched = Matched(home, resolver)
    await matched.resolve(
        "a", name="Grace Hopper", email="grace.hopper@works.example", title="Admiral"
    )
    await matched.resolve("b", name="Grace Hopper", email="grace.hopper@gmail.com", title="Admiral")
    decision = await home.value("SELECT id FROM contact.match_decision WHERE weight > 0")
    explained = await store.find_evidence({decision})
    assert is_exact(*explained[decision])
    await home.execute("UPDATE contact.match_decision SET weights_release = '2999-01.1'")
    next_release()
    explained = await store.find_evidence({decision})
    assert not is_exact(*explained[decision])


async def test_what_a_merge_would_come_to_is_told_and_nothing_is_done(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@acme.io", name="Ada Lovelace", company="Acme"),
        resolver.a_signal("r2", phone="+14155550100", name="Ada King", company="Engines"),
    )
    ada, king = [one[0] for one in await home.fetch("SELECT public_id FROM contact.contact")]
    before = await home.value("SELECT count(*) FROM contact.contact_event")
    (told,) = await terminal.read("review", "merge", ada, king, "--preview")
    assert [one["id"] for one in told["contacts"]] == [ada, king]
    assert [one["counts"]["identifiers"] for one in told["contacts"]] == [1, 1]
    assert told["merged"]["counts"]["identifiers"] == 2
    differ = {one["field"]: one for one in told["conflicts"]}
    assert differ["last_name"]["absorbed"] == "King"
    assert differ["last_name"]["merged"] == told["merged"]["fields"]["last_name"]
    shown = (await terminal.kith("review", "merge", ada, king, "--preview")).output
    assert f"{king}@1 would go into {ada}@1" in shown
    assert "where they differ" in shown
    stale = await terminal.kith("review", "merge", f"{ada}@7", king, "--preview")
    assert (stale.exit_code, "changed since" in stale.output) == (2, True)
    assert await home.value("SELECT count(*) FROM contact.contact_event") == before
    (done,) = await terminal.read("review", "merge", ada, king)
    assert done["outcome"] == "done"
    shape = await home.value(
        "SELECT payload::jsonb -> 'shape' ->> 'fields' FROM contact.contact_event"
        " WHERE event_type = 'ContactsMerged' AND entity_public_id = $1",
        ada,
    )
    assert orjson.loads(shape) == told["merged"]["fields"]
    again = (await terminal.kith("review", "merge", ada, king, "--preview")).output
    assert "nothing would be done: it was so already" in again
    nobody = await terminal.kith("review", "merge", ada, f"con_{'0' * 26}", "--preview")
    assert (nobody.exit_code, "is not known" in nobody.output) == (1, True)


async def test_why_not_says_what_is_missing(
    home: Home, resolver: Resolver, store: ReviewStore
) -> None:
    await resolver.resolve(
        resolver.a_signal("r1", name="Adalbert Lovelace", email="a1@example.com"),
        resolver.a_signal("r2", name="Adalbert Lovelace", email="zz9@example.org"),
    )
    one, other = [row[0] for row in await home.fetch("SELECT public_id FROM contact.contact")]
    told = await why_not(store, one, other)
    assert told
    assert told["evidence"]["action"] != "merge"
    assert told["evidence"]["exact"]
    assert told["evidence"]["missing"]["bits"] > 0
    assert any("family name is the same" in one["words"] for one in told["evidence"]["signals"])
    assert await why_not(store, one, "con_" + "0" * 26) is None


async def test_how_replays_a_contact(home: Home, resolver: Resolver, store: ReviewStore) -> None:
    matched = Matched(home, resolver)
    await matched.resolve("r1", email="adalbert.lovelace@engines.example", **ADA)
    await matched.resolve("r2", email="adalbert.lovelace@gmail.com", **ADA)
    ada = await home.value("SELECT public_id FROM contact.contact ORDER BY id LIMIT 1")
    told = await how(store, ada)
    assert told
    assert [step["version"] for step in told["steps"]] == list(range(1, len(told["steps"]) + 1))
    assert told["steps"][0]["words"].startswith("made of a record of hubspot_crm")
    assert "took in con_" in told["steps"][-1]["words"]
    assert len(told["steps"][-1]["identifiers"]) == 2
    assert await how(store, "con_" + "0" * 26) is None


async def test_what_is_worth_most_comes_first_page_by_page(
    home: Home, resolver: Resolver, store: ReviewStore
) -> None:
    for number in range(3):
        email, phone = f"p{number}@acme.io", f"+1415555010{number}"
        await resolver.resolve(resolver.a_signal(f"a{number}", email=email))
        await resolver.resolve(resolver.a_signal(f"b{number}", phone=phone))
        for more in range(number + 1):
            both = resolver.a_signal(f"c{number}{more}", email=email, phone=phone)
            await resolver.resolve(both)
    everything = await store.find_queue(Filters(), None, 10)
    assert [pair.stake for pair in everything] == [7, 6, 5]
    first = everything[0]
    rest = await store.find_queue(Filters(), (first.value, first.number), 10)
    assert rest == everything[1:]
    assert await store.find_queue(Filters(tiers=("high",)), None, 10) == []
    assert len(await store.find_queue(Filters(contacts=(first.left.public_id,)), None, 10)) == 1


async def test_a_contact_is_no_pair_with_itself(
    home: Home, resolver: Resolver, pool: Pool, terminal: Terminal
) -> None:
    """One contact named twice stood for whichever pair of it was worth most."""
    ada, king = await in_two_minds(home, resolver)
    refused = await terminal.kith("review", "approve", f"{ada}.{ada}")
    assert refused.exit_code == 2
    here = await Directory(pool).resolve(home.tenant, home.workspace)
    async with pool.acquire() as connection:
        store = ReviewStore(connection, here)
        assert await show_pair(store, Filters(contacts=(ada, ada))) is None
        assert await show_pair(store, Filters(contacts=(king, ada)))


async def test_the_demo_explains_the_pair_that_is_worth_most(
    home: Home, resolver: Resolver, pool: Pool
) -> None:
    here = await Directory(pool).resolve(home.tenant, home.workspace)
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        assert await choose_case(connection, here) is None
        ada, king = await in_two_minds(home, resolver)
        case = await choose_case(connection, here)
    finally:
        await connection.close()
    assert case
    assert case.contacts == (ada, king)
    assert "A person has to decide." in case.words
    assert ("full_name", "Ada Lovelace (hubspot_crm)", "Ada King (hubspot_crm)") in case.values


async def test_a_workspace_sees_only_pairs_of_its_own_contacts(
    home: Home, resolver: Resolver, pool: Pool
) -> None:
    ada, king = await in_two_minds(home, resolver)
    here = await Directory(pool).resolve(home.tenant, home.workspace)
    beside = Place(here.tenant_id, here.workspace_id + 1, here.tenant, "wsp_" + "1" * 26)
    elsewhere = Place(here.tenant_id + 1, here.workspace_id, "ten_" + "1" * 26, here.workspace)
    async with pool.acquire() as connection:
        assert len(await list_pairs(ReviewStore(connection, here), Filters(), None, 10)) == 1
        for place in (beside, elsewhere):
            walled = ReviewStore(connection, place)
            assert await list_pairs(walled, Filters(), None, 10) == []
            assert await show_pair(walled, Filters(contacts=(ada, king))) is None
            assert await why(walled, ada) is None
            assert await why_not(walled, ada, king) is None
            assert await how(walled, ada) is None


async def test_a_workspaces_own_fields_are_kept_back(
    home: Home, resolver: Resolver, pool: Pool
) -> None:
    matched = Matched(home, resolver)
    badge = {"badge": "K-20481"}
    await matched.resolve("r1", email="al@engines.example", custom_fields=badge, **ADA)
    await matched.resolve("r2", email="al@gmail.com", custom_fields=badge, **ADA)
    ada = await home.value("SELECT public_id FROM contact.contact ORDER BY id LIMIT 1")
    here = await Directory(pool).resolve(home.tenant, home.workspace)
    async with pool.acquire() as connection:
        told = await why(ReviewStore(connection, here), ada)
        assert told
        assert told["merges"][0]["evidence"]["exact"]
        assert b"20481" not in orjson.dumps(told).upper()
        assert b"badge" not in orjson.dumps(told)
        assert b"20481" in orjson.dumps(await why(ReviewStore(connection), ada)).upper()
