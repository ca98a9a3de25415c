"""What changed of a view is said field by field; a view that is new has changed nothing."""

from services.resolver.domain.auditing import private_changed, values_changed
from services.resolver.domain.bindings import Private
from services.resolver.domain.model import AuditRow, Plan
from tests.support.merging import World


def changes(plan: Plan) -> list[tuple[str, str | None, str | None]]:
    return [(one.field, one.old, one.new) for one in plan.audit]


def test_a_new_contact_and_a_new_view_are_no_change() -> None:
    world = World()
    assert world.tell("r1", email="a@x.org", company="Acme", notes="met").audit == []
    assert world.tell("r2", 2, email="a@x.org", company="Acme").audit == []


def test_what_a_signal_changes_is_noted_in_every_view_that_was_there() -> None:
    world = World()
    world.tell("r1", email="a@x.org", title="CTO")
    world.tell("r2", 2, email="a@x.org", title="CTO")
    plan = world.tell(
        "r1", email="a@x.org", title="CEO", headline="Boss", minutes=1, labels=("vip",)
    )
    assert set(plan.audit) == {
        AuditRow(1, 1, 1, "title", "CTO", "CEO", 1, "test#r1@1"),
        AuditRow(1, 2, 2, "title", "CTO", "CEO", 1, "test#r1@1"),
        AuditRow(1, 1, 1, "headline", None, "Boss", 1, "test#r1@1"),
        AuditRow(1, 2, 2, "headline", None, "Boss", 1, "test#r1@1"),
        AuditRow(1, 1, 1, "labels", "[]", '["vip"]', 1, "test#r1@1"),
    }
    assert world.tell("r1", email="a@x.org", title="CEO", minutes=2, labels=("vip",)).audit == [
        AuditRow(1, one, one, "headline", "Boss", None, 1, "test#r1@2") for one in (1, 2)
    ]


def test_what_is_no_column_and_what_stays_is_left_out() -> None:
    known = {"cmp_1": 7}
    said = values_changed(
        [
            ("department", None, "R&D"),
            ("company_id", "cmp_1", "cmp_unknown"),
            ("company_id", "cmp_1", "cmp_1"),
            ("city", "Bonn", "Bonn"),
        ],
        known,
    )
    assert [tuple(one) for one in said] == [("current_org_id", "7", None)]


def test_custom_fields_are_told_one_by_one() -> None:
    before = Private(("a",), "x", {"shoe": 42, "hat": None, "same": [1]})
    after = Private(("a",), None, {"shoe": 43, "tie": "red", "same": [1]})
    assert [tuple(one) for one in private_changed(before, after)] == [
        ("notes", "x", None),
        ("custom_fields.shoe", "42", "43"),
        ("custom_fields.tie", None, "red"),
    ]
