"""What a request asks of custom fields and smart groups, as a query of contacts."""

from collections.abc import Sequence
from dataclasses import replace

from services.api.domain.contacts import ContactRow
from services.api.domain.custom_fields import fields_by_key, typed
from services.api.domain.listing import DEFAULT_STATUSES, Filters
from services.api.domain.smart_groups import asked_of, custom_condition, statuses_asked
from services.api.store import Store
from shared.auth import Place
from shared.events.group_query import Combination, Query


async def narrowed(store: Store, place: Place, filters: Filters) -> Filters:
    """Turn filters by custom fields, and smart groups among the groups, into a query.

    Raises `RequestError` where there is no such field, or a value is not of its type. Who asks
    for neither pays nothing.
    """
    if not filters.custom and not filters.groups:
        return filters
    smart = {}
    if filters.groups:
        smart = await store.definitions.find_smart_groups(place, filters.groups)
    if not smart and not filters.custom:
        return filters
    fields = fields_by_key(await store.definitions.find_fields(place))
    parts: list[Query] = [custom_condition(one, fields) for one in filters.custom]
    parts += [asked_of(query, fields) for query in smart.values()]
    groups = tuple(one for one in filters.groups if one not in smart)
    query = Combination("AND", tuple(parts))
    is_default = filters.statuses is DEFAULT_STATUSES
    statuses = statuses_asked(query) if is_default else filters.statuses
    return replace(filters, custom=(), groups=groups, statuses=statuses, query=query)


async def with_statuses(store: Store, place: Place, rows: Sequence[ContactRow]) -> list[ContactRow]:
    """Add what was found out of e-mails and phones, for who is shown identifiers."""
    if not any(row.identifiers for row in rows):
        return list(rows)
    found = await store.find_point_statuses(place, [row.id for row in rows])
    return [replace(row, statuses=found.get(row.id, {})) for row in rows]


async def with_types(store: Store, place: Place, rows: Sequence[ContactRow]) -> list[ContactRow]:
    """Show values of custom fields by what the workspace says that they are."""
    if not any(row.attributes.custom_fields for row in rows):
        return list(rows)
    fields = fields_by_key(await store.definitions.find_fields(place))
    return [typed(row, fields) for row in rows] if fields else list(rows)
