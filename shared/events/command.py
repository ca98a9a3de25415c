"""Commands: what a person or a rule orders the resolver to do, on `contact.commands.v1`."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.events.company import CompanyField, CompanyRecord
from shared.events.company_binding import MAX_LABELS_SHOWN
from shared.events.contact import CompanyRelationKind
from shared.events.custom_field import MOST_FIELDS, MOST_OPTIONS, FieldType
from shared.events.signal import IdentifierType
from shared.events.wire import (
    CompanyId,
    ContactId,
    FieldId,
    GroupId,
    ImportId,
    Long,
    MergeId,
    Short,
    TagId,
    TenantId,
    Version,
    Wire,
    WorkspaceId,
)


class Command(Wire):
    """What every command carries."""

    command_id: Annotated[str, StringConstraints(pattern=r"^cmd_[0-9A-HJKMNP-TV-Z]{26}$")]
    """The same id again changes nothing."""
    tenant: TenantId
    workspace: WorkspaceId
    issued_at: datetime


class ContactCommand(Command):
    """What every order about one contact carries."""

    contact_id: ContactId


class ArchiveContact(ContactCommand):
    """Hide a contact from active lists (spec 003, 8.3: never deleted)."""

    reason: Short | None = None


class UnarchiveContact(ContactCommand):
    """Bring an archived contact back."""


ErasureGround = Literal["data_subject", "court", "retention", "other"]
"""Why a person is erased: at their own request, by order, or since their time is up."""


class EraseContact(ContactCommand):
    """Erase a person everywhere, for good: GDPR, article 17 (spec 003, 8.3).

    Whoever the contact absorbed is erased with it. What is left names nobody: that there was a
    contact of that id, when its events happened, and this order's ground. It cannot be undone.
    """

    ground: ErasureGround
    expected: dict[ContactId, Version] = Field(default_factory=dict, max_length=100)
    """Contact → the version that was looked at before: another by now, and nothing is done."""


class Judgement(ContactCommand):
    """What a person decides about who is whom.

    A decision rests on what was seen: where `expected` names a version and the contact has
    another by now, nothing is done and the answer is a conflict. An id that was absorbed stands
    for its survivor.
    """

    expected: dict[ContactId, Version] = Field(default_factory=dict, max_length=100)
    """Contact → the version that the decision was made on."""
    reason: Short | None = None


class MergeContacts(Judgement):
    """Make two contacts one; `contact_id` survives."""

    absorbed_id: ContactId


class ApproveMerge(Judgement):
    """Say yes to a candidate: the two are one person. The older contact survives."""

    other_id: ContactId


class RejectMerge(Judgement):
    """Say no to a candidate: the two are different people, whatever arrives."""

    other_id: ContactId


class ChosenIdentifier(Wire):
    """An identifier, normalised, as the contact shows it."""

    type: IdentifierType
    value: Short


class SplitContact(Judgement):
    """Take a contact apart: undo one merge, or take chosen records or identifiers out.

    With nothing chosen the newest merge that is still in force is undone; where all that names one
    contact is chosen, the survivor or one that was absorbed, and one merge holds it to the others,
    that one: both stand under their own ids again.
    """

    merge_id: MergeId | None = None
    records: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")], ...],
        Field(max_length=1_000),
    ] = ()
    """Keys of source records, hex, that are somebody else's."""
    identifiers: Annotated[tuple[ChosenIdentifier, ...], Field(max_length=1_000)] = ()
    """Identifiers that are somebody else's, with the records that they brought."""


class RetractImport(Command):
    """Take back what an import brought: as if it had never been, but for what others said since.

    Ordered over HTTP a piece of it is done at a time, until nothing remains; on the topic all of
    it. The same order again changes nothing.
    """

    import_id: ImportId
    reason: Short | None = None


class CompanyOrder(Command):
    """A command about a company. An id that was absorbed stands for its survivor."""

    company_id: CompanyId
    reason: Short | None = None


class MergeCompanies(CompanyOrder):
    """Make two companies one; `company_id` survives."""

    absorbed_id: CompanyId


class RejectCompanyMerge(CompanyOrder):
    """Say that two companies are two, whatever arrives."""

    other_id: CompanyId


class SplitCompany(CompanyOrder):
    """Undo a merge of companies: the newest that is still in force, or the one named."""

    merge_id: MergeId | None = None


class RelateCompanies(CompanyOrder):
    """Say what `company_id` is of another company: its subsidiary, its vendor.

    A company is a subsidiary or a division of at most one other, and never its own ancestor.
    """

    other_id: CompanyId
    kind: CompanyRelationKind
    since: date | None = None
    until: date | None = None

    @field_validator("until")
    @classmethod
    def _not_before_since(cls, until: date | None, others: ValidationInfo) -> date | None:
        since = others.data.get("since")
        if until is not None and since is not None and until < since:
            raise PydanticCustomError("date_order", "must not be before since")
        return until


class UnrelateCompanies(CompanyOrder):
    """Take back what was said of how two companies are related."""

    other_id: CompanyId
    kind: CompanyRelationKind


class CompanyEntry(Command):
    """What a person says of a company: a record of the source `manual_entry`, over HTTP alone."""


