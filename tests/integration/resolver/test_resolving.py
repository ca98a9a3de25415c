"""The gate on real PostgreSQL: transactions, races, redeliveries, walls."""

import asyncio
import random
from datetime import date
from typing import Any

import asyncpg
import orjson
import pytest

from services.resolver.handlers.signals import Signals
from services.resolver.store.queries import QUERIES
from shared.errors import PoisonMessageError, TransientError
from shared.events import topics
from shared.events.codec import encode
from shared.events.signal import Address, Education, Employment, Identifier, Language, Skill
from shared.kafka.batch import Batch, next_offsets
from shared.kafka.pace import Share
from tests.integration.resolver.conftest import Home, Resolver, record_of
from tests.support.invariants import check_database


async def check(home: Home) -> None:
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        assert await check_database(connection) == []
    finally:
        await connection.close()


async def test_a_batch_becomes_contacts_events_and_outbox(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@acme.io", company="Acme", title="CTO", labels=("vip",)),
        resolver.a_signal("r2", phone="+14155550100", name="Bob Ross"),
        resolver.a_signal("r3", email="ada@acme.io", phone="+14155550100"),
    )
    await check(home)
    events = await home.value("SELECT count(*) FROM contact.contact_event")
    companies = await home.value("SELECT count(*) FROM contact.organisation_event")
    assert await home.value("SELECT count(*) FROM contact.outbox") == events + companies
    assert companies == 1
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 1
    assert await home.value(
        "SELECT labels FROM contact.workspace_contact_binding WHERE primary_email = 'ada@acme.io'"
    ) == ["vip"]
    assert (
        await home.value(
            "SELECT next_offset FROM contact.kafka_offset WHERE consumer_group = 'resolver'"
        )
        == 3
    )


@pytest.mark.parametrize(("is_live", "expected"), [(True, [2, 2, 1]), (False, [5])])
async def test_files_are_decided_a_few_at_a_time_beside_live_signals_alone(
    home: Home, resolver: Resolver, *, is_live: bool, expected: list[int]
) -> None:
    """A part that is done again since a later one failed changes nothing, nor are offsets lost."""
    share = Share(1.0)
    signals = Signals(resolver.store, share, beside=2)
    if is_live:
        share.live()
    topic = topics.SIGNALS_NORMALIZED_BULK.name
    bodies = [encode(resolver.a_signal(f"r{n}", email=f"p{n}@example.com")) for n in range(5)]
    records = [record_of(body, place, topic) for place, body in enumerate(bodies)]
    batch = Batch(records, "resolver-bulk", next_offsets(records))
    assert await signals.handle_bulk(batch) == []
    rows = await home.fetch(
        "SELECT count(*)::int FROM contact.contact_event WHERE event_type = 'ContactCreated'"
        " GROUP BY xid ORDER BY xid"
    )
    assert [count for (count,) in rows] == expected
    before = await everything(home)
    assert await signals.handle_bulk(batch) == []
    assert await everything(home) == before
    stored = "SELECT next_offset FROM contact.kafka_offset WHERE consumer_group = 'resolver-bulk'"
    assert await home.value(stored) == 5


async def test_what_a_part_rejected_is_told_when_the_batch_is_read_again(
    home: Home, resolver: Resolver
) -> None:
    """A later part fails: the stored offset is past what nobody was told of, Kafka's is not."""
    share = Share(1.0)
    share.live()
    signals = Signals(resolver.store, share, beside=2)
    topic = topics.SIGNALS_NORMALIZED_BULK.name
    bodies = [encode(resolver.a_signal(f"r{n}", email=f"p{n}@example.com")) for n in range(5)]
    bodies[0] = b"{"
    records = [record_of(body, place, topic) for place, body in enumerate(bodies)]
    batch = Batch(records, "resolver-bulk", next_offsets(records))
    await home.execute(
        "CREATE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'not now' USING ERRCODE = '40001'; END$$"
    )
    await home.execute(
        "CREATE TRIGGER fault BEFORE INSERT ON contact.source_record FOR EACH ROW"
        " WHEN (NEW.source_record_id = 'r3') EXECUTE FUNCTION public.fault()"
    )
    with pytest.raises(TransientError):
        await signals.handle_bulk(batch)
    stored = "SELECT next_offset FROM contact.kafka_offset WHERE consumer_group = 'resolver-bulk'"
    assert await home.value(stored) == 2
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    await home.execute("DROP TRIGGER fault ON contact.source_record")
    rejected = await signals.handle_bulk(batch)
    assert [(one.record.offset, one.error.reason) for one in rejected] == [(0, "invalid")]
    assert await home.value(stored) == 5
    assert await home.value("SELECT count(*) FROM contact.contact") == 4
    await check(home)


