"""Profiles for tests, made from facts as sources bring them."""

from typing import Any

from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.profile import profile_of
from shared.events.signal import Address, Employment, Facts, Identifier, Point


def a_profile(
    name: str | None = "Ada Lovelace",
    *,
    email: str | None = None,
    phone: str | None = None,
    linkedin: str | None = None,
    urn: str | None = None,
    company: str | None = None,
    title: str | None = None,
    city: str | None = None,
    **facts: Any,
) -> Profile:
    """Make the profile of one record."""
    first, _, last = (name or "").partition(" ")
    given = {
        "email": email,
        "phone_e164": phone,
        "linkedin_public_id": linkedin,
        "linkedin_urn": urn,
    }
    said = Facts(
        full_name=name,
        first_name=first or None,
        last_name=last or None,
        emails=(Point(value=email),) if email else (),
        identifiers=tuple(
            Identifier.model_validate({"type": kind, "value": value})
            for kind, value in given.items()
            if value
        ),
        employments=((Employment(company_name=company, title=title),) if company or title else ()),
        addresses=(Address(city=city),) if city else (),
    )
    return profile_of(said.model_copy(update=facts))
