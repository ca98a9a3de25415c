"""What titles and departments say, in several languages, and what they do not say."""

import tomllib
from importlib import resources
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers.titles import (
    DEPARTMENTS,
    Seniority,
    departments_of,
    seniority_of,
    seniority_said,
)


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("CEO", "cxo"),
        ("Chief Revenue & Growth Officer", "cxo"),
        ("Geschäftsführerin", "cxo"),
        ("代表取締役社長", "cxo"),
        ("Directrice générale", "cxo"),
        ("Co-Founder & CEO", "founder"),
        ("Owner", "owner"),
        ("Managing Partner", "partner"),
        ("Vice President of Sales", "vp"),
        ("SVP, Marketing", "vp"),
        ("Head of People", "head"),
        ("Vertriebsleiterin", "head"),
        ("Responsable marketing", "head"),
        ("Associate Director", "director"),
        ("销售总监", "director"),
        ("Chief of Staff", "director"),
        ("Account Manager", "manager"),
        ("Teamleiter Einkauf", "manager"),
        ("Chef de projet", "manager"),
        ("Sr. Data Scientist", "senior"),
        ("Staff Engineer", "senior"),
        ("Junior Developer", "entry"),
        ("Executive Assistant to the CEO", "entry"),
        ("Marketing Intern", "intern"),
        ("Praktikantin Controlling", "intern"),
        ("Software Engineer", None),
        ("HR Business Partner", None),
        ("Product Owner", None),
        ("Staff Nurse", None),
        ("Internal Auditor", None),
        ("Lead Generation Specialist", None),
        ("VPN Engineer", None),
        ("VPS Administrator", None),
        ("EVPRO Specialist", None),
        ("VPE", "vp"),
        ("AVP, Lending", "vp"),
        ("CEO Assistant", "entry"),
        ("President's Secretary", None),
        ("Mr. President\u2019s Driver", None),
        ("Director's Assistant", "entry"),
        ("Vice President's Assistant", "entry"),
        ("Founder's Associate", "entry"),
        ("Executive Assistant, CEO Office", "entry"),
        ("Executive Assistant to the CEO & Founder", "entry"),
        ("Senior Executive Assistant, CEO", "senior"),
        ("Assistentin der Geschäftsführung", "entry"),
        ("Vorstandsassistentin", None),
        ("Assistante de direction générale", "entry"),
        ("总经理助理", "entry"),
        ("社長秘書", None),
        ("Support CEO", None),
        ("Executive Assistant (CEO)", "entry"),
        ("CEO, Office of the President", "cxo"),
        ("Director, Office of the CEO", "director"),
        ("Director, Investor Relations", "director"),
        ("CEO Office Manager", "manager"),
        ("Owner Relations Manager", "manager"),
        ("Assistant Director", "director"),
        ("Assistant Vice President", "vp"),
        ("Assistant Manager", "manager"),
        ("Owner/Driver", "owner"),
        ("CEO & Board Secretary", "cxo"),
        ("CEO, Executive Assistant", "cxo"),
        ("Women's Health Director", "director"),
        ("Support Director", "director"),
        ("", None),
        ("★", None),
    ],
)
def test_how_high_a_title_is(title: str, level: str | None) -> None:
    assert seniority_of(title) == level


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("c_suite", "cxo"),
        ("vp", "vp"),
        ("Vice President", "vp"),
        ("Mid-Senior level", "senior"),
        ("entry", "entry"),
        ("Internship", "intern"),
        ("banana", None),
    ],
)
def test_what_vendors_call_a_level(word: str, level: str | None) -> None:
    assert seniority_said(word) == level


@pytest.mark.parametrize(
    ("department", "title", "found"),
    [
        (None, "Sales & Marketing Director", ("marketing", "sales")),
        ("Buchhaltung", "Sales Director", ("finance",)),
        ("Team Blue", "CTO", ("engineering",)),
        (None, "IT Support", ("information_technology", "customer_service")),
        (None, "Staff Nurse", ("medical",)),
        (None, "営業", ("sales",)),
        (None, "Regional Manager", ()),
        (None, None, ()),
    ],
)
def test_departments_by_their_usual_names(
    department: str | None, title: str | None, found: tuple[str, ...]
) -> None:
    assert departments_of(department, title) == found


def test_every_department_of_the_table_can_be_asked_for() -> None:
    table = resources.files("shared.identifiers").joinpath("data", "titles.toml").read_text("utf-8")
    named = [one["name"] for one in tomllib.loads(table)["department"]]
    assert sorted(named) == sorted(DEPARTMENTS)


@given(st.text(max_size=400))
def test_any_text_is_a_title(text: str) -> None:
    assert departments_of(None, text) == departments_of(text, None)
    assert seniority_of(text) in {None, *get_args(Seniority)}
