"""The values that normalising yields, one small type each.

Structs, as they are made far faster than frozen dataclasses, one or two a signal.
"""

from dataclasses import dataclass
from typing import Literal, NewType

from msgspec import Struct

Email = NewType("Email", str)
"""A lower-case address with an ASCII domain: `ada+list@example.com`."""

Domain = NewType("Domain", str)
"""A registrable domain in ASCII: `example.co.uk`."""

Handle = NewType("Handle", str)
"""A user name or user id of a social network, as the network compares them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a value is no identifier, and what would be one; never the value itself."""

    reason: str


class Phone(Struct, frozen=True, gc=False):
    """A telephone number."""

    e164: str
    """`+` and at most 15 digits (ITU-T E.164)."""
    extension: str | None = None
    """Digits dialled after the call is answered."""
    assumed_region: bool = False
    """The country code was assumed: the number came in national form and no region with it."""

    @property
    def key(self) -> str:
        """Return what identifies: the number, with its extension as RFC 3966 writes it.

        Without the extension everyone behind one switchboard would be the same person.
        """
        return f"{self.e164};ext={self.extension}" if self.extension else self.e164


class LinkedIn(Struct, frozen=True, gc=False):
    """A person's LinkedIn profile, by the one name that its URL or URN carries."""

    type: Literal["linkedin_urn", "linkedin_public_id"]
    value: str

    @property
    def url(self) -> str | None:
        """Return the profile's address; a URN has none that everyone can open."""
        if self.type == "linkedin_public_id":
            return f"https://www.linkedin.com/in/{self.value}"
        return None