class CreateCompany(CompanyEntry):
    """Make a company that nothing else told of; a name alone will do, as a person says so."""

    values: CompanyRecord


class ChangeCompany(CompanyEntry):
    """Say otherwise what a company shows; what is not named stays.

    An id that was absorbed stands for its survivor.
    """

    company_id: CompanyId
    values: CompanyRecord = CompanyRecord()
    cleared: Annotated[tuple[CompanyField, ...], Field(max_length=50)] = ()
    """Fields of which people say nothing any more: what sources say of them shows again."""
    expected: Version | None = None
    """The version that was looked at: another by now, and nothing is done."""


class WorkspaceOrder(Command):
    """What a workspace keeps for itself: its tags and groups, and who has them.

    Ordered over HTTP alone. The same again changes nothing, but that a name is taken by then.
    """


Name = Annotated[Short, StringConstraints(min_length=1)]
"""What a tag or a group is called."""

Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
"""How a tag is shown: `#rrggbb`, lower case."""


class CreateTag(WorkspaceOrder):
    """Make a tag, of a name that no tag of the workspace has."""

    name: Name
    color: Color | None = None


class ChangeTag(WorkspaceOrder):
    """Call a tag otherwise, wherever it is, or show it otherwise; what is not named stays.

    Sources that say the old name mean this tag from then on.
    """

    tag_id: TagId
    name: Name | None = None
    color: Color | None = None


class DeleteTag(WorkspaceOrder):
    """Take a tag off everybody and forget it; a source that says it later brings it anew."""

    tag_id: TagId


class CreateGroup(WorkspaceOrder):
    """Make a group that people put contacts into, or a smart one, whose members a query finds."""

    name: Name
    description: Long | None = None
    is_smart: bool | None = None
    """Left out: just where there is a query."""
    query_def: dict[str, JsonValue] | None = None
    """What `shared.events.group_query` reads."""


class ChangeGroup(WorkspaceOrder):
    """Call or describe a group otherwise, or ask otherwise; what is not named stays."""

    group_id: GroupId
    name: Name | None = None
    description: Long | None = None
    query_def: dict[str, JsonValue] | None = None
    """Of a smart group alone."""


class DeleteGroup(WorkspaceOrder):
    """Take everybody out of a group and forget it."""

    group_id: GroupId


class Marking(WorkspaceOrder):
    """An order about many contacts at once: all of them, or none where one is not known here.

    An id that was absorbed stands for its survivor.
    """

    contacts: Annotated[tuple[ContactId, ...], Field(min_length=1, max_length=500)]


class AddTag(Marking):
    """Give contacts a tag."""

    tag_id: TagId


class RemoveTag(Marking):
    """Take a tag off contacts, whichever sources say it."""

    tag_id: TagId


class AddGroupMembers(Marking):
    """Put contacts into a group."""

    group_id: GroupId


class RemoveGroupMembers(Marking):
    """Take contacts out of a group."""

    group_id: GroupId


class FieldOrder(WorkspaceOrder):
    """What an order about the definition of a custom field may say."""

    label: Name | None = None
    """What people call it."""
    description: Long | None = None
    options: Annotated[tuple[Name, ...], Field(max_length=MOST_OPTIONS)] | None = None
    """Of `select` and `multi_select`, and of no other."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    """ISO 4217; of `currency`, and of no other."""
    is_required: bool | None = None


class CreateField(FieldOrder):
    """Say what a custom field is: what its values have to be."""

    entity: Literal["contact", "company"] = "contact"
    """Whose field it is."""
    key: Name | None = None
    """What sources and `custom_fields` call it; without one, as the label."""
    type: FieldType


class ChangeField(FieldOrder):
    """Say something else of a custom field; what is not named stays, and so does the key."""

    field_id: FieldId
    type: FieldType | None = None
    """One that all values fit which fit the present one."""
    is_archived: bool | None = None
    """Nobody sets it any more; its values stay."""


class FillFields(WorkspaceOrder):
    """Give contacts values of custom fields, whatever sources say; null for none."""

    contacts: Annotated[tuple[ContactId, ...], Field(min_length=1, max_length=500)]
    values: Annotated[dict[Short, JsonValue], Field(min_length=1, max_length=MOST_FIELDS)]


class ChangeCompanyBinding(WorkspaceOrder):
    """Say what the workspace keeps of a company for itself; what is not named stays.

    An id that was absorbed stands for its survivor.
    """

    company_id: CompanyId
    labels: Annotated[tuple[Name, ...], Field(max_length=MAX_LABELS_SHOWN)] | None = None
    """All that are to show: others are taken off."""
    notes: Long | None = None
    """Empty: there are none any more."""
    custom_fields: Annotated[dict[Short, JsonValue], Field(max_length=MOST_FIELDS)] = Field(
        default_factory=dict
    )
    """Of fields that the workspace defined for companies; null for no value."""


class RetractRecords(Command):
    """Take back all that records said: their source does not have them any more.

    What they say again later, of another time, counts again. The same order again changes nothing.
    """

    records: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")], ...],
        Field(min_length=1, max_length=500),
    ]
    """Keys of source records, hex. What they said of a time after `issued_at` stays."""
    reason: Short | None = None
