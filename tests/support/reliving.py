"""Histories lived again on real PostgreSQL, in two tenants: one merges and splits, one never did.

Many histories run side by side, step by step, so that what they say travels in batches. Their
values have nothing in common but companies.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from random import Random
from typing import Any, Final

import asyncpg
import orjson
from ulid import ULID

from services.indexer.domain.changes import Contact
from services.indexer.domain.documents import documents
from services.indexer.domain.graph import contact_node
from services.projector.domain.events import Event
from services.projector.domain.fold import expanded
from services.projector.domain.fold import fold as fold_json
from services.resolver.domain.archiving import archive
from services.resolver.domain.judgements import Answer
from services.resolver.store import Store
from services.resolver.store.judging import Finding
from services.resolver.store.marking import MarkAnswer
from shared.auth import Place
from shared.events.command import (
    AddGroupMembers,
    AddTag,
    ArchiveContact,
    CreateField,
    CreateGroup,
    CreateTag,
    FillFields,
    Judgement,
    MergeContacts,
    RemoveGroupMembers,
    RemoveTag,
    RetractImport,
    SplitContact,
    UnarchiveContact,
    WorkspaceOrder,
)
from shared.events.fold import ContactState
from shared.events.structs import to_json
from tests.support.histories import GROUPS, TAGS, Said, Step, a_script
from tests.support.invariants import folded
from tests.support.signals import MOMENT, a_signal

Resolve = Any
"""Hands normalised signals to the resolver as one batch."""

_VALUES: Final = ("email", "phone")

BY_AN_ORDER: Final = "by an order"
"""When it was, of what no signal brought."""

AT_ONCE: Final = 4
"""Decisions carried out side by side."""


@dataclass
class Life:
    """One tenant in which every history is lived."""

    owner: "asyncpg.Connection[asyncpg.Record]"
    store: Store
    resolve: Resolve
    tenant_id: int
    tenant: str
    workspaces: list[tuple[int, str]]
    stirred: bool
    born: dict[Any, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """History → its contacts (id, public id) in the order of birth."""
    merges: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[tuple[int, str], str] = field(default_factory=dict)
    """(number of the workspace, tag or group) → its public id."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of whoever uses the one connection of the owner."""

    async def live(self, scripts: Sequence[Sequence[Step]]) -> None:
        """Live all histories, step by step."""
        for steps in zip_longest(*scripts):
            mine = [
                (number, step)
                for number, step in enumerate(steps)
                if step is not None and (step.in_both or self.stirred)
            ]
            heard = [(number, one.said) for number, one in mine if one.said is not None]
            if heard:
                await self.resolve(*(self.a_signal(number, one) for number, one in heard))
                await self._note_births()
            # Each is another history's: they do not touch one another's contacts.
            ordered: list[Coroutine[Any, Any, object]] = [
                self._do(number, step)
                for number, step in mine
                if step.said is None and step.kind not in _OF_MANY
            ]
            ordered += self._of_many(mine)
            for start in range(0, len(ordered), AT_ONCE):
                await asyncio.gather(*ordered[start : start + AT_ONCE])
            if any(step.kind == "retract" for _, step in mine):
                await self._note_births()

    def a_signal(self, number: int, one: Said, **more: Any) -> Any:
        """Make a signal of one history."""
        said = dict(one.said)
        about = said.pop("about")
        for name in _VALUES:
            said[name] = said[name] and _own(said[name], number)
        if about is not None:
            _, said["about"] = self.born[number][int(about.removeprefix("con_")) - 1]
        import_id = said.get("import_id")
        said["import_id"] = import_id and _of(number, import_id)
        _, workspace = self.workspaces[one.workspace - 1]
        record = f"h{number}-{one.record}{more.pop('again', '')}"
        return a_signal(record, tenant=self.tenant, workspace=workspace, **said | more)

    async def _note_births(self) -> None:
        known = max((one[0] for each in self.born.values() for one in each), default=0)
        for row in await self.owner.fetch(
            "SELECT c.id, c.public_id, min(r.source_record_id) AS record FROM contact.contact c"
            " JOIN contact.source_record r ON r.contact_id = c.id"
            " WHERE c.tenant_id = $1 AND c.id > $2 GROUP BY c.id ORDER BY c.id",
            self.tenant_id,
            known,
        ):
            number = int(row["record"].partition("-")[0].removeprefix("h"))
            self.born[number].append((row["id"], row["public_id"]))

    async def prepare(self) -> None:
        """Make the tags, groups and fields that histories speak of."""
        for number in range(1, len(self.workspaces) + 1):
            for word in TAGS:
                await self._make(number, word, CreateTag, name=word)
            for place, word in enumerate(GROUPS):
                await self._make(number, word, CreateGroup, name=f"Group {place}")
            await self._order(number, CreateField, label="Tier", key="tier", type="text")

    async def _make(
        self, workspace: int, word: str, kind: type[WorkspaceOrder], **said: Any
    ) -> None:
        answer = await self._order(workspace, kind, **said)
        assert answer.shown is not None
        self.marks[workspace, word] = answer.shown["id"]

    async def _order(self, workspace: int, kind: type[WorkspaceOrder], **said: Any) -> MarkAnswer:
        """Order something of one workspace that must be done."""
        workspace_id, name = self.workspaces[workspace - 1]
        place = Place(self.tenant_id, workspace_id, self.tenant, name)
        answer = await self.store.order_marks(kind(**self.ordered(name), **said), place)
        assert answer.outcome in ("done", "unchanged"), answer
        return answer

    def _of_many(self, mine: Sequence[tuple[int, Step]]) -> list[Coroutine[Any, Any, MarkAnswer]]:
        """Return orders about tags, groups and fields: of all histories that say the same."""
        alike: dict[tuple[str, int, str | None, bool], list[str]] = defaultdict(list)
        for number, step in mine:
            if step.kind in _OF_MANY:
                order = (step.kind, step.workspace, step.word, step.wanted)
                alike[order].append(self.born[number][step.contact - 1][1])
        return [self._mark(*order, contacts) for order, contacts in alike.items()]

    async def _mark(
        self, kind: str, workspace: int, word: str | None, wanted: bool, contacts: list[str]
    ) -> MarkAnswer:
        if kind == "fill":
            values = {"tier": word}
            return await self._order(workspace, FillFields, contacts=contacts, values=values)
        mark_id = self.marks[workspace, word or ""]
        if kind == "tag":
            named: type[WorkspaceOrder] = AddTag if wanted else RemoveTag
            return await self._order(workspace, named, tag_id=mark_id, contacts=contacts)
        named = AddGroupMembers if wanted else RemoveGroupMembers
        return await self._order(workspace, named, group_id=mark_id, contacts=contacts)

    async def _retract(self, number: int, step: Step) -> None:
        workspace_id, workspace = self.workspaces[0]
        place = Place(self.tenant_id, workspace_id, self.tenant, workspace)
        order = RetractImport(**self.ordered(workspace), import_id=_of(number, step.word or ""))
        while (await self.store.retract(order, place)).remaining:
            pass

    async def _do(self, number: int, step: Step) -> None:
        if step.kind == "retract":
            await self._retract(number, step)
            return
        _, name = self.born[number][step.contact - 1]
        match step.kind:
            case "merge":
                _, other = self.born[number][step.other - 1]
                answer = await self.judge(MergeContacts, contact_id=name, absorbed_id=other)
                assert answer.merge_id is not None
                self.merges[number].append(answer.merge_id)
            case "undo":
                merge = self.merges[number][step.other]
                await self.judge(SplitContact, contact_id=name, merge_id=merge)
            case "archive":
                await self._archive(name)
            case _:
                async with self._turn:
                    await self.owner.execute(_STAGE, name, self.workspaces[0][0], step.word)

    def ordered(self, workspace: str) -> dict[str, Any]:
        """Return what every order says."""
        return {
            "command_id": f"cmd_{ULID()}",
            "tenant": self.tenant,
            "workspace": workspace,
            "issued_at": datetime.now(UTC),
        }

    async def _archive(self, name: str) -> None:
        """Archive a contact, or bring it back."""
        async with self.store.transaction() as tx:
            (contact,) = await tx.load_contacts([(self.tenant_id, name)])
            kind = UnarchiveContact if contact.status == "archived" else ArchiveContact
            command = kind(**self.ordered(self.workspaces[0][1]), contact_id=name)
            ids = await tx.take_ids(1)
            asked = [(command, self.tenant_id, None)]
            plan, _ = archive(asked, [contact], (), ids, command.issued_at)
            await tx.apply(plan)

    async def judge(self, kind: type[Judgement], **said: Any) -> Answer:
        """Order something that must be done."""
        workspace_id, workspace = self.workspaces[0]
        command = kind(**self.ordered(workspace), **said)
        place = Place(self.tenant_id, workspace_id, self.tenant, workspace)
        answer = await self.store.judge(command, place)
        assert answer.outcome == "done", answer
        return answer

    async def tempt(self) -> Counter[str]:
        """Let the machine try to merge every pair that a person separated; returns the answers."""
        answers: Counter[str] = Counter()
        for row in await self.owner.fetch(
            "SELECT entity_id_a, entity_id_b FROM contact.identity_judgement"
            " WHERE tenant_id = $1 AND entity_type = 'contact' AND judgement = 'cannot_link'"
            " AND withdrawn_at IS NULL",
            self.tenant_id,
        ):
            pair = (row["entity_id_a"], row["entity_id_b"])
            finding = Finding(
                self.tenant_id, self.tenant, pair, "test", datetime.now(UTC), "tempted", 1, 99
            )
            async with self.store.transaction() as tx:
                answers[(await tx.merge_found(finding)).outcome] += 1
        return answers

    async def repeat(self, scripts: Sequence[Sequence[Step]], again: str) -> int:
        """Say everything once more, as new records of the same content; returns how much."""
        said = [
            self.a_signal(number, step.said, again=again)
            for number, script in enumerate(scripts)
            for step in script
            if step.said is not None and step.said.said["about"] is None
        ]
        for start in range(0, len(said), 500):
            await self.resolve(*said[start : start + 500])
        return len(said)

    async def state(self) -> dict[str, Any]:
        """Say of every contact what tables, events, read model, search and graph hold of it."""
        names = _Names(self)
        await names.read()
        found: dict[str, Any] = {}
        shared = await folded(self.owner, self.tenant_id)
        for name, state in shared.items():
            found[names.of(name)] = [_told(state, names), *_indexed(state, names)]
        await self._check_read_model(shared)
        for table, statement in _TABLES.items():
            for row in await self.owner.fetch(statement, self.tenant_id):
                values = [_named(value, names) for value in row.values()]
                found.setdefault(f"{values[0]} {table}", []).append(values[1:])
        for rows in found.values():
            rows.sort(key=repr)
        return found

    async def _check_read_model(self, shared: Mapping[str, ContactState]) -> None:
        """Hold the projector's own fold to the shared one, whatever was merged."""
        events: dict[str, list[Event]] = defaultdict(list)
        for row in await self.owner.fetch(
            "SELECT entity_public_id, event_type, payload FROM contact.contact_event"
            " WHERE tenant_id = $1 ORDER BY entity_id, sequence_number",
            self.tenant_id,
        ):
            body = orjson.loads(row["payload"])
            event = Event(row["event_type"], body, self.tenant, None, datetime.now(UTC))
            events[row["entity_public_id"]].append(event)
        for name, history in events.items():
            made = fold_json(None, history)
            assert made is not None
            state = expanded(made)
            assert state["fields"] == shared[name].fields
            assert state.get("survivor_id") == shared[name].survivor_id
            assert len(state["identifiers"]) == len(shared[name].identifiers)


