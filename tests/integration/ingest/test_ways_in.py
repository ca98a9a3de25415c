"""Signals by topic, by push and by file, on the real thing."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.events.activity import NormalizedActivity
from shared.events.envelope import from_record
from shared.events.signal import NormalizedSignal
from shared.events.topics import SIGNALS_NORMALIZED, SIGNALS_NORMALIZED_BULK
from shared.kafka.batch import Batch
from tests.integration.ingest.conftest import Ingest

SAMPLES = Path(__file__).parents[3] / "samples"
HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"7"),
    ("ce_source", b"/crm"),
    ("ce_type", b"kith.signal.contact.v1"),
)


async def produced(ingest: Ingest, topic: str) -> list[ConsumerRecord[Any, Any]]:
    """Read the topic from its beginning to its present end."""
    servers = ingest.kafka.settings.bootstrap_servers
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[ConsumerRecord[Any, Any]] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for some in (await consumer.getmany(timeout_ms=100)).values():
                found.extend(some)
        return found
    finally:
        await consumer.stop()


def a_record(value: bytes, headers: tuple[tuple[str, bytes], ...] = HEADERS) -> Any:
    """Make a record as aiokafka gives it; all of one moment, 2026-11-22T03:00:00Z."""
    return ConsumerRecord(
        "contact.signals.v1", 0, 0, 1_795_316_400_000, 0, None, value, None, 0, 0, headers
    )


async def test_a_batch_passes_on_the_good_and_gives_back_the_bad(ingest: Ingest) -> None:
    """One bad record never harms its neighbours, and the good ones keep what they came with."""
    record_id = uuid4().hex
    good = {"source": "hubspot_crm", "source_record_id": record_id, "first_name": "Ada"}
    later = (*HEADERS, ("ce_time", b"2026-11-24T03:00:00Z"))
    soon = (*HEADERS, ("ce_time", b"2026-11-22T04:00:00Z"), ("traceparent", b"00-x"))
    structured = {"specversion": "1.0", "id": "8", "source": "/crm", "data": good}
    batch = [
        a_record(b"{"),
        a_record(orjson.dumps(good), soon),
        a_record(orjson.dumps(good), later),
        a_record(orjson.dumps(good), HEADERS[:3]),
        a_record(orjson.dumps(good), (*HEADERS[:3], ("ce_type", b"kith.signal.contact.v9"))),
        a_record(orjson.dumps(good), (*HEADERS, ("ce_tenant", b"ten_x"), ("ce_workspace", b"w"))),
        a_record(b"x" * 70_000),
        a_record(b"{}", (*HEADERS[:1], ("ce_id", b"\xff"))),
        a_record(
            orjson.dumps({**structured, "type": "kith.signal.contact.v1"}),
            (("content-type", b"application/cloudevents+json"),),
        ),
    ]
    rejected = await ingest.handler.handle_signals(Batch(batch, "ingest", {}))
    assert [(one.error.reason, one.error.field) for one in rejected] == [
        ("malformed", ""),
        ("invalid", "ce_time"),
        ("invalid", "ce_type"),
        ("unknown_version", "ce_type"),
        ("unknown_tenant", "workspace"),
        ("too_large", ""),
        ("malformed", "header 'ce_id'"),
    ]
    sent = [
        record
        for record in await produced(ingest, SIGNALS_NORMALIZED.name)
        if record_id.encode() in record.value
    ]
    envelopes = [from_record(record.headers, record.value) for record in sent]
    signals = [NormalizedSignal.model_validate_json(record.value) for record in sent]
    assert [signal.signal_id for signal in signals] == ["/crm#7", "/crm#8"]
    assert {record.key for record in sent} == {signals[0].record_key.encode()}
    assert signals[0].occurred_at == signals[0].received_at, "a fast clock is set back"
    assert signals[0].received_at.isoformat() == "2026-11-22T03:00:00+00:00"
    assert envelopes[0].traceparent == "00-x"
    assert envelopes[0].recordedtime == signals[0].received_at


async def test_a_push_answers_with_a_verdict_per_signal_after_kafka_has_them(
    ingest: Ingest,
) -> None:
    record_id = uuid4().hex
    good = {"source": "hubspot_crm", "source_record_id": record_id, "first_name": "Ada"}
    answer = await ingest.client.post(
        "/v1/signals", json={"signals": [good, {**good, "birthday": "soon"}, 3]}
    )
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 2)
    assert [one["status"] for one in body["signals"]] == ["accepted", "rejected", "rejected"]
    assert body["signals"][1]["error"]["field"] == "birthday"
    [sent] = [
        NormalizedSignal.model_validate_json(record.value)
        for record in await produced(ingest, SIGNALS_NORMALIZED.name)
        if record_id.encode() in record.value
    ]
    assert sent.signal_id == body["signals"][0]["signal_id"]
    assert len(body["signals"][0]["position"]) == 43


async def test_a_request_that_is_wrong_as_a_whole_gets_a_problem_document(ingest: Ingest) -> None:
    post = ingest.client.post
    answers = {
        401: await post("/v1/signals", json=[], headers={"Authorization": "Bearer nobody"}),
        403: await ingest.reader.post("/v1/signals", json=[{}]),
        400: await post("/v1/signals", content=b"{"),
        413: await post("/v1/signals", content=b"x" * (8 * 1024 * 1024 + 1)),
        422: await post("/v1/imports", content=b"a,b\n1,2\n"),
        404: await ingest.client.get("/v1/imports/imp_nothing"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


async def test_a_signal_of_a_source_that_is_none_is_refused_while_its_sender_waits(
    ingest: Ingest,
) -> None:
    """Accepted, it was a dead letter of the resolver's, of which its sender never heard."""
    good = {"source": "hubspot_crm", "full_name": "Ada"}
    answer = await ingest.client.post("/v1/signals", json=[{**good, "source": "hubspot"}, good])
    refused, taken = answer.json()["signals"]
    assert (answer.status_code, taken["status"]) == (202, "accepted")
    assert (refused["error"]["reason"], refused["error"]["field"]) == ("unknown_source", "source")
    assert "hubspot_crm" in refused["error"]["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Type": "application/cloudevents+json"},
        {"Content-Type": "text/xml; charset=utf-8"},
        {"Content-Type": "multipart/form-data; boundary=x"},
    ],
)
async def test_a_body_that_says_to_be_something_else_is_refused_by_that_header(
    ingest: Ingest, headers: dict[str, str]
) -> None:
    answer = await ingest.client.post("/v1/signals", content=b"\x1f\x8b", headers=headers)
    assert answer.status_code == 415
    assert [answer.json()["field"]] == list(headers)
    plain = {"Content-Encoding": "identity", "Content-Type": "text/plain"}
    answer = await ingest.client.post("/v1/signals", content=b"{}", headers=plain)
    assert answer.status_code == 202


