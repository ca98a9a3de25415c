"""Orders to the resolver, from the topic to the event."""

from datetime import UTC, datetime

from services.resolver.handlers.commands import handle_commands
from shared.events import topics
from shared.events.codec import encode
from shared.events.command import ArchiveContact, UnarchiveContact
from shared.events.envelope import Envelope, to_headers
from shared.kafka.batch import Batch, Rejected, next_offsets
from tests.integration.resolver.conftest import Home, Resolver, record_of


async def order(resolver: Resolver, *commands: ArchiveContact | UnarchiveContact) -> list[Rejected]:
    records = [
        record_of(
            encode(command),
            offset,
            topics.COMMANDS.name,
            to_headers(
                Envelope(command.command_id, "/test", topics.TYPE_BY_MODEL[type(command)], b"")
            ),
        )
        for offset, command in enumerate(commands)
    ]
    batch = Batch(records, "resolver", next_offsets(records))
    return list(await handle_commands(batch, resolver.store))


async def test_archive_and_bring_back(home: Home, resolver: Resolver) -> None:
    await resolver.resolve(resolver.a_signal(email="ada@example.com"))
    contact = await home.value("SELECT public_id FROM contact.contact")

    def said(number: int) -> dict[str, object]:
        return {
            "command_id": "cmd_" + f"{number:026d}",
            "tenant": resolver.tenant,
            "workspace": resolver.workspace,
            "issued_at": datetime.now(UTC),
            "contact_id": contact,
        }

    archive = ArchiveContact.model_validate({**said(1), "reason": "left"})
    assert await order(resolver, archive, archive) == []
    assert await order(resolver, archive) == []
    assert await home.value("SELECT status::text FROM contact.contact") == "archived"
    assert await home.value("SELECT version FROM contact.contact") == 2
    await order(resolver, UnarchiveContact.model_validate(said(2)))
    assert await home.value("SELECT status::text FROM contact.contact") == "active"
    assert await home.value("SELECT count(*) FROM contact.command_log") == 2
    assert await home.value("SELECT count(*) FROM contact.outbox") == 3


async def test_a_command_may_be_the_first_that_a_process_hears(
    home: Home, resolver: Resolver
) -> None:
    """The contact's claims name their sources: a process that has met none learns them first."""
    await resolver.resolve(resolver.a_signal(email="ada@example.com"))
    contact = await home.value("SELECT public_id FROM contact.contact")
    archive = ArchiveContact(
        command_id="cmd_" + "1" * 26,
        tenant=resolver.tenant,
        workspace=resolver.workspace,
        issued_at=datetime.now(UTC),
        contact_id=contact,
    )
    async with home.resolver() as fresh:
        assert await order(fresh, archive) == []
    assert await home.value("SELECT status::text FROM contact.contact") == "archived"


async def test_a_stranger_cannot_order(home: Home, resolver: Resolver) -> None:
    """A command of an unknown tenant is poison; one for an unknown contact changes nothing."""
    await resolver.resolve(resolver.a_signal(email="ada@example.com"))
    contact = await home.value("SELECT public_id FROM contact.contact")
    common = {"issued_at": datetime.now(UTC), "workspace": resolver.workspace}
    stranger = ArchiveContact.model_validate(
        {
            **common,
            "command_id": "cmd_" + "1" * 26,
            "tenant": "ten_" + "Z" * 26,
            "contact_id": contact,
        }
    )
    nobody = ArchiveContact.model_validate(
        {
            **common,
            "command_id": "cmd_" + "2" * 26,
            "tenant": resolver.tenant,
            "contact_id": "con_" + "Z" * 26,
        }
    )
    (rejected,) = await order(resolver, stranger, nobody)
    assert rejected.error.reason == "unknown_tenant"
    assert await home.value("SELECT version FROM contact.contact") == 1
