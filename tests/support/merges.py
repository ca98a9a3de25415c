"""Builders of the events of one merge and its split: the survivor's and the absorbed contact's."""

from shared.events.contact import (
    ContactDeleted,
    ContactsMerged,
    ContactsSplit,
    KnownBy,
    Shape,
)
from shared.events.signal import Employment, Identifier
from tests.support.events import BEGIN, public_id


def a_shape(name: str, *workspaces: str, jobs: tuple[Employment, ...] = ()) -> Shape:
    """Make all that is shared of a contact of this name."""
    return Shape(
        status="active",
        fields={"first_name": name, "display_name": name},
        identifiers=(Identifier(type="email", value=f"{name.lower()}@example.org"),),
        employments=jobs,
        known_by=tuple(KnownBy(workspace=one, bound_at=BEGIN) for one in workspaces),
    )


def merged(
    contact: str, version: int, pair: tuple[str, str], shape: Shape | None = None
) -> ContactsMerged:
    """Tell one of the two that they are one; `pair` names the survivor, then the absorbed."""
    return ContactsMerged(
        occurred_at=BEGIN,
        cause="test",
        contact_id=contact,
        version=version,
        merge_id=public_id("mrg"),
        survivor_id=pair[0],
        absorbed_id=pair[1],
        decided_by="person",
        reason="manual",
        shape=shape,
    )


def split(contact: str, version: int, pair: tuple[str, str], shape: Shape) -> ContactsSplit:
    """Tell one of the two that they are two again."""
    return ContactsSplit(
        occurred_at=BEGIN,
        cause="test",
        contact_id=contact,
        version=version,
        original_id=pair[0],
        new_id=pair[1],
        shape=shape,
    )


def deleted(contact: str, version: int) -> ContactDeleted:
    """Tell that nothing is left of a contact."""
    return ContactDeleted(
        occurred_at=BEGIN,
        cause="test",
        contact_id=contact,
        version=version,
        reason="import_retracted",
    )
