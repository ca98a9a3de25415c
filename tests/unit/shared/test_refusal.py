"""What is wrong with a command, in words that say what would be right."""

import pytest
from pydantic import ValidationError

from shared.events.command import MergeContacts, RelateCompanies
from shared.events.refusal import invalid

COMMAND = {
    "command_id": f"cmd_{'0' * 26}",
    "tenant": f"ten_{'0' * 26}",
    "workspace": f"wsp_{'0' * 26}",
    "issued_at": "2026-01-31T12:00:00Z",
    "contact_id": f"con_{'0' * 26}",
}


def test_an_id_that_is_none_is_refused_without_its_pattern() -> None:
    with pytest.raises(ValidationError) as caught:
        MergeContacts.model_validate({**COMMAND, "absorbed_id": "con_x"})
    refused = invalid(caught.value)
    assert (refused.field, refused.detail) == (
        "absorbed_id",
        "must be an id: con_ and 26 characters",
    )


def test_a_relation_that_ends_before_it_begins_is_refused_by_name() -> None:
    told = {name: value for name, value in COMMAND.items() if name != "contact_id"}
    told |= {"company_id": f"cmp_{'0' * 26}", "other_id": f"cmp_{'1' * 26}", "kind": "vendor"}
    RelateCompanies.model_validate({**told, "since": "2020-01-01", "until": "2020-01-01"})
    with pytest.raises(ValidationError) as caught:
        RelateCompanies.model_validate({**told, "since": "2020-01-01", "until": "2019-12-31"})
    refused = invalid(caught.value)
    assert (refused.field, refused.detail) == ("until", "must not be before since")
