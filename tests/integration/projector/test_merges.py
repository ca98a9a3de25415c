"""Merges and splits in the read model: who is shown to whom, and what is forgotten."""

import orjson

from tests.integration.projector.conftest import Projector
from tests.support.events import born, noted, public_id
from tests.support.merges import a_shape, deleted, merged, split


async def test_an_absorbed_contact_points_on_and_a_split_takes_everything_back(
    projector: Projector,
) -> None:
    log = projector.log
    here, there = log.workspaces
    ada, bob = public_id("con"), public_id("con")
    pair = (ada, bob)
    await projector.handle(
        log.batch([born(ada, here), born(bob, there), noted(bob, 2, there, "his")])
    )
    await projector.handle(
        log.batch(
            [
                merged(ada, 2, pair, a_shape("Ada", here, there)),
                noted(ada, 3, there, "his"),
                merged(bob, 3, pair),
            ]
        )
    )
    shown = {(one["public_id"], one["workspace_id"]): one for one in await projector.views()}
    assert len(shown) == 3
    absorbed = shown[bob, log.workspaces[there]]
    assert (absorbed["status"], absorbed["display_name"]) == ("merged", None)
    assert absorbed["detail"]["survivor_id"] == ada
    assert "his" not in str(absorbed["detail"])
    assert "his" in str(shown[ada, log.workspaces[there]]["detail"])

    await projector.handle(
        log.batch(
            [
                split(ada, 4, pair, a_shape("Ada", here)),
                split(bob, 4, pair, a_shape("Bob", there)),
                noted(bob, 5, there, "his"),
            ]
        )
    )
    shown = {(one["public_id"], one["workspace_id"]): one for one in await projector.views()}
    assert shown.keys() == {(ada, log.workspaces[here]), (bob, log.workspaces[there])}
    assert shown[bob, log.workspaces[there]]["first_name"] == "Bob"
    told = await projector.owner.fetch(
        "SELECT event_type, summary FROM read.timeline WHERE contact_public_id = $1"
        " ORDER BY version",
        bob,
    )
    assert [row["event_type"] for row in told][2:4] == ["ContactsMerged", "ContactsSplit"]
    assert orjson.loads(told[2]["summary"])["survivor_id"] == ada
    await projector.handle(log.batch([deleted(bob, 6)]))
    shown = {(one["public_id"], one["workspace_id"]): one for one in await projector.views()}
    assert shown.keys() == {(ada, log.workspaces[here])}
