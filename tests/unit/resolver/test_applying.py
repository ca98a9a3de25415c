"""What a signal changes of the contact that takes it, and which views of it are written anew."""

from typing import Any

from services.resolver.domain.arrival import deliver, read_signal
from services.resolver.domain.gate import decide
from services.resolver.domain.model import Delivery, Known, Plan
from shared.events.codec import encode
from shared.events.contact import FactAsserted, IdentifierRemoved
from shared.events.signal import Point
from tests.support.merging import WORKSPACES
from tests.support.signals import MOMENT, SOURCES, a_delivery, a_signal
from tests.unit.resolver.test_gate import contact_events, published, some_ids

ADA: dict[str, Any] = {"email": "ada@example.com"}
PHONE = "+14155550100"


def said_in(workspace: int, record: str, **said: Any) -> Delivery:
    """Make a signal of one of two workspaces."""
    signal = read_signal(encode(a_signal(record, workspace=WORKSPACES[workspace], **said)))
    return deliver(signal, 1, workspace, SOURCES[signal.source])


def after(*before: Delivery, told: Delivery) -> Plan:
    """Decide some signals, then one in a batch of its own; returns what that one comes to."""
    known, ids = Known(), some_ids()
    decide(before, known, ids, MOMENT)
    return decide([told], known, ids, MOMENT)


def test_a_status_is_told_once_when_it_changes() -> None:
    known, ids = Known(), some_ids()
    nameless = a_delivery("r1", name=None, source="email_sync", **ADA)
    named = [a_delivery(f"r{number}", **ADA) for number in (2, 3)]
    plan = decide([nameless, *named], known, ids, MOMENT)
    ((_, *told),) = contact_events(plan).values()
    assert [one.status for one in told if isinstance(one, FactAsserted)] == ["active", None]
    assert known.contacts[1].status == "active"


def test_what_was_found_out_of_an_address_holds_while_a_record_says_so() -> None:
    bounced = {"emails": (Point(value="ada@example.com", status="bounced"),)}
    born = after(told=a_delivery("r1", **ADA, **bounced))
    assert born.statuses == {("email", 1, "ada@example.com"): "bounced"}
    later = after(a_delivery("r1", **ADA), told=a_delivery("r2", **ADA, **bounced))
    assert later.statuses == {("email", 1, "ada@example.com"): "bounced"}
    silent = after(a_delivery("r1", **ADA, **bounced), told=a_delivery("r1", minutes=1, **ADA))
    assert silent.statuses == {("email", 1, "ada@example.com"): "unverified"}


def test_what_others_are_known_by_is_not_taken_from_them() -> None:
    """A record that has it no more never gave it to its contact: another was known by it."""
    john, susan = ({"phone": PHONE, "name": name} for name in ("John Smith", "Susan Miller"))
    known, ids = Known(), some_ids()
    decide([a_delivery("r1", **john), a_delivery("r2", **susan)], known, ids, MOMENT)
    plan = decide([a_delivery("r2", name="Susan Miller", minutes=1)], known, ids, MOMENT)
    assert not [one for one in map(published, plan.events) if isinstance(one, IdentifierRemoved)]
    assert plan.said == {}
    assert known.holders == {(1, "phone_e164", PHONE): 1}


def test_a_view_is_written_where_something_of_it_changed() -> None:
    """The own one, also for what is private to it; the others' where visible values change."""
    known_by_both = (said_in(1, "r1", **ADA), said_in(2, "r2", **ADA))
    same = after(*known_by_both, told=said_in(1, "r3", **ADA))
    assert [*same.bindings] == []
    noted = after(*known_by_both, told=said_in(1, "r3", notes="met", **ADA))
    assert {place: row.notes for place, row in noted.bindings.items()} == {(1, 1): "met"}
    titled = after(*known_by_both, told=said_in(1, "r3", title="CTO", **ADA))
    assert {place: "CTO" in row.fields.values() for place, row in titled.bindings.items()} == {
        (1, 1): True,
        (1, 2): True,
    }


def test_who_comes_to_know_a_contact_has_a_view_of_it() -> None:
    plan = after(said_in(1, "r1", **ADA), told=said_in(2, "r2", **ADA))
    assert {place: row.is_new for place, row in plan.bindings.items()} == {(1, 2): True}
    assert plan.audit == [], "what is new changed nothing"


def test_a_view_names_the_import_that_brought_it_and_no_later_one() -> None:
    known, ids = Known(), some_ids()
    imports = ("crm-direct", "mark-import")
    said = {"phone": PHONE, "name": "Ada Lovelace"}
    rows = [a_delivery(f"r{n}", import_source=one, **said) for n, one in enumerate(imports)]
    plan = decide(rows, known, ids, MOMENT)
    (row,) = plan.bindings.values()
    assert (row.is_new, row.import_source) == (True, "crm-direct")


def test_an_identifier_is_written_once_and_noted_again_when_it_is_said_again() -> None:
    known, ids = Known(), some_ids()
    mail = (1, "email", "ada@example.com")
    first = decide([a_delivery("r1", **ADA), a_delivery("r2", **ADA)], known, ids, MOMENT)
    assert [(key, contact) for key, _, contact, _ in first.identifiers] == [(mail, 1)]
    assert first.said == {}
    silent = [a_delivery(record, phone=PHONE, minutes=1) for record in ("r1", "r2")]
    left = decide(silent, known, ids, MOMENT)
    assert left.said == {mail: None}
    again = decide([a_delivery("r1", minutes=2, **ADA)], known, ids, MOMENT)
    assert (again.identifiers, [*again.said]) == ([], [mail])
    assert again.said[mail] is not None


def test_of_several_views_one_counts_most() -> None:
    """That of the weightiest source; where there is but one, nothing is said of it."""
    first = said_in(1, "r1", **ADA)
    typed = said_in(2, "r2", source="manual_entry", **ADA)
    assert after(told=first).authoritative == {}
    assert after(first, told=said_in(1, "r3", **ADA)).authoritative == {}
    plan = after(first, told=typed)
    ((place, row),) = plan.bindings.items()
    assert (place, plan.authoritative) == ((1, 2), {1: row.id})
