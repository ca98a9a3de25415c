"""Workload W of chaos: what is fed, and what must come of it whatever is killed meanwhile.

Every signal carries a `mark` that nothing else has, in a field that kith keeps but does not read.
The truth below is made here, from what the signals are meant to say; kith's code has no part in it.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeVar

import orjson

from shared.events.envelope import Envelope, to_headers
from shared.events.signal import ContactSignal
from shared.events.topics import SIGNALS, TYPE_BY_MODEL
from shared.kafka import Outgoing
from tests.chaos.poison import VARIANTS, poisoned

T = TypeVar("T")

Kind = Literal["new", "repeat", "changed", "sharing", "merging", "poison", "unparseable"]

SHARES: Final[dict[Kind, float]] = {
    "repeat": 0.08,
    "changed": 0.05,
    "sharing": 0.20,
    "merging": 0.03,
    "poison": 0.005,
    "unparseable": 0.01,
}
"""Shares of the kinds (runtime 3.3, workload W); the rest is new."""

SOURCES: Final = ("hubspot_crm", "salesforce_crm", "csv_upload", "google_contacts")
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
CE_TYPE: Final = TYPE_BY_MODEL[ContactSignal]
RECENT: Final = 300
"""Half of what refers to somebody refers to one of the last so many: these race."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workload belongs, by public ids."""

    tenant: str
    workspace: str


@dataclass(slots=True)
class Record:
    """A source record, as its newest version has it."""

    name: str
    number: int
    identifiers: list[str]
    """`type:value`, in kith's spelling."""
    ce_id: str


@dataclass(frozen=True, slots=True)
class Fed:
    """One message and what it is for."""

    kind: Kind
    mark: str
    message: Outgoing


@dataclass(slots=True)
class Workload:
    """Messages in the order in which they are sent, and the truth about them."""

    seed: int
    place: Place
    fed: list[Fed] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @property
    def marks(self) -> set[str]:
        """Name every version of a record that must be in the ledger."""
        return {one.mark for one in self.fed if one.kind not in {"repeat", "poison"}}

    @property
    def poison(self) -> dict[str, Outgoing]:
        """Return what must be set aside, by mark."""
        return {one.mark: one.message for one in self.fed if one.kind == "poison"}

    @property
    def unparseable(self) -> set[str]:
        """Name the versions of which a value must be noted as rejected."""
        return {one.mark for one in self.fed if one.kind == "unparseable"}

    def partition(self) -> set[frozenset[str]]:
        """Group records and identifiers that belong together: whatever shares an identifier."""
        return joined((one.name, *one.identifiers) for one in self.records)


