"""Helm as a person uses it, against the local cluster and with folders of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from localcluster import Cluster

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "charts" / "appcredential"
CRDS_CHART: Final = ROOT / "charts" / "appcredential-crds"
VALUES: Final = Path(__file__).parent / "values"
NAMESPACE: Final = "appcredential-system"
RELEASE: Final = "appcredential"


class HelmError(Exception):
    """Helm ended with a status other than zero; the message is what it said."""


class Helm:
    """Runs helm; with a cluster, as its administrator."""

    def __init__(self, binary: Path, folder: Path, cluster: Cluster | None = None) -> None:
        self._binary = binary
        own = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        self._env = {**(cluster.env() if cluster is not None else os.environ), **own}
        if cluster is None:
            self._env["KUBECONFIG"] = os.devnull

    def run(self, *words: str | Path) -> str:
        """Return what it printed.

        Raises:
            HelmError: it failed.
        """
        done = subprocess.run(
            [str(self._binary), *map(str, words)],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise HelmError(done.stderr.strip())
        return done.stdout

    def template(self, *words: str | Path, chart: Path = CHART, namespace: str = NAMESPACE) -> str:
        """Return what the chart renders, without a cluster."""
        return self.run("template", RELEASE, chart, "-n", namespace, *words)

    def refusal(self, *words: str | Path) -> str:
        """Return what helm says of values that must not render."""
        try:
            self.template(*words)
        except HelmError as error:
            return str(error)
        raise AssertionError("it was not refused")


def documents(text: str) -> list[dict[str, Any]]:
    """Return the manifests of a rendered text."""
    return [found for found in yaml.safe_load_all(text) if found]


def one(found: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    """Return the only manifest of that kind, or of that kind and name."""
    (manifest,) = (d for d in found if d["kind"] == kind and name in {"", d["metadata"]["name"]})
    return manifest


def environment(deployment: dict[str, Any], pod: str) -> dict[str, str]:
    """Return the environment of the operator's container, as a kubelet would make it."""
    fields = {"metadata.namespace": deployment["metadata"]["namespace"], "metadata.name": pod}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {
        e["name"]: str(e["value"]) if "value" in e else fields[_field(e)] for e in container["env"]
    }


def _field(entry: dict[str, Any]) -> str:
    return str(entry["valueFrom"]["fieldRef"]["fieldPath"])


def flags(values: dict[str, Any]) -> Iterator[str]:
    """Yield the words that set values, whatever they are made of."""
    for name, value in values.items():
        yield "--set-json"
        yield f"{name}={json.dumps(value)}"
