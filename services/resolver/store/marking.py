"""Tags, groups, custom fields: the registry of each workspace, and orders about who has them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal

import asyncpg
import orjson
from msgspec.structs import replace
from pydantic import JsonValue
from ulid import ULID

from services.resolver.domain.bindings import private_values
from services.resolver.domain.claims import WORKSPACE_ENTRY
from services.resolver.domain.marking import (
    SAID_IN,
    Kind,
    Mark,
    Marked,
    Ordered,
    cleared,
    entry_key,
    fill,
    forgotten_in,
    mark,
    renamed,
    retell,
)
from services.resolver.domain.model import Contact, Plan, Source
from services.resolver.store.company_bindings import CompanyBindings
from services.resolver.store.fields import FieldAnswer, Fields, Problems
from services.resolver.store.ids import IdBlocks
from services.resolver.store.labels import LOCKS, MARKS
from services.resolver.store.loading import Loader
from services.resolver.store.writing import Writer
from shared.auth import Place
from shared.errors import TransientError
from shared.events.command import (
    AddGroupMembers,
    AddTag,
    ChangeCompanyBinding,
    ChangeField,
    ChangeGroup,
    ChangeTag,
    CreateField,
    CreateGroup,
    CreateTag,
    DeleteGroup,
    DeleteTag,
    FillFields,
    Marking,
    RemoveGroupMembers,
    RemoveTag,
    WorkspaceOrder,
)
from shared.events.custom_field import CustomField, misfits
from shared.events.signal import Facts
from shared.events.structs import Reader, to_json
from shared.postgres.pool import Connection

PIECE: Final = 500
"""Contacts whose records are rewritten in one transaction."""

MOST: Final = 10_000
"""Tags, and groups, that people may make in one workspace."""

_NAMES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "tag": {
        "get": "get_tag",
        "named": "find_tag_named",
        "count": "count_tags",
        "delete": "delete_tag",
    },
    "group": {
        "get": "get_group",
        "named": "find_group_named",
        "count": "count_groups",
        "delete": "delete_group",
    },
}
"""What is asked of either → its statement."""

_read_facts: Final = Reader(Facts).read


@dataclass(frozen=True, slots=True)
class MarkAnswer:
    """What became of an order about tags or groups."""

    outcome: Literal[
        "done",
        "unchanged",
        "unknown_contact",
        "unknown_company",
        "unknown_tag",
        "unknown_group",
        "unknown_field",
        "name_taken",
        "too_many",
        "wrong_value",
        "values_in_use",
        "company_values_in_use",
        "asked_for",
        "smart_group",
    ]
    positions: Mapping[str, int] = field(default_factory=dict)
    """Contact → the version that tells of it."""
    shown: Mapping[str, Any] | None = None
    """The tag, the group or the field as it is now."""
    named: Sequence[str] = ()
    """Whom a refusal is about: contacts not known here or full, or who has the name."""
    problems: Problems = field(default_factory=dict)
    """Path to what is wrong in the order → what would be right."""


class Marks:
    """Carries orders out inside one transaction."""

    def __init__(
        self,
        connection: Connection,
        sources: Mapping[int, Source],
        ids: IdBlocks,
        place: Place,
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._ids = ids
        self._place = place

    async def carry_out(self, order: WorkspaceOrder, trace: str | None) -> MarkAnswer:
        """Carry out an order that is one transaction's; see `rewrite` for a rename's rest."""
        if isinstance(order, Marking):
            places = [self._place.workspace_id]
            await self._connection.execute(MARKS["lock_marks_shared"], LOCKS, places)
            return await self._mark(order, trace)
        if isinstance(order, FillFields):
            return await self._fill(order, trace)
        if isinstance(order, ChangeCompanyBinding):
            return await self._bind_company(order)
        if isinstance(order, CreateField | ChangeField):
            return _field_answer(await self._fields.carry_out(order))
        await self._lock()
        match order:
            case CreateTag() | CreateGroup():
                return await self._create(order)
            case ChangeTag() | ChangeGroup():
                return await self._change(order)
            case _:
                raise TypeError(type(order).__name__)

    async def delete(self, order: DeleteTag | DeleteGroup) -> MarkAnswer | None:
        """Forget a tag or a group that no record says any more; None: one says it again."""
        await self._lock()
        kind, public_id = named_by(order)
        row = await self.get(kind, public_id)
        if row is None:
            return MarkAnswer(_unknown(kind))
        if await self._saying(forgotten_in(kind), _former(order, row), 1):
            return None
        await self._run(_NAMES[kind]["delete"], public_id)
        return MarkAnswer("done")

    async def get(self, kind: Kind, public_id: str) -> asyncpg.Record | None:
        """Return a tag or a group."""
        return await self._connection.fetchrow(MARKS[_NAMES[kind]["get"]], *self._where, public_id)

    async def rewrite(self, order: WorkspaceOrder, trace: str | None) -> MarkAnswer | None:
        """Take the next piece of contacts whose records say a word that is another now, or gone.

        None: there is none left.
        """
        kind, public_id = named_by(order)
        row = await self.get(kind, public_id)
        if row is None:
            return None
        is_gone = isinstance(order, DeleteTag | DeleteGroup)
        old = _former(order, row)
        lists = forgotten_in(kind) if is_gone else SAID_IN[kind]
        found = await self._saying(lists, old, PIECE)
        if not found:
            return None
        loader = Loader(self._connection, self._sources)
        contacts = await loader.load_ids(found)
        ordered = self._ordered(order.command_id, trace)
        before = {one.id: private_values(one, self._place.workspace_id) for one in contacts}
        await self._rename(contacts, lists, old, None if is_gone else row["name"])
        marked = Marked(Plan(now=ordered.now))
        events = (await self._ids.take(self._connection, len(contacts))).events
        for one in contacts:
            if self._place.workspace_id in one.bindings:
                retell(ordered, one, before[one.id], marked, next(events))
        await self._write(marked)
        await self._connection.execute(
            MARKS["note_rewritten"], [one.id for one in contacts], ordered.now
        )
        return MarkAnswer("done", marked.positions)

    @property
    def _fields(self) -> Fields:
        return Fields(self._connection, self._place)

    @property
    def _where(self) -> tuple[int, int]:
        return self._place.tenant_id, self._place.workspace_id

    def _ordered(self, command_id: str, trace: str | None) -> Ordered:
        place = self._place
        return Ordered(
            command_id,
            place.tenant_id,
            place.tenant,
            place.workspace_id,
            place.workspace,
            next(one for one in self._sources.values() if one.name == WORKSPACE_ENTRY),
            datetime.now(UTC),
            trace,
        )

    async def _lock(self) -> None:
        await self._connection.execute(MARKS["lock_marks"], LOCKS, self._place.workspace_id)

    async def _saying(self, lists: Sequence[str], words: Sequence[str], limit: int) -> set[int]:
        """Return contacts, at most `limit`, of which a record has or had one in these lists."""
        if not words:
            return set()
        rows = await self._connection.fetch(MARKS["find_marked"], *self._where, words, lists, limit)
        return {row["id"] for row in rows}

    async def _run(self, name: str, *more: object) -> None:
        await self._connection.execute(MARKS[name], *self._where, *more)

    async def _mark(self, order: Marking, trace: str | None) -> MarkAnswer:
        kind, public_id = named_by(order)
        row = await self.get(kind, public_id)
        if row is None:
            return MarkAnswer(_unknown(kind))
        if row["is_smart"]:
            return MarkAnswer("smart_group", named=[public_id])
        one = Mark(kind, public_id, row["name"], isinstance(order, AddTag | AddGroupMembers))
        return await self._revise(order, partial(mark, one=one), trace, _shown(kind, row))

    async def _fill(self, order: FillFields, trace: str | None) -> MarkAnswer:
        """Give contacts values of fields in force, each as its field writes it."""
        values, problems = _fitted(await self._fields.find_locked(), order.values)
        if problems:
            return MarkAnswer("wrong_value", problems=problems)
        return await self._revise(order, partial(fill, values=values), trace, None)

    async def _bind_company(self, order: ChangeCompanyBinding) -> MarkAnswer:
        """Keep what people of the workspace say of a company."""
        values: dict[str, JsonValue] = {}
        if order.custom_fields:
            known = await self._fields.find_locked("company")
            values, problems = _fitted(known, order.custom_fields)
            if problems:
                return MarkAnswer("wrong_value", problems=problems)
        bindings = CompanyBindings(self._connection, self._place)
        is_another = await bindings.change(order, values)
        if is_another is None:
            return MarkAnswer("unknown_company")
        return MarkAnswer("done" if is_another else "unchanged")

    async def _revise(
        self,
        order: Marking | FillFields,
        decide: Callable[..., Marked],
        trace: str | None,
        shown: Mapping[str, Any] | None,
    ) -> MarkAnswer:
        """Load the contacts of an order, let it be decided, and write what comes of it."""
        ordered = self._ordered(order.command_id, trace)
        loader = Loader(self._connection, self._sources)
        asked = list(dict.fromkeys(order.contacts))
        found = await loader.load_standing(self._place.tenant_id, asked)
        here = {
            name: contact
            for name, contact in found.items()
            if self._place.workspace_id in contact.bindings and contact.status != "deleted"
        }
        unknown = [name for name in asked if name not in here]
        if unknown:
            return MarkAnswer("unknown_contact", named=unknown)
        contacts = list({contact.id: contact for contact in here.values()}.values())
        names = [(ordered.tenant_id, entry_key(ordered, each.public_id)) for each in contacts]
        ledger = await loader.load_revisions(names)
        ids = await self._ids.take(self._connection, len(contacts))
        marked = decide(ordered, contacts=contacts, ledger=ledger, event_ids=ids.events)
        if marked.full:
            return MarkAnswer("too_many", named=marked.full)
        if not marked.positions:
            return MarkAnswer("unchanged", shown=shown)
        await self._write(marked)
        return MarkAnswer("done", marked.positions, shown)

    async def _write(self, marked: Marked) -> None:
        await Writer(self._connection, marked.plan).write()
        if marked.kept:
            await self._connection.execute(
                MARKS["keep_private"],
                [binding for binding, _ in marked.kept],
                [orjson.dumps(keeps.labels).decode() for _, keeps in marked.kept],
                [to_json(keeps.custom_fields).decode() for _, keeps in marked.kept],
                [orjson.dumps(keeps.groups).decode() for _, keeps in marked.kept],
                marked.plan.now,
            )

    async def _rename(
        self, contacts: Iterable[Contact], lists: Sequence[str], old: Sequence[str], new: str | None
    ) -> None:
        """Rewrite all that was ever said of contacts in other words, in the claims as well.

        All of them have a tag that is called otherwise from now on: that a person took one of its
        new name off was said of another, which is deleted.
        """
        known = {one.id: one for one in contacts}
        words = [*old, new] if new is not None else old
        rows = await self._connection.fetch(
            MARKS["find_saying"], list(known), self._place.workspace_id, words, lists
        )
        rewritten = []
        for row in rows:
            said = _read_facts(row["facts"])
            facts = said if new is None else cleared(said, new)
            for word in old:
                facts = renamed(facts, lists, word, new)
            if facts is said:
                continue
            rewritten.append((row["record_key"], row["revision"], to_json(facts).decode()))
            claims = known[row["contact_id"]].claims
            if row["current"] and row["record_key"] in claims:
                claim = claims[row["record_key"]]
                claims[row["record_key"]] = replace(claim, facts=facts)
        if rewritten:
            columns = [list(column) for column in zip(*rewritten, strict=True)]
            await self._connection.execute(MARKS["rewrite_facts"], self._place.tenant_id, *columns)

    async def _create(self, order: CreateTag | CreateGroup) -> MarkAnswer:
        is_tag = isinstance(order, CreateTag)
        kind: Kind = "tag" if is_tag else "group"
        query = None if isinstance(order, CreateTag) else order.query_def
        if isinstance(order, CreateGroup) and (problems := await self._asked_wrongly(order)):
            return MarkAnswer("wrong_value", problems=problems)
        if taken := await self._taken(kind, order.name, ""):
            return MarkAnswer("name_taken", named=[taken])
        if await self._connection.fetchval(MARKS[_NAMES[kind]["count"]], *self._where) >= MOST:
            return MarkAnswer("too_many")
        public_id = f"{'tag' if is_tag else 'grp'}_{ULID()}"
        now = datetime.now(UTC)
        if isinstance(order, CreateTag):
            await self._run("insert_tag", public_id, order.name, order.color, now)
        else:
            said = (order.name, order.description, now, _json(query))
            await self._run("insert_group", public_id, *said)
        row = await self.get(kind, public_id)
        if row is None:  # a batch brought a label of this name meanwhile
            raise TransientError("the name was taken meanwhile")
        return MarkAnswer("done", shown=_shown(kind, row))

    async def _change(self, order: ChangeTag | ChangeGroup) -> MarkAnswer:
        kind, public_id = named_by(order)
        row = await self.get(kind, public_id)
        if row is None:
            return MarkAnswer(_unknown(kind))
        name = order.name or row["name"]
        if taken := await self._taken(kind, name, public_id):
            return MarkAnswer("name_taken", named=[taken])
        if isinstance(order, ChangeTag):
            await self._run("change_tag", public_id, name, order.color or row["color"])
        else:
            query = order.query_def
            if query is not None and not row["is_smart"]:
                problems: Problems = {("query_def",): "belongs to smart groups alone: make one"}
                return MarkAnswer("wrong_value", problems=problems)
            if query is not None and (problems := await self._fields.check_query(query)):
                return MarkAnswer("wrong_value", problems=problems)
            described = row["description"] if order.description is None else order.description
            said = (name, described, datetime.now(UTC), _json(query) or row["query_def"])
            await self._run("change_group", public_id, *said)
        row = await self.get(kind, public_id)
        return MarkAnswer("done", shown=_shown(kind, row) if row else None)

    async def _asked_wrongly(self, order: CreateGroup) -> Problems:
        if order.query_def is None:
            wrong = "must be given for a smart group" if order.is_smart else None
            return {("query_def",): wrong} if wrong else {}
        if order.is_smart is False:
            return {("is_smart",): "must be true, or left out, where query_def is given"}
        return await self._fields.check_query(order.query_def)

    async def _taken(self, kind: Kind, name: str, public_id: str) -> str | None:
        """Return whose the name is, if it is another's.

        A former name is a tag's own as long as records say it: its renaming is not over yet.
        """
        found: str | None = await self._connection.fetchval(
            MARKS[_NAMES[kind]["named"]], *self._where, name
        )
        if kind == "tag" and found is None:
            former: str | None = await self._connection.fetchval(
                MARKS["find_tag_called"], *self._where, name, public_id
            )
            if former is not None and await self._saying(SAID_IN[kind], [name], 1):
                return former
        return found if found != public_id else None


def named_by(order: WorkspaceOrder) -> tuple[Kind, str]:
    """Return what an order is about: a tag or a group, and its public id."""
    match order:
        case AddTag() | RemoveTag() | ChangeTag() | DeleteTag():
            return "tag", order.tag_id
        case AddGroupMembers() | RemoveGroupMembers() | ChangeGroup() | DeleteGroup():
            return "group", order.group_id
        case _:
            raise TypeError(type(order).__name__)


def _fitted(
    fields: Mapping[str, CustomField], said: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], Problems]:
    """Return values as their fields, which have to be in force, write them; and what is wrong."""
    values, wrong = misfits(fields, said)
    for key, value in values.items():
        known = fields.get(key)
        if known is None:
            wrong[key] = "is no custom field of this workspace: define it first"
        elif known.is_archived:
            wrong[key] = "is archived: restore it first"
        elif known.is_required and value is None and key not in wrong:
            wrong[key] = "is required: give it a value"
    return values, {("custom_fields", key): why for key, why in wrong.items()}


def _former(order: WorkspaceOrder, row: asyncpg.Record) -> list[str]:
    """Return the words that no record is to say once the order is carried out."""
    if isinstance(order, DeleteGroup):
        return [row["public_id"]]
    is_gone = isinstance(order, DeleteTag)
    return [*row["aliases"], row["name"]] if is_gone else list(row["aliases"])


def _field_answer(made: FieldAnswer) -> MarkAnswer:
    return MarkAnswer(made.outcome, shown=made.shown, named=made.named, problems=made.problems)


def _json(said: Mapping[str, Any] | None) -> str | None:
    return None if said is None else orjson.dumps(said).decode()


def _unknown(kind: Kind) -> Literal["unknown_tag", "unknown_group"]:
    return "unknown_tag" if kind == "tag" else "unknown_group"


def _shown(kind: Kind, row: asyncpg.Record) -> dict[str, Any]:
    names = (
        ("name", "color", "created_at")
        if kind == "tag"
        else ("name", "description", "is_smart", "created_at", "updated_at")
    )
    return {"id": row["public_id"], **{name: row[name] for name in names}}
