"""The image's msgraph-sdk is enough for every call that the operator makes, and is not more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from appcredential.entra import operations
from image.prune import MODULES, kept, module_of, prune

ROOT = Path(__file__).parents[2]
PARTS = ("emulated", "federated", "lists_emulated", "policies", "reads")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The operations that were sent by a run of the adapters' tests with the image's modules."""
    path = tmp_path_factory.mktemp("sdk") / "operations.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.image.pruning"]
    command += ["-p", "no:cacheprovider", f"--basetemp={path.parent / 'run'}"]
    command += [f"tests/entra/test_{name}.py" for name in PARTS]
    env = {**os.environ, "MSGRAPH_OPERATIONS": str(path), "PYTHONPATH": f"{ROOT}:{ROOT}/operator"}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    found: list[str] = json.loads(path.read_text())
    return found


def test_every_call_that_we_make_works_with_it(sent: list[str]) -> None:
    source = Path(str(operations.__file__)).read_text()
    known = set(re.findall(r'^[A-Z_]+: Final = "([a-zA-Z.]+)"$', source, re.MULTILINE))
    assert "application.addPassword" in known
    known -= operations.OF_THE_TOOL  # which does not run in the image
    assert set(sent) == known - {"token"}  # the token endpoint is no part of Graph


def test_the_rest_is_taken_out(tmp_path: Path) -> None:
    for name in (
        *("msgraph/__init__.py", "msgraph/graph_service_client.py", "msgraph/py.typed"),
        *("msgraph/generated/export.txt", "msgraph/generated/users/users_request_builder.py"),
        *("kubernetes/client/models/v1_pod.py", "kubernetes/client/api_client.py"),
        "kubernetes/aio/client/api/core_v1_api.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert prune(tmp_path, kept(MODULES.read_text())) == 5
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {
        *("msgraph/__init__.py", "msgraph/graph_service_client.py"),
        "kubernetes/client/api_client.py",
    }
    assert not (tmp_path / "msgraph" / "generated").exists()


def test_a_file_names_its_module() -> None:
    assert module_of(Path("msgraph/generated/__init__.py")) == "msgraph.generated"
    assert module_of(Path("msgraph/generated/models/a.py")) == "msgraph.generated.models.a"
