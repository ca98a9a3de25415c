"""People whom the vendor simulator "knows", in the shape of Apollo's `person`."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

_TITLES: Final = ("Head of Operations", "Account Executive", "Software Engineer", "Buyer", "CFO")
_CITIES: Final = (
    ("Berlin", "Berlin", "Germany"),
    ("Lyon", "Auvergne-Rhone-Alpes", "France"),
    ("Austin", "Texas", "United States"),
    ("Leeds", "England", "United Kingdom"),
)


def invent_person(asked: Mapping[str, str]) -> dict[str, Any]:
    """Invent a person that fits the question; the same question, the same person."""
    email = asked.get("email", "")
    local, _, mail_domain = email.partition("@")
    digest = hashlib.blake2b((email or repr(sorted(asked.items()))).encode(), digest_size=12)
    draw, ident = int.from_bytes(digest.digest()), digest.hexdigest()
    words = [word for word in local.rpartition("+")[2].replace("_", ".").split(".") if word]
    first = asked.get("first_name") or (words[0].title() if words else "Robin")
    last = asked.get("last_name") or (words[-1].title() if len(words) > 1 else "Doe")
    domain = asked.get("domain") or mail_domain or "example.com"
    company = asked.get("organization_name") or domain.partition(".")[0].title()
    city, state, country = _CITIES[draw % len(_CITIES)]
    title = _TITLES[draw // 7 % len(_TITLES)]
    organization = _invent_organization(domain, company)
    return {
        "id": ident,
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "linkedin_url": f"http://www.linkedin.com/in/{_slug(first)}-{_slug(last)}-{ident[:8]}",
        "title": title,
        "headline": f"{title} at {company}",
        "email": email or None,
        "email_status": "verified" if email else None,
        "photo_url": None,
        "twitter_url": None,
        "github_url": None,
        "facebook_url": None,
        "city": city,
        "state": state,
        "country": country,
        "organization_id": organization["id"],
        "employment_history": [
            {
                "id": f"{ident}-1",
                "current": True,
                "start_date": "2021-03-01",
                "end_date": None,
                "title": title,
                "organization_id": organization["id"],
                "organization_name": company,
            },
            {
                "id": f"{ident}-2",
                "current": False,
                "start_date": "2017-09-01",
                "end_date": "2021-02-01",
                "title": "Trainee",
                "organization_id": None,
                "organization_name": "Fabrikam Ltd",
            },
        ],
        "organization": organization,
        "contact": None,
    }


def _invent_organization(domain: str, name: str) -> dict[str, Any]:
    """Invent an employer; the same domain, the same employer."""
    digest = hashlib.blake2b(domain.encode(), digest_size=12)
    size = int.from_bytes(digest.digest())
    city, state, country = _CITIES[size % len(_CITIES)]
    return {
        "id": digest.hexdigest(),
        "name": name,
        "website_url": f"http://www.{domain}",
        "primary_domain": domain,
        "industry": "information technology & services",
        "estimated_num_employees": 20 + size % 5_000,
        "founded_year": 1950 + size % 70,
        "linkedin_url": f"http://www.linkedin.com/company/{_slug(domain)}",
        "technology_names": ["Cloudflare DNS", "Google Analytics"],
        "city": city,
        "state": state,
        "country": country,
    }


def _slug(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
