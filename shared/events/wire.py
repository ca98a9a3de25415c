"""The base of every model on the wire, and the types that bound its fields."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _without_nul(value: str) -> str:
    if "\x00" in value:
        msg = "contains a NUL character, which no database text can hold; leave it out"
        raise ValueError(msg)
    return value


class Wire(BaseModel):
    """A frozen message part; a reader ignores what it does not know (tolerant reader)."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        ser_json_timedelta="float",
    )


Short = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=255), AfterValidator(_without_nul)
]
"""A name, a label, a title: at most 255 characters."""

Long = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_without_nul)]
"""A note, an address block: at most 10,000 characters."""

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
"""A row of `data_source`, for example `hubspot_crm`."""

ContactId = Annotated[str, StringConstraints(pattern=r"^con_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A contact's public id: `con_` and a ULID."""

CompanyId = Annotated[str, StringConstraints(pattern=r"^cmp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A company's public id: `cmp_` and a ULID."""

TenantId = Annotated[str, StringConstraints(pattern=r"^ten_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A tenant's public id: `ten_` and a ULID."""

WorkspaceId = Annotated[str, StringConstraints(pattern=r"^wsp_[0-9A-HJKMNP-TV-Z]{26}$")]
"""A workspace's public id: `wsp_` and a ULID."""

Version = Annotated[int, Field(ge=1)]
"""An entity's version: its events are numbered 1, 2, 3 … without gaps."""

Confidence = Annotated[float, Field(ge=0.0, le=1.0)]
"""How sure a source is of a value: 0.0 to 1.0."""