class _Names:
    """Calls what differs between two tenants by names that do not."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._names: dict[Any, str] = {}

    async def read(self) -> None:
        life = self._life
        for number, contacts in life.born.items():
            for place, (_, name) in enumerate(contacts):
                self._names[name] = f"contact {number}.{place}"
        self._names |= {name: f"workspace {n}" for n, (_, name) in enumerate(life.workspaces)}
        self._names |= {name: f"{word} of {n}" for (n, word), name in life.marks.items()}
        for row in await life.owner.fetch(
            "SELECT public_id, name, primary_domain FROM contact.organisation WHERE tenant_id = $1",
            life.tenant_id,
        ):
            self._names[row["public_id"]] = f"company {row['name']} {row['primary_domain']}"
        for row in await life.owner.fetch(
            "SELECT DISTINCT encode(record_key, 'hex') AS key, source_record_id, workspace_id,"
            " source_id FROM contact.source_record WHERE tenant_id = $1",
            life.tenant_id,
        ):
            self._names[row["key"]] = f"record {row['source_record_id']} {row['source_id']}"

    def of(self, value: Any) -> Any:
        return self._names.get(value, value) if isinstance(value, str) else value


def _told(state: ContactState, names: _Names) -> Any:
    return [
        state.status,
        names.of(state.survivor_id),
        state.source,
        _when(state.created_at),
        sorted((name, names.of(value)) for name, value in state.fields.items()),
        sorted(
            (name, one.source, names.of(one.source_record), str(one.asserted_at))
            for name, one in state.provenance.items()
        ),
        # They are a set: a merge tells them by their records, whoever held them meanwhile.
        sorted((one.type, one.value) for one in state.identifiers),
        [(names.of(job.company_id), job.company_name, job.title) for job in state.employments],
        None
        if state.survivor_id
        else sorted(
            (
                *(names.of(name), one.import_source, _when(one.bound_at), one.labels, one.notes),
                to_json(one.custom_fields),
                [names.of(group) for group in one.groups],
            )
            for name, one in state.bindings.items()
        ),
    ]


def _when(at: datetime) -> str:
    """Tell the time of a signal; orders are given at two times in two lives."""
    return str(at) if at < MOMENT + timedelta(days=1) else BY_AN_ORDER


def _of(number: int, import_id: str) -> str:
    """Name an import that is one history's own."""
    return f"{import_id[:10]}{number:08d}{import_id[-12:]}"