async def test_a_redelivered_batch_changes_nothing(home: Home, resolver: Resolver) -> None:
    signals = [resolver.a_signal(f"r{n}", email=f"p{n % 7}@example.com") for n in range(40)]
    await resolver.resolve(*signals)
    before = await everything(home)
    await resolver.resolve(*signals)
    await resolver.resolve(*signals[20:], *signals[:20])
    assert await everything(home) == before


async def test_the_ledger_says_which_import_it_was(home: Home, resolver: Resolver) -> None:
    brought = "imp_" + "1" * 26
    await resolver.resolve(
        resolver.a_signal("r1", import_id=brought), resolver.a_signal("r2", email="b@example.com")
    )
    rows = await home.fetch(
        "SELECT source_record_id, import_id FROM contact.source_record ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [("r1", brought), ("r2", None)]


async def test_what_a_record_says_no_more_is_retired(home: Home, resolver: Resolver) -> None:
    """By the table, in one batch and over several; told again, it is there once."""
    old = {"email": "old@x.org", "phone": "+14155550100", "company": "Acme", "title": "CTO"}
    new = {"email": "new@x.org", "company": "Engines", "title": "CEO"}
    await resolver.resolve(resolver.a_signal(**old))
    for minutes, said in enumerate((new, old, new, old, new), start=1):
        await resolver.resolve(resolver.a_signal(**said, minutes=minutes))
    await resolver.resolve(
        *(resolver.a_signal("r2", **one, minutes=n) for n, one in enumerate((new, old, new)))
    )
    await check(home)
    rows = await home.fetch(
        "SELECT normalized_value, status::text, valid_until IS NULL AS in_use"
        " FROM contact.contact_identifier ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("+14155550100", "inactive", False),
        ("new@x.org", "active", True),
        ("old@x.org", "inactive", False),
    ]
    rows = await home.fetch(
        "SELECT email AS value, valid_until IS NULL AS in_use FROM contact.contact_email UNION ALL"
        " SELECT e164_number, valid_until IS NULL FROM contact.contact_phones ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("+14155550100", False),
        ("new@x.org", True),
        ("old@x.org", False),
    ]
    jobs = await home.fetch("SELECT company_name, title FROM contact.contact_employment")
    assert [tuple(row) for row in jobs] == [("Engines", "CEO")]
    await resolver.resolve(resolver.a_signal("r3", email="old@x.org", minutes=9))
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    await check(home)


@pytest.mark.parametrize("goes", ["r1", "r2"])
async def test_a_job_told_before_stints_were_takes_no_other_with_it(
    home: Home, resolver: Resolver, goes: str
) -> None:
    """Of an employer and title, one was told and written then, of whatever start."""
    starts = {"r1": None, "r2": date(2020, 1, 1)}
    for minutes, (record, start) in enumerate(starts.items()):
        job = Employment(company_name="Acme", title="CTO", start_date=start)
        said = {"email": "ada@x.org", "employments": (job,), "minutes": minutes}
        await resolver.resolve(resolver.a_signal(record, **said))
    await home.execute(
        "UPDATE contact.contact_event SET payload = payload || '{\"employments_added\": []}'"
        " WHERE sequence_number = 2"
    )
    await home.execute("DELETE FROM contact.contact_employment WHERE start_date IS NOT NULL")
    await check(home)
    await resolver.resolve(resolver.a_signal(goes, email="ada@x.org", minutes=9))
    await check(home)
    rows = await home.fetch("SELECT start_date FROM contact.contact_employment")
    assert [row[0] for row in rows] == [start for one, start in starts.items() if one != goes]


async def test_what_a_signal_changes_of_a_view_is_audited(home: Home, resolver: Resolver) -> None:
    """With source and cause; a new contact, or what changes nothing, is not."""
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", title="CTO", labels=("vip",)))
    await resolver.resolve(resolver.a_signal("r2", email="a@x.org", title="CTO", minutes=1))
    assert await home.value("SELECT count(*) FROM contact.contact_field_audit") == 0
    await resolver.resolve(resolver.a_signal("r1", email="a@x.org", title="CEO", minutes=2))
    rows = await home.fetch(
        "SELECT a.field_name, a.old_value, a.new_value, a.changed_by, s.source_provider, a.cause"
        " FROM contact.contact_field_audit a JOIN contact.data_source s ON s.id = a.source_id"
        " JOIN contact.workspace_contact_binding b ON b.id = a.entity_id"
        "   AND b.workspace_id = a.workspace_id AND b.tenant_id = a.tenant_id"
        " WHERE a.entity_type = 'contact_binding' ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("labels", '["vip"]', "[]", None, "hubspot_crm", "test#r1@2"),
        ("title", "CTO", "CEO", None, "hubspot_crm", "test#r1@2"),
    ]


async def everything(home: Home) -> dict[str, Any]:
    tables = await home.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'contact' AND c.relkind IN ('r', 'p')"
        " AND c.relname NOT IN ('kafka_offset', 'schema_version')"
    )
    return {
        row["relname"]: await home.value(f"SELECT count(*) FROM contact.{row['relname']}")
        for row in tables
    }


