"""Custom fields: the registry of each workspace, and orders about it (ADR 0089)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import asyncpg
import orjson
from ulid import ULID

from shared.auth import Place
from shared.events.command import ChangeField, CreateField
from shared.events.custom_field import (
    MOST_DEFINED,
    MOST_FIELDS,
    CustomField,
    FieldType,
    WrongValueError,
    fitted,
    refused_options,
)
from shared.events.group_query import (
    CUSTOM,
    QueryError,
    groups_named,
    read_query,
)
from shared.postgres.pool import Connection
from shared.postgres.queries import Queries

FIELDS: Final = Queries.load("services.resolver.sql", "fields.sql")

LOCKS: Final = 0x6D66
"""Class of the advisory locks under which a workspace's fields are changed."""

_NAMED: Final = 10
"""Most contacts that a refusal names."""

Entity = Literal["contact", "company"]
"""Whose a field is."""


class _Of(NamedTuple):
    """What is asked of the fields of contacts, or of companies."""

    kind: str
    """What the database calls them."""
    values: str
    """Statement: what they have in a field."""
    named: str
    """Statement: what they are called outside."""
    in_use: Literal["values_in_use", "company_values_in_use"]


_OF: Final[Mapping[Entity, _Of]] = {
    "contact": _Of("contact", "find_values", "name_contacts", "values_in_use"),
    "company": _Of(
        "organisation", "find_company_values", "name_companies", "company_values_in_use"
    ),
}
_ENTITIES: Final[Mapping[str, Entity]] = {one.kind: entity for entity, one in _OF.items()}

Problems = Mapping[tuple[str | int, ...], str]
"""Path to what is wrong in an order → what would be right."""


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """What became of an order about a field."""

    outcome: Literal[
        "done",
        "unknown_field",
        "name_taken",
        "too_many",
        "wrong_value",
        "values_in_use",
        "company_values_in_use",
        "asked_for",
    ]
    shown: Mapping[str, Any] | None = None
    named: tuple[str, ...] = ()
    """Who has the key; whose values would not fit; smart groups that ask for it."""
    problems: Problems = field(default_factory=dict)


