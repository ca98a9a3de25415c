"""Whose value wins."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.model import Claim
from services.resolver.domain.survivorship import choose, differences, groups_of, source_of
from shared.events.signal import Address, Employment, Facts, Point
from tests.support.signals import MOMENT, SOURCES, digest


def a_claim(
    source: str, record: str = "r", minutes: float = 0, confidence: float = 1.0, **facts: object
) -> Claim:
    said = Facts.model_validate(facts)
    return Claim(
        digest(source, record),
        SOURCES[source],
        1,
        confidence,
        MOMENT + timedelta(minutes=minutes),
        said,
        groups_of(said),
    )


def test_priority_then_confidence_then_time() -> None:
    low = a_claim("csv_upload", minutes=9, full_name="Low")
    unsure = a_claim("hubspot_crm", "a", 9, 0.5, full_name="Unsure")
    older = a_claim("hubspot_crm", "b", 1, full_name="Older")
    newer = a_claim("hubspot_crm", "c", 2, full_name="Newer")
    assert choose([low, unsure, older, newer])["display_name"] == "Newer"
    assert choose([low, unsure, older])["display_name"] == "Older"
    assert choose([low, unsure])["display_name"] == "Unsure"


def test_a_name_is_never_mixed_of_two_claims() -> None:
    values = choose(
        [
            a_claim("hubspot_crm", first_name="Ada"),
            a_claim("csv_upload", first_name="Augusta", last_name="King"),
        ]
    )
    assert values["first_name"] == "Ada"
    assert "last_name" not in values


def test_the_job_that_started_last_is_shown() -> None:
    jobs = (
        Employment(company_name="Old", title="Clerk", start_date=date(2001, 1, 1)),
        Employment(company_name="New", title="CTO", start_date=date(2020, 1, 1)),
        Employment(company_name="Past", title="CEO", start_date=date(2024, 1, 1), is_current=False),
    )
    values = choose([a_claim("hubspot_crm", employments=jobs)])
    assert (values["company_name"], values["job_title"]) == ("New", "CTO")


def test_the_primary_address_is_shown_and_fields_come_from_where_they_are() -> None:
    claims = [
        a_claim("hubspot_crm", emails=(Point(value="a@x.io"), Point(value="b@x.io", primary=True))),
        a_claim("csv_upload", addresses=(Address(label="home"), Address(city="Paris"))),
    ]
    values = choose(claims)
    assert values["email_primary"] == "b@x.io"
    assert values["city"] == "Paris"
    assert source_of("city", claims).source.name == "csv_upload"


def test_a_difference_names_its_origin_when_it_is_another_record() -> None:
    gone = a_claim("hubspot_crm", full_name="Ada King")
    left = a_claim("csv_upload", full_name="A. Lovelace")
    (change,) = differences(choose([gone, left]), choose([left]), [left], own=gone.record_key)
    assert (change.field, change.old, change.new) == ("display_name", "Ada King", "A. Lovelace")
    assert change.origin
    assert change.origin.source == "csv_upload"


@given(order=st.permutations(range(4)))
def test_the_order_of_claims_does_not_matter(order: list[int]) -> None:
    claims = [
        a_claim(source, str(n), full_name=f"Name {n}")
        for n, source in enumerate(["hubspot_crm", "hubspot_crm", "csv_upload", "apollo"])
    ]
    assert choose(claims) == choose([claims[n] for n in order])
