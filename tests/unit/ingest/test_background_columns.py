"""Columns of schools, skills, certificates and languages, by whatever words name them."""

import pytest

from tests.support.tables import take
from tests.unit.ingest.test_headers import said


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("School", "education.school"),
        ("University name", "education.school"),
        ("Education 2 - Degree", "education[2].degree"),
        ("Field of study", "education.field_of_study"),
        ("Graduation year", "education.end_date"),
        ("Top skills", "skills"),
        ("Licenses & Certifications", "certifications"),
        ("Languages spoken", "languages"),
    ],
)
def test_a_header_says_what_somebody_learned(name: str, target: str) -> None:
    assert said("Name", name) == {"Name": "full_name", name: target}


@pytest.mark.parametrize("name", ["Language", "Preferred language", "Education", "Skill level"])
def test_words_that_say_something_else_stay_custom_fields(name: str) -> None:
    assert said("Name", name) == {"Name": "full_name"}


def test_cells_hold_lists_levels_and_years() -> None:
    header = "Name;School;Degree;Field of study;Graduation date;Skills;Certifications;Languages"
    row = (
        'Ola Berg;KTH;MSc;Physics;2012;"Python, SQL (Postgres, MySQL)";PMP|CISSP;'
        "Swedish (native), English - C1, Chinese (Hakka)"
    )
    [facts] = take(f"{header}\n{row}\n".encode()).facts
    assert facts["education"] == [
        {"school": "KTH", "degree": "MSc", "field_of_study": "Physics", "end_date": "2012-01-01"}
    ]
    assert facts["skills"] == [{"name": "Python"}, {"name": "SQL (Postgres, MySQL)"}]
    assert facts["certifications"] == [{"name": "PMP"}, {"name": "CISSP"}]
    assert facts["languages"] == [
        {"language": "Swedish", "proficiency": "native"},
        {"language": "English", "proficiency": "full_professional"},
        {"language": "Chinese (Hakka)"},
    ]


def test_what_cannot_be_is_left_out_with_its_column() -> None:
    """A day that is none, a skill of 300 characters, more skills than are kept."""
    many = ",".join(f"s{number}" for number in range(60))
    data = (
        "Name;School;Graduation date;Skills\n"
        f"Ann;KTH;soon;{'x' * 300}\nBo;;1999;{many}\nCy;TUM;06/2001;\n"
    )
    taken = take(data.encode())
    assert [len(facts.get("skills", ())) for facts in taken.facts] == [0, 50, 0]
    assert taken.facts[0]["education"] == [{"school": "KTH"}]
    assert taken.facts[1]["custom_fields"] == {"Graduation date": "1999"}
    assert taken.facts[2]["education"] == [{"school": "TUM", "end_date": "2001-06-01"}]
    assert [(note.line, note.field) for note in taken.tally.warnings] == [
        (2, "Graduation date"),
        (2, "Skills"),
        (3, "Skills"),
    ]


def test_headers_of_other_languages_say_it_too() -> None:
    data = (
        "Vorname;Nachname;Universität;Abschlussjahr;Sprachkenntnisse\nUte;Groß;TUM;2001;Deutsch\n"
    )
    [facts] = take(data.encode()).facts
    assert facts["education"] == [{"school": "TUM", "end_date": "2001-01-01"}]
    assert facts["languages"] == [{"language": "Deutsch"}]
