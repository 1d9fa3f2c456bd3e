"""An audit log of the API server: who asked for what, and whether it was allowed.

Only metadata is written, never a body: that of a Secret is the Secret. Kubernetes' own
controllers are left out, and so is everybody who is no ServiceAccount.
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
    """Return where the log of a cluster with this folder is: JSON, an event a line."""
    return folder / _LOG


def flags(folder: Path) -> list[str | Path]:
    """Write the policy; return what the API server is told. A request waits for its line."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(_POLICY))
    return [f"--audit-policy-file={policy}", f"--audit-log-path={log_file(folder)}"]
