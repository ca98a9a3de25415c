"""What a vendor is asked about a contact."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Self

import orjson

from shared.events.fold import ContactState


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of a contact and may be shown to a vendor, nothing more."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    linkedin_url: str | None = None

    @classmethod
    def about(cls, state: ContactState) -> Self:
        """Ask with what the contact shows at present."""
        domains = (identifier for identifier in state.identifiers if identifier.type == "domain")
        domain = next(domains, None)
        return cls(
            email=state.fields.get("email_primary") or _first_email(state),
            first_name=state.fields.get("first_name"),
            last_name=state.fields.get("last_name"),
            company_name=state.fields.get("company_name"),
            company_domain=domain.value if domain else None,
            linkedin_url=state.fields.get("linkedin_url"),
        )

    @property
    def answerable(self) -> bool:
        """Whether a vendor can tell whom we mean: by address, profile, or name and company."""
        named = bool(self.first_name and self.last_name)
        placed = bool(self.company_name or self.company_domain)
        return bool(self.email or self.linkedin_url or (named and placed))

    def to_json(self) -> str:
        """Write the question as the request's row keeps it until it is answered."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a stored question."""
        return cls(**orjson.loads(text))

    def version(self, salt: str) -> str:
        """Digest the question, for the idempotency key: another input is another question.

        Salted with the contact's id, so that equal addresses of two contacts cannot be linked.
        """
        digest = hashlib.blake2b(self.to_json().encode(), digest_size=16, key=salt.encode()[:64])
        return digest.hexdigest()


def _first_email(state: ContactState) -> str | None:
    return next((one.value for one in state.identifiers if one.type == "email"), None)
