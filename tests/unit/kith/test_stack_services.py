"""The plan: which processes, with which environment."""

from pathlib import Path

import pytest

from kith.stack.cli import parse_replicas
from kith.stack.errors import StackError
from kith.stack.services import SERVICES, Plan, Service, make_plan, name_processes

TABLE = (
    Service("resolver", ("-m", "r"), role="kith_resolver", replicas=2),
    Service("indexer", ("-m", "i"), role="kith_indexer", nice=10),
    Service("vendor", ("-m", "v")),
    Service("later", ("-m", "l"), module="kith.not_written_yet"),
)


def plan(
    replicas: dict[str, int] | None = None, extra: dict[str, dict[str, str]] | None = None
) -> Plan:
    named = name_processes(TABLE, replicas or {})
    return make_plan(
        named,
        checkout=Path("/checkout"),
        ports={name: 21000 + number for number, (name, _) in enumerate(named)},
        environments={service.role: {"POSTGRES_DSN": service.role} for service in TABLE},
        extra=extra or {},
    )


def test_replicas_are_numbered_and_what_is_not_written_is_left_out() -> None:
    names = [planned.name for planned in plan({"resolver": 3, "vendor": 0}).processes]
    assert names == ["resolver-1", "resolver-2", "resolver-3", "indexer-1"]


def test_every_process_has_its_role_and_its_port() -> None:
    for planned in plan().processes:
        assert planned.env["HTTP_PORT"] == str(planned.port)
        assert planned.env[f"{planned.service.upper()}_PORT"] == str(planned.port)
    assert [planned.env["POSTGRES_DSN"] for planned in plan().processes] == [
        "kith_resolver",
        "kith_resolver",
        "kith_indexer",
        "kith_cli",
    ]
    assert len({planned.port for planned in plan().processes}) == 4


def test_services_learn_where_the_first_of_each_other_is() -> None:
    env = plan().processes[2].env
    assert env["RESOLVER_URL"] == "http://127.0.0.1:21000"
    assert env["ENRICHER_VENDOR_URL"] == "http://127.0.0.1:21003"


def test_what_the_caller_adds_wins_over_the_table() -> None:
    extra = {"*": {"LOG_LEVEL": "debug"}, "indexer": {"HTTP_HOST": "::1"}}
    both = plan(extra=extra).processes
    assert {planned.env["LOG_LEVEL"] for planned in both} == {"debug"}
    assert [planned.env["HTTP_HOST"] for planned in both][1:3] == ["127.0.0.1", "::1"]


def test_a_plan_survives_its_file() -> None:
    assert Plan.model_validate_json(plan().model_dump_json()) == plan()


def test_each_service_of_the_table_has_a_name_of_its_own() -> None:
    assert len({service.name for service in SERVICES}) == len(SERVICES)


def test_replicas_are_read_from_the_command_line() -> None:
    assert parse_replicas(["resolver=3", "api=0"]) == {"resolver": 3, "api": 0}
    with pytest.raises(StackError, match="resolver=3"):
        parse_replicas(["resolver"])
