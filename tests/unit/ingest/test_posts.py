"""Public posts: each once, by its address, and what is wrong is named."""

from typing import Any

import orjson
import pytest

from services.ingest.domain.captures import LinkedInCapture, signal_of_capture
from services.ingest.domain.mapping import to_draft
from services.ingest.domain.posts import platform_of
from services.ingest.domain.reading import read_value
from shared.events.signal import Facts


def drafted(*posts: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Normalise posts as ingest does; returns them and what was left out."""
    said = {"source": "api_push", "full_name": "A", "social_posts": list(posts)}
    signal, _ = read_value(said, may_hold_nul=False)
    draft = to_draft(signal, "US")
    facts = orjson.loads(orjson.dumps(draft.facts))
    Facts.model_validate_json(orjson.dumps(facts))
    return facts.get("social_posts", []), draft.rejected


def test_a_post_is_there_once_and_its_network_is_known_by_its_address() -> None:
    posts, rejected = drafted(
        {"url": " https://x.com/ada/status/1 ", "posted_at": "2026-01-31T13:00:00+01:00"},
        {"url": "https://x.com/ada/status/1", "snippet": "again"},
        {"url": "https://blog.test/p", "platform": "Instagram", "snippet": " So\u200b  it is "},
    )
    assert posts == [
        {
            "platform": "twitter",
            "url": "https://x.com/ada/status/1",
            "posted_at": "2026-01-31T12:00:00Z",
        },
        {"platform": "instagram", "url": "https://blog.test/p", "snippet": "So it is"},
    ]
    assert rejected == []


def test_what_is_no_address_or_no_time_is_named() -> None:
    posts, rejected = drafted(
        {"url": "javascript:alert(1)"},
        {"url": "https://x.com/ada/status/2", "posted_at": "1600-01-01T00:00:00Z"},
    )
    assert posts == [{"platform": "twitter", "url": "https://x.com/ada/status/2"}]
    assert [one["field"] for one in rejected] == [
        "social_posts.0.url",
        "social_posts.1.posted_at",
    ]


@pytest.mark.parametrize(
    ("url", "network"),
    [
        ("https://www.linkedin.com/posts/a", "linkedin"),
        ("https://m.facebook.com/a", "facebook"),
        ("http://gist.github.com/a", "github"),
        ("https://example.org/a", "other"),
        ("https://evil.test/linkedin.com", "other"),
        ("https://[::1", None),
        ("https://localhost/a", None),
        ("/posts/a", None),
    ],
)
def test_the_host_names_the_network(url: str, network: str | None) -> None:
    assert platform_of(url, None) == network


def test_a_captured_profile_brings_its_posts() -> None:
    capture = LinkedInCapture.model_validate(
        {
            "profile_url": "https://www.linkedin.com/in/ada",
            "full_name": "Ada",
            "posts": [
                {
                    "url": "https://www.linkedin.com/posts/1",
                    "posted_at": "2026-01-31T12:00:00Z",
                    "snippet": "On engines",
                }
            ],
        }
    )
    posts, rejected = drafted(*signal_of_capture(capture)["social_posts"])
    assert posts[0]["platform"] == "linkedin"
    assert posts[0]["snippet"] == "On engines"
    assert rejected == []
