"""What somebody learned and can do: cleaned, each once, and what is wrong is named."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.background import proficiency_of
from services.ingest.domain.captures import LinkedInCapture, signal_of_capture
from services.ingest.domain.mapping import to_draft
from services.ingest.domain.reading import read_value
from shared.errors import PoisonMessageError
from shared.events.signal import Facts
from tests.support.vcards import facts_of


def drafted(**said: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Normalise what a source says, as ingest does; returns facts and what was left out."""
    signal, _ = read_value({"source": "api_push", "full_name": "A", **said}, may_hold_nul=False)
    draft = to_draft(signal, "US")
    facts: dict[str, Any] = orjson.loads(orjson.dumps(draft.facts))
    Facts.model_validate_json(orjson.dumps(facts))
    return facts, draft.rejected


def test_each_is_there_once_and_what_says_nothing_is_left_out() -> None:
    facts, rejected = drafted(
        education=[
            {"school": " Trinity  College ", "degree": "BA", "start_date": "1829-10-01"},
            {"school": "Trinity College", "degree": "BA", "start_date": "1829-10-01"},
            {"end_date": "1833-01-01"},
        ],
        skills=[
            {"name": "Python", "endorsements": 3},
            {"name": "PYTHON", "endorsements": 9},
            {"name": "\u200b"},
        ],
        languages=[
            {"language": "German"},
            {"language": "german", "proficiency": "Native or bilingual proficiency"},
        ],
    )
    assert facts["education"] == [
        {"school": "Trinity College", "degree": "BA", "start_date": "1829-10-01"}
    ]
    assert facts["skills"] == [{"name": "Python", "endorsements": 9}]
    assert facts["languages"] == [{"language": "German", "proficiency": "native"}]
    assert rejected == []


def test_what_is_wrong_is_named_and_harms_nothing_beside_it() -> None:
    facts, rejected = drafted(
        education=[{"school": "MIT", "start_date": "2020-01-01", "end_date": "2019-01-01"}],
        certifications=[{"name": "\u200b", "authority": "CNCF"}, {"name": "CKA"}],
        languages=[{"language": "Klingon", "proficiency": "qapla"}],
    )
    assert facts["education"] == [{"school": "MIT", "start_date": "2020-01-01"}]
    assert facts["certifications"] == [{"name": "CKA"}]
    assert facts["languages"] == [{"language": "Klingon"}]
    assert [one["field"] for one in rejected] == [
        "education.0.end_date",
        "certifications.0.name",
        "languages.0.proficiency",
    ]
    assert "full_professional" in rejected[2]["reason"]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"skills": "Python"}, "skills"),
        ({"skills": [{"name": "x", "endorsements": -1}]}, "skills.0.endorsements"),
        ({"skills": [{"name": f"s{n}"} for n in range(101)]}, "skills"),
        ({"education": [{"school": "MIT", "start_date": "yesterday"}]}, "education.0.start_date"),
        ({"languages": [{"proficiency": "native"}]}, "languages.0.language"),
    ],
)
def test_what_cannot_be_read_names_its_field(bad: dict[str, Any], field: str) -> None:
    with pytest.raises(PoisonMessageError) as caught:
        drafted(**bad)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Native or bilingual proficiency", "native"),
        ("NATIVE_OR_BILINGUAL", "native"),
        ("Full professional proficiency", "full_professional"),
        ("Professional working proficiency", "professional"),
        ("Limited working proficiency", "limited"),
        ("Elementary proficiency", "elementary"),
        ("full_professional", "full_professional"),
        ("Fluent", "full_professional"),
        ("B1", "limited"),
        ("C2 (CEFR)", "full_professional"),
        ("so-so", None),
    ],
)
def test_usual_words_for_a_proficiency_are_known(text: str, level: str | None) -> None:
    assert proficiency_of(text) == level


@given(st.text())
def test_any_word_for_a_proficiency_is_one_or_none(text: str) -> None:
    levels = ("native", "full_professional", "professional", "limited", "elementary")
    assert proficiency_of(text) in (None, *levels)


def test_a_captured_profile_brings_all_of_it() -> None:
    capture = LinkedInCapture.model_validate(
        {
            "profile_url": "https://www.linkedin.com/in/ada",
            "full_name": "Ada Lovelace",
            "education": [{"school": "Trinity", "degree": "BA", "start": "1829", "end": "1833-05"}],
            "skills": [{"name": "Analysis", "endorsements": 12}],
            "certifications": [{"name": "CKA", "authority": "CNCF", "start": "2021-02"}],
            "languages": [{"language": "French", "proficiency": "Elementary proficiency"}],
        }
    )
    facts, rejected = drafted(**signal_of_capture(capture))
    assert facts["education"] == [
        {
            "school": "Trinity",
            "degree": "BA",
            "start_date": "1829-01-01",
            "end_date": "1833-05-01",
        }
    ]
    assert facts["skills"] == [{"name": "Analysis", "endorsements": 12}]
    assert facts["certifications"] == [
        {"name": "CKA", "authority": "CNCF", "start_date": "2021-02-01"}
    ]
    assert facts["languages"] == [{"language": "French", "proficiency": "elementary"}]
    assert rejected == []


def test_a_card_tells_of_languages_and_expertise() -> None:
    record = facts_of(
        "FN:Ada", "LANG;PREF=2:de", "LANG;PREF=1:fr", "EXPERTISE;LEVEL=expert:chess,fencing"
    )
    assert record["languages"] == [{"language": "fr"}, {"language": "de"}]
    assert record["skills"] == [{"name": "chess"}, {"name": "fencing"}]
