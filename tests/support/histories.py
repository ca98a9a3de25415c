"""Random histories of contacts, lived twice: once with merges and splits, once without."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from random import Random
from typing import Any, Literal, Protocol

from services.resolver.domain.bindings import custom_by_people
from services.resolver.domain.marking import Mark, fill, mark
from services.resolver.domain.merge import Refused
from services.resolver.domain.model import Contact
from shared.events.signal import Education, Employment, Point, PointStatus, Skill
from tests.support.merging import World

SOURCES = ("hubspot_crm", "csv_upload", "manual_entry", "apollo", "email_sync")
RECORDS, WORKSPACES = 8, 2
NAMES = (None, "Ada Lovelace", "A. Lovelace", "Ada Byron Lovelace", "Ada")
"""No two of them contradict one another: names that do make contacts of their own at the gate."""


_BEGAN = Employment(company_name="Acme", title="CTO", start_date=date(2019, 3, 1))
_ENDED = _BEGAN.model_copy(update={"end_date": date(2022, 1, 1), "is_current": False})
_EARLIER = _ENDED.model_copy(
    update={"start_date": date(2012, 1, 1), "end_date": date(2015, 1, 1), "department": "R&D"}
)
JOBS = ((_BEGAN,), (_ENDED,), (_EARLIER, _BEGAN), (_EARLIER, _ENDED))
"""Stints of one title at one employer, told in several ways."""

_LEARNT = Education(school="Queen's", degree="BSc", start_date=date(2008, 9, 1))
STUDIES = ((), (), (_LEARNT,), (_LEARNT.model_copy(update={"end_date": date(2011, 7, 1)}),))
SKILLS = ((), (), (Skill(name="Analysis"),), (Skill(name="analysis", endorsements=9),))

TAGS = ("vip", "lead", "warm")
"""The first two are labels that sources say, too."""

GROUPS = tuple(f"grp_{number:026d}" for number in range(2))
TIERS = ("gold", "tin", None)
"""Values of the custom field `tier`."""


@dataclass(frozen=True)
class Said:
    """One signal of a history: a new record, a newer version of one, an edit, an answer."""

    record: str
    workspace: int
    said: dict[str, Any]


def a_said(
    dice: Random, minutes: int, about: str | None = None, import_id: str | None = None
) -> Said:
    """Draw a signal; with `about` it is a vendor's, who names nobody; with an import, a row's."""
    identified = about is None
    drawn = Said(
        record=f"r{dice.randrange(RECORDS)}" if identified else f"v{dice.randrange(RECORDS)}",
        workspace=1 if import_id else dice.randint(1, WORKSPACES),
        said={
            "email": dice.choice([None, "a@x.org", "b@x.org", "c@acme.io", "d@acme.io"])
            if identified
            else None,
            "phone": dice.choice([None, "+14155550100", "+14155550101", "+14155550102"])
            if identified
            else None,
            "name": dice.choice(NAMES),
            "company": dice.choice([None, "Acme", "Engines"]),
            "title": dice.choice([None, "CTO", "Analyst"]),
            "employments": dice.choice([(), (), *JOBS]),
            "source": dice.choice(SOURCES) if identified else "apollo",
            "minutes": round(dice.random() * minutes, 4),
            "notes": dice.choice([None, "met", "called"]),
            "labels": dice.choice([(), ("vip",), ("lead", "vip")]),
            "custom_fields": dice.choice([{}, {"tier": "tin"}, {"size": 2**64}]),
            "education": dice.choice(STUDIES),
            "skills": dice.choice(SKILLS),
            "about": about,
            "import_id": import_id,
        },
    )
    said = drawn.said
    if said["email"] and said["title"]:  # some sources found out what a mailbox is worth
        found: PointStatus = "verified" if said["title"] == "CTO" else "bounced"
        said["emails"] = (Point(value=said["email"], status=found),)
    return drawn


@dataclass(frozen=True)
class Step:
    """One thing that happened, so that it can happen again elsewhere."""

    kind: Literal["hear", "merge", "undo", "archive", "stage", "tag", "group", "fill", "retract"]
    contact: int = 0
    """Whom it is about, by the order of birth, from 1."""
    other: int = 0
    """Whom it was merged with; or which merge is undone, from 0."""
    in_both: bool = True
    """Whether it happens in the plain world, too."""
    said: Said | None = None
    word: str | None = None
    """A stage, a tag, a group, the value of a custom field, or an import."""
    workspace: int = 1
    wanted: bool = True
    """Whether the contact is to have the tag, or be in the group."""


class Counting(Protocol):
    """Counts what happened, so that a test can tell that it happened at all."""

    def __call__(self, what: str) -> None:
        """Count one more."""


def live_twice(dice: Random, length: int, count: Counting) -> tuple[World, World]:
    """Live one history in two worlds that hear the same.

    The first merges and splits as the dice fall, and in the end undoes every merge that the
    second, in which only the lasting ones happen, never saw.
    """
    twins = _live(dice, length, count)
    return twins.stirred, twins.plain


def a_script(dice: Random, length: int) -> list[Step]:
    """Write down such a history, to be lived elsewhere."""
    return _live(dice, length, lambda _: None).script


def _live(dice: Random, length: int, count: Counting) -> "_Twins":
    twins = _Twins(World(), World(), dice, count)
    happenings: list[Callable[[], object]] = [
        *(twins.merge, twins.merge, twins.merge_for_good, twins.undo),
        *(twins.edit, twins.ask, twins.mark, twins.fill, twins.retract),
        *[lambda: twins.hear(a_said(dice, length, import_id=twins.importing))] * 2,
        *[lambda: twins.hear(a_said(dice, length))] * 4,
    ]
    for _ in range(length):
        dice.choice(happenings)()
    while twins.passing:
        twins.undo()
    if dice.randrange(2):
        twins.retract()
    return twins


class _Twins:
    """Two worlds, of which the first sees merges come and go."""

    def __init__(self, stirred: World, plain: World, dice: Random, count: Counting) -> None:
        self.stirred = stirred
        self.plain = plain
        self.passing: list[str] = []
        """Merges that only the first world saw."""
        self.script: list[Step] = []
        self.importing = _import(1)
        """The import that rows come with now."""
        self._made: list[str] = []
        self._dice = dice
        self._count = count

    def hear(self, one: Said) -> None:
        for world in (self.stirred, self.plain):
            world.tell(one.record, one.workspace, **one.said)
        self.script.append(Step("hear", said=one))

    def merge(self) -> str | None:
        """Merge any two contacts, by whatever name, in the first world."""
        contacts = [
            number
            for number in sorted(self.stirred.known.contacts)
            if all(
                world.known.contacts[world.root(number)].status != "deleted"
                for world in (self.stirred, self.plain)
            )
        ]
        if len(contacts) < 2:
            return None
        one, other = self._dice.sample(contacts, 2)
        done = self.stirred.merge(one, other)
        if isinstance(done, Refused):
            self._count("merge refused")
            return None
        self._count("merged")
        self._made.append(done)
        self.passing.append(done)
        self.script.append(Step("merge", one, other, in_both=False))
        return done

    def merge_for_good(self) -> None:
        """Merge two contacts in both worlds, where the second takes it."""
        done = self.merge()
        if done is None:
            return
        made = self.stirred.merges[-1]
        if not isinstance(self.plain.merge(made.survivor, made.absorbed), Refused):
            self._count("merged for good")
            self.script[-1] = replace(self.script[-1], in_both=True)
            self.passing.remove(done)

    def undo(self) -> None:
        """Undo one of the passing merges, whichever of its contacts is named."""
        if not self.passing:
            return
        name = self.passing.pop(self._dice.randrange(len(self.passing)))
        made = next(one for one in self.stirred.merges if one.public_id == name)
        named = self._dice.choice((made.survivor, made.absorbed))
        done = self.stirred.undo(named, name)
        self.script.append(Step("undo", named, self._made.index(name), in_both=False))
        assert not isinstance(done, Refused)
        self._count("undone")
        if done.unassigned:
            self._count("undone with unassigned records")

    def edit(self) -> None:
        """Archive somebody, bring him back, or set a stage: of whom both worlds know alike."""
        contact = self._somebody()
        if contact is None:
            return
        named, stage = contact.id, self._dice.choice(["contacted", "qualified", "lost"])
        there = self.plain.bindings.get((named, 1))
        if self._dice.randrange(2):
            status = self.plain.known.contacts[named].status
            # Who is brought back is active, whatever was taken back meanwhile.
            if "incomplete" not in (status, contact.status) and self.importing == _import(1):
                self._count("archived or brought back")
                self.stirred.archive(named)
                in_both = contact.status != status
                if in_both:
                    self.plain.archive(named)
                self.script.append(Step("archive", named, in_both=in_both))
        elif there and there.is_live and stage not in self._stages():
            self._count("stage set")
            self.stirred.keep(named, 1, stage=stage)
            self.plain.keep(named, 1, stage=stage)
            self.script.append(Step("stage", named, word=stage))

    def _stages(self) -> set[str]:
        """Return all stages shown: who sets back what a merge shows has changed nothing."""
        return {one.shown.stage for one in self.stirred.bindings.values()}

    def mark(self) -> None:
        """Give somebody a tag, take one off, or the same of a group: where both say as much.

        Who gives what a merge shows already, or takes what it alone shows, has said another thing
        than where nothing was merged.
        """
        dice, contact = self._dice, self._somebody()
        word = dice.choice((*TAGS, *GROUPS))
        workspace, wanted = dice.randint(1, WORKSPACES), bool(dice.randrange(3))
        one = (
            Mark("tag", f"tag_{'0' * 26}", word, wanted)
            if word in TAGS
            else Mark("group", word, word, wanted)
        )
        if contact is None or not self._know(contact, workspace):
            return
        said = {
            one.is_said(world.known.contacts[contact.id], workspace)
            for world in (self.stirred, self.plain)
        }
        if len(said) == 1:
            self._count(f"{one.kind} {'given' if wanted else 'taken'}")
            for world in self._at_one_time():
                world.say(contact.id, workspace, partial(mark, one=one))
            self.script.append(
                Step(one.kind, contact.id, word=word, workspace=workspace, wanted=wanted)
            )

    def fill(self) -> None:
        """Set a custom field, or empty it: of whom people say as much in both worlds."""
        contact, workspace = self._somebody(), self._dice.randint(1, WORKSPACES)
        tier = self._dice.choice(TIERS)
        if contact is None or not self._know(contact, workspace):
            return
        one, other = (
            custom_by_people(world.known.contacts[contact.id], workspace)
            for world in (self.stirred, self.plain)
        )
        if one == other:
            self._count("filled")
            for world in self._at_one_time():
                world.say(contact.id, workspace, partial(fill, values={"tier": tier}))
            self.script.append(Step("fill", contact.id, word=tier, workspace=workspace))

    def _at_one_time(self) -> tuple[World, World]:
        """Return both at one time: who is born or known by an order is so since it was given."""
        now = max(next(self.stirred.clock), next(self.plain.clock))
        self.stirred.clock, self.plain.clock = count(now), count(now)
        return self.stirred, self.plain

    def _know(self, contact: Contact, workspace: int) -> bool:
        return all(
            workspace in world.known.contacts[contact.id].bindings
            for world in (self.stirred, self.plain)
        )

    def retract(self) -> None:
        """Take back all that rows brought so far; what comes later is another import's."""
        worlds = (self.stirred, self.plain)
        is_empty = not self.stirred.has_rows(self.importing)
        if self.passing or is_empty or any(one.overlooks(self.importing) for one in worlds):
            return
        self._count("import taken back")
        for world in self._at_one_time():
            world.retract(self.importing)
        self.script.append(Step("retract", word=self.importing))
        self.importing = _import(int(self.importing.removeprefix("imp_")) + 1)

    def ask(self) -> None:
        """Let a vendor answer about somebody, naming nobody."""
        contact = self._somebody()
        if contact is not None:
            self._count("enriched")
            for world in (self.stirred, self.plain):
                world.known.about[1, contact.public_id] = contact.id
            self.hear(a_said(self._dice, 9, contact.public_id))

    def _somebody(self) -> Contact | None:
        standing = [
            one
            for one in self.stirred.known.contacts.values()
            if not {"merged", "deleted"} & {one.status, self.plain.known.contacts[one.id].status}
        ]
        return self._dice.choice(standing) if standing else None


def _import(number: int) -> str:
    return f"imp_{number:026d}"
