"""The API server's audit log: who asked for what, and whether it was allowed.

It contains metadata only and never a body, because the body of a Secret is the Secret. It covers
ServiceAccounts, but not Kubernetes' own controllers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

_LOG: Final = "audit.log"
_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


def log_file(folder: Path) -> Path:
    """Return the path of the log in a cluster's folder: one JSON event per line."""
    return folder / _LOG


def flags(folder: Path) -> list[str | Path]:
    """Write the policy and return the API server's flags; a request waits for its log line."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY))
    return [f"--audit-policy-file={policy}", f"--audit-log-path={log_file(folder)}"]
