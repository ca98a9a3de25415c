"""What sources say of companies: whose it is, what it changes, and that it can be taken back."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
from ulid import ULID

from shared.auth import Place
from shared.events.command import MergeCompanies, RetractImport, SplitCompany
from shared.events.signal import RejectedValue
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_resolving import check
from tests.support.companies import alone, telling

IMPORT = "imp_" + "1" * 26
ACME = {
    "domain": "acme.io",
    "name": "Acme Inc.",
    "linkedin_url": "https://linkedin.com/company/acme",
    "industry": "Engines",
    "employee_count": 120,
    "city": "Bonn",
    "country": "DE",
    "technologies": [{"name": "Kafka", "category": "Messaging"}],
    "funding": [{"type": "Series A", "date": "2020-01-02", "amount_cents": 500}],
    "phones": [{"value": "+49 30 901820", "primary": True}],
}


async def companies(home: Home) -> dict[str, Any]:
    """Return company by domain, or by name where it has none."""
    rows = await home.fetch("SELECT * FROM contact.organisation ORDER BY id")
    return {row["primary_domain"] or row["name"]: row for row in rows}


async def events(home: Home, company: str) -> list[tuple[int, str, Any]]:
    rows = await home.fetch(
        "SELECT sequence_number, event_type, payload FROM contact.organisation_event"
        " WHERE entity_public_id = $1 ORDER BY 1",
        company,
    )
    return [
        (row["sequence_number"], row["event_type"], orjson.loads(row["payload"])) for row in rows
    ]


async def place_of(home: Home) -> Place:
    (row,) = await home.fetch("SELECT id, tenant_id FROM app.workspace")
    return Place(row["tenant_id"], row["id"], home.tenant, home.workspace)


async def test_what_a_source_says_of_a_company_is_shown_and_told(
    home: Home, resolver: Resolver
) -> None:
    signal = resolver.a_signal("r1", email="ada@acme.io", company="Acme", source="apollo")
    await resolver.resolve(telling(signal, ACME))
    company = (await companies(home))["acme.io"]
    shown = {name: company[name] for name in ("name", "industry", "size_range", "city", "version")}
    assert shown == {
        "name": "Acme Inc.",
        "industry": "Engines",
        "size_range": "51-200",
        "city": "Bonn",
        "version": 2,
    }
    assert (company["linkedin_uid"], company["last_enriched_at"] is not None) == ("acme", True)
    told = await events(home, company["public_id"])
    assert [one[:2] for one in told] == [(1, "CompanyCreated"), (2, "CompanyUpdated")]
    profile = told[1][2]["shape"]["profile"]
    assert profile["technologies"] == [
        {"name": "Kafka", "category": "messaging", "source": "apollo"}
    ]
    assert profile["latest_funding_stage"] == "series_a"
    assert profile["origins"]["industry"]["source"] == "apollo"
    (job,) = await home.fetch("SELECT org_id FROM contact.contact_employment")
    assert job["org_id"] == company["id"]
    for view in ("org_funding_event", "org_technologies", "org_phones"):
        assert len(await home.fetch(f"SELECT * FROM contact.{view}")) == 1, view
    await check(home)


async def test_a_record_told_again_changes_nothing_and_another_person_tells_of_the_same(
    home: Home, resolver: Resolver
) -> None:
    first = telling(resolver.a_signal("r1", email="ada@acme.io", source="apollo"), ACME)
    await resolver.resolve(first)
    await resolver.resolve(first)
    bob = resolver.a_signal("r2", email="bob@acme.io", name="Bob Bee", source="apollo", minutes=5)
    await resolver.resolve(telling(bob, ACME))
    (ledger,) = await home.fetch("SELECT count(*) FROM contact.org_source_record")
    assert ledger["count"] == 1
    assert (await companies(home))["acme.io"]["version"] == 2


async def test_the_weightiest_source_wins_and_an_older_word_comes_too_late(
    home: Home, resolver: Resolver
) -> None:
    def said(source: str, minutes: int, **more: Any) -> Any:
        signal = resolver.a_signal(
            f"r-{source}", email="ada@acme.io", source=source, minutes=minutes
        )
        return telling(signal, {"domain": "acme.io", **more})

    await resolver.resolve(
        said("apollo", 10, industry="Engines", country="DE"),
        said("manual_entry", 5, name="ACME", industry="Looms"),
        said("apollo", 1, industry="Too old"),
        said("hubspot_crm", 20, industry="Weak", city="Paris", country="FR"),
    )
    company = (await companies(home))["acme.io"]
    assert (company["name"], company["industry"]) == ("ACME", "Looms")
    # A city of one source in the country of another is nowhere.
    assert (company["city"], company["country"]) == (None, "DE")
    rows = await home.fetch("SELECT superseded_at FROM contact.org_source_record")
    assert sorted(row["superseded_at"] is None for row in rows) == [False, True, True, True]


async def test_identifiers_of_two_companies_put_them_up_for_review(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(
        telling(resolver.a_signal("r1", email="a@a.io"), {"domain": "a-works.com"}),
        telling(
            resolver.a_signal("r2", email="b@b.io", name="Bob Bee"),
            {"linkedin_url": "https://www.linkedin.com/company/works", "name": "Works"},
        ),
    )
    await resolver.resolve(
        telling(
            resolver.a_signal("r3", email="c@c.io", name="Cy Dee"),
            {"domain": "a-works.com", "linkedin_uid": "works"},
        )
    )
    rows = await home.fetch("SELECT reason, evidence FROM contact.org_dedup_candidates")
    assert [row["reason"] for row in rows] == ["identifiers_of_several_companies"]
    assert orjson.loads(rows[0]["evidence"]) == ["domain:a-works.com", "linkedin_uid:works"]


async def test_a_name_alone_links_and_makes_no_company(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(telling(resolver.a_signal("r1", email="a@x.io"), {"name": "Nobody Ltd"}))
    assert "Nobody Ltd" not in await companies(home)
    await resolver.resolve(
        telling(
            resolver.a_signal("r2", email="b@acme.io", company="Acme"),
            {"name": "ACME", "industry": "Engines"},
        )
    )
    # The job's company is made after what is told of companies: the next word finds it.
    await resolver.resolve(
        telling(
            resolver.a_signal("r3", email="c@acme.io", name="Cy Dee"),
            {"name": "acme", "industry": "Engines"},
        )
    )
    assert (await companies(home))["acme.io"]["industry"] == "Engines"


async def test_a_merged_company_shows_what_is_said_of_both_until_it_comes_apart(
    home: Home, resolver: Resolver
) -> None:
    await resolver.resolve(
        telling(
            resolver.a_signal("r1", email="ada@acme.io", source="apollo"),
            {"domain": "acme.io", "name": "Acme", "industry": "Engines"},
        ),
        telling(
            resolver.a_signal("r2", email="bob@bolt.io", name="Bob Bee", source="apollo"),
            {"domain": "bolt.io", "name": "Bolt", "founded_year": 1999},
        ),
    )
    before = await companies(home)
    place = await place_of(home)

    def order(model: Any, **said: Any) -> Any:
        return model(
            command_id=f"cmd_{ULID()}",
            tenant=home.tenant,
            workspace=home.workspace,
            issued_at=datetime.now(UTC),
            company_id=before["acme.io"]["public_id"],
            **said,
        )

    merge = order(MergeCompanies, absorbed_id=before["bolt.io"]["public_id"])
    done = await resolver.store.judge_companies(merge, place)
    one = (await companies(home))["acme.io"]
    assert (one["name"], one["industry"], one["founded_year"]) == ("Acme", "Engines", 1999)
    # What comes for the absorbed one shows at its survivor.
    await resolver.resolve(
        telling(
            resolver.a_signal("r2", email="bob@bolt.io", source="apollo", minutes=9),
            {"domain": "bolt.io", "name": "Bolt", "founded_year": 2001},
        )
    )
    assert (await companies(home))["acme.io"]["founded_year"] == 2001
    await resolver.store.judge_companies(order(SplitCompany, merge_id=done.merge_id), place)
    after = await companies(home)
    assert (after["acme.io"]["founded_year"], after["bolt.io"]["founded_year"]) == (None, 2001)
    last = (await events(home, after["acme.io"]["public_id"]))[-1]
    assert last[2]["shape"]["profile"]["industry"] == "Engines"
    assert "founded_year" not in last[2]["shape"]["profile"]
    await check(home)


async def test_what_an_import_told_of_companies_is_taken_back_with_it(
    home: Home, resolver: Resolver
) -> None:
    def said(minutes: int, industry: str, import_id: str | None = None) -> Any:
        signal = resolver.a_signal(
            "r1", email="ada@acme.io", source="csv_upload", minutes=minutes, import_id=import_id
        )
        return telling(signal, {"domain": "acme.io", "name": industry, "industry": industry})

    await resolver.resolve(said(0, "Engines"))
    await resolver.resolve(said(5, "Looms", IMPORT))
    assert (await companies(home))["acme.io"]["industry"] == "Looms"
    await take_back(home, resolver, IMPORT)
    company = (await companies(home))["acme.io"]
    assert (company["name"], company["industry"]) == ("Engines", "Engines")
    kinds = [kind for _, kind, _ in await events(home, company["public_id"])]
    assert kinds == ["CompanyCreated", *["CompanyUpdated"] * 3]
    history = await home.fetch(
        "SELECT old_value, new_value FROM contact.org_history ORDER BY recorded_at"
    )
    assert [tuple(row) for row in history][-1] == ("Looms", "Engines")
    await resolver.resolve(said(5, "Looms", IMPORT))
    assert (await companies(home))["acme.io"]["industry"] == "Engines"
    await check(home)


OTHER = "imp_" + "2" * 26


async def take_back(
    home: Home, resolver: Resolver, import_id: str, place: Place | None = None
) -> None:
    place = place or await place_of(home)
    for _ in range(5):
        command = RetractImport(
            command_id=f"cmd_{ULID()}",
            tenant=home.tenant,
            workspace=home.workspace,
            issued_at=datetime.now(UTC),
            import_id=import_id,
        )
        if not (await resolver.store.retract(command, place)).remaining:
            return
    raise AssertionError("there is always more to take back")


async def test_what_another_import_told_as_well_stays_until_that_goes_too(
    home: Home, resolver: Resolver
) -> None:
    def said(record: str, minutes: int, import_id: str | None) -> Any:
        signal = resolver.a_signal(
            record,
            email=f"{record}@acme.io",
            name=f"Ada {record}",
            source="csv_upload",
            minutes=minutes,
            import_id=import_id,
        )
        return telling(signal, {"domain": "acme.io", "name": "Acme", "industry": "Engines"})

    await resolver.resolve(said("one", 0, IMPORT), said("two", 1, OTHER), said("two", 2, OTHER))
    await resolver.resolve(said("three", 3, OTHER))
    ledger = "SELECT import_id, also_told FROM contact.org_source_record WHERE undone_at IS NULL"
    (row,) = await home.fetch(ledger)
    assert (row["import_id"], len(row["also_told"])) == (IMPORT, 1)
    await take_back(home, resolver, IMPORT)
    assert (await companies(home))["acme.io"]["industry"] == "Engines"
    assert [tuple(one) for one in await home.fetch(ledger)] == [(OTHER, None)]
    # What of it was still on its way tells nothing any more.
    await resolver.resolve(said("one", 0, IMPORT))
    assert [tuple(one) for one in await home.fetch(ledger)] == [(OTHER, None)]
    await take_back(home, resolver, OTHER)
    assert (await companies(home))["acme.io"]["industry"] is None
    # What no import told goes with none.
    third = "imp_" + "3" * 26
    await resolver.resolve(said("four", 5, third), said("five", 6, None))
    await take_back(home, resolver, third)
    assert (await companies(home))["acme.io"]["industry"] == "Engines"
    assert [tuple(one) for one in await home.fetch(ledger)] == [(None, None)]
    await check(home)


async def test_an_import_is_taken_back_in_its_own_workspace_alone(
    home: Home, resolver: Resolver
) -> None:
    signal = resolver.a_signal("r1", email="a@acme.io", source="csv_upload", import_id=IMPORT)
    await resolver.resolve(telling(signal, {"domain": "acme.io", "industry": "Engines"}))
    place = await place_of(home)
    beside = Place(place.tenant_id, place.workspace_id + 1, place.tenant, place.workspace)
    await take_back(home, resolver, IMPORT, beside)
    assert (await companies(home))["acme.io"]["industry"] == "Engines"


async def test_a_record_that_disagrees_with_itself_has_one_present_version(
    home: Home, resolver: Resolver
) -> None:
    def said(number: int, import_id: str | None = None) -> Any:
        signal = resolver.a_signal(
            f"r{number}",
            email=f"p{number}@acme.io",
            name=f"Ada {number}",
            source="csv_upload",
            minutes=number,
            import_id=import_id,
        )
        return telling(signal, {"domain": "acme.io", "employee_count": number})

    await resolver.resolve(*[said(number) for number in range(1, 6)])
    present = "SELECT revision FROM contact.org_source_record WHERE superseded_at IS NULL"
    assert [row["revision"] for row in await home.fetch(present)] == [5]
    await resolver.resolve(said(6, IMPORT))
    async with home.resolver() as other:
        await asyncio.gather(
            take_back(home, resolver, IMPORT),
            *(other.resolve(said(number)) for number in range(7, 12)),
        )
    assert len(await home.fetch(present)) == 1
    assert (await companies(home))["acme.io"]["employee_count"] == 11
    await check(home)


async def test_racing_resolvers_lose_nothing_of_companies(home: Home, resolver: Resolver) -> None:
    """Several tell of the same companies, in any order, while people merge them and part them."""
    domains = ["a-works.com", "b-works.com", "c-works.com"]

    def batch(number: int) -> list[Any]:
        signals = [
            resolver.a_signal(
                f"r{number}-{place}",
                email=f"p{number}@{domain}",
                name=f"Ada {'abcdefghijkl'[number]}{domain[0]}",
                source="apollo",
                minutes=number,
            )
            for place, domain in enumerate(domains)
        ]
        told = [
            telling(one, {"domain": domain, "employee_count": number})
            for one, domain in zip(signals, domains, strict=True)
        ]
        return told if number % 2 else told[::-1]

    await resolver.resolve(*batch(0))
    names = {domain: row["public_id"] for domain, row in (await companies(home)).items()}
    place = await place_of(home)

    async def judge() -> None:
        for _ in range(4):
            for model, said in (
                (MergeCompanies, {"absorbed_id": names["b-works.com"]}),
                (SplitCompany, {}),
            ):
                command = model(
                    command_id=f"cmd_{ULID()}",
                    tenant=home.tenant,
                    workspace=home.workspace,
                    issued_at=datetime.now(UTC),
                    company_id=names["a-works.com"],
                    **said,
                )
                await resolver.store.judge_companies(command, place)

    async with home.resolver() as other:
        await asyncio.gather(
            judge(),
            *(
                (resolver if number % 2 else other).resolve(*batch(number))
                for number in range(1, 12)
            ),
        )
    found = await companies(home)
    assert {domain: found[domain]["employee_count"] for domain in domains} == dict.fromkeys(
        domains, 11
    )
    await check(home)


async def test_companies_come_without_a_person(home: Home, resolver: Resolver) -> None:
    """By what identifies them, each with its payload; a name links, makes none and merges none."""
    left_out = RejectedValue(field="companies.0.size_range", reason="is no range")
    acme = alone(resolver.a_signal("c1", source="hubspot_crm"), ACME)
    acme = acme.model_copy(update={"rejected": (left_out,)})
    assert await resolver.happen(acme) == []
    company = (await companies(home))["acme.io"]
    assert (company["name"], company["industry"], company["version"]) == ("Acme Inc.", "Engines", 2)
    (row,) = await home.fetch("SELECT * FROM contact.org_source_record")
    assert orjson.loads(row["raw"]) == acme.raw
    assert orjson.loads(row["rejected"]) == [left_out.model_dump()]
    assert row["applied_version"] == 2
    assert await home.value("SELECT count(*) FROM contact.contact") == 0
    ada = telling(resolver.a_signal("r1", email="ada@acme.io", minutes=1), {**ACME, "city": "Rome"})
    page = alone(
        resolver.a_signal("c2", source="apollo", minutes=2),
        {"linkedin_url": ACME["linkedin_url"], "industry": "Looms"},
        {"name": "ACME inc", "employee_count": 7},
        {"domain": "other.org"},
    )
    unknown = alone(resolver.a_signal("c3", minutes=3), {"name": "Nobody & Sons"})
    rejected = await resolver.happen(page, ada, unknown, acme)
    (refused,) = rejected
    assert (refused.error.reason, refused.error.field) == ("invalid", "companies.0.name")
    assert "domain" in refused.error.detail
    assert "Nobody" not in str(refused.error)
    found = await companies(home)
    assert found.keys() == {"acme.io", "other.org"}
    shown = found["acme.io"]
    assert (shown["industry"], shown["city"], shown["employee_count"]) == ("Looms", "Rome", 7)
    payloads = await home.fetch(
        "SELECT signal_id, raw FROM contact.org_source_record ORDER BY received_at, record_key"
    )
    assert sorted(one["signal_id"] for one in payloads if one["raw"]) == ["test#c1@0", "test#c2@2"]
    versions = {one["public_id"]: one["version"] for one in found.values()}
    assert await resolver.happen(page, acme) == []
    again = await companies(home)
    assert {one["public_id"]: one["version"] for one in again.values()} == versions
    await check(home)


async def test_what_is_placed_in_part_is_said_and_can_be_replayed(
    home: Home, resolver: Resolver
) -> None:
    """The companies that are known are entered; a replay enters the others, once they are."""
    partly = alone(
        resolver.a_signal("c1"),
        {"name": "Unknown Ltd"},
        {"domain": "acme.io"},
        {"name": "Nobody & Sons", "industry": "Looms"},
    )
    (refused,) = await resolver.happen(partly)
    assert (refused.error.reason, refused.error.field) == ("invalid", "companies.0.name")
    assert "so is companies.2.name" in refused.error.detail
    assert "others are entered" in refused.error.detail
    assert "Unknown" not in str(refused.error)
    assert (await companies(home)).keys() == {"acme.io"}
    known = [
        alone(resolver.a_signal(f"k{n}", source="hubspot_crm"), {"domain": domain, "name": name})
        for n, (domain, name) in enumerate([("u.org", "Unknown Ltd"), ("n.org", "Nobody & Sons")])
    ]
    assert await resolver.happen(*known) == []
    before = await companies(home)
    assert await resolver.happen(partly) == []
    after = await companies(home)
    assert after["n.org"]["industry"] == "Looms"
    assert after["acme.io"] == before["acme.io"]
    assert await home.value("SELECT count(*) FROM contact.org_source_record") == 5
    await check(home)


async def test_resolvers_that_race_about_a_company_make_one(home: Home) -> None:
    async with home.resolver() as one, home.resolver() as other:
        said = [
            alone(each.a_signal(name, source=source), {"domain": "acme.io", "name": name})
            for each, name, source in ((one, "c1", "apollo"), (other, "c2", "hubspot_crm"))
        ]
        await asyncio.gather(one.happen(said[0]), other.happen(said[1]))
    assert (await companies(home)).keys() == {"acme.io"}
    assert await home.value("SELECT count(*) FROM contact.org_source_record") == 2
    await check(home)
