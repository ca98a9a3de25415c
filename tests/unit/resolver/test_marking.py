"""What people say of contacts for their workspace alone, decided in memory."""

from collections.abc import Iterator
from itertools import count

from services.resolver.domain.bindings import private_values
from services.resolver.domain.marking import Mark, Ordered, mark
from services.resolver.domain.model import Contact, Revision
from shared.events.signal import MAX_VALUES
from tests.support.merging import WORKSPACES, World
from tests.support.signals import SOURCES, TENANT


class Hand:
    """A person who orders one thing after the other about a contact."""

    def __init__(self, world: World, contact: Contact) -> None:
        self.contact = contact
        self._world = world
        self._numbers: Iterator[int] = count(1)
        self._ledger: dict[tuple[int, bytes], list[Revision]] = {}

    def tag(self, name: str, *, wanted: bool) -> list[str]:
        """Give a tag or take it off; returns who has too many words of people."""
        number = next(self._numbers)
        source = SOURCES["workspace_entry"]
        order = Ordered(
            f"cmd_{number:026d}", 1, TENANT, 1, WORKSPACES[1], source, self._world.now()
        )
        one = Mark("tag", f"tag_{number:026d}", name, wanted)
        return mark(order, one, [self.contact], self._ledger, [f"evt_{number:026d}"]).full

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that the workspace shows."""
        return private_values(self.contact, 1).labels


def test_tags_may_come_and_go_without_end() -> None:
    """What no source gives is forgotten first; what one gives stays off."""
    world = World()
    world.tell("r1", labels=("Friends",))
    hand = Hand(world, world.known.contacts[1])
    assert hand.tag("Friends", wanted=False) == []
    for number in range(MAX_VALUES + 2):
        assert hand.tag(f"Campaign {number}", wanted=True) == []
        assert hand.tag(f"Campaign {number}", wanted=False) == []
    assert not hand.labels
    world.tell("r1", labels=("Friends", "New"), minutes=1)
    assert list(hand.labels) == ["New"]


def test_more_tags_than_a_record_holds_are_refused() -> None:
    world = World()
    world.tell("r1")
    hand = Hand(world, world.known.contacts[1])
    for number in range(MAX_VALUES):
        assert hand.tag(f"Tag {number}", wanted=True) == []
    assert hand.tag("One more", wanted=True) == [hand.contact.public_id]
    assert len(hand.labels) == MAX_VALUES
