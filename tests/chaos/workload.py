"""Workload W of chaos: what is fed, and what must come of it whatever is killed meanwhile.

Every signal carries a `mark` that nothing else has, in a field that kith keeps but does not read.
The truth below is made here, from what the signals are meant to say; kith's code has no part in it.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase
from typing import Final, Literal, NamedTuple, TypeVar

import orjson

from shared.events.envelope import Envelope, to_headers
from shared.events.signal import ContactSignal
from shared.events.topics import SIGNALS, TYPE_BY_MODEL
from shared.kafka import Outgoing
from tests.chaos.poison import VARIANTS, poisoned

T = TypeVar("T")

Kind = Literal["new", "repeat", "changed", "sharing", "merging", "poison", "unparseable", "alike"]

SHARES: Final[dict[Kind, float]] = {
    "repeat": 0.08,
    "changed": 0.05,
    "sharing": 0.20,
    "merging": 0.03,
    "poison": 0.005,
    "unparseable": 0.01,
}
"""Shares of the kinds (runtime 3.3, workload W); the rest is new."""

NAMED_SHARES: Final[dict[Kind, float]] = {
    "repeat": 0.08,
    "changed": 0.05,
    "alike": 0.25,
    "poison": 0.005,
}
"""The same where people have names of their own: one in four says of somebody what has no value in
common with what was said before but name, employer, title and address."""

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
    person: int | None = None
    """Who it is, where people have names of their own."""


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
        """Group records and identifiers that belong together: of whom shares one, or is one."""
        groups = joined((one.name, *one.identifiers, _who(one)) for one in self.records)
        people = {_who(one) for one in self.records}
        return {group - people for group in groups}


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


def _who(record: Record) -> str:
    return f"person {record.name if record.person is None else record.person}"


def make(seed: int, count: int, place: Place, *, named: bool = False) -> Workload:
    """Make a workload: the same seed, count and place give the same bytes.

    People have names of their own if `named`, else everybody is called alike.
    """
    return _Maker(seed, place, NAMED_SHARES if named else SHARES).run(count)


class Somebody(NamedTuple):
    """What tells a person from all others, without an identifier."""

    first: str
    last: str
    employer: str
    street: str


def somebody(person: int) -> Somebody:
    """Make up a person like nobody else: of syllables, names would come near one another."""
    dice = random.Random(f"person {person}")
    first, last, employer, street = (
        "".join(dice.choices(ascii_lowercase, k=10)).title() for _ in range(4)
    )
    return Somebody(first, last, employer, f"{street} {dice.randrange(1, 200)}")


class _Maker:
    """Rolls the dice."""

    def __init__(self, seed: int, place: Place, shares: Mapping[Kind, float]) -> None:
        self._dice = random.Random(f"{seed}/{place.tenant}")
        self._shares = shares
        self._named = "alike" in shares
        self._seed = seed
        self._made = Workload(seed, place)
        self._valid: list[Fed] = []
        self._poisoned = 0

    def run(self, count: int) -> Workload:
        kinds = list(self._shares)
        weights = [*self._shares.values(), 1 - sum(self._shares.values())]
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
        if self._named:
            # No telephone: one digit off, it would speak for people who are two.
            email, _, profile = record.identifiers
            record.person, record.identifiers = number, [email, profile]
        if kind == "alike":
            record.person = self._recent(self._made.records).person
            record.identifiers.pop()
        elif kind == "sharing":
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
            "addresses": [{"city": "Paris", "country": "FR"}],
            **_described(record, number, mark),
            "emails": [{"value": value} for value in emails],
            "phones": [{"value": value} for value in phones],
            "identifiers": [
                {"type": "linkedin_public_id", "value": value}
                for value in values["linkedin_public_id"]
            ],
        }
        if number % 20 == 0:
            body["labels"] = [f"label {number % 7}"]
        headers = self._headers(ce_id, number)
        key = record.name.encode()
        return Fed(kind, mark, Outgoing(SIGNALS.name, key, orjson.dumps(body), headers))


def _described(record: Record, number: int, mark: str) -> dict[str, object]:
    """Say who somebody is, and what is new each time."""
    if record.person is None:
        # One name for all: the gate keeps apart whose names deny each other, and then the truth
        # would depend on the order of arrival.
        job = {"company_name": f"Company {number % 997}", "title": f"Title {mark}"}
        return {"first_name": "Grace", "last_name": "Hopper", "employments": [job]}
    one = somebody(record.person)
    return {
        "first_name": one.first,
        "last_name": one.last,
        # Nobody is told by it: what a record says again is news all the same.
        "headline": f"Headline {mark}",
        "employments": [{"company_name": one.employer, "title": "Engineer"}],
        "addresses": [{"street": one.street, "city": "Paris", "country": "FR"}],
    }
