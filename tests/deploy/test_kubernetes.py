"""deploy/k8s: all overlays rendered, valid for Kubernetes 1.37, as guarded as we promise."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml

from shared.events import topics
from tests.deploy import prometheus_rule
from tests.deploy.declared import DEPLOY, ROLES, SERVICES, groups, read_by

OVERLAYS = ("dev", "production", "object-storage")
OURS = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
"""Resources of operators: Kubernetes' own schemas do not know them."""
Resource = dict[str, Any]

TEXT = {"type": "string", "minLength": 1}
OPERATORS: dict[str, Resource] = {
    "ScaledObject": {
        "required": ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "triggers"],
        "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {"type": "object", "required": ["name"]},
            "minReplicaCount": {"type": "integer", "minimum": 1},
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "pollingInterval": {"type": "integer"},
            "cooldownPeriod": {"type": "integer", "minimum": 300},
            "advanced": {"type": "object"},
            "triggers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "metadata", "authenticationRef"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"const": "kafka"},
                        "authenticationRef": {"type": "object", "required": ["name"]},
                        # KEDA takes every value as a string, booleans and numbers too.
                        "metadata": {
                            "type": "object",
                            "additionalProperties": TEXT,
                            "propertyNames": {
                                "enum": [
                                    "bootstrapServersFromEnv", "consumerGroup", "topic",
                                    "lagThreshold", "activationLagThreshold", "offsetResetPolicy",
                                    "allowIdleConsumers", "limitToPartitionsWithLag",
                                    "excludePersistentLag",
                                ],
                            },
                        },
                    },
                },
            },
        },
    },
    "TriggerAuthentication": {
        "required": ["secretTargetRef"],
        "additionalProperties": False,
        "properties": {
            "secretTargetRef": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["parameter", "name", "key"],
                    "additionalProperties": False,
                    "properties": {"parameter": TEXT, "name": TEXT, "key": TEXT},
                },
            }
        },
    },
    "PodMonitor": {
        "required": ["selector", "podMetricsEndpoints"],
        "additionalProperties": False,
        "properties": {
            "jobLabel": TEXT,
            "selector": {"type": "object"},
            "podMetricsEndpoints": {"type": "array", "minItems": 1},
        },
    },
    "PrometheusRule": {
        "required": ["groups"],
        "additionalProperties": False,
        "properties": {
            "groups": {
                "type": "array",
                "items": {"type": "object", "required": ["name", "rules"]},
            }
        },
    },
}  # fmt: skip
"""The parts of the operators' schemas that we use."""


