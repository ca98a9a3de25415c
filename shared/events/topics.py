"""Every topic: its name, key, partitions, retention, who writes it and who reads it.

`docs/topics.md` and the AsyncAPI document are generated from here; `kith topics` makes them.
Partition counts never change: a key must keep its partition (DESIGN 3.2).
"""

from dataclasses import dataclass
from typing import Final

from shared.events.activity import ActivitySignal, NormalizedActivity
from shared.events.command import (
    ApproveMerge,
    ArchiveContact,
    EraseContact,
    MergeCompanies,
    MergeContacts,
    RejectCompanyMerge,
    RejectMerge,
    RelateCompanies,
    RetractImport,
    RetractRecords,
    SplitCompany,
    SplitContact,
    UnarchiveContact,
    UnrelateCompanies,
)
from shared.events.contact import (
    ActivityRecorded,
    ActivityWithdrawn,
    BindingChanged,
    CompaniesMerged,
    CompaniesRelated,
    CompaniesSplit,
    CompanyCreated,
    CompanyUpdated,
    ContactArchived,
    ContactCreated,
    ContactDeleted,
    ContactsMerged,
    ContactsSplit,
    ContactUnarchived,
    FactAsserted,
    FactRetracted,
    GroupMemberAdded,
    GroupMemberRemoved,
    HistoryErased,
    IdentifierRemoved,
    MergeProposed,
    MergeRejected,
    MergeWithdrawn,
    TagAdded,
    TagRemoved,
)
from shared.events.enrichment import EnrichmentRequested
from shared.events.signal import ContactSignal, NormalizedCompanySignal, NormalizedSignal
from shared.events.state import ContactSnapshot
from shared.events.wire import Wire

DAY_MS: Final = 86_400_000
"""Milliseconds of a day."""

MAX_SIGNAL_BYTES: Final = 65_536
"""The largest signal body that is read, bytes (runtime 2.4). Larger ones are dead-lettered."""

MAX_MESSAGE_BYTES: Final = 1_048_588
"""`max.message.bytes` of ordinary topics."""

MAX_DEAD_LETTER_BYTES: Final = 2_097_152
"""`max.message.bytes` of dead-letter topics: the original and the headers about it must fit."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic and its contract."""

    name: str
    title: str
    key: str
    partitions: int
    retention_ms: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    """Consumer groups; each has a dead-letter topic of its own."""
    messages: dict[str, type[Wire]]
    """CloudEvents type → the model of its data."""
    public: bool = False
    """Systems outside kith may write or read it."""
    is_compacted: bool = False
    """Of each key the newest message stays for ever; what it replaced, or a message without a
    value, is gone after `retention_ms`."""

    def dead_letters(self, group: str) -> str:
        """Name the topic that takes what `group` cannot read from this one."""
        return dead_letter_topic(self.name, group)


def dead_letter_topic(topic: str, group: str) -> str:
    """Name the dead-letter topic of a topic and a consumer group."""
    return f"{topic}.{group}.dlq"


