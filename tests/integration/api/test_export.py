"""Contacts as files, on a real database: what is in them, for whom, and what is refused."""

import csv
import io
from datetime import UTC, datetime

import httpx
import orjson
import pytest
import vobject
from openpyxl import load_workbook

from services.api.routes.export import Exports
from services.api.settings import ExportSettings
from shared.auth import Place
from shared.events.contact import ContactCreated, ContactsMerged
from shared.events.signal import Employment, Facts
from tests.support.api import World, body
from tests.support.contacts import NOW, a_contact, a_note, identified

EXPORT = "/api/v1/contacts/export"


async def say(world: World, contact: ContactCreated, place: Place, facts: Facts) -> None:
    """Let a source record of a workspace say something of a contact."""
    await world.admin.execute(
        "INSERT INTO contact.source_record (tenant_id, workspace_id, source_id, record_key,"
        " revision, content_hash, signal_id, occurred_at, received_at, applied_at, contact_id,"
        " applied_version, confidence, facts, raw)"
        " SELECT $1, $2, source.id, substr(sha256(random()::text::bytea), 1, 16), 1,"
        " substr(sha256('x'), 1, 16), 's', $3, $3, $3, contact.id, 1, 1, $4, '{}'"
        " FROM contact.contact AS contact, contact.data_source AS source"
        " WHERE contact.public_id = $5 AND source.source_provider = 'hubspot_crm'",
        place.tenant_id,
        place.workspace_id,
        NOW,
        orjson.dumps(facts.model_dump(mode="json", exclude_defaults=True)).decode(),
        contact.contact_id,
    )


@pytest.fixture
async def ada(world: World) -> ContactCreated:
    """Let a contact be of whom much is said."""
    ada = a_contact(
        world.here,
        fields={
            "display_name": "Ada Lovelace",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email_primary": "ada@acme.test",
            "headline": "=HYPERLINK(1)",
        },
        identifiers=(*identified("email", "ada@acme.test"), *identified("twitter_handle", "ada")),
    )
    await world.happen(ada, a_note(ada, 2, world.here, "+met in Turin"))
    facts = Facts.model_validate(
        {
            "nickname": "Countess",
            "emails": [{"value": "ada@acme.test", "label": "Büro"}],
            "addresses": [{"street": "5 Main St, Top Floor", "city": "London", "label": "home"}],
            "websites": ["https://ada.example"],
            "notes": "another workspace's secret",
        }
    )
    await say(world, ada, world.here, facts)
    return ada


async def fetch(world: World, **parameters: str) -> httpx.Response:
    return await fetch_in(world, world.here, parameters)


async def fetch_in(world: World, place: Place, parameters: dict[str, str]) -> httpx.Response:
    async with world.client(place) as client:
        return await client.get(EXPORT, params=parameters)


async def test_a_table_has_it_all_and_computes_nothing(world: World, ada: ContactCreated) -> None:
    answer = await fetch(world)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["kith-total"] == "1"
    assert "attachment" in answer.headers["content-disposition"]
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    told = {name: cell for name, cell in row.items() if cell}
    assert told == {
        "Kith ID": ada.contact_id,
        "Name": "Ada Lovelace",
        "First Name": "Ada",
        "Last Name": "Lovelace",
        "Nickname": "Countess",
        "Headline": "'=HYPERLINK(1)",
        "E-mail 1 - Label": "* Büro",
        "E-mail 1 - Value": "ada@acme.test",
        "Address 1 - Label": "home",
        "Address 1 - Street": "5 Main St, Top Floor",
        "Address 1 - City": "London",
        "Website 1 - Value": "https://ada.example",
        "Twitter Handle": "ada",
        "Labels": "vip",
        "Notes": "'+met in Turin",
        "Status": "active",
        "Lead Status": "new",
        "Lead Source": "hubspot_crm",
        "Created": "2026-01-01T12:00:00+00:00",
        "Updated": "2026-01-01T12:00:00+00:00",
    }


async def test_every_format_holds_the_contact(world: World, ada: ContactCreated) -> None:
    book = load_workbook(io.BytesIO((await fetch(world, format="xlsx")).content))
    header, first = list(book["Contacts"].iter_rows(values_only=True))
    row = dict(zip(header, first, strict=True))
    assert (row["Kith ID"], row["Headline"]) == (ada.contact_id, "'=HYPERLINK(1)")
    for format_ in ("vcard", "vcard3"):
        answer = await fetch(world, format=format_)
        assert answer.headers["content-type"].startswith("text/vcard")
        [card] = list(vobject.readComponents(answer.text))
        assert (card.fn.value, card.email.value) == ("Ada Lovelace", "ada@acme.test")
        assert (card.n.value.family, card.adr.value.city) == ("Lovelace", "London")
        assert (card.uid.value, card.note.value) == (ada.contact_id, "+met in Turin")
    [said] = orjson.loads((await fetch(world, format="json")).content)
    assert said["about"] == said["source_record_id"] == ada.contact_id
    assert said["emails"] == [{"value": "ada@acme.test", "label": "Büro", "primary": True}]