@cache
def rendered(path: str) -> tuple[Resource, ...]:
    """Render a kustomization as `kubectl apply -k` would."""
    result = subprocess.run(
        [Path(sys.executable).parent / "kubectl", "kustomize", DEPLOY / "k8s" / path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return tuple(yaml.safe_load_all(result.stdout))


def kinds(path: str, kind: str) -> dict[str, Resource]:
    """Select resources by kind, by name."""
    return {r["metadata"]["name"]: r for r in rendered(path) if r["kind"] == kind}


def pods(path: str) -> Iterator[tuple[str, Resource]]:
    """Yield name and pod spec of everything that runs."""
    for kind in ("Deployment", "Job"):
        for resource in kinds(path, kind).values():
            labels = resource["spec"]["template"]["metadata"]["labels"]
            yield labels["app.kubernetes.io/name"], resource["spec"]["template"]["spec"]


def _config(overlay: str) -> dict[str, str]:
    """Return the variables that every pod gets."""
    maps = kinds(f"overlays/{overlay}", "ConfigMap")
    data: dict[str, str] = next(r["data"] for n, r in maps.items() if n.startswith("kith-config"))
    return data


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_resource_is_valid(overlay: str) -> None:
    for resource in rendered(f"overlays/{overlay}"):
        if resource["apiVersion"] in OURS:
            jsonschema.validate(resource["spec"], OPERATORS[resource["kind"]])
        else:
            kubernetes_validate.validate(resource, "1.37", strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_referenced_and_never_included(overlay: str) -> None:
    assert not kinds(f"overlays/{overlay}", "Secret")
    for key in _config(overlay):
        assert not any(word in key for word in ("PASSWORD", "SECRET", "DSN", "_KEY")), key


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted(overlay: str) -> None:
    """Pod Security Standards, restricted profile, and what runtime.md adds to it."""
    for name, spec in pods(f"overlays/{overlay}"):
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["serviceAccountName"] == name
        assert spec["terminationGracePeriodSeconds"] == 45, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] >= 10000, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert all("hostPath" not in volume for volume in spec["volumes"]), name
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"]["drop"] == ["ALL"], name
            resources = container["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}, name
            assert resources["limits"] == {"memory": resources["requests"]["memory"]}, name
            assert "command" not in container, "the image's entry point picks the service by args"
            assert not container["image"].endswith(":latest")
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_deployment_is_probed_spread_and_disruptable(overlay: str) -> None:
    budgets = {
        budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: budget["spec"]
        for budget in kinds(f"overlays/{overlay}", "PodDisruptionBudget").values()
    }
    for name in SERVICES:
        deployment = kinds(f"overlays/{overlay}", "Deployment")[name]["spec"]
        container = deployment["template"]["spec"]["containers"][0]
        assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        # Never a dependency in liveness: restarting a pod does not bring a database back.
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        keys = {
            spread["topologyKey"]
            for spread in deployment["template"]["spec"]["topologySpreadConstraints"]
        }
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        assert budgets[name]["maxUnavailable"] == 1
        if name != "api":
            assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_every_group_is_scaled_on_the_lag_of_every_topic_it_reads() -> None:
    scaled: dict[str, set[str]] = {}
    for name, scaler in kinds("overlays/production", "ScaledObject").items():
        spec = scaler["spec"]
        assert spec["scaleTargetRef"]["name"] == name
        assert "replicas" not in kinds("overlays/production", "Deployment")[name]["spec"], name
        partitions = 0
        for trigger in spec["triggers"]:
            metadata = trigger["metadata"]
            scaled.setdefault(metadata["consumerGroup"], set()).add(metadata["topic"])
            assert metadata["limitToPartitionsWithLag"] == "true"
            assert metadata["excludePersistentLag"] == "true"
            assert metadata["allowIdleConsumers"] == "false"
            known = {topic.name: topic.partitions for topic in topics.ALL}
            partitions = max(partitions, known[metadata["topic"]])
        assert 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= partitions, name
    assert scaled == groups()


def test_the_relay_is_two_and_is_not_scaled() -> None:
    assert kinds("overlays/production", "Deployment")["relay"]["spec"]["replicas"] == 2
    assert "relay" not in kinds("overlays/production", "ScaledObject")


STORES = {
    "kafka": ("KAFKA_SASL_USERNAME",),
    "postgres": ("POSTGRES_DSN",),
    "redis": ("REDIS_URL",),
    "neo4j": ("NEO4J_PASSWORD",),
    "meilisearch": ("MEILISEARCH_API_KEY",),
    "vendors": ("ENRICHER_VENDOR_KEY", "INGEST_ENCRYPTION_KEYS"),
}
"""Whom a pod may reach ← the secret that it holds for it."""


def _selected(policy: Resource) -> set[str]:
    for expression in policy["spec"]["podSelector"].get("matchExpressions", []):
        assert expression["operator"] == "In"
        return set(expression["values"])
    return {"*"}


def test_nobody_talks_to_anybody_but_who_must() -> None:
    policies = kinds("overlays/production", "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    for store, keys in STORES.items():
        holders = {
            name
            for name, spec in pods("overlays/production")
            if {entry["name"] for entry in spec["containers"][0].get("env", [])} & set(keys)
        }
        if store in {"kafka", "postgres"}:
            holders.add("cli")  # deploy/k8s/kith.sh
        assert _selected(policies[f"to-{store}"]) == holders, store
    assert _selected(policies["from-gateway"]) == {"ingest", "api"}
    assert _selected(policies["from-monitoring"]) == set(SERVICES)
    for name, policy in policies.items():
        for rule in policy["spec"].get("egress", []) + policy["spec"].get("ingress", []):
            assert rule["ports"], f"{name}: a peer without ports is open"
            for peer in rule.get("to", []) + rule.get("from", []):
                assert peer, f"{name}: an empty peer is everybody"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_the_environment_is_what_the_settings_read(overlay: str, name: str) -> None:
    """A misspelt variable would be ignored in silence, a missing one found at start."""
    container = dict(pods(f"overlays/{overlay}"))[name]["containers"][0]
    own = {entry["name"]: entry for entry in container["env"]}
    config = _config(overlay)
    named = container["envFrom"][0]["configMapRef"]["name"]
    assert named in kinds(f"overlays/{overlay}", "ConfigMap"), "the digest in its name went astray"
    known = read_by(name)
    assert set(own) - {"HTTPS_PROXY", "NO_PROXY"} <= set(known), sorted(set(own) - set(known))
    required = {variable for variable, field in known.items() if field.is_required()}
    assert required <= set(own) | set(config), sorted(required - set(own) - set(config))
    everyone = {variable for service in SERVICES for variable in read_by(service)}
    assert set(config) <= everyone, f"nobody reads {sorted(set(config) - everyone)}"
    for entry in own.values():
        if "valueFrom" in entry:
            is_uploads = entry["name"].startswith("INGEST_S3_")
            assert entry["valueFrom"]["secretKeyRef"] == {
                "name": "kith-uploads" if is_uploads else f"kith-{ROLES[name]}",
                "key": entry["name"],
            }


def test_uploads_go_to_object_storage_by_who_takes_them_in_alone() -> None:
    overlay = "overlays/object-storage"
    policy = kinds(overlay, "NetworkPolicy")["to-object-storage"]
    holders = {
        name
        for name, spec in pods(overlay)
        if any(one["name"].startswith("INGEST_S3_") for one in spec["containers"][0].get("env", []))
    }
    assert _selected(policy) == holders == {"ingest"}
    [rule] = policy["spec"]["egress"]
    endpoint = urlsplit(_config("object-storage")["INGEST_S3_ENDPOINT"])
    assert (endpoint.scheme, [{"protocol": "TCP", "port": endpoint.port}]) == (
        "https",
        rule["ports"],
    )
    container = dict(pods(overlay))["ingest"]["containers"][0]
    [around] = [one["value"] for one in container["env"] if one["name"] == "NO_PROXY"]
    assert endpoint.hostname
    assert endpoint.hostname.endswith(around), "a proxy lets nobody into the cluster"
    assert (
        kinds(overlay, "NetworkPolicy").keys() - {"to-object-storage"}
        == kinds("overlays/production", "NetworkPolicy").keys()
    )


def test_personal_data_lies_on_encrypted_volumes() -> None:
    classes = kinds("overlays/production", "StorageClass")
    assert classes["kith-encrypted"]["parameters"]["encrypted"] == "true"
    policy = kinds("overlays/production", "ValidatingAdmissionPolicy")["kith-encrypted-volumes"]
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert "kith-encrypted" in policy["spec"]["validations"][0]["expression"]
    binding = kinds("overlays/production", "ValidatingAdmissionPolicyBinding")[
        "kith-encrypted-volumes"
    ]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert "Deny" in binding["spec"]["validationActions"]


def test_production_speaks_tls_to_its_stores() -> None:
    config = _config("production")
    assert config["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert config["NEO4J_URI"].startswith("bolt+s://")
    assert config["MEILISEARCH_URL"].startswith("https://")


def test_the_operator_gets_the_same_rules_as_prometheus() -> None:
    """Generated: run `python tests/deploy/prometheus_rule.py`."""
    assert prometheus_rule.TARGET.read_text() == prometheus_rule.render()
