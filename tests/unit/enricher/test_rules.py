"""Whom a rule asks about, and with what."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enricher.domain.question import Question
from services.enricher.domain.request import admission, automatic_key
from services.enricher.domain.rules import VENDORS, AutoRule, in_sample, is_role_mailbox
from shared.events.contact import ContactCreated
from shared.events.fold import ContactState, fold

CONTACT = "con_01JZZZZZZZZZZZZZZZZZZZZZZZ"
WORKSPACE = "wsp_01JZZZZZZZZZZZZZZZZZZZZZZZ"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALWAYS = AutoRule(enabled=True, share=1.0)


def created(**changes: Any) -> ContactCreated:
    """Build a new contact with an e-mail address."""
    source = changes.get("source", "google_contacts")
    return ContactCreated.model_validate(
        {
            "contact_id": CONTACT,
            "version": 1,
            "source": source,
            "status": "active",
            "occurred_at": NOW,
            "cause": "/test#1",
            "workspace": WORKSPACE,
            "identifiers": [{"type": "email", "value": "ada@example.com"}],
            "asserted": {
                "source": source,
                "source_record": "0" * 32,
                "asserted_at": NOW,
                "facts": {},
            },
            **changes,
        }
    )


def state(event: ContactCreated) -> ContactState:
    found = fold(None, [event])
    assert found is not None
    return found


def selected(rule: AutoRule = ALWAYS, **changes: Any) -> bool:
    event = created(**changes)
    return rule.selects(event, Question.about(state(event)))


def test_a_new_contact_of_a_listed_source_with_an_address_is_selected() -> None:
    assert selected()


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "hubspot_crm"},
        {"source": "linkedin_capture"},
        {"workspace": None},
        {"identifiers": []},
        {"identifiers": [{"type": "email", "value": "info@example.com"}]},
        {"identifiers": [{"type": "phone_e164", "value": "+4930123456"}]},
    ],
)
def test_other_contacts_are_not(changes: dict[str, Any]) -> None:
    assert not selected(**changes)


def test_switched_off_or_out_of_the_sample_nobody_is() -> None:
    assert not selected(AutoRule(enabled=False, share=1.0))
    assert not selected(AutoRule(enabled=True, share=0.0))


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_what_a_vendor_found_is_never_a_reason_to_ask(vendor: str) -> None:
    """Not even when an operator lists the vendor as a source."""
    assert not selected(AutoRule(enabled=True, share=1.0, sources=VENDORS), source=vendor)


@given(st.text(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), min_size=26, max_size=26))
def test_a_larger_share_keeps_the_smaller_one(ulid: str) -> None:
    contact = f"con_{ulid}"
    picks = [in_sample(contact, share / 10) for share in range(11)]
    assert picks == sorted(picks)
    assert (picks[0], picks[10]) == (False, True)


def test_the_share_is_about_what_it_says() -> None:
    hits = sum(in_sample(f"con_{number}", 0.3) for number in range(5_000))
    assert 1_350 < hits < 1_650


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("info@example.com", True),
        ("INFO@example.com", True),
        ("sales+de@example.com", True),
        ("no-reply@example.com", True),
        ("ada@info.example.com", False),
        ("infantino@example.com", False),
        ("ada+info@example.com", False),
    ],
)
def test_role_mailboxes_are_nobodys(email: str, role: bool) -> None:
    assert is_role_mailbox(email) is role


def test_the_same_question_has_the_same_key_and_another_input_another() -> None:
    asked = Question(email="ada@example.com")
    key = automatic_key(CONTACT, "apollo", asked)
    assert key == automatic_key(CONTACT, "apollo", Question(email="ada@example.com"))
    others = {
        automatic_key(CONTACT, "apollo", Question(email="ada@example.org")),
        automatic_key(CONTACT, "clearbit", asked),
        automatic_key(CONTACT.replace("01J", "01K"), "apollo", asked),
    }
    assert len(others | {key}) == 4
    assert "ada" not in key


def test_a_question_survives_its_storage() -> None:
    asked = Question(email="ada@example.com", last_name="Lovelace")
    assert Question.from_json(asked.to_json()) == asked


@pytest.mark.parametrize(
    ("question", "answerable"),
    [
        (Question(email="ada@example.com"), True),
        (Question(linkedin_url="https://www.linkedin.com/in/ada"), True),
        (Question(first_name="Ada", last_name="Lovelace", company_name="Analytical"), True),
        (Question(first_name="Ada", last_name="Lovelace", company_domain="example.com"), True),
        (Question(first_name="Ada", last_name="Lovelace"), False),
        (Question(last_name="Lovelace", company_name="Analytical"), False),
        (Question(), False),
    ],
)
def test_a_question_must_tell_whom_it_is_about(question: Question, answerable: bool) -> None:
    assert question.answerable is answerable


def test_an_order_for_nobody_or_without_input_is_ineligible_at_once() -> None:
    assert admission(None)[:2] == ("failed", "unknown_contact")
    assert admission(state(created(identifiers=[])))[:2] == ("failed", "missing_input")
    status, reason, question = admission(state(created()))
    assert (status, reason) == ("pending", None)
    assert question == Question(email="ada@example.com")
