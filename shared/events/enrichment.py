"""Enrichment requests: somebody asks the enricher to ask a vendor about a contact."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from shared.events.wire import ContactId, SourceName, TenantId, Wire, WorkspaceId


class EnrichmentRequested(Wire):
    """One question to one vendor. The same idempotency key never leads to a second charge."""

    request_id: Annotated[str, StringConstraints(pattern=r"^req_[0-9A-HJKMNP-TV-Z]{26}$")]
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    tenant: TenantId
    workspace: WorkspaceId
    contact_id: ContactId
    source: SourceName
    """The vendor, as `data_source` names it."""
    requested_at: datetime
