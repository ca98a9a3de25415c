"""What columns mean: targets as text, names made distinct, headers in any spelling."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain import columns, contents, vocabulary
from services.ingest.domain.columns import distinct_names, target_of
from services.ingest.domain.suggesting import suggest
from services.ingest.domain.vocabulary import key_of
from services.ingest.sources import background_cells, cells, whole_address
from services.ingest.sources.vocabulary import vocabulary as words
from shared.errors import PoisonMessageError

HEADERS = st.lists(st.text(max_size=30), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "module", [background_cells, cells, columns, contents, vocabulary, whole_address]
)
def test_the_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@given(HEADERS)
def test_any_header_has_a_reading_that_can_be_written_and_read_back(header: list[str]) -> None:
    """Each column gets one target of its own; as text it is what an operator may give."""
    mapping = suggest(header, (), words())
    assert len(mapping.columns) == len(header)
    singles = [column.target for column in mapping.columns if column.target.is_single]
    assert len(set(singles)) == len(singles)
    for column in mapping.columns:
        assert target_of(str(column.target)) == column.target
    assert mapping.changed(mapping.told()).told() == mapping.told()


@given(HEADERS)
def test_names_become_distinct(header: list[str]) -> None:
    names = distinct_names(header)
    assert len(set(names)) == len(header)
    assert all(names)


@given(st.text(max_size=40))
def test_a_target_is_refused_or_read_as_it_is_written(text: str) -> None:
    try:
        target = target_of(text)
    except PoisonMessageError:
        return
    assert target_of(str(target)) == target


@pytest.mark.parametrize(
    "name", ["E-mail 1 - Value", "email_1_value", "Email1Value", "\ufeffE-Mail 1  Value "]
)
def test_a_header_in_another_spelling_is_the_same(name: str) -> None:
    assert key_of(name.replace("\ufeff", "")) in ("email 1 value", "email1value", "email1 value")


def test_a_title_is_a_job_unless_the_job_has_a_column() -> None:
    def read(*header: str) -> dict[str, str]:
        return suggest(header, (), words()).told()

    assert read("Name", "Title")["Title"] == "job.title"
    assert read("Name", "Title", "Job Title")["Title"] == "name_prefix"
    assert read("Vorname", "Name") == {"Vorname": "first_name", "Name": "last_name"}
    assert read("Nom", "Courriel")["Nom"] == "full_name"
    assert read("First Name", "Name")["Name"] == "last_name"
    assert read("Contact Email", "Customer Phone Number") == {
        "Contact Email": "email[1]",
        "Customer Phone Number": "phone[1]",
    }
    assert read("Email", "Email Address", "Mail") == {
        "Email": "email[1]",
        "Email Address": "email[3]",
        "Mail": "email[2]",
    }
