"""Identifiers as spec 003 (5.3) lists them: a view over what is stored once."""

from shared.events.signal import Address, Point
from tests.integration.resolver.conftest import Home, Resolver


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
