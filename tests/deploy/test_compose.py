"""docker-compose.yml: valid, without a secret in it, and in agreement with the settings classes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.declared import DEPLOY, ROLES, ROOT, SERVICES, read_by

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
ALL: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"roles", "migrate", "topics", "cli"}
NO_SHELL = {"jaeger"}
"""Images that hold nothing a healthcheck could run."""
REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(:?[-?])?([^}]*)\}")
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$|_DSN$|REDIS_URL|_AUTH$")


def _example() -> tuple[set[str], dict[str, str]]:
    required, optional = set(), {}
    for line in (DEPLOY / "compose.env.example").read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            required.add(match[1])
            assert match[2] == "", f"{match[1]} has a value: nobody would change it"
        elif match := re.fullmatch(r"#(\w+)=(.*)", line):
            optional[match[1]] = match[2]
    return required, optional


def test_it_follows_the_compose_specification() -> None:
    tool = Path(sys.executable).parent / "check-jsonschema"
    result = subprocess.run(
        [tool, "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_example_names_every_variable_and_no_other() -> None:
    """What `docker compose config` would find missing."""
    required, optional = _example()
    used = [(match[1], match[2], match[3]) for match in REFERENCE.finditer(TEXT)]
    assert {name for name, mark, _ in used if mark == ":?"} == required
    assert {name: default for name, mark, default in used if mark == ":-"} == optional
    assert all(mark in {":?", ":-"} for _, mark, _ in used), "each is required or has a default"


def test_no_secret_is_written_down() -> None:
    """Every password comes by interpolation, required, and only to who needs it."""
    for name, service in ALL.items():
        for key, value in service.get("environment", {}).items():
            if SECRET.search(key) and key != "KAFKA_SECURITY_PROTOCOL":
                assert ":?" in str(value), f"{name}: {key}"
        assert "env_file" not in service, f"{name}: an env_file hands every secret to one service"


def test_ports_are_published_on_loopback_only() -> None:
    for name, service in ALL.items():
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), f"{name}: {port}"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_container_is_bounded_watched_and_stopped_in_peace(name: str) -> None:
    service = ALL[name]
    assert service["init"] is True
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= set(limits)
    assert service["logging"]["options"]["max-size"], "logs must not fill the disk"
    assert not service["image"].endswith(":latest")
    assert ":" in service["image"]
    if name in ONE_SHOT:
        assert service["restart"].startswith(("on-failure", "no"))
        return
    assert service["restart"] == "unless-stopped"
    assert "stop_grace_period" in service
    # kith's own image brings a healthcheck; the others say theirs here.
    assert "healthcheck" in service or "build" in service or name in NO_SHELL


@pytest.mark.parametrize("name", [*SERVICES, "vendor-simulator", "migrate", "topics", "cli"])
def test_our_containers_may_do_as_little_as_possible(name: str) -> None:
    service = ALL[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_stands_on(name: str) -> None:
    service = ALL[name]
    assert service["stop_grace_period"] == "30s"
    waits = {other: how["condition"] for other, how in service["depends_on"].items()}
    assert waits["migrate"] == waits["topics"] == "service_completed_successfully"
    environment = service["environment"]
    needs = {"kafka": True, "postgres": True}
    needs |= {"valkey": "REDIS_URL" in environment}
    # The API does without these two (DESIGN 2); the indexer may wait for them.
    if name != "api":
        needs |= {"neo4j": "NEO4J_URI" in environment}
        needs |= {"meilisearch": "MEILISEARCH_URL" in environment}
    for store, needed in needs.items():
        if needed:
            assert waits[store] == "service_healthy", store
    assert set(waits) <= set(ALL)


@pytest.mark.parametrize("name", SERVICES)
def test_each_signs_in_with_the_role_of_its_service(name: str) -> None:
    dsn, role = ALL[name]["environment"]["POSTGRES_DSN"], ROLES[name]
    assert dsn.startswith(f"postgresql://kith_{role}:${{KITH_{role.upper()}_PASSWORD:?"), dsn


def test_every_role_gets_a_password() -> None:
    roles = re.findall(r"'kith_(\w+)'", (DEPLOY / "sql/roles.sql").read_text().split("LOOP")[0])
    script = (DEPLOY / "compose/roles.sh").read_text()
    listed = re.search(r'^roles="([^"]+)"', script, re.MULTILINE)
    assert listed
    assert set(listed[1].split()) == set(roles)
    given = {key for key in ALL["roles"]["environment"] if key.startswith("KITH_")}
    assert given == {f"KITH_{role.upper()}_PASSWORD" for role in roles}


@pytest.mark.parametrize("name", SERVICES)
def test_the_environment_is_what_the_settings_read(name: str) -> None:
    """A misspelt variable would be ignored in silence, a missing one found at start."""
    known = read_by(name)
    given = set(ALL[name]["environment"])
    assert given <= set(known), f"nobody reads {sorted(given - set(known))}"
    required = {variable for variable, field in known.items() if field.is_required()}
    assert required <= given, f"missing: {sorted(required - given)}"


def test_files_that_are_mounted_exist() -> None:
    for name, service in ALL.items():
        for volume in service.get("volumes", []):
            source = str(volume).split(":", 1)[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
                assert str(volume).endswith(":ro"), f"{name}: {volume}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
