"""How a file is read, and what its rows are known by from one export to the next."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.draft import Draft


class Reading(BaseModel):
    """How a file is read: all that was found or assumed, nothing was asked."""

    model_config = ConfigDict(frozen=True)

    layout: str = Field(description="The product's export that it is, or csv.")
    encoding: str
    encoding_assumed: bool = Field(description="Nothing in the file says its encoding.")
    delimiter: str = Field(default="", description="Between cells; empty: no delimited text.")
    sheet: str = Field(default="", description="The sheet of a workbook that is read.")
    header_line: int = Field(default=0, description="Line of the header; 0: there is none.")
    language: str = Field(default="", description="Of the header, ISO 639-1.")
    date_order: str = Field(default="", description="Of the numbers in a date: ymd, mdy or dmy.")
    date_order_assumed: bool = Field(
        default=False, description="No date shows the order; it is the header's language's."
    )
    phone_region: str = Field(
        default="",
        description="Where national numbers seem to be dialled, ISO 3166; read there unless a "
        "region is declared. Empty: in the default region.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Column → where its cells go, as `mapping` takes it."
    )
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="Column → type of the custom field that the workspace defined it to be, once "
        "rows are read.",
    )


def identity_of(uid: str | None, draft: Draft) -> str:
    """Return what stays the same when a person's row is exported again.

    The format's own id where it has one.  Else the strongest identifier together with the name:
    the identifier alone would make one record of a family that shares an address.
    """
    if uid:
        return f"uid\0{uid}"
    facts: dict[str, Any] = draft.facts
    name = str(facts.get("full_name") or facts.get("nickname") or "").casefold()
    strongest = facts["identifiers"][0] if draft.identifiers else {"type": "", "value": ""}
    return f"{strongest['type']}\0{strongest['value']}\0{name}"
