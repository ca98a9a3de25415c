"""What an operator's tools ask of every process."""

import pytest

from tests.e2e.running import Running

pytestmark = pytest.mark.stack

NO_SERVICE_OF_OURS = {"vendor"}
"""A stand-in for somebody else's system."""


async def test_every_process_answers_its_probes(running: Running) -> None:
    processes = [one for one in running.fleet.processes() if one.service not in NO_SERVICE_OF_OURS]
    assert len({one.service for one in processes}) == 8
    for one in processes:
        base = f"http://127.0.0.1:{one.port}"
        for path in ("/healthz", "/readyz"):
            answer = await running.http.get(base + path)
            assert answer.status_code == 200, f"{one.name}{path}: {answer.text}"
        answer = await running.http.get(base + "/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain"), one.name
        names = {line.split("{")[0].split(" ")[0] for line in answer.text.splitlines()}
        assert {"process_resident_memory_bytes", "event_loop_lag_seconds"} <= names, one.name


async def test_the_status_lists_everything_as_ready(running: Running) -> None:
    lines = (await running.kith("status")).splitlines()
    shown = {line.split()[0]: line.split() for line in lines if line}
    parts = {"postgres", "kafka", "valkey", "neo4j"}
    for name in parts | {one.name for one in running.fleet.processes()}:
        assert shown[name][1] == "running", name
        assert shown[name][-1] == "yes", name
