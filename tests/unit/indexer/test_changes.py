"""Whom a message is about."""

import pytest

from services.indexer.domain.changes import read_mention
from shared.errors import PoisonMessageError
from shared.events.codec import Attributes, encode, event_headers
from tests.support.events import BEGIN, born

CONTACT, WORKSPACE, TENANT = "con_" + "0" * 26, "wsp_" + "0" * 26, "ten_" + "0" * 26


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


def test_a_message_with_an_odd_subject_is_read_by_its_body() -> None:
    event = born(CONTACT, WORKSPACE)
    headers = [
        (name, b"con_\xff" if name == "ce_subject" else value)
        for name, value in event_headers(event, Attributes("evt_1", TENANT, None, BEGIN))
    ]
    with pytest.raises(PoisonMessageError, match="ce_subject"):
        read_mention(headers, encode(event))
