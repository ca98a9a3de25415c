"""deploy/compose/object-storage.yml: what it adds to docker-compose.yml, bounded and shut in."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.ingest.settings import Settings
from tests.deploy.declared import DEPLOY, ROOT, read_by

FILE = DEPLOY / "compose" / "object-storage.yml"
ADDED: dict[str, Any] = yaml.safe_load(FILE.read_text())
BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
STORAGE: dict[str, Any] = ADDED["services"]["object-storage"]
INGEST: dict[str, Any] = ADDED["services"]["ingest"]


def test_it_follows_the_compose_specification() -> None:
    tool = Path(sys.executable).parent / "check-jsonschema"
    result = subprocess.run(
        [tool, "--builtin-schema", "vendor.compose-spec", FILE],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_storage_is_bounded_watched_and_reached_by_nobody_outside() -> None:
    assert "ports" not in STORAGE
    assert re.fullmatch(r"\S+:v\d+\.\d+\.\d+", STORAGE["image"])
    assert STORAGE["cap_drop"] == ["ALL"]
    assert STORAGE["security_opt"] == ["no-new-privileges:true"]
    assert STORAGE["read_only"] is STORAGE["init"] is True
    assert STORAGE["restart"] == "unless-stopped"
    assert {"cpus", "memory"} <= STORAGE["deploy"]["resources"]["limits"].keys()
    assert STORAGE["logging"]["options"]["max-size"]
    assert {"healthcheck", "stop_grace_period"} <= STORAGE.keys()
    [volume] = STORAGE["volumes"]
    assert volume.partition(":")[0] in ADDED["volumes"]


def test_ingest_keeps_files_there_with_the_storages_own_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The password is one, required, and written down nowhere."""
    said = INGEST["environment"]
    assert said.keys() <= read_by("ingest").keys()
    assert not said.keys() & BASE["services"]["ingest"]["environment"].keys()
    held = STORAGE["environment"]
    assert said["INGEST_S3_ACCESS_KEY_ID"] == held["ROOT_ACCESS_KEY_ID"]
    assert said["INGEST_S3_SECRET_ACCESS_KEY"] == held["ROOT_SECRET_ACCESS_KEY"]
    assert re.fullmatch(r"\$\{UPLOADS_PASSWORD:\?[^}]+\}", held["ROOT_SECRET_ACCESS_KEY"])
    assert INGEST["depends_on"]["object-storage"] == {"condition": "service_healthy"}
    assert f"/data/{said['INGEST_S3_BUCKET']} " in STORAGE["entrypoint"][-1]
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KITH_DIGEST_SECRET", "x" * 32)
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://kith_ingest@postgres/kith")
    assert Settings().s3.endpoint == "http://object-storage:9000"