async def test_accept_names_the_format(world: World, ada: ContactCreated) -> None:
    async with world.client(headers={"Accept": "text/vcard"}) as client:
        answer = await client.get(EXPORT)
        assert answer.text.startswith("BEGIN:VCARD\r\nVERSION:4.0\r\n")
        assert (await client.get(EXPORT, params={"format": "json"})).text.startswith("[")


async def test_filters_groups_ids_and_fields_choose(world: World, ada: ContactCreated) -> None:
    bob = a_contact(world.here, fields={"display_name": "Bob", "company_name": "Acme"})
    await world.happen(bob)

    async def names(**parameters: str) -> list[str]:
        answer = await fetch(world, format="json", fields="full_name", **parameters)
        assert answer.status_code == 200, answer.text
        return [one["full_name"] for one in orjson.loads(answer.content)]

    assert await names() == ["Ada Lovelace", "Bob"]
    assert await names(**{"filter[company]": "acme"}) == ["Bob"]
    assert await names(group="vip") == ["Ada Lovelace"]
    assert await names(group="nobody") == []
    assert await names(ids=bob.contact_id) == ["Bob"]
    async with world.client() as client:
        answer = await client.post(
            EXPORT,
            json={"meta": {"format": "json", "ids": [ada.contact_id], "fields": ["emails"]}},
        )
        assert [sorted(one) for one in orjson.loads(answer.content)] == [
            ["about", "emails", "id", "source", "source_record_id"]
        ]
        header = (await client.get(EXPORT, params={"fields": "emails,labels"})).text
        assert header.lstrip("\ufeff").startswith("Kith ID,E-mail 1 - Label")
        assert "Labels,More\r\n" in header
        assert "Notes" not in header


async def test_who_was_merged_is_exported_as_who_they_are(world: World) -> None:
    one, other = a_contact(world.here), a_contact(world.here, fields={"display_name": "Two"})
    merged = ContactsMerged(
        contact_id=one.contact_id,
        version=2,
        occurred_at=NOW,
        cause="test",
        merge_id="mrg_01J00000000000000000000000",
        survivor_id=other.contact_id,
        absorbed_id=one.contact_id,
        decided_by="person",
        reason="same",
    )
    await world.happen(one, merged)
    unseen = await fetch(world, format="json", ids=one.contact_id)
    assert unseen.json() == []  # the other is not in the read model yet
    await world.happen(other)
    answer = await fetch(world, format="json", ids=one.contact_id)
    assert [said["id"] for said in answer.json()] == [other.contact_id]


async def test_one_contact_comes_with_its_history(world: World, ada: ContactCreated) -> None:
    answer = await fetch(world, format="json", ids=ada.contact_id, include="history")
    [said] = orjson.loads(answer.content)
    assert [entry["what"] for entry in said["history"]] == ["BindingChanged", "ContactCreated"]
    assert said["version"] == 2
    refused = await fetch(world, format="csv", ids=ada.contact_id, include="history")
    assert refused.status_code == 400


async def test_more_contacts_than_a_page_come_once_each(world: World) -> None:
    contacts = [a_contact(world.here, fields={"display_name": f"N {n}"}) for n in range(203)]
    await world.happen(*contacts)
    answer = await fetch(world, format="json")
    found = [said["id"] for said in orjson.loads(answer.content)]
    assert found == sorted(one.contact_id for one in contacts)


async def test_jobs_and_custom_fields_have_columns(world: World) -> None:
    job = Employment(
        company_name="Acme", title="CTO", start_date=datetime(2020, 1, 2, tzinfo=UTC).date()
    )
    contact = a_contact(world.here)
    asserted = contact.asserted.model_copy(update={"facts": Facts(employments=(job,))})
    note = a_note(contact, 2, world.here, "n").model_copy(
        update={"custom_fields": {"Shoe size": "38", "Level": 5}}
    )
    await world.happen(contact.model_copy(update={"asserted": asserted}), note)
    [row] = csv.DictReader(io.StringIO((await fetch(world)).content.decode("utf-8-sig")))
    assert (row["Organization 1 - Name"], row["Organization 1 - Start"]) == ("Acme", "2020-01-02")
    assert (row["Custom: Shoe size"], row["Custom: Level"]) == ("38", "5")
    assert orjson.loads(row["More"]) == {"custom_fields": {"Level": 5}}