async def imported(client: httpx.AsyncClient, data: bytes, **wishes: str) -> dict[str, Any]:
    """Import a file as its preview says; returns the report."""
    answer = await client.post(
        "/v1/imports", params={"execute": "true", **wishes}, files={"file": data}
    )
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert "done" in (await client.get(f"{place}/events")).text
    report: dict[str, Any] = (await client.get(f"{place}/report")).json()
    return report


async def test_a_file_travels_on_its_own_topic_and_its_report_is_kept(ingest: Ingest) -> None:
    data = (SAMPLES / "icloud_contacts.vcf").read_bytes()
    report = await imported(ingest.client, data, import_source="iris-import")
    assert report["rows"] == sum(report["verdicts"].values()) == 100
    assert (report["verdicts"]["rejected"], report["verdicts"]["skipped"]) == (1, 1)
    assert report["same_file_as"] is None
    again = await imported(ingest.client, data, import_source="iris-import")
    assert again["same_file_as"] == report["import_id"]
    assert (again["events"], again["verdicts"]["unchanged"]) == (0, 98)
    sent = [
        NormalizedSignal.model_validate_json(record.value)
        for record in await produced(ingest, SIGNALS_NORMALIZED_BULK.name)
        if any(one["import_id"].encode() in record.value for one in (report, again))
    ]
    deliveries = [
        {(signal.record_key, signal.content_hash) for signal in sent if signal.import_id == one}
        for one in (report["import_id"], again["import_id"])
    ]
    assert len(deliveries[0]) == 98
    assert deliveries[0] == deliveries[1], "the same file again is the same deliveries"
    cards = await ingest.client.get(f"/v1/imports/{report['import_id']}/rejects")
    assert cards.headers["content-type"] == "text/vcard; charset=utf-8"
    assert cards.text.splitlines()[0] == "BEGIN:VCARD"
    assert cards.text.splitlines()[1].startswith("X-KITH-REASON:")


