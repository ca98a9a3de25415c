"""What a vendor found, as a signal."""

from datetime import UTC, date, datetime

from services.enricher.domain.interpret import summary, to_signal
from services.enricher.domain.lifecycle import Call
from services.enricher.domain.outcome import Match
from services.enricher.domain.question import Question
from services.enricher.domain.request import Claimed
from shared.events.company import CompanyRecord
from shared.events.signal import ContactPoint, ContactSignal, Employment, OtherIdentifier
from shared.identifiers.digests import Digests

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DIGESTS = Digests("a secret of tests")
REQUEST = Claimed(
    id=1,
    public_id="req_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    tenant="ten_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    workspace="wsp_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    contact_id="con_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    source="apollo",
    question=Question(),
    call=Call(1, 0),
    traceparent=None,
)
FINDINGS = ContactSignal(
    source="apollo",
    source_record_id="64a7",
    full_name=" Ada  Lovelace ",
    first_name="Ada",
    last_name="Lovelace",
    emails=(ContactPoint(value="Ada@Example.COM", primary=True), ContactPoint(value="nonsense")),
    phones=(ContactPoint(value="+49 30 901820", label="work"),),
    linkedin_url="http://www.linkedin.com/in/Ada-Lovelace/?trk=x",
    identifiers=(OtherIdentifier(type="twitter_handle", value="https://twitter.com/AdaL"),),
    employments=(
        Employment(company_name="Analytical Engines", company_domain="www.analytical.co.uk"),
        Employment(company_name="Old", company_domain="localhost", end_date=date(2020, 1, 1)),
    ),
)
MATCH = Match(FINDINGS, {"person": {"id": "64a7"}}, 1)


def test_findings_are_about_the_contact_and_normalised() -> None:
    signal = to_signal(MATCH, REQUEST, DIGESTS, NOW)
    assert signal.about == REQUEST.contact_id
    assert signal.source_record_id == "64a7"
    assert signal.facts.full_name == "Ada Lovelace"
    assert [point.value for point in signal.facts.emails] == ["ada@example.com"]
    assert signal.facts.linkedin_url == "https://www.linkedin.com/in/ada-lovelace"
    assert [(one.type, one.value) for one in signal.facts.identifiers] == [
        ("linkedin_public_id", "ada-lovelace"),
        ("email", "ada@example.com"),
        ("phone_e164", "+4930901820"),
        ("twitter_handle", "adal"),
    ]
    assert signal.facts.employments[0].company_domain == "analytical.co.uk"
    assert signal.facts.employments[1].company_domain is None
    assert signal.raw == {"person": {"id": "64a7"}}


def test_a_value_that_is_none_is_named_without_being_repeated() -> None:
    [rejected] = to_signal(MATCH, REQUEST, DIGESTS, NOW).rejected
    assert rejected.field == "emails.1"
    assert "nonsense" not in rejected.reason


def test_the_same_request_makes_the_same_signal() -> None:
    """Published twice it is a duplicate, whenever that is."""
    later = datetime(2027, 1, 1, tzinfo=UTC)
    first, second = (to_signal(MATCH, REQUEST, DIGESTS, now) for now in (NOW, later))
    assert first.signal_id == second.signal_id == f"/kith/enricher#{REQUEST.public_id}"
    assert first.record_key == second.record_key
    assert first.content_hash == second.content_hash


def test_without_a_vendors_id_the_request_names_the_record() -> None:
    findings = FINDINGS.model_copy(update={"source_record_id": None})
    signal = to_signal(Match(findings, {}, 1), REQUEST, DIGESTS, NOW)
    assert signal.source_record_id == REQUEST.public_id


def test_the_summary_counts_and_says_nothing() -> None:
    counts = summary(to_signal(MATCH, REQUEST, DIGESTS, NOW))
    assert counts == {
        "names": 3,
        "emails": 1,
        "phones": 1,
        "identifiers": 4,
        "employments": 2,
        "addresses": 0,
        "companies": 0,
        "rejected": 1,
    }


def test_what_a_vendor_knows_of_a_company_is_a_record_of_its_own() -> None:
    """The same company told of with somebody else is the same record, saying the same."""
    company = CompanyRecord(source_record_id="5e66", name="Acme", domain="acme.io", industry="x")
    told = [
        to_signal(
            Match(findings.model_copy(update={"companies": (company,)}), {}, 1),
            REQUEST,
            DIGESTS,
            NOW,
        )
        for findings in (FINDINGS, ContactSignal(source="apollo", full_name="Bob Bee"))
    ]
    (one,), (same,) = (signal.companies for signal in told)
    assert one == same
    assert (one.source_record_id, one.facts.identifiers[0].value) == ("5e66", "acme.io")
    assert told[0].content_hash == to_signal(MATCH, REQUEST, DIGESTS, NOW).content_hash
