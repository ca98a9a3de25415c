"""Tables of contacts over HTTP: looked at, read as an operator says, sent as signals."""

import io
import json

from openpyxl import load_workbook

from shared.events.signal import NormalizedSignal
from shared.events.topics import SIGNALS_NORMALIZED_BULK
from tests.integration.ingest.conftest import Ingest
from tests.integration.ingest.test_ways_in import imported, produced
from tests.support.tables import FORMATS, workbook


async def test_a_file_is_looked_at_without_being_imported(ingest: Ingest) -> None:
    data = (FORMATS / "outlook_desktop_de.csv").read_bytes()
    answer = await ingest.client.post("/v1/imports/reading", content=data)
    assert answer.status_code == 200
    reading = answer.json()
    assert (reading["layout"], reading["language"]) == ("outlook_desktop", "de")
    assert (reading["encoding"], reading["encoding_assumed"]) == ("cp1252", True)
    assert reading["columns"]["Telefon geschäftlich"] == "phone[work]"
    refused = await ingest.reader.post("/v1/imports/reading", content=data)
    assert refused.status_code == 403


async def test_a_workbook_is_imported_as_an_operator_says(ingest: Ingest) -> None:
    """What was looked at is changed and sent with the file; the report tells what held."""
    data = workbook(
        [["Who", "Reach", "Colour"], ["Ada Byron", "+44 7700 900123", "blue"], [None, "x", None]]
    )
    unknown = await ingest.client.post("/v1/imports", content=data)
    assert unknown.status_code == 422
    choices = {"Who": "full_name", "Reach": "phone[mobile]"}
    report = await imported(ingest.client, data, mapping=json.dumps(choices))
    assert report["reading"]["columns"] == {**choices, "Colour": "custom[Colour]"}
    assert (report["rows"], report["classes"]) == (2, {"new": 1, "rejected": 1})
    assert [(note["line"], note["field"]) for note in report["rejected"]] == [(3, "Reach")]
    rejects = await ingest.client.get(f"/v1/imports/{report['import_id']}/rejects")
    [header, row] = load_workbook(io.BytesIO(rejects.content)).worksheets[0].values
    assert header == ("kith reason", "Who", "Reach", "Colour")
    assert row[2] == "x"
    [signal] = [
        NormalizedSignal.model_validate_json(record.value)
        for record in await produced(ingest, SIGNALS_NORMALIZED_BULK.name)
        if report["import_id"].encode() in record.value
    ]
    assert signal.facts.custom_fields == {"Colour": "blue"}
    assert signal.facts.phones[0].label == "mobile"
    for mapping in ("{", "[]", '{"Who": "shoe"}', '{"Who": 1}'):
        wrong = await ingest.client.post("/v1/imports", params={"mapping": mapping}, content=data)
        assert wrong.status_code in (400, 422)
        assert wrong.json()["field"] == "mapping"


async def test_a_mapping_is_kept_by_name_and_used_again(ingest: Ingest) -> None:
    """What is sent with a file goes over what was saved; each workspace has its own names."""
    client, place = ingest.client, "/v1/imports/mappings/our-club"
    data = b"Who,Reach,Colour\nAda Byron,+44 7700 900123,blue\n"
    missing = await client.post("/v1/imports?saved=our-club", content=data)
    assert (missing.status_code, missing.json()["field"]) == (404, "saved")
    choices = {"Who": "full_name", "Reach": "phone[mobile]", "Colour": "skip"}
    assert (await client.put(place, content=json.dumps(choices))).status_code == 200
    assert (await client.get("/v1/imports/mappings")).json() == {"our-club": choices}
    over = {"Colour": "custom[Colour]"}
    answer = await client.post(
        "/v1/imports/reading",
        params={"saved": "our-club", "mapping": json.dumps(over)},
        content=data,
    )
    assert answer.json()["columns"] == {**choices, **over}
    wrong = await client.put(place, content=b'{"Who": "shoe"}')
    assert (wrong.status_code, wrong.json()["field"]) == (422, "mapping")
    assert (await client.put(f"{place} 2", content=b"{}")).status_code == 422
    assert (await ingest.reader.get("/v1/imports/mappings")).status_code == 403
    assert (await client.delete(place)).status_code == 204
    assert (await client.delete(place)).status_code == 404