async def test_activities_come_by_topic_by_push_and_by_file(ingest: Ingest) -> None:
    """Beside contacts, each under its type; one that is refused harms no neighbour."""
    call = {
        "signal": "activity",
        "source": "call_log",
        "source_record_id": uuid4().hex,
        "kind": "call",
        "occurred_at": "2026-01-31T12:00:00Z",
        "participants": [{"role": "caller", "phone": "+442079460958"}],
    }
    of_activity = (*HEADERS[:3], ("ce_type", b"kith.signal.activity.v1"))
    batch = [
        a_record(orjson.dumps(call), of_activity),
        a_record(orjson.dumps({**call, "participants": []}), of_activity),
        a_record(b"{", of_activity),
    ]
    rejected = await ingest.handler.handle_signals(Batch(batch, "ingest", {}))
    assert [(one.error.reason, one.error.field) for one in rejected] == [
        ("invalid", "participants"),
        ("malformed", ""),
    ]
    contact = {"source": "hubspot_crm", "source_record_id": uuid4().hex, "first_name": "Ada"}
    answer = await ingest.client.post(
        "/v1/signals", content=orjson.dumps([call, contact, {**call, "kind": "fax"}])
    )
    verdicts = answer.json()
    assert (verdicts["accepted"], verdicts["rejected"]) == (2, 1)
    assert verdicts["signals"][2]["error"]["field"] == "kind"
    sent = [
        (from_record(record.headers, record.value).type, orjson.loads(record.value))
        for record in await produced(ingest, SIGNALS_NORMALIZED.name)
    ]
    named = call["source_record_id"]
    calls = [body for kind, body in sent if body.get("source_record_id") == named]
    assert len(calls) == 2
    assert len({(body["record_key"], body["content_hash"]) for body in calls}) == 1
    assert {kind for kind, body in sent if body.get("source_record_id") == named} == {
        "kith.signal.normalized_activity.v1"
    }
    files = Path(__file__).parents[2] / "fixtures" / "activities"
    calendar = (files / "calendar.ics").read_bytes()
    begun = await ingest.client.post("/v1/activities", content=calendar)
    assert (begun.status_code, begun.json()["reading"]["layout"]) == (202, "calendar")
    place = begun.headers["location"]
    async with asyncio.timeout(30):
        report = begun.json()
        while report["state"] != "done":
            await asyncio.sleep(0.05)
            report = (await ingest.client.get(place)).json()
    assert report["verdicts"] == {"recorded": 8, "unchanged": 0, "skipped": 1, "rejected": 2}
    assert report["rows"] == 11
    report = (await ingest.client.get(f"{place}/report")).json()
    assert "RRULE" in {one["field"] for one in report["left_out"]}
    assert all(one["line"] and one["reason"] for one in report["rejected"])
    bulk = [
        NormalizedActivity.model_validate_json(record.value)
        for record in await produced(ingest, SIGNALS_NORMALIZED_BULK.name)
        if report["import_id"].encode() in record.value
    ]
    assert len(bulk) == 8
    assert {one.import_id for one in bulk} == {report["import_id"]}
    assert {one.source for one in bulk} == {"calendar"}
    wrong = await ingest.client.post("/v1/activities?timezone=Mars/Olympus", content=calendar)
    assert wrong.status_code == 422
    nothing = await ingest.client.post("/v1/activities", content=b"Name,Shoe size\nAda,7\n")
    assert nothing.status_code == 422
    assert "no log of calls" in nothing.json()["detail"]
    assert (await ingest.reader.post("/v1/activities", content=calendar)).status_code == 403


async def test_the_openapi_document_names_both_ways_in(ingest: Ingest) -> None:
    document = (await ingest.client.get("/v1/openapi.json")).json()
    assert {"/v1/signals", "/v1/imports", "/api/v1/contacts/import"} <= document["paths"].keys()
    assert {"ContactSignal", "ActivitySignal"} <= document["components"]["schemas"].keys()
    assert "415" in document["paths"]["/v1/signals"]["post"]["responses"]


async def test_a_push_with_a_name_is_taken_once(ingest: Ingest) -> None:
    record_id = uuid4().hex
    signal = {"source": "hubspot_crm", "source_record_id": record_id, "first_name": "Ada"}
    headers = {"Idempotency-Key": uuid4().hex}
    answers = [await ingest.client.post("/v1/signals", json=signal, headers=headers) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert "key" in answers[0].headers["ratelimit"]
    sent = [
        one
        for one in await produced(ingest, SIGNALS_NORMALIZED.name)
        if record_id.encode() in one.value
    ]
    assert len(sent) == 1
    other = await ingest.client.post(
        "/v1/signals", json={**signal, "last_name": "L"}, headers=headers
    )
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert other.json()["reason"] == "idempotency_key_reused"
