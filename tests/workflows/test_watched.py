"""What is fetched from others is watched: by Dependabot, or by make lock and make audit."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
MANIFESTS: Final = {"gomod": "go.mod", "npm": "package.json", "maven": "pom.xml"}


def watched(ecosystem: str) -> Iterator[str]:
    """Yield the folders in which Dependabot looks."""
    for update in yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]:
        if update["package-ecosystem"] == ecosystem:
            yield from update.get("directories") or [update["directory"]]


@pytest.mark.parametrize("ecosystem", MANIFESTS)
def test_dependabot_looks_at_every_module(ecosystem: str) -> None:
    command = ["git", "ls-files", f"**/{MANIFESTS[ecosystem]}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    found = [f"/{Path(line).parent}" for line in done.stdout.splitlines()]
    assert found
    assert sorted(watched(ecosystem)) == sorted(found)


def test_every_lock_is_audited() -> None:
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    recipe = (ROOT / "Makefile").read_text().partition("\naudit:")[2]
    (named,) = re.findall(r"for lock in (.*?); do", recipe.partition("\n.PHONY")[0])
    assert set(named.split()) == locks
