"""`python -m charts.check`: hold what the charts render against kube-score and kubeconform.

kubeconform's schemas are those of a local API server with our CRDs, so nothing is fetched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from charts.schemas import LOCATION, write_schemas
from charts.scores import findings
from localcluster import Cluster, ClusterError
from localcluster.helm import locate_helm
from localcluster.progress import to_stderr
from localcluster.tools import locate_tool

ROOT: Final = Path(__file__).parents[1]
CHART: Final = ROOT / "charts" / "appcredential"
CRDS_CHART: Final = ROOT / "charts" / "appcredential-crds"
VALUES: Final = ("tests/chart/values", "examples/values")
"""Folders of values that are rendered besides the defaults."""


def value_files() -> list[Path]:
    """Return the files of values that are rendered."""
    return sorted(path for folder in VALUES for path in (ROOT / folder).glob("*.yaml"))


def main() -> int:
    """Check all; print what is found and return the exit status."""
    try:
        with tempfile.TemporaryDirectory(prefix="appcredential-charts-") as folder:
            found = check(Path(folder))
    except (ClusterError, ValueError) as error:
        to_stderr(f"error: {error}")
        return 1
    for line in found:
        to_stderr(f"error: {line}")
    return 1 if found else 0


def check(folder: Path) -> list[str]:
    """Render the charts into a folder and return what is wrong with them, a line each.

    Raises:
        ClusterError: a program could not be built, or the API server did not start.
        ValueError: a chart did not render, or a program did not answer.
    """
    helm, kube_score = locate_helm(to_stderr), locate_tool("kube-score", to_stderr)
    kubeconform = locate_tool("kubeconform", to_stderr)
    rendered = list(render(helm, folder))
    schemas = folder / "schemas"
    schemas.mkdir()
    with Cluster() as cluster:
        cluster.install_crds(CHART / "crds")
        count = write_schemas(cluster.api.call("GET", "/openapi/v2"), schemas)
        version = cluster.api.call("GET", "/version")
    kubernetes = f"v{version['major']}.{version['minor']}"
    found: list[str] = []
    for path in rendered:
        found += (f"{path.stem}: {line}" for line in findings(kube_score, path, kubernetes))
        found += (f"{path.stem}: {line}" for line in refusals(kubeconform, path, schemas))
    names = ", ".join(path.stem for path in rendered)
    to_stderr(f"kube-score and kubeconform ({count} kinds of {kubernetes}) looked at {names}")
    return found


def render(helm: Path, folder: Path) -> Iterator[Path]:
    """Yield files of manifests: of the defaults, of each file of values, and of the CRDs."""
    yield _rendered(helm, CHART, folder / "defaults.yaml")
    for values in value_files():
        yield _rendered(helm, CHART, folder / f"values-{values.name}", "-f", str(values))
    yield _rendered(helm, CRDS_CHART, folder / "crds.yaml")


def _rendered(helm: Path, chart: Path, target: Path, *words: str) -> Path:
    command = [str(helm), "template", "appcredential", str(chart), "-n", "appcredential-system"]
    done = subprocess.run(
        [*command, *words],
        env={**os.environ, "KUBECONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise ValueError(f"{chart.name} does not render ({' '.join(words)}): {done.stderr.strip()}")
    target.write_text(done.stdout)
    return target


def refusals(kubeconform: Path, manifests: Path, schemas: Path) -> list[str]:
    """Return what kubeconform refuses of a file, a line each; a kind without a schema is refused.

    Raises:
        ValueError: it looked at nothing, or its answer is not JSON.
    """
    location = str(schemas / LOCATION)
    command = [str(kubeconform), "-strict", "-output", "json", "-verbose"]
    done = subprocess.run(
        [*command, "-schema-location", location, str(manifests)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    try:
        resources = json.loads(done.stdout)["resources"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"kubeconform did not check {manifests}: {done.stderr.strip()}") from None
    if not resources:
        raise ValueError(f"kubeconform found no manifest in {manifests}")
    return [
        f"{r['kind']} {r['name']}: {r['status']}: {r['msg']}"
        for r in resources
        # A document of comments alone has neither kind nor status.
        if r["status"] != "statusValid" and (r["kind"] or r["msg"])
    ]


if __name__ == "__main__":
    sys.exit(main())
