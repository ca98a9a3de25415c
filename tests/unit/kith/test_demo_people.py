from collections import Counter

import orjson
import pytest

from kith.demo.people import DATASET, SIZE, CrmRecord, load_people
from shared.events.signal import ContactSignal


@pytest.fixture(scope="module")
def everyone() -> list[CrmRecord]:
    return load_people()


def test_the_whole_set_is_the_published_one(everyone: list[CrmRecord]) -> None:
    """20,213 records with 6,820 true pairs: what dupehell 0.5.5 makes of seed 42, light."""
    sizes = Counter(record.entity for record in everyone)
    assert len(everyone) == 20_213
    assert sum(size * (size - 1) // 2 for size in sizes.values()) == 6_820


def test_every_record_is_a_valid_signal_with_an_id_of_its_own(everyone: list[CrmRecord]) -> None:
    for record in everyone:
        signal = ContactSignal.model_validate_json(record.body)
        assert signal.source_record_id == record.record_id
    assert len({record.record_id for record in everyone}) == len(everyone)


def test_the_truth_does_not_travel(everyone: list[CrmRecord]) -> None:
    assert all(record.entity.encode() not in record.body for record in everyone)


def test_values_keep_their_place(everyone: list[CrmRecord]) -> None:
    first = next(one for one in everyone if one.record_id == f"{DATASET}/R-0000000000000")
    assert orjson.loads(first.body) == {
        "source": "salesforce_crm",
        "source_record_id": f"{DATASET}/R-0000000000000",
        "first_name": "Teresa",
        "last_name": "Callahan",
        "emails": [{"value": "coleman.hawkins327696@example.com"}],
        "phones": [{"value": "+1-450-555-0181 x1917"}],
        "linkedin_url": "https://linkedin.com/in/rosemary-271",
        "employments": [{"company_name": "IBM", "title": "Chief Technology Officer"}],
        "addresses": [{"city": "Pittsfield", "state": "NSW", "country": "EC"}],
        "lead_source": "email_campaign",
        "source_system": "CRM",
    }


def test_a_small_run_is_part_of_a_larger_one_with_whole_people(everyone: list[CrmRecord]) -> None:
    """What a small run has fed, a large one feeds again: as the very same deliveries."""
    few = load_people(500)
    assert 500 <= len(few) < 520
    assert set(few) < set(everyone)
    chosen = {record.entity for record in few}
    assert len(few) == sum(record.entity in chosen for record in everyone)


def test_records_come_in_the_same_order_every_time_and_not_person_by_person() -> None:
    few = load_people(500)
    assert few == load_people(500)
    assert [one.entity for one in few] != sorted(one.entity for one in few)
    assert len(few) < SIZE
