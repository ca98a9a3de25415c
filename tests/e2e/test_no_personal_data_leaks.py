"""Plant values nobody else has, let everything happen to them, and look everywhere for them."""

import random
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from ulid import ULID

from kith.stack import PARTS
from shared.events import topics
from shared.kafka import Outgoing
from shared.kafka.dead_letter_log import read_dead_letters
from shared.kafka.dead_letters import PREFIX
from tests.e2e.running import Headers, Home, Running, until

pytestmark = pytest.mark.stack


def letters() -> str:
    return "".join(random.choices(string.ascii_lowercase, k=10))


@dataclass(frozen=True, slots=True)
class Planted:
    """What is looked for."""

    first: str = field(default_factory=letters)
    last: str = field(default_factory=letters)
    mailbox: str = field(default_factory=letters)
    profile: str = field(default_factory=letters)
    company: str = field(default_factory=letters)
    note: str = field(default_factory=letters)
    digits: str = field(default_factory=lambda: f"{random.randrange(10**6, 10**7)}")

    @property
    def phone(self) -> str:
        """A number in Germany."""
        return f"+49151{self.digits}1"

    def found_in(self, text: str) -> list[str]:
        """Name the planted values that a text holds, whatever their case."""
        low = text.lower()
        return [name for name in self.__slots__ if getattr(self, name) in low]

    def signal(self, record: str, **more: Any) -> dict[str, Any]:
        """Make a signal of them all."""
        return {
            "source": "email_sync",
            "source_record_id": record,
            "full_name": f"{self.first} {self.last}",
            "emails": [{"value": f"match+{self.mailbox}@{self.company}.example"}],
            "phones": [{"value": self.phone}],
            "linkedin_url": f"https://www.linkedin.com/in/{self.profile}",
            "employments": [{"company_name": self.company, "title": "Analyst"}],
            "notes": self.note,
            **more,
        }


def bad_signals(planted: Planted) -> Iterator[bytes]:
    """Make messages that are refused, each with planted values where it goes wrong."""
    at = f"{planted.mailbox}@{planted.company}.example"
    for wrong in (
        {"full_name": planted.first * 40},
        {"full_name": {planted.first: planted.last}},
        {"last_name": f"{planted.last}\0"},
        {planted.first: f"{planted.last}\0"},
        {"emails": at},
        {"emails": [at]},
        {"emails": [{"value": at * 20}]},
        {"source": at},
        {"birthday": planted.note},
        {"phone_region": planted.phone},
        {"about": at},
        {"linkedin_url": planted.profile * 200},
        {"import_source": planted.note},
        {"custom_fields": {planted.note * 30: at}},
        {"custom_fields": {planted.note: "\0"}},
        {"identifiers": [{"type": planted.mailbox, "value": at}]},
        {"employments": [{"company_name": planted.company, "start_date": planted.note}]},
        {"confidence": planted.phone},
        {"source": "nobody_knows_it"},
    ):
        yield orjson.dumps(planted.signal(f"bad-{secrets.token_hex(3)}", **wrong))
    whole = orjson.dumps(planted.signal("broken"))
    yield whole[:-1]
    yield whole.replace(planted.first.encode(), planted.first.encode() + b"\xff")
    yield orjson.dumps([planted.signal("listed")])
    nobody = {"source": "email_sync", "emails": [{"value": f"{planted.mailbox} at home"}]}
    yield orjson.dumps(nobody)
    yield orjson.dumps({**nobody, "emails": [], "phones": [{"value": f"x{planted.digits}"}]})
    yield orjson.dumps({**nobody, "emails": [], "linkedin_url": f"https://x.org/{planted.profile}"})


def bad_envelopes(home: Home, planted: Planted) -> Iterator[Headers]:
    """Make headers that are refused and hold planted values."""
    for name, value in (
        ("ce_type", planted.first.encode()),
        ("ce_time", planted.note.encode()),
        ("ce_tenant", planted.mailbox.encode()),
        ("ce_workspace", planted.mailbox.encode()),
        ("ce_specversion", planted.mailbox.encode()),
        ("ce_subject", planted.mailbox.encode() + b"\xff"),
        ("traceparent", planted.phone.encode()),
    ):
        yield list({**dict(home.headers()), name: value}.items())


