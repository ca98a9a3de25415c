"""Accounts elsewhere that are read again and again: which kinds there are, what each needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from shared.events.signal import Region

MailKind = Literal["gmail", "outlook_mail"]
"""Mail of a Gmail account, mail of an Outlook or Exchange Online account."""

BookKind = Literal["google_people", "outlook_contacts", "hubspot", "salesforce"]
"""Address books and CRMs: entries that change and go."""

CalendarKind = Literal["google_calendar", "outlook_calendar"]
"""The primary calendar of a Google account, the default one of an account at Microsoft."""

ConnectionKind = Literal[MailKind, BookKind, CalendarKind]
"""What can be read."""

SOURCES: Final[dict[ConnectionKind, str]] = {
    "gmail": "gmail_api",
    "outlook_mail": "outlook_api",
    "google_people": "google_contacts",
    "outlook_contacts": "outlook_api",
    "hubspot": "hubspot_crm",
    "salesforce": "salesforce_crm",
    "google_calendar": "calendar",
    "outlook_calendar": "calendar",
}
"""Kind → the source (DESIGN 9 'Sources') of what it brings."""

Failure = Literal[
    "consent_withdrawn",  # the account's owner, or its administrator, took the permission back
    "refused",  # the other side refuses us: a permission or an API is missing
    "unavailable",  # it did not answer, or answered with errors, until we gave up for now
    "rate_limited",  # it asks us to wait for longer than a run may take
    "bad_answer",  # it answered with what cannot be read
    "unreadable_credentials",  # the key that encrypts them is not among the settings
    "would_remove_many",  # so many entries went at once that a person must say that this is right
    "error",  # a bug of ours; the log has more
]
"""Why a run failed: a public contract, shown to operators."""


class Credentials(BaseModel):
    """An OAuth client, and the permission that the account's owner gave it.

    As in the files of `gcloud auth application-default login`: unknown fields are left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    client_id: Annotated[str, Field(min_length=1, max_length=1_000)]
    client_secret: SecretStr | None = Field(
        default=None, description="None for public clients of Microsoft."
    )
    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=8_000)]
    directory: str = Field(
        default="common",
        pattern=r"^[A-Za-z0-9.-]{1,100}$",
        description="Of Microsoft: the directory (tenant) that the client is registered in; of "
        "Salesforce: the organisation's My Domain, as `engines` in engines.my.salesforce.com.",
    )

    def plain(self) -> dict[str, Any]:
        """Return everything readable, to be encrypted."""
        secret = self.client_secret.get_secret_value() if self.client_secret else None
        return {
            "client_id": self.client_id,
            "client_secret": secret,
            "refresh_token": self.refresh_token.get_secret_value(),
            "directory": self.directory,
        }


class MailSettings(BaseModel):
    """What an operator may turn about a mailbox."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: Region | None = Field(
        default=None, description="Country of national phone numbers in signatures, like DE."
    )
    since_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        default=None,
        description="The first reading goes so many days back; None: to the beginning.",
    )


class BookSettings(BaseModel):
    """What an operator may turn about an address book."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: Region | None = Field(
        default=None, description="Country of national phone numbers, like DE."
    )
    remove_at_most: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.2,
        description="Share of the known entries that may go in one run; more stop it, until a "
        "person has approved. Ten may always go.",
    )


class CalendarSettings(BaseModel):
    """What an operator may turn about a calendar."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    since_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        default=None, description="A full reading goes so many days back; None: two years."
    )


AnySettings = MailSettings | BookSettings | CalendarSettings

SETTINGS: Final[dict[ConnectionKind, type[AnySettings]]] = {
    "gmail": MailSettings,
    "outlook_mail": MailSettings,
    "google_people": BookSettings,
    "outlook_contacts": BookSettings,
    "hubspot": BookSettings,
    "salesforce": BookSettings,
    "google_calendar": CalendarSettings,
    "outlook_calendar": CalendarSettings,
}
"""Kind → what may be turned about it."""

FEW: Final = 10
"""So many entries may always go at once."""


def may_go(known: int, gone: int, share: float) -> bool:
    """Tell whether so many entries may be taken back without asking.

    A mishap at the other end, or a wrong account, must not empty an address book here.
    """
    return gone <= max(FEW, known * share)


@dataclass(frozen=True, slots=True)
class Records:
    """What a page of an address book says of the account's entries."""

    seen: Sequence[str]
    """Ids of those that are there."""
    gone: Sequence[str] = ()
    """Ids of those that were deleted, or say nothing any more; told with the last page only."""
    reading: str = ""
    """The full reading that the page belongs to; empty: it tells changes only."""
    is_last: bool = False
    """Whether all was told: what a full reading did not see is gone."""
