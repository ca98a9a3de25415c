"""The base of every model on the wire, and the types that bound its fields."""

from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _WithoutNul:
    """Refuses NUL characters, in pydantic's own core: a Python check cost 0.2 us a string."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.ChainSchema:
        without = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=r"^[^\x00]*$"),
            custom_error_type="nul_character",
            custom_error_message="contains a NUL character, which no database text can hold; "
            "leave it out",
        )
        return core_schema.chain_schema([handler(source), without])

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(cast("core_schema.ChainSchema", schema)["steps"][0])


class Wire(BaseModel):
    """A frozen message part; a reader ignores what it does not know (tolerant reader)."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        ser_json_timedelta="float",
    )


Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255), _WithoutNul()]
"""A name, a label, a title: at most 255 characters."""

Line = Annotated[str, StringConstraints(max_length=1_000), _WithoutNul()]
"""A subject, a place, the name of a conversation: at most 1,000 characters."""

Snippet = Annotated[str, StringConstraints(max_length=2_000), _WithoutNul()]
"""The beginning of a text: at most 2,000 characters."""

Long = Annotated[str, StringConstraints(max_length=10_000), _WithoutNul()]
"""A note, an address block: at most 10,000 characters."""

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
"""A row of `data_source`, for example `hubspot_crm`."""

ContactId = Annotated[str, StringConstraints(pattern=r"^con_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A contact's public id: `con_` and a ULID."""

TagId = Annotated[str, StringConstraints(pattern=r"^tag_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A tag's public id: `tag_` and a ULID."""

GroupId = Annotated[str, StringConstraints(pattern=r"^grp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A group's public id: `grp_` and a ULID."""

FieldId = Annotated[str, StringConstraints(pattern=r"^fld_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A custom field's public id: `fld_` and a ULID."""

CompanyId = Annotated[str, StringConstraints(pattern=r"^cmp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A company's public id: `cmp_` and a ULID."""

TenantId = Annotated[str, StringConstraints(pattern=r"^ten_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A tenant's public id: `ten_` and a ULID."""

WorkspaceId = Annotated[str, StringConstraints(pattern=r"^wsp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A workspace's public id: `wsp_` and a ULID."""

MergeId = Annotated[str, StringConstraints(pattern=r"^mrg_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A merge's public id: `mrg_` and a ULID."""

ImportId = Annotated[str, StringConstraints(pattern=r"^imp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""An import's public id: `imp_` and a ULID."""

ActivityId = Annotated[str, StringConstraints(pattern=r"^act_[0-9A-HJKMNP-TV-Z]{26}$")]
"""An activity's public id: `act_` and a ULID."""

Version = Annotated[int, Field(ge=1)]
"""An entity's version: its events are numbered 1, 2, 3 … without gaps."""

Confidence = Annotated[float, Field(ge=0.0, le=1.0)]
"""How sure a source is of a value: 0.0 to 1.0."""