async def send_everything(
    running: Running, home: Home, planted: Planted, folder: Path
) -> list[tuple[str, str]]:
    """Send good and bad by every way in; returns what senders were answered."""
    answers = []
    trace = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}
    sampled = [(name, text.encode()) for name, text in trace.items()]
    good = await running.push(home, [planted.signal("one")], trace)
    answers.append(("push", good.text))
    answers += [
        ("bad push", (await running.push(home, body, trace)).text) for body in bad_signals(planted)
    ]
    messages: list[tuple[bytes | None, Headers]] = [
        (orjson.dumps(planted.signal("two")), [*home.headers(), *sampled])
    ]
    messages += [(body, [*home.headers(), *sampled]) for body in bad_signals(planted)]
    body = orjson.dumps(planted.signal("three"))
    messages += [(body, headers) for headers in bad_envelopes(home, planted)]
    at = f"{planted.mailbox}@{planted.company}.example"
    messages += [
        (
            orjson.dumps(
                planted.signal(
                    vendor, emails=[{"value": f"{vendor}+{at}"}], phones=[], linkedin_url=None
                )
            ),
            [*home.headers(), *sampled],
        )
        for vendor in ("garbage", "drop", "bad", "gateway", "none")
    ]
    await running.publish(messages)
    await order(running, home, planted)
    files = {
        "google.csv": "Name,Given Name,Family Name,E-mail 1 - Value,Phone 1 - Value,Notes\n"
        f"{planted.first} {planted.last},{planted.first},{planted.last},"
        f"{planted.mailbox}@{planted.company}.example,{planted.phone},{planted.note}\n"
        f'{planted.first * 40},,,{planted.mailbox} at home,{planted.digits}x,"{planted.note}\n',
        "people.vcf": f"BEGIN:VCARD\nVERSION:3.0\nFN:{planted.first} {planted.last}\n"
        f"EMAIL:{planted.mailbox} at\nTEL:{planted.phone}\nBDAY:{planted.note}\nEND:VCARD\n"
        f"BEGIN:VCARD\nVERSION:9\nFN:{planted.first * 40}\nEND:VCARD\n"
        f"BEGIN:VCARD\nFN:{planted.last}\n",
        "nothing.csv": f"{planted.first};{planted.mailbox}\n{planted.phone}\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    imported = await running.kith(
        "import", *(str(folder / name) for name in files), "--json", code=1, KITH_API_KEY=home.token
    )
    answers.append(("import", imported))
    for path in (f"/contacts/{planted.mailbox}", f"/{planted.first}", "/contacts/search"):
        await running.get(home, path, q=planted.first)
    return answers


async def order(running: Running, home: Home, planted: Planted) -> None:
    """Send orders that the resolver and the enricher refuse."""
    command = {
        "command_id": f"cmd_{ULID()}",
        "tenant": home.tenant,
        "workspace": home.workspace,
        "issued_at": planted.note,
        "contact_id": planted.mailbox,
        "reason": planted.note * 50,
    }
    await running.producer.send_batch(
        [
            Outgoing(topic.name, b"k", value, home.headers(kind))
            for topic, kind in (
                (topics.COMMANDS, "kith.command.archive_contact.v1"),
                (topics.ENRICHMENT_REQUESTS, "kith.enrichment.requested.v1"),
                (topics.SIGNALS_NORMALIZED, "kith.signal.normalized.v1"),
                (topics.EVENTS, "kith.contact.created.v1"),
            )
            for value in (orjson.dumps(command), orjson.dumps(planted.signal("x"))[:-1])
        ]
    )


def log_files(running: Running) -> list[Path]:
    """List what our processes and those of the stack write."""
    setting = running.stack.setting
    files = {path for path in running.stack.places.logs.rglob("*") if path.is_file()}
    for part in PARTS.values():
        files |= {path for path in part.logs(setting) if path.exists()}
    return sorted(files)


async def test_no_personal_data_leaks(running: Running, tmp_path: Path) -> None:
    """Logs, metrics, traces, dead letters' headers, answers: none of them repeats a value."""
    home, planted = await running.home(), Planted()
    answers = await send_everything(running, home, planted, tmp_path)

    async def enriched() -> bool:
        listed = (await running.get(home, "/contacts")).json()["data"]
        return any(one["attributes"]["city"] for one in listed)

    await until(enriched)

    async def through() -> bool:
        letters = await running.dead_letters()
        groups = {one["group"] for one in letters if one["origin"]["topic"] != "contact.signals.v1"}
        return groups >= {"resolver", "projector", "indexer-search", "indexer-graph", "enricher"}

    await until(through)
    leaks = [f"{where}: {found}" for where, text in answers if (found := planted.found_in(text))]
    logs = log_files(running)
    assert {"ingest-1.log", "api-1.log", "postgres.log", "kafka.log"} <= {one.name for one in logs}
    for path in logs:
        leaks += [
            f"{path.name}: {found}: {line[:300]}"
            for line in path.read_text(errors="replace").splitlines()
            if (found := planted.found_in(line))
        ]
    for one in running.fleet.processes():
        text = (await running.http.get(f"http://127.0.0.1:{one.port}/metrics")).text
        leaks += [f"{one.name} metrics: {found}" for found in planted.found_in(text)]
    assert running.collector.bodies
    for body in running.collector.bodies:
        leaks += [f"traces: {found}" for found in planted.found_in(body.decode("latin-1"))]
    names = [topic.dead_letters(group) for topic in topics.ALL for group in topic.consumers]
    async for letter in read_dead_letters(running.kafka, names):
        for name, value in letter.record.headers:
            if name.startswith(PREFIX) and (found := planted.found_in(value.decode())):
                leaks.append(f"{letter.id} {name}: {found}: {value.decode()}")
    listed = await running.kith("dead", "list")
    leaks += [f"kith dead list: {found}" for found in planted.found_in(listed)]
    assert leaks == []
