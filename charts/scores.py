"""What kube-score says of rendered manifests, but for opinions that the charts do not follow."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PERFECT: Final = 10
OPINIONS: Final = {
    ("container-image-pull-policy", "ImagePullPolicy is not set to Always"): (
        "a version's image never changes, and a node that has it starts without the registry"
    ),
    ("container-resources", "CPU limit is not set"): (
        "a throttled operator renews its Lease and credentials late; the request says what it needs"
    ),
    (
        "deployment-has-host-podantiaffinity",
        "Deployment does not have a host podAntiAffinity set",
    ): "topologySpreadConstraints spread the replicas, and never keep one from a node",
}
"""By check and finding, why we do not follow it."""
OF_THE_TRIAL: Final = {
    ("deployment-replicas", "Deployment few replicas"): (
        "the trial's emulator keeps its directory in memory: a second one would have another"
    ),
    ("deployment-strategy", "Deployment update strategy"): (
        "two emulators at a time would have two directories"
    ),
    ("pod-probes", "Container is missing a livenessProbe"): (
        "a restart would lose the directory that it keeps in memory"
    ),
}
TRIAL: Final = "appcredential-entra"
"""The Deployment of the trial's emulator."""


def findings(kube_score: Path, manifests: Path, version: str) -> list[str]:
    """Return what kube-score finds and we do not expect, a line each.

    Args:
        kube_score: the program.
        manifests: a file with rendered manifests.
        version: of Kubernetes, such as `v1.36`; some checks depend on it.

    Raises:
        ValueError: its answer is no list of scores.
    """
    command = [str(kube_score), "score", "-o", "json", "--kubernetes-version", version]
    # It ends with 1 when something is critical, which we judge ourselves.
    done = subprocess.run(
        [*command, str(manifests)], capture_output=True, text=True, timeout=120, check=False
    )
    try:
        scored = json.loads(done.stdout)
    except ValueError:
        raise ValueError(f"kube-score did not score {manifests}: {done.stderr.strip()}") from None
    # null: there is nothing to score, as in the chart of the CRDs.
    return [line for scores in scored or () for line in _unexpected(scores)]


def _unexpected(scores: dict[str, Any]) -> Iterator[str]:
    name = scores["object_name"]
    expected = OPINIONS.keys() | (OF_THE_TRIAL.keys() if name.endswith(f"/{TRIAL}") else set())
    for result in scores["checks"] or ():
        if result["skipped"] or result["grade"] >= PERFECT:
            continue
        check = result["check"]
        for comment in result["comments"] or [{"summary": check["name"], "path": ""}]:
            if (check["id"], comment["summary"]) not in expected:
                path = f" ({comment['path']})" if comment["path"] else ""
                yield f"{name}: {check['id']}: {comment['summary']}{path}"
