"""The workflows of GitHub: well-formed, pinned, with the rights they need, and all by make."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from localcluster.tools import locate_tool

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").iterdir())
ACTION: Final = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WRITES: Final = {
    ("release.yaml", "announce"): {"contents"},
    ("release.yaml", "publish"): {"packages", "id-token", "attestations"},
    ("scan.yaml", "code"): {"security-events"},
}
"""What may write what; all others only read."""
BUILDS: Final = {"image", "zipapp", "dist", "wheels", "release-programs"}
"""Targets that run what others wrote."""

every = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(text: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    return {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def faults(name: str, text: str) -> list[str]:
    """Return what is wrong with a workflow."""
    workflow = load(text)
    found = [
        f"no commit and version: {line.strip()}"
        for line in text.splitlines()
        if re.search(r"^\s*(- )?(&\w+ )?uses:", line) and not ACTION.search(line)
    ]
    if "pull_request_target" in workflow["on"] or "workflow_run" in workflow["on"]:
        found.append("it runs changes of others with our rights")
    if workflow.get("permissions") != {}:
        found.append("permissions are not {} at the top")
    if set(workflow.get("concurrency", ())) != {"group", "cancel-in-progress"}:
        found.append("no concurrency")
    for job_name, job in workflow["jobs"].items():
        found += [f"{job_name} {fault}" for fault in job_faults(job, WRITES.get((name, job_name)))]
    for step in steps(workflow):
        found += step_faults(step)
    return found


def job_faults(job: dict[str, Any], allowed: set[str] | None) -> Iterator[str]:
    writes = {what for what, how in job.get("permissions", {}).items() if how != "read"}
    if writes != (allowed or set()):
        yield f"may write {sorted(writes)}"
    if writes and (made := built(job)):
        yield f"builds with rights: {made}"
    if "timeout-minutes" not in job:
        yield "has no timeout"


def built(job: dict[str, Any]) -> list[str]:
    """Return what a job builds, a compiler that it fetches included."""
    made = [target for step in job["steps"] for target in targets(step.get("run", ""))]
    fetched = [uses for step in job["steps"] if "setup-go" in (uses := step.get("uses", ""))]
    return [target for target in made if target in BUILDS] + fetched


def step_faults(step: dict[str, Any]) -> Iterator[str]:
    run = step.get("run", "")
    if "${{" in run:
        yield f"an expression becomes part of a script: {run}"
    if run and not targets(run):
        yield f"no target of make: {run}"
    is_checkout = step.get("uses", "").startswith("actions/checkout@")
    if is_checkout and step.get("with", {}).get("persist-credentials") is not False:
        yield "the checkout leaves its token in the work tree"


def targets(run: str) -> list[str]:
    """Return the targets that a step makes."""
    words = shlex.split(run)
    if "make" not in words:
        return []
    rest = words[words.index("make") + 1 :]
    ends = [rest.index(word) for word in ("&&", "||", ";", "|") if word in rest]
    return [word for word in rest[: min(ends, default=None)] if "=" not in word]


@every
def test_it_is_pinned_and_has_only_the_rights_it_needs(path: Path) -> None:
    assert faults(path.name, path.read_text()) == []


@every
def test_every_target_exists(path: Path) -> None:
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = [t for step in steps(load(path.read_text())) for t in targets(step.get("run", ""))]
    assert made
    assert set(made) - known == set()


PINNED: Final = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (PINNED, "actions/checkout@v7", "no commit and version"),
        (PINNED, PINNED.replace("3d3c", "3d3"), "no commit and version"),
        (PINNED, PINNED.partition(" #")[0], "no commit and version"),
        ("  pull_request:", "  pull_request_target:", "with our rights"),
        ("permissions: {}", "permissions: write-all", "at the top"),
        ("      contents: read", "      contents: write", "may write"),
        ("persist-credentials: false", "fetch-depth: 0", "leaves its token"),
        ("    timeout-minutes: 120\n", "", "no timeout"),
        ("concurrency:", "x-concurrency:", "no concurrency"),
        ("run: make test", "run: make test ${{ github.head_ref }}", "part of a script"),
        ("run: make test", "run: python -m pytest", "no target of make"),
    ],
)
def test_a_worse_workflow_is_caught(old: str, new: str, fault: str) -> None:
    text = (ROOT / ".github" / "workflows" / "test.yaml").read_text()
    assert old in text
    assert any(fault in found for found in faults("test.yaml", text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("run: make downloads", "run: make wheels downloads"),
        ("run: make unpack-programs", "run: make release-programs"),
        ("run: make unpack-programs", "uses: actions/setup-go@v7"),
        ("contents: write # the release and its files", "contents: read"),
    ],
)
def test_a_worse_release_is_caught(old: str, new: str) -> None:
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    assert old in text
    found = faults("release.yaml", text.replace(old, new))
    assert any("builds with rights" in fault or "may write" in fault for fault in found)


@pytest.fixture(scope="session")
def actionlint() -> Path:
    return locate_tool("actionlint")


def lint(actionlint: Path, path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(actionlint), "-shellcheck=", "-pyflakes=", "-oneline", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@every
def test_actionlint_finds_nothing(actionlint: Path, path: Path) -> None:
    done = lint(actionlint, path)
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_finds_what_is_wrong(actionlint: Path, tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    broken = tmp_path / "release.yaml"
    broken.write_text(
        text.replace("needs: [build,", "needs: [builds,").replace("matrix.runner", "x.y")
    )
    done = lint(actionlint, broken)
    assert done.returncode == 1
    assert '"builds"' in done.stdout
    assert 'undefined variable "x"' in done.stdout
