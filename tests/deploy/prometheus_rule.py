"""Wrap deploy/prometheus/rules for the Prometheus operator; run it after changing a rule."""

from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
TARGET: Final = DEPLOY / "k8s/base/prometheus-rule.yaml"
HEAD: Final = """\
# Generated from deploy/prometheus/rules by tests/deploy/prometheus_rule.py. Edit those, and run it.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: kith
spec:
  groups:
"""


def render() -> str:
    """Join the groups of every rule file, comments included, under one resource."""
    parts = [HEAD]
    for path in sorted((DEPLOY / "prometheus/rules").glob("*.yaml")):
        _, groups = path.read_text().split("groups:\n", 1)
        parts += [
            f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True)
        ]
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(render())