def _indexed(state: ContactState, names: _Names) -> list[Any]:
    found: list[Any] = [
        [
            names.of(one.workspace),
            one.name,
            one.work,
            one.rest,
            sorted(one.emails),
            sorted(one.phones),
        ]
        for one in documents(state)
    ]
    if state.status not in {"merged", "deleted"}:
        node = contact_node(Contact("", state))
        jobs = [(names.of(job["company"]), job["role"]) for job in node["jobs"]]
        found.append([node["properties"], jobs])
    return found


def _named(value: Any, names: _Names) -> Any:
    return [names.of(one) for one in value] if isinstance(value, list) else names.of(value)


def _own(value: str, number: int) -> str:
    """Make a value one history's own; companies' domains stay what they are."""
    name, at, host = value.partition("@")
    return f"{name}{number}@{host}" if at else f"+1{number:04d}{value[-6:]}"


async def lives(
    owner: "asyncpg.Connection[asyncpg.Record]", store: Store, resolve: Resolve
) -> tuple[Life, Life]:
    """Make two tenants of two workspaces each: one to merge in, one to live plainly."""
    made = []
    for stirred in (True, False):
        tenant = f"ten_{ULID()}"
        tenant_id = await owner.fetchval(
            "INSERT INTO app.tenant (public_id, name) VALUES ($1, $1) RETURNING id", tenant
        )
        workspaces = []
        for _ in range(2):
            name = f"wsp_{ULID()}"
            number = await owner.fetchval(
                "INSERT INTO app.workspace (public_id, tenant_id, name) VALUES ($1, $2, $1)"
                " RETURNING id",
                name,
                tenant_id,
            )
            workspaces.append((number, name))
        life = Life(owner, store, resolve, tenant_id, tenant, workspaces, stirred)
        await life.prepare()
        made.append(life)
    return made[0], made[1]


