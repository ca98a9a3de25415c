"""What people say of contacts for their workspace alone, decided in memory."""

from functools import partial

from services.resolver.domain.bindings import private_values
from services.resolver.domain.marking import Mark, mark
from shared.events.signal import MAX_VALUES
from tests.support.merging import World


def tag(world: World, name: str, *, wanted: bool) -> list[str]:
    """Give the first contact a tag or take it off; returns who has too many words of people."""
    one = Mark("tag", f"tag_{'0' * 26}", name, wanted)
    return world.say(1, 1, partial(mark, one=one)).full


def labels(world: World) -> list[str]:
    """Return the labels that the workspace shows."""
    return list(private_values(world.known.contacts[1], 1).labels)


def test_tags_may_come_and_go_without_end() -> None:
    """What no source gives is forgotten first; what one gives stays off."""
    world = World()
    world.tell("r1", labels=("Friends",))
    assert tag(world, "Friends", wanted=False) == []
    for number in range(MAX_VALUES + 2):
        assert tag(world, f"Campaign {number}", wanted=True) == []
        assert tag(world, f"Campaign {number}", wanted=False) == []
    assert labels(world) == []
    world.tell("r1", labels=("Friends", "New"), minutes=1)
    assert labels(world) == ["New"]


def test_more_tags_than_a_record_holds_are_refused() -> None:
    world = World()
    world.tell("r1")
    for number in range(MAX_VALUES):
        assert tag(world, f"Tag {number}", wanted=True) == []
    assert tag(world, "One more", wanted=True) == [world.known.contacts[1].public_id]
    assert len(labels(world)) == MAX_VALUES
