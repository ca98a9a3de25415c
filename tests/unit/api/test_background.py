"""What several sources say of one person's background, put together."""

from typing import Any

from services.api.domain.background import background_of, posts_of


def test_each_is_listed_once_as_the_weightiest_says_completed_by_the_others() -> None:
    said: list[dict[str, Any]] = [
        {"skills": [{"name": "Analysis"}], "education": [{"school": "Trinity", "degree": "BA"}]},
        {"full_name": "Ada"},
        {
            "skills": [{"name": "ANALYSIS", "endorsements": 7}, {"name": "Weaving"}],
            "education": [
                {"school": "trinity", "degree": "ba", "end_date": "1833-01-01"},
                {"school": "Trinity", "degree": "MA"},
            ],
        },
    ]
    assert background_of(said) == {
        "education": [
            {"school": "Trinity", "degree": "BA", "end_date": "1833-01-01"},
            {"school": "Trinity", "degree": "MA"},
        ],
        "skills": [{"name": "Analysis", "endorsements": 7}, {"name": "Weaving"}],
        "certifications": [],
        "languages": [],
        "social_posts": [],
    }


def test_posts_are_listed_newest_first_and_those_without_a_time_last() -> None:
    said: list[dict[str, Any]] = [
        {"social_posts": [{"platform": "other", "url": "https://a.test/1"}]},
        {
            "social_posts": [
                {
                    "platform": "other",
                    "url": "https://x.com/2",
                    "posted_at": "2026-01-01T00:00:00Z",
                },
                {
                    "platform": "other",
                    "url": "https://x.com/3",
                    "posted_at": "2026-02-01T00:00:00Z",
                },
                {"platform": "other", "url": "https://a.test/1", "snippet": "So"},
            ]
        },
    ]
    found = posts_of(said)
    assert [one["url"][-1] for one in found] == ["3", "2", "1"]
    assert found[2]["snippet"] == "So"
