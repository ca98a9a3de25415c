"""Which new contacts are asked about without anybody ordering it."""

import hashlib
from dataclasses import dataclass
from typing import Final

from services.enricher.domain.question import Question
from shared.events.contact import ContactCreated

AUTO_SOURCES: Final = frozenset(
    {
        "email_sync",
        "gmail_api",
        "outlook_api",
        "google_contacts",
        "csv_upload",
        "vcard_upload",
        "manual_entry",
    }
)
"""Sources whose new contacts are enriched (spec 003, 8.2, by their `data_source` names).

`linkedin_capture` is optional there, hence by order only; integrations and API pushes are not
named there; a vendor's own discoveries would let vendors feed on each other.
"""

VENDORS: Final = frozenset(
    {
        "ai_classification",
        "ai_deep_research",
        "apify_instagram_profile",
        "apify_linkedin_profile",
        "apollo",
        "clearbit",
        "crunchbase",
        "people_data_labs",
        "tracxn",
    }
)
"""Sources of type enrichment or ai (spec 004): what they found is never the reason to ask."""

ROLE_LOCAL_PARTS: Final = frozenset(
    {
        "abuse",
        "accounts",
        "admin",
        "administrator",
        "billing",
        "careers",
        "contact",
        "customerservice",
        "enquiries",
        "feedback",
        "finance",
        "hello",
        "help",
        "helpdesk",
        "hostmaster",
        "hr",
        "info",
        "inquiries",
        "invoices",
        "it",
        "jobs",
        "legal",
        "mail",
        "mailer-daemon",
        "marketing",
        "media",
        "newsletter",
        "no-reply",
        "noreply",
        "notifications",
        "office",
        "orders",
        "postmaster",
        "press",
        "privacy",
        "purchasing",
        "reception",
        "recruiting",
        "root",
        "sales",
        "security",
        "service",
        "support",
        "team",
        "undisclosed-recipients",
        "webmaster",
        "welcome",
    }
)
"""Mailboxes of a duty, not of a person (RFC 2142, common use): no vendor knows who reads them."""


@dataclass(frozen=True, slots=True)
class AutoRule:
    """Whether, and how large a share of, new contacts are enriched by themselves."""

    enabled: bool
    share: float
    """0.0 to 1.0; the same contact is always on the same side."""
    sources: frozenset[str] = AUTO_SOURCES

    def selects(self, event: ContactCreated, question: Question) -> bool:
        """Decide for one new contact."""
        return (
            self.enabled
            and event.workspace is not None
            and event.source in self.sources - VENDORS
            and question.email is not None
            and not is_role_mailbox(question.email)
            and in_sample(event.contact_id, self.share)
        )


def is_role_mailbox(email: str) -> bool:
    """Tell whether an address belongs to a duty: `info@`, `sales+de@`, `no-reply@`."""
    local = email.partition("@")[0].partition("+")[0].lower()
    return local in ROLE_LOCAL_PARTS


def in_sample(contact_id: str, share: float) -> bool:
    """Tell whether a contact is in the sample: by its id, hence the same on every delivery."""
    digest = hashlib.blake2b(contact_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 < share
