"""The emulator's own wheel; the operator's wheel contains nothing of it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from entra_emulator import __version__

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging" / "entra-emulator"
SOURCE = ROOT / "operator"
PACKAGES = ("entra_emulator", "entra_conformance")


def build(project: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    [wheel] = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(PACKAGING, tmp_path_factory.mktemp("emulator-wheel"))


def read(wheel: Path, name: str) -> str:
    with ZipFile(wheel) as archive:
        [path] = [one for one in archive.namelist() if one.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (SOURCE / package).rglob("*.py")]


def imported() -> Iterator[str]:
    """Return the top-level name of everything that emulator and conformance suite import."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]
            elif isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)


def test_wheel_holds_the_whole_emulator_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    wanted = {str(path.relative_to(SOURCE)) for path in modules()}
    content = {name for name in names if ".dist-info/" not in name}
    assert content == wanted | {"entra_emulator/py.typed", "entra_emulator/LICENSE"}


def test_wheel_depends_on_what_is_imported_and_on_nothing_else(wheel: Path) -> None:
    metadata = Parser().parsestr(read(wheel, "METADATA"))
    needed = {re.split(r"[^\w-]", one)[0] for one in metadata.get_all("Requires-Dist", [])}
    assert needed == set(imported()) - set(sys.stdlib_module_names) - set(PACKAGES)
    assert metadata["Name"] == "entra-emulator"
    assert metadata["Version"] == __version__


def test_wheel_asks_for_the_versions_that_are_tested() -> None:
    """They are the operator's versions, because both are tested with the same locked packages."""
    own, operators = (
        set(tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"])
        for folder in (PACKAGING, ROOT)
    )
    assert own <= operators


@pytest.mark.parametrize(
    ("command", "option"), [("entra-emulator", "--tls-dir"), ("entra-conformance", "--read-only")]
)
def test_command_of_the_wheel_starts(
    wheel: Path, tmp_path: Path, command: str, option: str
) -> None:
    """The wheel is installed alone; Python can import neither the checkout nor the operator."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    into = ["--no-deps", "--no-index", "--target", str(tmp_path), str(wheel)]
    subprocess.run([*pip, *into], check=True, capture_output=True, timeout=120)
    shown = subprocess.run(
        [str(tmp_path / "bin" / command), "--help"],
        env={"PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert option in shown.stdout


def test_wheel_of_the_operator_holds_nothing_of_the_emulator(tmp_path: Path) -> None:
    wheel = build(ROOT, tmp_path)
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert any(name.startswith("appcredential/") for name in names)
    assert [name for name in names if "emulator" in name or "conformance" in name] == []
    assert "emulator" not in read(wheel, "entry_points.txt")