class Fields:
    """Carries orders about a workspace's fields out, inside one transaction."""

    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    async def find(self, entity: Entity = "contact") -> dict[str, CustomField]:
        """Return the workspace's fields of contacts, or of companies, by key; archived ones too."""
        return {one["key"]: _field(one) for one in _of(entity, await self._rows())}

    async def find_locked(self, entity: Entity = "contact") -> dict[str, CustomField]:
        """Return them; nobody changes them before this transaction is over."""
        await self._connection.execute(
            FIELDS["lock_fields_shared"], LOCKS, self._place.workspace_id
        )
        return await self.find(entity)

    async def carry_out(self, order: CreateField | ChangeField) -> FieldAnswer:
        """Carry out an order about what a field is."""
        await self._connection.execute(FIELDS["lock_fields"], LOCKS, self._place.workspace_id)
        rows = await self._rows()
        if isinstance(order, CreateField):
            return await self._create(order, _of(order.entity, rows))
        return await self._change(order, rows)

    async def check_query(self, said: Mapping[str, Any]) -> Problems:
        """Return what is wrong with what a smart group is to ask; empty: nothing."""
        try:
            query = read_query(dict(said), await self.find_locked())
        except QueryError as error:
            return {("query_def", *error.path): str(error)}
        named = groups_named(query)
        rows = await self._run("find_manual_groups", sorted(named)) if named else []
        if named - {row["public_id"] for row in rows}:
            return {("query_def",): "asks for a group that is none of people's own here"}
        return {}

    async def _rows(self) -> list[asyncpg.Record]:
        return await self._run("find_fields")

    async def _run(self, name: str, *more: object) -> list[asyncpg.Record]:
        where = (self._place.tenant_id, self._place.workspace_id)
        return await self._connection.fetch(FIELDS[name], *where, *more)

    async def _create(self, order: CreateField, rows: list[asyncpg.Record]) -> FieldAnswer:
        key = order.key or order.label
        if key is None:
            return FieldAnswer("wrong_value", problems={("key",): "must be given, or a label"})
        if problems := _problems(order.type, order.options, order.currency):
            return FieldAnswer("wrong_value", problems=problems)
        taken = [row["public_id"] for row in rows if row["key"] == key]
        if taken:
            return FieldAnswer("name_taken", named=tuple(taken))
        if _in_force(rows) >= MOST_FIELDS or len(rows) >= MOST_DEFINED:
            return FieldAnswer("too_many")
        public_id, now = f"fld_{ULID()}", datetime.now(UTC)
        await self._run(
            "insert_field",
            public_id,
            _OF[order.entity].kind,
            key,
            order.label or key,
            order.type,
            order.options,
            order.currency,
            order.description,
            bool(order.is_required),
            now,
        )
        return FieldAnswer("done", {"id": public_id, "key": key})

    async def _change(self, order: ChangeField, rows: list[asyncpg.Record]) -> FieldAnswer:
        row = next((one for one in rows if one["public_id"] == order.field_id), None)
        if row is None:
            return FieldAnswer("unknown_field")
        kind: FieldType = order.type or row["type"]
        is_same = kind == row["type"]
        options = order.options if order.options is not None or not is_same else row["options"]
        currency = order.currency or (row["currency"] if is_same else None)
        if problems := _problems(kind, options, currency):
            return FieldAnswer("wrong_value", problems=problems)
        new = replace(_field(row), type=kind, options=tuple(options or ()))
        entity = _ENTITIES[row["entity_type"]]
        if refused := await self._refused(_field(row), new, entity):
            return refused
        alike = _of(entity, rows)
        now, archived = datetime.now(UTC), row["archived_at"]
        if order.is_archived is not None:
            archived = (archived or now) if order.is_archived else None
        if archived is None and row["archived_at"] is not None and _in_force(alike) >= MOST_FIELDS:
            return FieldAnswer("too_many")
        await self._run(
            "change_field",
            order.field_id,
            order.label or row["label"],
            kind,
            options,
            currency,
            row["description"] if order.description is None else order.description,
            row["is_required"] if order.is_required is None else order.is_required,
            archived,
            now,
        )
        return FieldAnswer("done", {"id": order.field_id, "key": row["key"]})

    async def _refused(
        self, old: CustomField, new: CustomField, entity: Entity
    ) -> FieldAnswer | None:
        """Refuse a field that values which fit it would fit no more, or that a group asks of."""
        if (old.type, old.options) == (new.type, new.options):
            return None
        if lost := await self._lost(old, new, entity):
            named = await self._connection.fetch(FIELDS[_OF[entity].named], lost)
            return FieldAnswer(_OF[entity].in_use, named=tuple(one["public_id"] for one in named))
        if entity == "company":  # no smart group asks for what companies have
            return None
        known = {**await self.find(), new.key: new}
        asking = await self._run("find_asking", f"{CUSTOM}{old.key}")
        broken = tuple(row["public_id"] for row in asking if not _is_read(row["query_def"], known))
        return FieldAnswer("asked_for", named=broken) if broken else None

    async def _lost(self, old: CustomField, new: CustomField, entity: Entity) -> list[int]:
        """Return the first contacts, or companies, whose values would fit no more.

        There may be many values.
        """
        where = (self._place.tenant_id, self._place.workspace_id)
        statement = FIELDS[_OF[entity].values]
        lost: list[int] = []
        async for row in self._connection.cursor(statement, *where, old.key):
            if _is_lost(old, new, row["value"]):
                lost.append(row["id"])
                if len(lost) == _NAMED:
                    break
        return lost


def _of(entity: Entity, rows: Iterable[asyncpg.Record]) -> list[asyncpg.Record]:
    return [row for row in rows if row["entity_type"] == _OF[entity].kind]


def _field(row: Mapping[str, Any] | asyncpg.Record) -> CustomField:
    return CustomField(
        row["key"],
        row["type"],
        tuple(row["options"] or ()),
        row["is_required"],
        row["archived_at"] is not None,
    )


def _in_force(rows: Iterable[asyncpg.Record]) -> int:
    return sum(row["archived_at"] is None for row in rows)


def _problems(
    kind: FieldType, options: tuple[str, ...] | None, currency: str | None
) -> dict[tuple[str | int, ...], str]:
    problems: dict[tuple[str | int, ...], str] = {}
    if why := refused_options(kind, options):
        problems["options",] = why
    if (kind == "currency") != (currency is not None):
        problems["currency",] = (
            "must be given, like EUR" if currency is None else "belongs to fields of money alone"
        )
    return problems


def _is_lost(old: CustomField, new: CustomField, value: str) -> bool:
    said = orjson.loads(value)
    return _fits(old, said) and not _fits(new, said)


def _fits(one: CustomField, value: Any) -> bool:
    try:
        fitted(one, value)
    except WrongValueError:
        return False
    return True


def _is_read(query_def: str, fields: Mapping[str, CustomField]) -> bool:
    try:
        read_query(orjson.loads(query_def), fields)
    except QueryError:
        return False
    return True