def scripts(first: int, count: int, length: int) -> list[list[Step]]:
    """Write so many histories, from this seed on."""
    return [a_script(Random(seed), length) for seed in range(first, first + count)]


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what two tenants do not have alike."""
    return {
        name: (one.get(name), other.get(name))
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name)
    }


_OF_MANY: Final = ("tag", "group", "fill")
"""What one order says of many contacts."""

_STAGE: Final = """
UPDATE contact.workspace_contact_binding b SET stage = $3::text::contact.stage
FROM contact.contact c
WHERE c.id = b.contact_id AND c.public_id = $1 AND b.workspace_id = $2 AND b.deleted_at IS NULL
"""

_TABLES: Final = {
    "contact": "SELECT c.public_id, c.status::text, s.public_id AS survivor,"
    " c.last_enriched_at::text"
    " FROM contact.contact c LEFT JOIN contact.contact s ON s.id = c.merged_into_id"
    " WHERE c.tenant_id = $1",
    "identifiers": "SELECT c.public_id, i.identifier_type::text, i.normalized_value,"
    " i.status::text, CASE WHEN i.status <> 'inactive' THEN i.source_id END AS source_id"
    " FROM contact.contact_identifier i JOIN contact.contact c ON c.id = i.contact_id"
    " WHERE i.tenant_id = $1 AND i.deleted_at IS NULL",
    "emails": "SELECT c.public_id, e.email, e.label, e.is_primary, e.status::text, e.source_id"
    " FROM contact.contact_email e JOIN contact.contact c ON c.id = e.contact_id"
    " WHERE e.tenant_id = $1 AND e.valid_until IS NULL",
    "phones": "SELECT c.public_id, p.e164_number, p.label, p.is_primary, p.status::text,"
    " p.source_id"
    " FROM contact.contact_phones p JOIN contact.contact c ON c.id = p.contact_id"
    " WHERE p.tenant_id = $1 AND p.valid_until IS NULL",
    "employments": "SELECT c.public_id, o.public_id AS company, e.company_name, e.title,"
    " e.is_current, e.source_id FROM contact.contact_employment e"
    " JOIN contact.contact c ON c.id = e.contact_id"
    " LEFT JOIN contact.organisation o ON o.id = e.org_id WHERE e.tenant_id = $1",
    "bindings": "SELECT c.public_id, w.public_id AS workspace, b.first_name, b.last_name,"
    " b.full_name, b.title, b.headline, b.primary_email, b.primary_phone, b.current_org_name,"
    " b.seniority, b.departments, b.timezone, b.avatar_url,"
    " o.public_id AS company, b.stage::text, b.labels, b.notes, b.custom_fields::text,"
    " b.groups,"
    " b.import_source, b.id = l.workspace_contact_binding_id AS latest"
    " FROM contact.workspace_contact_binding b JOIN contact.contact c ON c.id = b.contact_id"
    " JOIN app.workspace w ON w.id = b.workspace_id"
    " JOIN contact.contact_latest_data l ON l.contact_id = c.id"
    " LEFT JOIN contact.organisation o ON o.id = b.current_org_id"
    " WHERE b.tenant_id = $1 AND b.deleted_at IS NULL",
    "tags": "SELECT c.public_id, w.public_id AS workspace, t.name, m.source::text,"
    " m.confidence FROM contact.contact_tags m JOIN contact.tag t ON t.id = m.tag_id"
    " JOIN contact.contact c ON c.id = m.contact_id"
    " JOIN app.workspace w ON w.id = m.workspace_id WHERE m.tenant_id = $1",
    "groups": "SELECT c.public_id, g.public_id AS group FROM contact.group_members m"
    " JOIN contact.contact_group g ON g.id = m.group_id"
    " JOIN contact.contact c ON c.id = m.contact_id WHERE m.tenant_id = $1",
    "education": "SELECT c.public_id, e.school_name, e.degree, e.end_date, e.source_id"
    " FROM contact.contact_education e JOIN contact.contact c ON c.id = e.contact_id"
    " WHERE e.tenant_id = $1",
    "skills": "SELECT c.public_id, s.skill_name, s.endorsements, s.source_id"
    " FROM contact.contact_skills s JOIN contact.contact c ON c.id = s.contact_id"
    " WHERE s.tenant_id = $1",
    "records": "SELECT c.public_id, r.source_record_id, r.revision, r.source_id,"
    " r.superseded_at IS NULL AS present"
    " FROM contact.source_record r JOIN contact.contact c ON c.id = r.contact_id"
    " WHERE r.tenant_id = $1 AND r.undone_at IS NULL",
}
"""What a contact has in the resolver's tables; ids are called by their names."""
