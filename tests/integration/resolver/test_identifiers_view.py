"""Identifiers as spec 003 (5.3) lists them: a view over what is stored once."""

from typing import Any

from shared.events.command import MergeContacts, SplitContact
from shared.events.signal import Address, Point, PointStatus
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_merging import check, judge, said


async def test_an_identifier_has_the_label_and_verification_of_its_email(
    home: Home, resolver: Resolver
) -> None:
    work = Point(value="ada@acme.io", label="work", primary=True, status="verified")
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@acme.io", phone="+14155550100", emails=(work,)),
        resolver.a_signal("r2", email="old@acme.io", phone="+14155550100", minutes=1),
        resolver.a_signal("r2", phone="+14155550100", minutes=2),
    )
    rows = await home.fetch(
        "SELECT value, label, is_primary, status::text, verified, valid_until IS NOT NULL AS over"
        " FROM contact.contact_identifiers ORDER BY value"
    )
    assert [tuple(row) for row in rows] == [
        ("+14155550100", None, False, "active", False, False),
        ("ada@acme.io", "work", True, "active", True, False),
        ("old@acme.io", None, False, "inactive", False, True),
    ]


async def test_what_follows_from_a_job_and_an_address_is_in_the_binding(
    home: Home, resolver: Resolver
) -> None:
    address = Address(city="Bonn", country="Germany")
    photo = "https://x.example/a.jpg"
    await resolver.resolve(
        resolver.a_signal(
            "r1", email="ada@acme.io", title="VP Sales", addresses=(address,), photo_url=photo
        )
    )
    await resolver.resolve(
        resolver.a_signal("r1", email="ada@acme.io", title="Buyer", photo_url=photo, minutes=1)
    )
    (row,) = await home.fetch(
        "SELECT seniority, departments, timezone, avatar_url FROM contact.workspace_contact_binding"
    )
    assert tuple(row) == (None, ["operations"], None, photo)
    changes = await home.fetch(
        "SELECT event_type FROM contact.contact_event ORDER BY sequence_number"
    )
    assert len(changes) >= 2


async def test_what_was_found_out_of_a_mailbox_holds_as_long_as_a_record_says_it(
    home: Home, resolver: Resolver
) -> None:
    """By the weightiest record that found anything; a word for phones says nothing of mail."""

    async def hear(record: str, minutes: float, status: PointStatus | None, **said: Any) -> None:
        point = Point(value="ada@acme.io", status=status)
        signal = resolver.a_signal(
            record, email="ada@acme.io", emails=(point,), minutes=minutes, **said
        )
        await resolver.resolve(signal)

    async def status() -> str:
        found = await home.value("SELECT status::text FROM contact.contact_email")
        return str(found)

    await hear("r1", 0, None)
    assert await status() == "unverified"
    await hear("r2", 1, "bounced", source="csv_upload")
    assert await status() == "bounced"
    await hear("r3", 2, "valid", source="apollo")
    assert await status() == "verified"
    await hear("r4", 3, "unverified", source="manual_entry")
    await hear("r5", 3.5, "dnc", source="manual_entry")
    assert await status() == "verified"
    await hear("r3", 4, None, source="apollo")
    assert await status() == "bounced"
    await hear("r2", 5, "catch_all", source="csv_upload")
    assert await status() == "catch_all"
    (version,) = await home.fetch(
        "SELECT max(xmin::text::bigint) AS last FROM contact.contact_email"
    )
    await hear("r6", 6, None)
    assert await home.fetch(
        "SELECT max(xmin::text::bigint) AS last FROM contact.contact_email"
    ) == [version]
    await check(home)


async def test_what_was_found_out_comes_apart_with_a_merge_undone(
    home: Home, resolver: Resolver
) -> None:
    statuses: tuple[PointStatus, ...] = ("verified", "bounced")
    for number, status in enumerate(statuses, 1):
        point = Point(value="both@acme.io", status=status)
        await resolver.resolve(
            resolver.a_signal(
                f"r{number}",
                linkedin_urn=f"urn:li:{number}",
                emails=(point,),
                source="apollo" if number == 2 else "hubspot_crm",
                minutes=number,
            )
        )
    rows = "SELECT status::text FROM contact.contact_email ORDER BY contact_id"
    assert [row[0] for row in await home.fetch(rows)] == ["verified", "bounced"]
    ada, other = [
        row[0] for row in await home.fetch("SELECT public_id FROM contact.contact ORDER BY id")
    ]
    merge = MergeContacts.model_validate(said(resolver, contact_id=ada, absorbed_id=other))
    assert (await judge(home, resolver, merge)).outcome == "done"
    assert [row[0] for row in await home.fetch(rows)] == ["bounced"]
    split = SplitContact.model_validate(said(resolver, contact_id=ada))
    assert (await judge(home, resolver, split)).outcome == "done"
    assert [row[0] for row in await home.fetch(rows)] == ["verified", "bounced"]
    await check(home)
