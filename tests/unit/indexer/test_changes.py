"""The indexer's pace and whom a message is about."""

import pytest

from services.indexer.domain.changes import pause, read_mention
from shared.errors import PoisonMessageError
from shared.events.codec import Attributes, encode, event_headers
from tests.support.events import BEGIN, born

CONTACT, WORKSPACE, TENANT = "con_" + "0" * 26, "wsp_" + "0" * 26, "ten_" + "0" * 26


@pytest.mark.parametrize(
    ("documents", "took", "expected"),
    [(10, 0.2, 0.8), (10, 1.5, 0.0), (2000, 0.5, 1.5), (2000, 3.0, 0.0)],
)
def test_a_batch_waits_for_the_longer_of_linger_and_rate(
    documents: int, took: float, expected: float
) -> None:
    assert pause(documents, took, linger=1.0, rate=1000) == pytest.approx(expected)


def test_a_message_names_its_contact() -> None:
    event = born(CONTACT, WORKSPACE)
    headers = event_headers(event, Attributes("evt_1", TENANT, None, BEGIN))
    mention = read_mention(headers, encode(event))
    assert (mention.contact_id, mention.company, mention.recorded_at) == (CONTACT, None, BEGIN)


def test_a_message_without_a_tenant_is_refused() -> None:
    event = born(CONTACT, WORKSPACE)
    headers = [
        pair
        for pair in event_headers(event, Attributes("evt_1", TENANT, None, BEGIN))
        if pair[0] != "ce_tenant"
    ]
    with pytest.raises(PoisonMessageError, match="ce_tenant"):
        read_mention(headers, encode(event))
