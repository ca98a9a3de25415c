"""One entry for every identifier type of the wire."""

from shared.identifiers.domain import is_free_mail, is_shared_hosting, normalize_domain
from shared.identifiers.email import normalize_email
from shared.identifiers.linkedin import normalize_linkedin_urn, normalize_public_id
from shared.identifiers.phone import normalize_phone
from shared.identifiers.social import Network, normalize_handle
from shared.identifiers.types import Domain, LinkedIn, Phone, Refused

_NOT_OWN = Refused("is a domain that many people share; it identifies nobody, leave it out")


def normalize_person_domain(value: str) -> Domain | Refused:
    """Spell a person's own domain; free-mail and shared-hosting domains identify nobody."""
    domain = normalize_domain(value)
    if isinstance(domain, Refused):
        return domain
    return _NOT_OWN if is_free_mail(domain) or is_shared_hosting(value) else domain


def normalize(
    kind: str, value: str, region: str | None = None, default_region: str = "US"
) -> tuple[str, str, bool] | Refused:
    """Return (type, value, region assumed) of an identifier, or why it is none.

    The type may change: a LinkedIn address may turn out to hold a URN.
    """
    found: object
    match kind:
        case "email":
            found = normalize_email(value)
        case "phone_e164":
            found = normalize_phone(value, region, default_region)
        case "linkedin_urn":
            found = normalize_linkedin_urn(value)
        case "linkedin_public_id":
            found = normalize_public_id(value)
        case "domain":
            found = normalize_person_domain(value)
        case "fb_user_id" | "ig_user_id" | "ig_username" | "twitter_handle" | "github_username":
            network: Network = kind
            found = normalize_handle(network, value)
        case _:
            return Refused("is not an identifier type that kith knows")
    if isinstance(found, Refused):
        return found
    if isinstance(found, Phone):
        return kind, found.key, found.assumed_region
    if isinstance(found, LinkedIn):
        return found.type, found.value, False
    return kind, str(found), False
