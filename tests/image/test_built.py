"""What `make image` made: what is in it, and that it runs as a kubelet would run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from appcredential import __version__
from charts.generate import ROOT
from demo.processes import Child
from demo.stack import RBAC, EmulatorProcess, OperatorProcess
from image import running
from image.build import build, local_base
from image.engine import EMULATOR, OPERATOR, Engine, find_engine
from image.inspecting import configuration, digest, unpacked
from localcluster import Cluster
from tests.integration.installation import SETTINGS, Installation, seed

pytestmark = pytest.mark.image
LIBRARY = re.compile(r"\.so(\.|$)|\.py$")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """What built the images."""
    return find_engine()


@pytest.fixture(scope="module")
def root(engine: Engine) -> Iterator[Path]:
    """The operator's files."""
    with unpacked(engine, f"{OPERATOR}:{__version__}") as folder:
        yield folder


@pytest.mark.parametrize("name", [OPERATOR, EMULATOR])
def test_it_says_who_it_is(engine: Engine, name: str) -> None:
    found = configuration(engine, f"{name}:{__version__}")
    assert found["User"] == running.USER
    assert found["Entrypoint"][:2] == ["/usr/bin/python3", "-m"]
    assert found["Labels"]["org.opencontainers.image.version"] == __version__
    assert found["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert set(found["Env"]) == {f"{k}={v}" for k, v in running.ENVIRONMENT.items()}


def test_it_has_no_shell_and_nothing_to_install_with(root: Path) -> None:
    programs = [
        str(p.relative_to(root))
        for p in root.rglob("*")
        if p.is_file()
        and not p.is_symlink()
        and os.access(p, os.X_OK)
        and not LIBRARY.search(p.name)
    ]
    assert [re.sub(r"[0-9.]+$", "", name) for name in programs] == ["usr/bin/python"]
    for package in ("pip", "setuptools", "ensurepip", "entra_emulator", "venv"):
        assert list(root.glob(f"**/{package}/__init__.py")) == []


def test_nobody_may_write_into_it_and_nothing_gives_more_rights(root: Path) -> None:
    modes = {p: p.lstat().st_mode for p in root.rglob("*") if not p.is_symlink()}
    assert [p for p, m in modes.items() if m & (stat.S_ISUID | stat.S_ISGID)] == []
    writable = [str(p.relative_to(root)) for p, m in modes.items() if m & stat.S_IWOTH]
    assert writable == ["tmp"]


def test_all_of_it_is_compiled(root: Path) -> None:
    modules = {p for p in root.rglob("*.py") if "lib2to3" not in str(p)}
    compiled = {p.parent.parent / f"{p.name.partition('.')[0]}.py" for p in root.rglob("*.pyc")}
    assert len(modules) > 1000
    assert modules - compiled == set()


def test_two_builds_on_one_base_are_equal(engine: Engine, root: Path) -> None:
    base = os.environ.get("BASE") or local_base(engine)
    build(engine, base, ["operator"], "-again", anew=True)
    with unpacked(engine, f"{OPERATOR}:{__version__}-again") as other:
        assert digest(other) == digest(root)


# --- running ----------------------------------------------------------------------------------


class ImageOperator(OperatorProcess):
    """The operator out of the image. `root` is set before one is made."""

    root: Path

    def _start(self) -> Child:
        given = self._folder / "given"
        given.mkdir(exist_ok=True)
        env = {name: self._inside(value, given) for name, value in self._env.items()}
        words = ["image.running", str(self.root), str(given), "appcredential", "run"]
        return Child("the operator", words, self._folder / f"{self._name}.log", env)

    @staticmethod
    def _inside(value: str, given: Path) -> str:
        """Hand a file over to the image's user; return where it is for that one."""
        if not value.startswith("/"):
            return value
        target = given / Path(value).name
        shutil.copy(value, target)
        os.chown(target, *map(int, running.USER.split(":")))
        return f"{running.GIVEN}/{target.name}"


@pytest.fixture(scope="module")
def installation(
    cluster: Cluster, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The image's operator beside the emulator."""
    if os.geteuid() != 0:
        pytest.skip("mounting a root takes root")
    emulator = EmulatorProcess(tmp_path_factory.mktemp("entra"), seed())
    cluster.kubectl("apply", "--server-side", "-f", RBAC)
    ImageOperator.root = root
    folder = tmp_path_factory.mktemp("image")
    made = Installation(cluster, emulator, folder, SETTINGS, process=ImageOperator)
    try:
        made.make_tenant("default")
        made.operator.wait_until_ready()
        yield made
    finally:
        made.close()
        emulator.child.stop()


def test_it_lives_a_whole_life(installation: Installation) -> None:
    team = installation.team("image")
    team.apply(deletionGracePeriod="0s")
    manifest = team.manifest("certified", type="Certificate", certificate={"source": "Generate"})
    del manifest["spec"]["clientSecret"]
    path = f"/apis/appcredential.io/v1alpha1/namespaces/{team.namespace}/appcredentials"
    installation.kube.create(path, manifest)
    team.ready()
    team.ready("certified")
    team.rotated()
    assert team.signs_in()
    team.delete()
    installation.until(lambda: team.key_ids() == [], "it is revoked")
    log = installation.operator.child.log.read_text()
    assert "ModuleNotFoundError" not in log
    assert "Read-only file system" not in log


def test_its_other_commands(root: Path, tmp_path: Path) -> None:
    def said(*words: str) -> str:
        command = [sys.executable, "-m", "image.running", str(root), str(tmp_path), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    assert said("appcredential", "version").strip() == __version__
    crds = "\n---\n".join(p.read_text().strip() for p in sorted((ROOT / "crds").iterdir()))
    assert said("appcredential", "crds").strip() == crds


def test_how_soon_it_is_there(installation: Installation, tell: Callable[[str], None]) -> None:
    """No limit: what it takes is told, and written beside the sizes."""
    installation.operator.child.stop()
    installation.operator.child.log.unlink()  # it tells the port of the one that ended
    begun = time.monotonic()
    installation.operator.restart()
    installation.operator.wait_until_ready()
    seconds = round(time.monotonic() - begun, 1)
    facts = Path(__file__).parents[2] / "build" / "image.json"
    found: Mapping[str, Any] = json.loads(facts.read_text())
    facts.write_text(json.dumps({**found, "coldStartSeconds": seconds}, indent=2) + "\n")
    for name in (OPERATOR, EMULATOR):
        facts_of = found["operator" if name == OPERATOR else "emulator"]
        size, content = facts_of["megabytes"], facts_of["content"]
        tell(f"image {name}:{__version__}: {size} MB unpacked, its files are {content[:19]}")
    tell(f"cold start out of the image, from the process's begin to /readyz: {seconds} s")
