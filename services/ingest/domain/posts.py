"""What somebody wrote in public, as far as a source shows it: each post once, by its address."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from services.ingest.domain.draft import Draft
from shared.events.envelope import rfc3339
from shared.events.signal import SocialPost
from shared.identifiers.names import clean_text

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a post can have been written."""

_PLATFORMS: Final = {
    "linkedin": "linkedin",
    "twitter": "twitter",
    "x": "twitter",
    "github": "github",
    "facebook": "facebook",
    "instagram": "instagram",
}
"""A network's word for itself, or its host's last name but one → `social_platform`."""

_ADDRESS: Final = "is not an address of the web; write it like https://www.linkedin.com/posts/…"
_TIME: Final = "must be a moment with its offset, like 2026-01-31T12:00:00Z"


def add_posts(draft: Draft, posts: tuple[SocialPost, ...]) -> None:
    """Add the posts that have an address; of one that is told twice, what comes first counts."""
    found: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(posts):
        url = clean_text(one.url)
        network = platform_of(url, one.platform)
        if network is None:
            draft.reject(f"social_posts.{place}.url", _ADDRESS)
            continue
        post: dict[str, Any] = {"platform": network, "url": url}
        if one.posted_at is not None:
            if one.posted_at.tzinfo is None or not EARLIEST <= one.posted_at < LATEST:
                draft.reject(f"social_posts.{place}.posted_at", _TIME)
            else:
                post["posted_at"] = rfc3339(one.posted_at)
        if one.snippet and (text := clean_text(one.snippet)):
            post["snippet"] = text
        found.setdefault(url, post)
    draft.put("social_posts", list(found.values()))


def platform_of(url: str, said: str | None) -> str | None:
    """Return the network of a post: by its address, else as the source says; None: no address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    names = host.split(".")
    if parts.scheme not in {"http", "https"} or len(names) < 2 or not all(names):
        return None
    known = _PLATFORMS.get(names[-2]) or _PLATFORMS.get((said or "").strip().casefold())
    return known or "other"