async def test_versions_of_a_record_replace_one_another(home: Home, resolver: Resolver) -> None:
    """A → B → A over three batches, then the first A once more."""
    a = resolver.a_signal(name="Ada A", email="ada@example.com", notes="first")
    await resolver.resolve(a)
    await resolver.resolve(resolver.a_signal(name="Ada B", email="ada@example.com", minutes=1))
    await resolver.resolve(resolver.a_signal(name="Ada A", email="ada@example.com", minutes=2))
    await resolver.resolve(a)
    await check(home)
    rows = await home.fetch(
        "SELECT revision, superseded_at IS NULL AS present FROM contact.source_record ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [(1, False), (2, False), (3, True)]
    assert await home.value("SELECT full_name FROM contact.workspace_contact_binding") == "Ada A"
    assert await home.value("SELECT notes FROM contact.workspace_contact_binding") is None


async def test_racing_resolvers_agree(home: Home) -> None:
    """Four resolvers, the same few people in every batch: no doubles, no deadlock, no gap."""
    dice = random.Random(42)

    async def work(number: int) -> None:
        async with home.resolver() as resolver:
            for batch in range(8):
                signals = [
                    resolver.a_signal(
                        f"r{number}-{batch}-{n}",
                        email=f"p{dice.randrange(25)}@acme{dice.randrange(6)}.com",
                        phone=f"+1415555{dice.randrange(40):04d}",
                        company=f"Acme {dice.randrange(6)}",
                        title="CTO",
                    )
                    for n in range(50)
                ]
                while True:
                    try:
                        await resolver.resolve(*signals)
                    except TransientError:
                        continue
                    break

    await asyncio.gather(*(work(number) for number in range(4)))
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.source_record") == 4 * 8 * 50


async def test_an_unreadable_record_leaves_its_neighbours_alone(
    home: Home, resolver: Resolver
) -> None:
    good = resolver.a_signal("r1", email="ada@example.com")
    unknown = resolver.a_signal("r2", email="b@example.com", source="no_such_source")
    stranger = resolver.a_signal("r3", email="c@example.com").model_copy(
        update={"tenant": "ten_" + "Z" * 26}
    )
    rejected = await resolver.handle(
        [b"{", encode(good), encode(unknown), None, encode(stranger), b'{"signal_id": "x"}']
    )
    assert [one.record.offset for one in rejected] == [0, 2, 3, 4, 5]
    assert [one.error.reason for one in rejected] == [
        "invalid",
        "unknown_source",
        "invalid",
        "unknown_tenant",
        "invalid",
    ]
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    await check(home)


async def test_what_the_database_refuses_is_the_records_fault(resolver: Resolver) -> None:
    """Delivery then searches for the record by halves."""
    bad = resolver.a_signal("r1", email="ada@example.com").model_copy(
        update={"raw": {"note": "\x00"}, "source_record_id": "a\x00b"}
    )
    with pytest.raises(PoisonMessageError) as caught:
        await resolver.resolve(bad)
    assert caught.value.reason == "rejected_by_database"
    assert "a\x00b" not in str(caught.value)


async def lose_the_connection(home: Home, resolver: Resolver) -> None:
    async with resolver.store.transaction() as tx:
        await home.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'test-resolver' AND datname = current_database()"
        )
        await tx.find_commands([])


