"""Which statuses a query is answered among, where nobody says."""

from typing import Any

import pytest

from services.api.domain.listing import DEFAULT_STATUSES, STATUSES
from services.api.domain.smart_groups import statuses_asked
from shared.events.group_query import read_query

LIVING = ("incomplete", "active", "archived")
IN_PARIS = {"field": "city", "op": "eq", "value": "Paris"}


def status(op: str, **values: object) -> dict[str, Any]:
    return {"field": "status", "op": op, **values}


@pytest.mark.parametrize(
    ("filters", "among"),
    [
        ([IN_PARIS], DEFAULT_STATUSES),
        ([status("eq", value="archived")], LIVING),
        ([status("neq", value="archived")], LIVING),
        ([status("not_in", values=["archived", "merged"])], LIVING),
        ([status("neq", value="merged")], LIVING),
        ([status("exists", value=True)], LIVING),
        ([status("eq", value="merged")], STATUSES),
        ([IN_PARIS, {"filters": [status("in", values=["active", "merged"])]}], STATUSES),
    ],
)
@pytest.mark.parametrize("logic", ["AND", "OR"])
def test_absorbed_contacts_are_for_who_names_them(
    filters: list[Any], among: tuple[str, ...], logic: str
) -> None:
    query = read_query({"filters": filters, "logic": logic}, {})
    assert set(statuses_asked(query)) == set(among)