SIGNALS = Topic(
    name="contact.signals.v1",
    title="Contact and activity signals as upstream systems publish them",
    key="any; recommended: source and source record id",
    partitions=12,
    retention_ms=7 * DAY_MS,
    producers=("upstream",),
    consumers=("ingest",),
    messages={
        "kith.signal.contact.v1": ContactSignal,
        "kith.signal.activity.v1": ActivitySignal,
    },
    public=True,
)
SIGNALS_NORMALIZED = Topic(
    name="contact.signals.normalized.v1",
    title="Well-formed signals for the resolver",
    key="record_key: digest of (tenant, workspace, source, source record id); of a signal about "
    "companies alone that of the first",
    partitions=12,
    retention_ms=7 * DAY_MS,
    producers=("ingest", "enricher"),
    consumers=("resolver",),
    messages={
        "kith.signal.normalized.v1": NormalizedSignal,
        "kith.signal.normalized_activity.v1": NormalizedActivity,
        "kith.signal.normalized_company.v1": NormalizedCompanySignal,
    },
)
SIGNALS_NORMALIZED_BULK = Topic(
    name="contact.signals.normalized.bulk.v1",
    title="Well-formed signals from files; a bounded share of the resolver",
    key="record_key: digest of (tenant, workspace, source, source record id)",
    partitions=12,
    retention_ms=7 * DAY_MS,
    producers=("ingest",),
    consumers=("resolver-bulk",),
    messages={
        "kith.signal.normalized.v1": NormalizedSignal,
        "kith.signal.normalized_activity.v1": NormalizedActivity,
    },
)
EVENTS = Topic(
    name="contact.events.v1",
    title="What happened to contacts and companies, in version order per entity",
    key="contact or company id",
    partitions=12,
    retention_ms=7 * DAY_MS,
    producers=("relay",),
    consumers=(
        "resolver-matching",
        "projector",
        "indexer-search",
        "indexer-graph",
        "indexer-meilisearch",
        "indexer-state",
        "enricher",
    ),
    messages={
        "kith.contact.created.v1": ContactCreated,
        "kith.contact.fact_asserted.v1": FactAsserted,
        "kith.contact.fact_retracted.v1": FactRetracted,
        "kith.contact.binding_changed.v1": BindingChanged,
        "kith.contact.tag_added.v1": TagAdded,
        "kith.contact.tag_removed.v1": TagRemoved,
        "kith.contact.group_member_added.v1": GroupMemberAdded,
        "kith.contact.group_member_removed.v1": GroupMemberRemoved,
        "kith.contact.identifier_removed.v1": IdentifierRemoved,
        "kith.contact.merge_proposed.v1": MergeProposed,
        "kith.contact.merge_rejected.v1": MergeRejected,
        "kith.contact.merge_withdrawn.v1": MergeWithdrawn,
        "kith.contact.merged.v1": ContactsMerged,
        "kith.contact.split.v1": ContactsSplit,
        "kith.contact.archived.v1": ContactArchived,
        "kith.contact.unarchived.v1": ContactUnarchived,
        "kith.contact.activity_recorded.v1": ActivityRecorded,
        "kith.contact.activity_withdrawn.v1": ActivityWithdrawn,
        "kith.contact.deleted.v1": ContactDeleted,
        "kith.contact.history_erased.v1": HistoryErased,
        "kith.company.created.v1": CompanyCreated,
        "kith.company.updated.v1": CompanyUpdated,
        "kith.company.merged.v1": CompaniesMerged,
        "kith.company.split.v1": CompaniesSplit,
        "kith.company.related.v1": CompaniesRelated,
    },
    public=True,
)
STATE = Topic(
    name="contact.state.v1",
    title="Every contact as it is at present; without a value once it is deleted",
    key="contact id",
    partitions=12,
    retention_ms=7 * DAY_MS,
    producers=("indexer",),
    consumers=(),
    messages={"kith.contact.state.v1": ContactSnapshot},
    public=True,
    is_compacted=True,
)
COMMANDS = Topic(
    name="contact.commands.v1",
    title="Orders to the resolver from those who do not wait",
    key="contact, company or import id",
    partitions=6,
    retention_ms=7 * DAY_MS,
    producers=("api",),
    consumers=("resolver",),
    messages={
        "kith.command.archive_contact.v1": ArchiveContact,
        "kith.command.unarchive_contact.v1": UnarchiveContact,
        "kith.command.merge_contacts.v1": MergeContacts,
        "kith.command.approve_merge.v1": ApproveMerge,
        "kith.command.reject_merge.v1": RejectMerge,
        "kith.command.split_contact.v1": SplitContact,
        "kith.command.retract_import.v1": RetractImport,
        "kith.command.merge_companies.v1": MergeCompanies,
        "kith.command.reject_company_merge.v1": RejectCompanyMerge,
        "kith.command.split_company.v1": SplitCompany,
        "kith.command.relate_companies.v1": RelateCompanies,
        "kith.command.unrelate_companies.v1": UnrelateCompanies,
        "kith.command.retract_records.v1": RetractRecords,
        "kith.command.erase_contact.v1": EraseContact,
    },
)
ENRICHMENT_REQUESTS = Topic(
    name="contact.enrichment.requests.v1",
    title="Questions for vendors",
    key="contact id",
    partitions=6,
    retention_ms=7 * DAY_MS,
    producers=("api",),
    consumers=("enricher",),
    messages={"kith.enrichment.requested.v1": EnrichmentRequested},
)

ALL: Final = (
    SIGNALS,
    SIGNALS_NORMALIZED,
    SIGNALS_NORMALIZED_BULK,
    EVENTS,
    STATE,
    COMMANDS,
    ENRICHMENT_REQUESTS,
)
"""Every topic but the dead letters, which follow from `consumers`."""

MODEL_BY_TYPE: Final[dict[str, type[Wire]]] = {
    ce_type: model for topic in ALL for ce_type, model in topic.messages.items()
}
"""CloudEvents type → model."""

TYPE_BY_MODEL: Final[dict[type[Wire], str]] = {
    model: ce_type for ce_type, model in MODEL_BY_TYPE.items()
}
"""Model → CloudEvents type."""