async def test_a_lost_connection_is_transient(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(resolver.a_signal("r1", email="ada@example.com"))
    with pytest.raises(TransientError):
        await lose_the_connection(home, resolver)
    await resolver.resolve(resolver.a_signal("r2", email="bob@example.com", name="Bob Ross"))
    assert await home.value("SELECT count(*) FROM contact.contact") == 2


async def test_two_workspaces_share_the_contact_and_not_the_binding(
    home: Home, resolver: Resolver
) -> None:
    other = await second_workspace(home)
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@example.com", notes="ours"),
        resolver.a_signal(
            "r1", email="ada@example.com", workspace=other, notes="theirs", signal_id="test#theirs"
        ),
    )
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.contact") == 1
    rows = await home.fetch("SELECT notes FROM contact.workspace_contact_binding ORDER BY notes")
    assert [row["notes"] for row in rows] == ["ours", "theirs"]
    private = await home.fetch(
        "SELECT workspace_id FROM contact.contact_event WHERE event_type = 'BindingChanged'"
    )
    assert len({row["workspace_id"] for row in private}) == 2


async def test_another_tenant_is_another_world(home: Home, resolver: Resolver) -> None:
    await home.execute(
        "INSERT INTO app.tenant (public_id, name) VALUES ('ten_' || repeat('2', 26), 'two')"
    )
    await home.execute(
        "INSERT INTO app.workspace (public_id, tenant_id, name)"
        " SELECT 'wsp_' || repeat('2', 26), id, 'two' FROM app.tenant WHERE name = 'two'"
    )
    await resolver.resolve(resolver.a_signal("r1", email="ada@acme.io", company="Acme"))
    resolver.tenant, resolver.workspace = "ten_" + "2" * 26, "wsp_" + "2" * 26
    await resolver.resolve(resolver.a_signal("r1", email="ada@acme.io", company="Acme"))
    await check(home)
    assert await home.value("SELECT count(DISTINCT tenant_id) FROM contact.contact") == 2
    assert await home.value("SELECT count(*) FROM contact.organisation") == 2