async def test_nobody_else_gets_any_of_it(world: World, ada: ContactCreated) -> None:
    """Another workspace shares facts where it knows the contact, never what is private."""
    for place in (world.beside, world.elsewhere):
        assert (await fetch_in(world, place, {"format": "json"})).json() == []
        refused = await fetch_in(world, place, {"ids": ada.contact_id})
        assert refused.status_code == 404
    known = a_contact(world.beside, fields={"display_name": "Shared"})
    await world.happen(known)
    await say(
        world, known, world.here, Facts(nickname="Shared nick", notes="private", labels=("x",))
    )
    [said] = (await fetch_in(world, world.beside, {"format": "json"})).json()
    assert said["nickname"] == "Shared nick"
    assert not {"notes", "labels"} & said.keys()


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"format": "pdf"}, "invalid_parameter"),
        ({"fields": "emails,secrets"}, "invalid_parameter"),
        ({"ids": "con_1"}, "invalid_parameter"),
        ({"filter[nonsense]": "x"}, "unknown_parameter"),
        ({"include": "history", "format": "json"}, "invalid_parameter"),
        ({"page[size]": "5"}, "unknown_parameter"),
    ],
)
async def test_what_cannot_be_is_refused(
    world: World, parameters: dict[str, str], code: str
) -> None:
    answer = await fetch(world, **parameters)
    assert answer.status_code == 400
    assert [error["code"] for error in body(answer)["errors"]] == [code]


@pytest.mark.parametrize("sent", [b"", b"[]", b'{"meta": {"ids": "all"}}', b'{"meta": {"x": 1}}'])
async def test_a_body_that_says_nothing_is_refused(world: World, sent: bytes) -> None:
    async with world.client() as client:
        answer = await client.post(EXPORT, content=sent)
    assert (answer.status_code, body(answer)["errors"][0]["code"]) == (400, "invalid_body")


async def test_exports_are_bounded(world: World, ada: ContactCreated) -> None:
    await world.happen(a_contact(world.here))
    world.http.state.exports = Exports(ExportSettings(max_contacts=1, at_once=1))
    answer = await fetch(world)
    assert body(answer)["errors"][0]["code"] == "too_many_contacts"
    world.http.state.exports = exports = Exports(ExportSettings(at_once=1))
    exports.begin()
    answer = await fetch(world)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    exports.end()
    assert [(await fetch(world)).status_code for _ in range(3)] == [200] * 3


async def test_a_contacts_background_is_shown_where_the_contact_is(
    world: World, ada: ContactCreated
) -> None:
    said = {"skills": [{"name": "Analysis", "endorsements": 7}], "languages": [{"language": "fr"}]}
    await say(world, ada, world.here, Facts.model_validate(said))
    path = f"/api/v1/contacts/{ada.contact_id}/background"
    async with world.client() as client:
        shown = (await client.get(path)).json()
        assert (await client.get(f"{path}?x=1")).status_code == 400
    assert shown["data"]["type"] == "contact_backgrounds"
    assert shown["data"]["attributes"] == {
        "education": [],
        "skills": [{"name": "Analysis", "endorsements": 7}],
        "certifications": [],
        "languages": [{"language": "fr", "proficiency": None}],
    }
    async with world.client(world.elsewhere) as client:
        assert (await client.get(path)).status_code == 404


async def test_a_contact_tells_how_much_is_known_of_it(world: World, ada: ContactCreated) -> None:
    await world.admin.execute(
        "WITH bound AS (INSERT INTO contact.workspace_contact_binding (tenant_id, workspace_id,"
        " contact_id, first_name, last_name, created_at, updated_at)"
        " SELECT tenant_id, $2, id, 'Ada', 'Lovelace', now(), now() FROM contact.contact"
        " WHERE public_id = $1 RETURNING *)"
        " INSERT INTO contact.contact_latest_data"
        " SELECT contact_id, id, tenant_id, now() FROM bound",
        ada.contact_id,
        world.here.workspace_id,
    )
    async with world.client() as client:
        meta = (await client.get(f"/api/v1/contacts/{ada.contact_id}")).json()["data"]["meta"]
    assert meta["intelligence"]["name"] == 0.15
    assert meta["intelligence_score"] == round(sum(meta["intelligence"].values()), 3)
