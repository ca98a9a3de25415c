"""What a workspace keeps of companies: shown together while they are merged, and each its own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.company_bindings import changed, differences
from shared.errors import PoisonMessageError
from shared.events.command import ChangeCompanyBinding
from shared.events.company_binding import (
    MAX_LABELS,
    CompanyBinding,
    KeptOfCompany,
    shown,
    told_apart,
)
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
    assert now.labels == (before.labels if wanted is None else wanted)
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


def chain(*kept: CompanyBinding) -> CompanyBinding:
    """Return what shows of the last company, which took up the one before it, and so on."""
    numbers = range(len(kept), 0, -1)  # the older ones have the higher ids
    survivors = (*numbers[1:], None)
    companies = [KeptOfCompany(*one) for one in zip(numbers, survivors, kept, strict=True)]
    return shown(*told_apart(sorted(companies, key=lambda one: one.company_id), 1))


@given(first=bindings, between=bindings, wanted=labels, written=notes, said=values)
def test_a_company_that_is_taken_up_brings_what_showed_of_it(
    first: CompanyBinding,
    between: CompanyBinding,
    wanted: tuple[str, ...],
    written: str | None,
    said: dict[str, Any],
) -> None:
    """What people hid of those behind it stays hidden, whoever took it up, whatever their ids."""
    middle = changed(between, [shown(first, [])], ordering(labels=wanted, notes=written), said)
    showed = chain(first, middle)
    assert showed.labels == wanted
    assert chain(first, middle, CompanyBinding()) == showed
    assert chain(first, CompanyBinding(), middle, CompanyBinding(), CompanyBinding()) == showed


def test_what_was_hidden_of_a_company_stays_hidden_and_shows_again_once_it_is_split_off() -> None:
    old = CompanyBinding(labels=("Old",), notes="theirs", custom_fields={"tier": "gold"})
    none = changed(CompanyBinding(), [old], ordering(labels=(), notes=""), {"tier": None})
    assert chain(old, none, CompanyBinding()) == CompanyBinding()
    merged_alone = [KeptOfCompany(1, None, CompanyBinding()), KeptOfCompany(3, 1, old)]
    assert shown(*told_apart(merged_alone, 1)) == old


def test_a_label_can_be_added_to_companies_that_have_many_together() -> None:
    """Each has as many of its own as one may."""
    behind = [
        CompanyBinding(labels=tuple(f"{company} {number}" for number in range(MAX_LABELS)))
        for company in "ab"
    ]
    named = shown(CompanyBinding(), behind).labels
    own = tuple(f"ours {number}" for number in range(MAX_LABELS))
    after = changed(CompanyBinding(), behind, ordering(labels=(*own, *named)), {})
    assert shown(after, behind).labels == (*own, *named)
    with pytest.raises(PoisonMessageError, match="at most 50"):
        changed(after, behind, ordering(labels=(*own, *named, "one more")), {})


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
