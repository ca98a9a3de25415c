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


@pytest.mark.parametrize(
    ("cell", "language", "level"),
    [
        ("Deutsch (Muttersprache)", "Deutsch", "native"),
        ("Englisch - fließend", "Englisch", "full_professional"),
        ("Français (langue maternelle)", "Français", "native"),
        ("Inglés: avanzado", "Inglés", "professional"),
        ("Inglês (fluente)", "Inglês", "full_professional"),
        ("Inglese (livello base)", "Inglese", "elementary"),
        ("Frans – gevorderd", "Frans", "professional"),  # noqa: RUF001  # as people type it
        ("英語（ビジネスレベル）", "英語", "professional"),  # noqa: RUF001  # as Japan writes it
        ("Niemiecki (średniozaawansowany)", "Niemiecki", "limited"),
    ],
)
def test_how_well_a_language_is_spoken_is_read_in_any_language(
    cell: str, language: str, level: str
) -> None:
    [facts] = take(f'Name,Email,Languages\nAnn,a@x.example,"{cell}"\n'.encode()).facts
    assert facts["languages"] == [{"language": language, "proficiency": level}]


def test_a_semicolon_in_brackets_ends_no_skill() -> None:
    [facts] = take(b'Name,Email,Skills\nAnn,a@x.example,"Sales (B2B; SaaS); Law"\n').facts
    assert facts["skills"] == [{"name": "Sales (B2B; SaaS)"}, {"name": "Law"}]


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
