"""`kith dead list | show | replay | drop`: messages that could not be read, and their fate.

A dead letter is named by its place: `<topic>/<partition>/<offset>` of the dead-letter topic.  The
topic is never rewritten; what was done is noted in `app.dead_letter_resolution`.  A body may hold
personal data and is shown on request only.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Self

import orjson
import typer
from aiokafka.errors import UnknownTopicOrPartitionError

from kith.reach import kafka_settings, postgres_settings
from shared.errors import DEAD_LETTER_REASONS
from shared.events import topics
from shared.kafka import Producer
from shared.kafka.dead_letter_log import DeadLetter, read_dead_letters
from shared.postgres.pool import Pool, connect
from shared.postgres.queries import Queries

QUERIES: Final = Queries.load("kith.sql")
REPLAY_BATCH: Final = 200
"""Messages sent back at once."""

UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

AGES: Final = (
    (timedelta(hours=1), "1 h"),
    (timedelta(days=1), "1 d"),
    (timedelta(days=7), "7 d"),
    (timedelta.max, "older"),
)
"""How old dead letters are, as the summary tells."""

app = typer.Typer(no_args_is_help=True, help=__doc__)

Topic = Annotated[
    str | None, typer.Option(help="Of this topic only, for example contact.signals.v1.")
]
Group = Annotated[str | None, typer.Option(help="Set aside by this consumer group only.")]
Reason = Annotated[str | None, typer.Option(help="One of: " + ", ".join(DEAD_LETTER_REASONS))]
Since = Annotated[
    str | None,
    typer.Option(help="Set aside in the last 30m, 12h or 7d, or since 2026-01-31T12:00 (UTC)."),
]
Until = Annotated[
    str | None, typer.Option(help="Set aside before that: 30m, 12h or 7d ago, or a moment.")
]
Every = Annotated[bool, typer.Option("--all", help="All that match and wait.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Resolved = Annotated[bool, typer.Option("--resolved", help="Those dealt with, too.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class UsageError(Exception):
    """The command was asked for something that cannot be; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters; what is None does not restrict."""

    topic: str | None = None
    group: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(
        cls,
        topic: str | None,
        group: str | None,
        reason: str | None,
        since: str | None,
        until: str | None,
    ) -> Self:
        """Read the options of a command."""
        if reason is not None and reason not in DEAD_LETTER_REASONS:
            raise UsageError(f"no reason {reason!r}: one of {', '.join(DEAD_LETTER_REASONS)}")
        return cls(topic, group, reason, _moment(since, "--since"), _moment(until, "--until"))

    def fits(self, letter: DeadLetter) -> bool:
        """Tell whether a dead letter is one of them."""
        at = letter.record.timestamp / 1000
        return (
            self.reason in {None, letter.reason}
            and (self.since is None or at >= self.since.timestamp())
            and (self.until is None or at < self.until.timestamp())
        )


class Desk:
    """Dead letters, and what has been done with them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kafka = kafka_settings()

    async def find(self, wanted: Wanted) -> list[tuple[DeadLetter, str]]:
        """Return dead letters with what was done: replayed, dropped, or nothing yet."""
        names = _dead_letter_topics(wanted.topic, wanted.group)
        letters = [
            letter async for letter in read_dead_letters(self._kafka, names) if wanted.fits(letter)
        ]
        rows = await self._pool.fetch(QUERIES["find_resolutions"], names)
        done = {(row["topic"], row["partition"], row["offset"]): row["action"] for row in rows}
        return [(letter, done.get(_place(letter), "")) for letter in letters]

    async def choose(self, ids: Sequence[str], wanted: Wanted, *, every: bool) -> list[DeadLetter]:
        """Return those that are named, or all that match and wait."""
        if bool(ids) == every:
            raise UsageError(
                "name dead letters, or --all with --topic, --group, --reason, --since or --until"
            )
        if every:
            return [letter for letter, done in await self.find(wanted) if not done]
        found = {letter.id: letter for letter, _ in await self.find(Wanted())}
        if missing := [one for one in ids if one not in found]:
            raise _no_such(missing[0])
        return [found[one] for one in ids]

    async def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Send each original back once, then note it; a repetition is harmless."""
        by_origin = {(letter.origin, letter.group): letter for letter in letters}
        chosen = [letter for letter in by_origin.values() if not letter.body_omitted]
        async with Producer(self._kafka) as producer:
            for start in range(0, len(chosen), REPLAY_BATCH):
                some = chosen[start : start + REPLAY_BATCH]
                await producer.send_batch([letter.replayed() for letter in some])
                sent = {(letter.origin, letter.group) for letter in some}
                await self.resolve(
                    [one for one in letters if (one.origin, one.group) in sent], "replayed", None
                )
        return len(chosen)

    async def resolve(self, letters: Iterable[DeadLetter], action: str, why: str | None) -> None:
        """Note what was done."""
        places = [_place(letter) for letter in letters]
        await self._pool.execute(
            QUERIES["resolve_dead_letters"],
            [topic for topic, _, _ in places],
            [partition for _, partition, _ in places],
            [offset for _, _, offset in places],
            action,
            why,
        )


@app.command("list")
def list_(
    *,
    topic: Topic = None,
    group: Group = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    resolved: Resolved = False,
    json: Json = False,
) -> None:
    """Show dead letters that wait for someone: place, reason, field; never their content."""

    async def run(desk: Desk) -> None:
        found = await desk.find(Wanted.of(topic, group, reason, since, until))
        shown = [(letter, done) for letter, done in found if resolved or not done]
        for letter, done in shown:
            print(orjson.dumps(summary(letter, done)).decode() if json else _line(letter, done))
        if not json:
            print("\n".join(told([letter for letter, _ in shown], datetime.now(UTC))))

    _run(run)


@app.command()
def show(
    id: str,  # noqa: A002  # the word on the command line
    with_body: Annotated[
        bool, typer.Option("--with-body", help="Key, headers and body: may be personal data.")
    ] = False,
) -> None:
    """Show one dead letter and what was done with it."""

    async def run(desk: Desk) -> None:
        letter, done = await _one(desk, id)
        about = summary(letter, done)
        if with_body:
            record = letter.record
            about["key"] = _text(record.key)
            about["headers"] = [[name, _text(value)] for name, value in letter.replayed().headers]
            about["body"] = _text(record.value)
        print(orjson.dumps(about, option=orjson.OPT_INDENT_2).decode())

    _run(run)


@app.command()
def replay(
    *,
    ids: Annotated[list[str] | None, typer.Argument()] = None,
    every: Every = False,
    topic: Topic = None,
    group: Group = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
) -> None:
    """Send originals back to where they came from, byte for byte: one, several, or all that match.

    Every group that reads that topic sees them again, which changes nothing for those that had
    succeeded.
    """

    async def run(desk: Desk) -> None:
        wanted = Wanted.of(topic, group, reason, since, until)
        letters = await desk.choose(ids or (), wanted, every=every)
        omitted = sum(letter.body_omitted for letter in letters)
        if omitted:
            print(f"{omitted} have no body any more and stay: drop them", file=sys.stderr)
        if dry_run:
            for letter in letters:
                print(f"would send {letter.id} to {letter.origin[0]}")
            return
        print(f"sent {await desk.replay(letters)} of {len(letters)}")

    _run(run)


@app.command()
def drop(
    *,
    ids: Annotated[list[str] | None, typer.Argument()] = None,
    why: Annotated[str, typer.Option(help="For whoever asks later; no personal data.")],
    every: Every = False,
    topic: Topic = None,
    group: Group = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
) -> None:
    """Note that dead letters need nothing more: one, several, or all that match."""

    async def run(desk: Desk) -> None:
        wanted = Wanted.of(topic, group, reason, since, until)
        letters = await desk.choose(ids or (), wanted, every=every)
        if not why.strip():
            raise UsageError("say why: --why 'the sender has sent it again, right'")
        if not dry_run:
            await desk.resolve(letters, "dropped", why)
        for letter in letters:
            print(f"{'would drop' if dry_run else 'dropped'} {letter.id}")
        print(f"{len(letters)} dead letters")

    _run(run)


def told(letters: Sequence[DeadLetter], now: datetime) -> list[str]:
    """Sum dead letters up: how many, for which reasons, and how old."""
    counts = Counter(letter.reason for letter in letters)
    lines = [f"{len(letters)} dead letters  " + "  ".join(f"{r}: {n}" for r, n in counts.items())]
    for reason in counts:
        ages = Counter(_age(letter, now) for letter in letters if letter.reason == reason)
        parts = (f"{name}: {ages[name]}" for _, name in AGES if ages[name])
        lines.append(f"  {reason}  {'  '.join(parts)}")
    return lines


def _age(letter: DeadLetter, now: datetime) -> str:
    age = now - datetime.fromtimestamp(letter.record.timestamp / 1000, UTC)
    return next(name for limit, name in AGES if age < limit)


def summary(letter: DeadLetter, done: str) -> dict[str, Any]:
    """Describe a dead letter without anything personal."""
    topic, partition, offset = letter.origin
    return {
        "id": letter.id,
        "reason": letter.reason,
        "field": letter.field,
        "detail": letter.detail,
        "group": letter.group,
        "origin": {"topic": topic, "partition": partition, "offset": offset},
        "failed_at": letter.failed_at,
        "stack_hash": letter.stack_hash,
        "bytes": len(letter.record.value or b""),
        "resolution": done or None,
    }


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="dead")


def _run(work: Any) -> None:
    async def main() -> None:
        async with connect(postgres_settings(), "kith-dead") as pool:
            await work(Desk(pool))

    _exit_with_words(main())


def _exit_with_words(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except UnknownTopicOrPartitionError:
        print("kith dead: Kafka lacks topics of this release: run `kith topics`", file=sys.stderr)
        raise typer.Exit(1) from None
    except UsageError as error:
        print(f"kith dead: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


async def _one(desk: Desk, id_: str) -> tuple[DeadLetter, str]:
    for letter, done in await desk.find(Wanted()):
        if letter.id == id_:
            return letter, done
    raise _no_such(id_)


def _no_such(id_: str) -> UsageError:
    return UsageError(f"no dead letter {id_}: it has expired, or see `kith dead list --resolved`")


def _dead_letter_topics(topic: str | None, group: str | None) -> list[str]:
    names = [
        declared.dead_letters(consumer)
        for declared in topics.ALL
        for consumer in declared.consumers
        if topic in {None, declared.name} and group in {None, consumer}
    ]
    if not names:
        raise UsageError("no such topic and group: see docs/topics.md")
    return names


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        if text[-1:] in UNITS and text[:-1].isdecimal():
            return datetime.now(UTC) - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text}: write it as 30m, 12h, 7d or 2026-01-31T12:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _place(letter: DeadLetter) -> tuple[str, int, int]:
    return letter.record.topic, letter.record.partition, letter.record.offset


def _line(letter: DeadLetter, done: str) -> str:
    what = f"{letter.field}: {letter.detail}" if letter.field else letter.detail
    return f"{letter.id}  {letter.failed_at[:19]}  {letter.reason}  {what}  {done}".rstrip()


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")
