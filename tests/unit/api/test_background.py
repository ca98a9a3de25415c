"""What several sources say of one person's background, put together."""

from typing import Any

from services.api.domain.background import background_of


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
    }