def joined(groups: Iterable[Iterable[str]]) -> set[frozenset[str]]:
    """Join groups that have a member in common."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = name = parent.setdefault(above, above)
        return name

    for group in groups:
        first, *others = group
        for other in others:
            parent[root(other)] = root(first)
    found: dict[str, set[str]] = defaultdict(set)
    for name in list(parent):
        found[root(name)].add(name)
    return {frozenset(names) for names in found.values()}


def make(seed: int, count: int, place: Place) -> Workload:
    """Make a workload: the same seed, count and place give the same bytes."""
    return _Maker(seed, place).run(count)


class _Maker:
    """Rolls the dice."""

    def __init__(self, seed: int, place: Place) -> None:
        self._dice = random.Random(f"{seed}/{place.tenant}")
        self._seed = seed
        self._made = Workload(seed, place)
        self._valid: list[Fed] = []
        self._poisoned = 0

    def run(self, count: int) -> Workload:
        kinds = list(SHARES)
        weights = [*SHARES.values(), 1 - sum(SHARES.values())]
        for number, kind in enumerate(self._dice.choices([*kinds, "new"], weights, k=count)):
            # The first of all are new: the others refer to somebody.
            fed = self._one(number, kind if number >= 10 else "new")
            self._made.fed.append(fed)
            if fed.kind not in {"repeat", "poison"}:
                self._valid.append(fed)
        return self._made

    def _one(self, number: int, kind: Kind) -> Fed:
        mark = f"{self._seed}-{number}"
        if kind == "repeat":
            again = self._recent(self._valid)
            return Fed("repeat", again.mark, again.message)
        if kind == "poison":
            self._poisoned += 1
            base = self._headers(mark, number)
            variant = VARIANTS[self._poisoned % len(VARIANTS)]
            value, headers = poisoned(variant, mark, base)
            return Fed(kind, mark, Outgoing(SIGNALS.name, mark.encode(), value, headers))
        if kind == "changed":
            return self._changed(mark, number)
        record = Record(f"r{mark}", number, self._own(number), mark)
        if kind == "sharing":
            # One identifier of somebody else's in place of one of its own.
            record.identifiers[self._dice.randrange(3)] = self._of(self._recent(self._made.records))
        elif kind == "merging":
            record.identifiers = [self._of(self._recent(self._made.records)) for _ in range(2)]
        elif kind == "unparseable":
            record.identifiers = record.identifiers[2:]
        self._made.records.append(record)
        return self._say(kind, mark, number, record, mark)

    def _changed(self, mark: str, number: int) -> Fed:
        """Say something else about a record; half the time under the id of the event before."""
        record = self._recent(self._made.records)
        ce_id = record.ce_id if self._dice.random() < 0.5 else mark
        if self._dice.random() < 0.5:
            record.identifiers.append(f"email:second{number}.{self._seed}@example.org")
        return self._say("changed", mark, number, record, ce_id)

    def _own(self, number: int) -> list[str]:
        return [
            f"email:p{number}.{self._seed}@company{number % 997}.example.com",
            f"phone_e164:+49151{self._seed % 10}{number + 1:07d}",
            f"linkedin_public_id:p{number}-{self._seed}",
        ]

    def _of(self, record: Record) -> str:
        return self._dice.choice(record.identifiers)

    def _recent(self, ones: Sequence[T]) -> T:
        if self._dice.random() < 0.5:
            return self._dice.choice(ones[-RECENT:])
        return self._dice.choice(ones)

    def _headers(self, ce_id: str, number: int) -> list[tuple[str, bytes]]:
        place = self._made.place
        at = BEGIN + timedelta(seconds=number)
        return to_headers(
            Envelope(
                ce_id,
                "/chaos",
                CE_TYPE,
                b"",
                time=at,
                tenant=place.tenant,
                workspace=place.workspace,
            )
        )

    def _say(self, kind: Kind, mark: str, number: int, record: Record, ce_id: str) -> Fed:
        values: dict[str, list[str]] = defaultdict(list)
        for identifier in record.identifiers:
            name, _, value = identifier.partition(":")
            values[name].append(value)
        emails, phones = values["email"], values["phone_e164"]
        if kind == "unparseable":
            emails, phones = ["not an address", *emails], ["12", *phones]
        body: dict[str, object] = {
            "mark": mark,
            "source": SOURCES[record.number % len(SOURCES)],
            "source_record_id": record.name,
            # One name for all: the gate keeps apart whose names deny each other, and then the
            # truth would depend on the order of arrival.
            "first_name": "Grace",
            "last_name": "Hopper",
            "emails": [{"value": value} for value in emails],
            "phones": [{"value": value} for value in phones],
            "identifiers": [
                {"type": "linkedin_public_id", "value": value}
                for value in values["linkedin_public_id"]
            ],
            "employments": [{"company_name": f"Company {number % 997}", "title": f"Title {mark}"}],
            "addresses": [{"city": "Paris", "country": "FR"}],
        }
        if number % 20 == 0:
            body["labels"] = [f"label {number % 7}"]
        headers = self._headers(ce_id, number)
        key = record.name.encode()
        return Fed(kind, mark, Outgoing(SIGNALS.name, key, orjson.dumps(body), headers))
