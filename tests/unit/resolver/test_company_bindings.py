"""What a workspace keeps of companies: shown together while they are merged, and each its own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.company_bindings import changed, differences
from shared.errors import PoisonMessageError
from shared.events.command import ChangeCompanyBinding
from shared.events.company_binding import CompanyBinding, shown
from tests.support.contacts import NOW

labels = st.lists(st.sampled_from(["Partner", "Key", "Late payer", "VIP"]), unique=True).map(tuple)
values = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.none(), max_size=3)
notes = st.none() | st.sampled_from(["", "ours", "theirs"])
bindings = st.builds(
    lambda labels, values, notes: CompanyBinding(labels=labels, custom_fields=values, notes=notes),
    labels,
    values,
    notes,
)


def ordering(**said: Any) -> ChangeCompanyBinding:
    """Make an order."""
    names = {"tenant": "ten_" + "0" * 26, "workspace": "wsp_" + "0" * 26}
    command = {"command_id": "cmd_" + "0" * 26, "issued_at": NOW, "company_id": "cmp_" + "0" * 26}
    return ChangeCompanyBinding.model_validate({**names, **command, **said})


@given(
    own=bindings,
    behind=st.lists(bindings, max_size=2),
    wanted=st.none() | labels,
    written=notes,
    said=values,
)
def test_what_was_ordered_shows_and_the_others_keep_theirs(
    own: CompanyBinding,
    behind: list[CompanyBinding],
    wanted: tuple[str, ...] | None,
    written: str | None,
    said: dict[str, Any],
) -> None:
    before = shown(own, behind)
    after = changed(own, behind, ordering(labels=wanted, notes=written), said)
    now = shown(after, behind)
    assert set(now.labels) == set(before.labels if wanted is None else wanted)
    assert now.notes == (before.notes if written is None else written or None)
    kept = {**before.custom_fields, **said}
    assert now.custom_fields == {key: one for key, one in kept.items() if one is not None}
    # Split, it has of its own what it had, and what people gave it besides.
    inherited = {label for one in behind for label in one.labels}
    assert set(shown(after, []).labels) <= {*own.labels, *(set(wanted or ()) - inherited)}
    again = changed(after, behind, ordering(labels=wanted, notes=written), said)
    assert again == after
    assert (differences(own, after, behind) == []) == (
        (now.labels, now.notes, now.custom_fields)
        == (before.labels, before.notes, before.custom_fields)
    )


def test_a_blank_label_is_none() -> None:
    with pytest.raises(PoisonMessageError, match="blank"):
        changed(CompanyBinding(), [], ordering(labels=["a", " \u200b"]), {})
    kept = changed(CompanyBinding(), [], ordering(labels=[" a ", "a"]), {})
    assert kept.labels == ("a",)


def test_true_is_no_one() -> None:
    """To Python they are the same; to who reads the audit they are not."""
    was, now = CompanyBinding(custom_fields={"x": 1}), CompanyBinding(custom_fields={"x": True})
    [one] = differences(was, now, [])
    assert one == ("custom_fields.x", "1", "true")
