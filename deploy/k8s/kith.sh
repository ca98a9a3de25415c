#!/usr/bin/env bash
# Runs one kith command in the cluster, as restricted as everything else, and removes the pod:
#   deploy/k8s/kith.sh dead list
#   KITH_AS=migrate deploy/k8s/kith.sh migrate --phase post
# KITH_AS names whose Secret it uses (kith-cli by default); the image is the one that the API runs.
set -euo pipefail

namespace="${KITH_NAMESPACE:-kith}"
as="${KITH_AS:-cli}"
image="$(kubectl -n "$namespace" get deploy/api -o jsonpath='{.spec.template.spec.containers[0].image}')"
config="$(kubectl -n "$namespace" get deploy/api -o jsonpath='{.spec.template.spec.containers[0].envFrom[0].configMapRef.name}')"
overrides="$(python3 - "$as" "$image" "$config" "$@" <<'PY'
import json, sys
as_, image, config, *arguments = sys.argv[1:]
print(json.dumps({"spec": {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001,
                        "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                {"name": "ca", "configMap": {"name": "kith-ca"}}],
    "containers": [{
        "name": "kith", "image": image, "args": ["kith", *arguments], "stdin": True,
        "envFrom": [{"configMapRef": {"name": config}}, {"secretRef": {"name": f"kith-{as_}"}}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"},
                         {"name": "ca", "mountPath": "/etc/kith/ca", "readOnly": True}],
    }],
}}))
PY
)"
exec kubectl -n "$namespace" run "kith-$as-$$" --rm --stdin --quiet --restart=Never \
    --image="$image" --labels="app.kubernetes.io/name=$as" --overrides="$overrides"
