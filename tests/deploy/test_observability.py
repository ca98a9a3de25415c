"""Rules and dashboards: accepted by promtool, about metrics that exist, with their runbooks."""

import json
import re
import shutil
import subprocess
from itertools import pairwise
from typing import Any

import pytest
import yaml

from shared.errors import DEAD_LETTER_REASONS
from shared.events import topics
from tests.deploy.declared import (
    DEPLOY,
    ROOT,
    SERVICES,
    groups,
    metric_labels,
    names_in,
)

PROMETHEUS = DEPLOY / "prometheus"
PROCESS = {
    "up",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
"""What Prometheus and its Python client add by themselves."""
RULES: list[dict[str, Any]] = [
    rule
    for path in sorted((PROMETHEUS / "rules").glob("*.yaml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
OPTIONAL = {"indexer-graph", "indexer-meilisearch", "indexer-state"}
"""Groups of what an installation may do without."""
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
}


def _promtool(*arguments: str) -> None:
    result = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="NOT CHECKED: promtool is not on PATH (Debian package: prometheus)",
)


@needs_promtool
def test_promtool_accepts_configuration_and_rules() -> None:
    _promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    _promtool("test", "rules", *(f"tests/{path.name}" for path in (PROMETHEUS / "tests").glob("*")))


def test_prometheus_loads_every_rule_file_and_scrapes_every_service() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert {f"rules/{path.name}" for path in (PROMETHEUS / "rules").glob("*")} == set(
        config["rule_files"]
    )
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    assert jobs == {*SERVICES, "prometheus"}


def test_what_must_be_there_is_listed_in_full() -> None:
    """Absence has no time series: the lists in the rules must be the real ones."""
    listed: dict[str, set[str]] = {}
    for rule in RULES:
        if rule.get("expr") == "vector(1)":
            listed.setdefault(rule["record"], set()).update(rule["labels"].values())
    assert listed["kith:job_expected"] == set(SERVICES)
    assert listed["kith:group_expected"] == set(groups()) - OPTIONAL
    text = (PROMETHEUS / "rules/pipeline.yaml").read_text()
    assert f'group=~"{"|".join(sorted(OPTIONAL))}"' in text


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_who_what_and_where_to_read(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["labels"]["owner"]
    assert alert["annotations"]["summary"]
    url = alert["annotations"]["runbook_url"]
    path = url.removeprefix("{{ $externalLabels.runbooks }}")
    assert (ROOT / path).exists(), path
    assert name in (ROOT / path).read_text(), f"{path} does not mention {name}"


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_tested(name: str) -> None:
    for path in (PROMETHEUS / "tests").glob("*"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                if check["alertname"] == name and check["exp_alerts"]:
                    return
    pytest.fail("no test in which it fires")


def _expressions() -> list[tuple[str, str]]:
    found = [(rule.get("alert") or rule["record"], str(rule["expr"])) for rule in RULES]
    for board, content in BOARDS.items():
        for panel in content["panels"]:
            found += [
                (f"{board}: {panel['title']}", target["expr"])
                for target in panel.get("targets", [])
            ]
        found += [
            (f"{board}: {note['name']}", note["expr"]) for note in content["annotations"]["list"]
        ]
        for variable in content["templating"]["list"]:
            if variable["type"] == "query":
                series = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
                assert series, variable["definition"]
                found.append((f"{board}: ${variable['name']}", series[1]))
    return found


@pytest.mark.parametrize(("where", "expression"), _expressions())
def test_every_series_that_is_read_exists(where: str, expression: str) -> None:
    """A misspelt name makes an empty panel, and an alert that never fires."""
    names = names_in(expression)
    assert names or expression == "vector(1)", where
    known = set(metric_labels()) | RECORDED | PROCESS
    assert names <= known, f"{where}: nobody exposes {sorted(names - known)}"


@pytest.mark.parametrize(("where", "expression"), _expressions())
def test_every_label_that_is_matched_exists(where: str, expression: str) -> None:
    target = {"job", "instance", "environment"}
    for name, matchers in re.findall(r"([a-z_:0-9]+)\{([^}]*)\}", expression):
        if name in metric_labels():
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            assert used <= metric_labels()[name] | target, where


def test_values_that_are_matched_exist() -> None:
    """Groups, topics and reasons by their names in the code."""
    text = "\n".join(expression for _, expression in _expressions())
    for group in re.findall(r'(?:group|stage)!?="([^"$]+)"', text):
        assert group in groups(), group
    for pattern in re.findall(r'(?:group|stage)=~"([^"$]+)"', text):
        assert any(re.fullmatch(pattern, group) for group in groups()), pattern
    for topic in re.findall(r'topic="([^"$]+)"', text):
        assert topic in {known.name for known in topics.ALL}
    for reasons in re.findall(r'reason=~?"([^"]+)"', text):
        assert set(reasons.split("|")) <= set(DEAD_LETTER_REASONS)
    for edge in re.findall(r'le="([^"]+)"', text):
        from shared.observability import metrics  # noqa: PLC0415 -- only this test looks inside

        assert float(edge) in metrics.END_TO_END_SECONDS._upper_bounds


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_well_formed(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"kith-{name}"
    variables = [variable["name"] for variable in board["templating"]["list"]]
    assert variables[:2] == ["datasource", "environment"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)), "ids are unique"
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        title = panel["title"]
        assert panel["description"], title
        assert panel["fieldConfig"]["defaults"]["unit"], f"{title}: no panel without a unit"
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], title
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}", title
            for variable in re.findall(r"\$(\w+)", target["expr"]):
                assert variable in variables or variable.startswith("__"), f"{title}: ${variable}"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    boxes = [panel["gridPos"] for panel in BOARDS[name]["panels"]]
    taken: set[tuple[int, int]] = set()
    for box in boxes:
        assert box["x"] + box["w"] <= 24
        cells = {
            (x, y)
            for x in range(box["x"], box["x"] + box["w"])
            for y in range(box["y"], box["y"] + box["h"])
        }
        assert not cells & taken
        taken |= cells


def test_the_overview_follows_a_signal_from_left_to_right() -> None:
    """A row a stage, in the order of the road, each with the same four panels."""
    rows: dict[str, list[str]] = {}
    row = ""
    for panel in BOARDS["overview"]["panels"]:
        if panel["type"] == "row":
            row = panel["title"].split(":")[0]
            rows[row] = []
        else:
            rows[row].append(panel["title"])
    stages = [
        "ingest",
        "resolver",
        "resolver-bulk",
        "matcher",
        "relay",
        "projector",
        "indexer",
        "enricher",
        "api",
    ]
    order = list(rows)
    assert order[0] == "The promise"
    assert order[-2:] == ["Saturation", "Dependencies"]
    assert [row for row in order if row in stages] == stages
    assert all(order.index(a) < order.index(b) for a, b in pairwise(stages))
    for stage in stages:
        assert len(rows[stage]) == 4, stage
        assert [title.split(": ")[1].split(" ")[0] for title in rows[stage]][:2] == [
            "rate",
            "errors",
        ]


def test_the_overview_leaves_out_no_group_and_no_service() -> None:
    exprs = [
        target["expr"]
        for panel in BOARDS["overview"]["panels"]
        for target in panel.get("targets", [])
    ]
    text = "\n".join(exprs)
    seen = re.findall(r'consumer_lag_seconds\{[^}]*group=~?"([^"$]+)"', text)
    for group in groups():
        assert any(re.fullmatch(pattern, group) for pattern in seen), group
    jobs = [set(found.split("|")) for found in re.findall(r'job=~"([^"$]+)"', text)]
    assert jobs
    assert all(found == set(SERVICES) for found in jobs)


def test_provisioning_names_what_compose_mounts() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/kith.yaml").read_text())
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for source in sources["datasources"]:
        host = source["url"].removeprefix("http://").split(":")[0]
        assert host in compose
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/kith.yaml").read_text())
    path = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{path}:ro" in compose["grafana"]["volumes"]
