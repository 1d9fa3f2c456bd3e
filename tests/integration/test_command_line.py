"""`kubectl appcredential` against an operator at work: what it says is done, is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.installation import Installation, Team

pytestmark = [pytest.mark.cluster, pytest.mark.process]

SOURCES = Path(__file__).parents[2] / "operator"


def run(team: Team, installation: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appcredential", "ctl", *words, "-n", team.namespace],
        env={**os.environ, **installation.cluster.env(), "PYTHONPATH": str(SOURCES)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_a_wait_ends_when_it_is_done(installation: Installation) -> None:
    team = installation.team("asked-by-hand")
    team.apply()
    done = run(team, installation, "wait", "app", "--timeout=90s")
    assert done.returncode == 0, done.stderr
    first, old = team.key(), team.values()

    done = run(team, installation, "rotate", "app", "--wait", "--timeout=90s")

    assert done.returncode == 0, done.stderr
    second = team.key()
    assert second != first
    assert done.stderr.endswith(f"/app: {second} is published.\n")
    assert team.sign_in(old), "a rotation keeps the old one for its overlap"

    done = run(team, installation, "revoke", "app", "--yes", "--wait", "--timeout=120s")

    assert done.returncode == 0, done.stderr
    assert team.key() not in {first, second}
    assert {first, second} & set(team.key_ids()) == set(), "it is not over while one is valid"
    assert not team.sign_in(old)
    assert team.signs_in()


def test_a_check_says_what_the_operator_found(installation: Installation) -> None:
    team = installation.team("looked-at")
    team.apply()
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")
    run(team, installation, "suspend", "app")
    team.until(lambda: team.has("Ready", "True", "Suspended"), "it is suspended")
    story = run(team, installation, "status", "app").stdout
    assert "Suspended: nothing is renewed or removed" in story
    installation.kube.delete(team.secret_path())

    done = run(team, installation, "check", "app", "--wait", "--timeout=60s")

    assert done.returncode == 0, done.stderr
    assert "status changed; " in done.stderr
    assert "NAME" in run(team, installation, "list").stdout