@pytest.mark.parametrize("role", ["kith_api", "kith_projector", "kith_ingest", "kith_relay"])
async def test_no_other_role_writes_contacts(home: Home, role: str) -> None:
    connection = await asyncpg.connect(home.dsn(role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE contact.contact SET version = version + 1")
    finally:
        await connection.close()


@pytest.mark.parametrize("name", sorted(QUERIES.names))
async def test_every_statement_can_be_prepared(resolver: Resolver, name: str) -> None:
    async with resolver.store._pool.acquire() as connection:
        try:
            await connection.prepare(QUERIES[name])
        except asyncpg.InsufficientPrivilegeError:
            assert name == "delete_published", name


async def test_a_vendor_that_names_nobody_spoke_of_whom_it_was_asked(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal("r1", email="ada@example.com", company="Acme"))
    contact = await home.value("SELECT public_id FROM contact.contact")
    answer = {"source": "apollo", "about": contact, "title": "CTO", "company": "Acme"}
    await resolver.resolve(
        resolver.a_signal("v1", **answer),
        resolver.a_signal("v2", **{**answer, "about": "con_" + "Z" * 26}, name="Eve Moe"),
    )
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.contact") == 2
    assert (
        await home.value(
            "SELECT b.title FROM contact.workspace_contact_binding b"
            " JOIN contact.contact c ON c.id = b.contact_id WHERE c.public_id = $1",
            contact,
        )
        == "CTO"
    )


async def test_a_contact_says_when_a_vendor_last_told_of_it(home: Home, resolver: Resolver) -> None:
    """Of when the newest is that a vendor says; what comes later and is older changes nothing."""
    when = "SELECT extract(minute FROM last_enriched_at)::int FROM contact.contact"
    await resolver.resolve(resolver.a_signal("r1", email="ada@example.com", minutes=1))
    assert await home.value(when) is None
    for source, minutes, expected in (
        ("apollo", 5, 5),
        ("clearbit", 3, 5),
        ("hubspot_crm", 8, 5),
        ("ai_deep_research", 9, 9),
    ):
        await resolver.resolve(
            resolver.a_signal(source, email="ada@example.com", source=source, minutes=minutes)
        )
        assert await home.value(when) == expected
    await check(home)


async def test_notes_that_a_newer_version_drops_are_gone_everywhere(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(resolver.a_signal(email="ada@example.com", notes="old", labels=("a",)))
    await resolver.resolve(resolver.a_signal(email="ada@example.com", labels=("a",), minutes=1))
    await check(home)
    notes = await home.fetch(
        "SELECT payload ->> 'notes' AS notes FROM contact.contact_event"
        " WHERE event_type = 'BindingChanged' ORDER BY sequence_number"
    )
    assert [row["notes"] for row in notes] == ["old", None]
    assert await home.value("SELECT notes FROM contact.workspace_contact_binding") is None


async def test_a_batch_may_move_a_record_on_and_back(home: Home, resolver: Resolver) -> None:
    """What the ledger calls a repeat is news again once the batch has moved its record on."""
    first = resolver.a_signal("r1", email="ada@example.com")
    other = resolver.a_signal("r2", phone="+14155550100", name="Bob Ross")
    await resolver.resolve(first, other)
    again = resolver.a_signal("r1", email="ada@example.com", phone="+14155550100", minutes=1)
    back = resolver.a_signal("r1", email="ada@example.com", minutes=2)
    await resolver.resolve(again, back, again)
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 1


async def test_ids_do_not_run_out_where_only_bindings_are_new(
    home: Home, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second workspace meets the tenant's contacts: many bindings, no new contact."""
    monkeypatch.setattr("services.resolver.store.ids.BLOCK", 20)
    await home.execute(
        "INSERT INTO app.workspace (public_id, tenant_id, name)"
        " SELECT 'wsp_' || repeat('2', 26), id, 'two' FROM app.tenant"
    )
    for workspace in (resolver.workspace, "wsp_" + "2" * 26):
        for batch in range(6):
            await resolver.resolve(
                *(
                    resolver.a_signal(
                        f"r{n}",
                        email=f"p{n}@example.com",
                        workspace=workspace,
                        signal_id=f"test#{workspace}{n}",
                    )
                    for n in range(batch * 10, batch * 10 + 10)
                )
            )
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.workspace_contact_binding") == 120


async def second_workspace(home: Home) -> str:
    """Make another workspace of the tenant."""
    name = "wsp_" + "2" * 26
    await home.execute(
        "INSERT INTO app.workspace (public_id, tenant_id, name)"
        " SELECT $1::text, id, 'two' FROM app.tenant",
        name,
    )
    return name


async def authoritative_workspace(home: Home) -> str:
    """Read whose view speaks for the one contact."""
    return str(
        await home.value(
            "SELECT w.public_id FROM contact.contact_latest_data l"
            " JOIN contact.workspace_contact_binding b ON b.id = l.workspace_contact_binding_id"
            " AND b.deleted_at IS NULL JOIN app.workspace w ON w.id = b.workspace_id"
        )
    )


async def test_the_authoritative_binding_follows_the_weightiest_word(
    home: Home, resolver: Resolver
) -> None:
    """A better source flips the pointer, a worse one does not, an equal one when it is newer."""
    other, ada = await second_workspace(home), "ada@example.com"

    async def say(workspace: str, source: str, minutes: int) -> str:
        await resolver.resolve(
            resolver.a_signal(
                f"{source} {minutes}",
                email=ada,
                workspace=workspace,
                source=source,
                minutes=minutes,
                signal_id=f"test#{workspace}{minutes}",
            )
        )
        await check(home)
        return await authoritative_workspace(home)

    assert await say(resolver.workspace, "hubspot_crm", 1) == resolver.workspace
    assert await say(other, "csv_upload", 2) == resolver.workspace
    assert await say(other, "salesforce_crm", 3) == other
    assert await say(resolver.workspace, "hubspot_crm", 4) == resolver.workspace
    assert await say(other, "apollo", 0) == other
    await home.execute(
        "UPDATE contact.workspace_contact_binding b SET data_owner = 'user' FROM app.workspace w"
        " WHERE w.id = b.workspace_id AND w.public_id = $1",
        resolver.workspace,
    )
    assert await say(other, "apollo", 9) == resolver.workspace


async def test_a_contact_born_to_two_workspaces_at_once_has_one_authoritative_binding(
    home: Home, resolver: Resolver
) -> None:
    other = await second_workspace(home)
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@example.com", source="csv_upload"),
        resolver.a_signal("r1", email="ada@example.com", workspace=other, signal_id="test#two"),
    )
    await check(home)
    assert await home.value("SELECT count(*) FROM contact.contact_latest_data") == 1
    assert await authoritative_workspace(home) == other


async def test_what_sources_say_of_a_person_is_in_the_details(
    home: Home, resolver: Resolver
) -> None:
    """Each value once, told by the weightiest; what a newer version leaves out is gone."""
    berlin = Address(street="Unter den Linden 1", city="Berlin", country="DE")
    github = Identifier(type="github_username", value="ada")

    def details(kind: str, columns: str) -> Any:
        return home.fetch(
            f"SELECT {columns} FROM contact.contact_{kind} d"
            " JOIN contact.data_source s ON s.id = d.source_id ORDER BY 1, 2, 3"
        )

    await resolver.resolve(
        resolver.a_signal(
            "r1",
            email="ada@example.com",
            birthday="--12-10",
            addresses=(berlin, Address(country="Atlantis", label="home")),
            websites=("https://ada.example",),
            languages=(Language(language="French"), Language(language="German")),
        ),
        resolver.a_signal(
            "r2",
            email="ada@example.com",
            source="apollo",
            birthday="1815-12-10",
            addresses=(berlin.model_copy(update={"label": "work"}),),
            more_identifiers=(github,),
            education=(Education(school="University of London", end_date=date(1834, 6, 1)),),
            skills=(Skill(name="Analysis", endorsements=7), Skill(name="Weaving")),
            languages=(Language(language="french", proficiency="professional"),),
            signal_id="test#2",
        ),
        # No day, though it is written as one: it is nowhere, and breaks nothing.
        resolver.a_signal("r3", email="ada@example.com", birthday="2001-02-31", signal_id="test#3"),
    )
    await check(home)
    rows = await details("addresses", "city, country, country_as_given, label, source_provider")
    assert [tuple(row) for row in rows] == [
        ("Berlin", "DE", None, "work", "apollo"),
        (None, None, "Atlantis", "home", "hubspot_crm"),
    ]
    rows = await details("key_dates", "date::text, type::text, year_known")
    assert [tuple(row) for row in rows] == [
        ("1604-12-10", "birthday", False),
        ("1815-12-10", "birthday", True),
    ]
    rows = await details("social_profiles", "platform::text, url, username")
    assert [tuple(row) for row in rows] == [
        ("github", None, "ada"),
        ("other", "https://ada.example", None),
    ]
    rows = await details("education", "school_name, degree, end_date::text")
    assert [tuple(row) for row in rows] == [("University of London", None, "1834-06-01")]
    rows = await details("skills", "skill_name, endorsements, source_provider")
    assert [tuple(row) for row in rows] == [("Analysis", 7, "apollo"), ("Weaving", 0, "apollo")]
    rows = await details("languages", "language, proficiency::text, source_provider")
    assert [tuple(row) for row in rows] == [
        ("German", None, "hubspot_crm"),
        ("french", "professional", "apollo"),
    ]
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@example.com", minutes=9, signal_id="test#4")
    )
    assert await home.value("SELECT count(*) FROM contact.contact_languages") == 1
    assert await home.value("SELECT count(*) FROM contact.contact_addresses") == 1
    assert await home.value("SELECT count(*) FROM contact.contact_social_profiles") == 1


async def test_how_much_is_known_follows_the_customers_table(
    home: Home, resolver: Resolver
) -> None:
    """Spec 003, 9.5: each kind adds its share, whoever tells, and goes when it is said no more."""

    async def known() -> tuple[int, dict[str, float]]:
        (row,) = await home.fetch("SELECT enrichment_score, parts FROM contact.contact_score")
        parts: dict[str, float] = orjson.loads(row["parts"])
        return row["enrichment_score"], {name: part for name, part in parts.items() if part}

    await resolver.resolve(resolver.a_signal("r1", email="ada@example.com", name="Ada"))
    digest = await home.value("SELECT dedup_hash FROM contact.contact_digest")
    assert await known() == (8, {"name": 0.08})
    full = resolver.a_signal(
        "r2",
        email="ada@example.com",
        phone="+4930123456",
        source="apollo",
        addresses=(Address(city="Berlin"),),
        more_identifiers=(
            Identifier(type="github_username", value="ada"),
            Identifier(type="twitter_handle", value="ada"),
            Identifier(type="ig_username", value="ada"),
        ),
    )
    jobs = (
        Employment(company_name="Acme", title="CTO"),
        *(
            Employment(company_name=f"Old {n}", is_current=False, end_date=date(2020, 1, n))
            for n in (1, 2, 3)
        ),
    )
    facts = full.facts.model_copy(update={"employments": jobs})
    await resolver.resolve(full.model_copy(update={"facts": facts}))
    score, parts = await known()
    assert parts == {
        "name": 0.15,
        "email": 0.15,
        "phone": 0.10,
        "company": 0.10,
        "title": 0.08,
        "social_profiles": 0.07,
        "address": 0.05,
        "employment_history": 0.10,
        "enrichment": 0.10,
    }
    assert score == 90
    assert await home.value("SELECT dedup_hash FROM contact.contact_digest") != digest
