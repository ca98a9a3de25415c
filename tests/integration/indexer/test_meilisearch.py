"""Contacts into Meilisearch, spoken to by its protocol."""

import pytest

from services.indexer.settings import MeilisearchSettings
from services.indexer.store import Meilisearch
from shared.errors import SourceUnavailableError, TransientError
from shared.events.contact import ContactEvent
from tests.integration.indexer.conftest import Indexer
from tests.support.events import born, changed, public_id
from tests.support.meilisearch import FakeMeilisearch


def client_of(server: FakeMeilisearch, key: str) -> Meilisearch:
    settings = MeilisearchSettings.model_validate({"url": "http://meilisearch", "api_key": key})
    return Meilisearch(settings, server.transport)


async def test_each_workspace_has_its_document_at_the_newest_version(indexer: Indexer) -> None:
    log, contact = indexer.log, public_id("con")
    here, there = log.workspaces
    events: list[ContactEvent] = [born(contact, here), changed(contact, 2, there, city="London")]
    await log.append(events)
    server = FakeMeilisearch("secret")
    index = client_of(server, "secret")
    for _ in range(2):
        assert await indexer.handle(log.batch(events, "indexer-meilisearch"), index) == []
    found = {one["workspace_id"]: one for one in server.documents.values()}
    assert found.keys() == set(log.workspaces.values())
    assert {one["version"] for one in found.values()} == {2}
    assert {one["display_name"] for one in found.values()} == {"Ada Lovelace"}
    assert {"tenant_id", "workspace_id"} <= set(server.settings["filterableAttributes"])
    await index.close()


async def test_a_server_that_is_away_is_waited_for_and_a_wrong_key_stops(indexer: Indexer) -> None:
    event = born(public_id("con"), indexer.log.workspace)
    await indexer.log.append([event])
    batch = indexer.log.batch([event], "indexer-meilisearch")
    server = FakeMeilisearch("secret")
    server.away = True
    right, wrong = client_of(server, "secret"), client_of(server, "other")
    with pytest.raises(TransientError):
        await indexer.handle(batch, right)
    server.away = False
    with pytest.raises(SourceUnavailableError):
        await indexer.handle(batch, wrong)
    assert await indexer.handle(batch, right) == []
    assert len(server.documents) == 1
    await right.close()
    await wrong.close()
