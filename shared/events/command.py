"""Commands: what a person or a rule orders the resolver to do, on `contact.commands.v1`."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from shared.events.wire import ContactId, Short, TenantId, Wire, WorkspaceId


class Command(Wire):
    """What every command carries."""

    command_id: Annotated[str, StringConstraints(pattern=r"^cmd_[0-9A-HJKMNP-TV-Z]{26}$")]
    """The same id again changes nothing."""
    tenant: TenantId
    workspace: WorkspaceId
    issued_at: datetime
    contact_id: ContactId


class ArchiveContact(Command):
    """Hide a contact from active lists (spec 003, 8.3: never deleted)."""

    reason: Short | None = None


class UnarchiveContact(Command):
    """Bring an archived contact back."""
