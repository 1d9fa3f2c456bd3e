"""The rooms of the source tree are those that the documents name, and the wheel holds no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
OPERATOR = ROOT / "operator"
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text()


def tree() -> dict[str, set[str]]:
    """Return the tree in docs/development.md: by folder, what is named in it."""
    (block,) = re.findall(
        r"^## Where things are\n+```\n(.*?)^```$", DEVELOPMENT, re.MULTILINE | re.DOTALL
    )
    found: dict[str, set[str]] = {"": set()}
    folders = [""]
    for line in block.splitlines():
        if line.startswith(" " * 21):
            continue  # goes on with the explanation above it
        depth = (len(line) - len(line.lstrip())) // 2
        words = re.split(r"\s+", line.strip())
        named = [word for word in words if re.fullmatch(r"[\w.-]+/|\w+\.py", word)]
        # A line's explanation may name files too: only the words it begins with count.
        named = named[: next((i for i, w in enumerate(words) if w not in named), len(words))]
        del folders[depth + 1 :]
        parent = folders[depth]
        found.setdefault(parent, set()).update(named)
        folders.append(parent + named[0])
    return found


def rooms(folder: Path) -> set[str]:
    """Return the folders and modules directly in a folder, as the document writes them."""
    found = (p for p in folder.iterdir() if p.name not in {"__pycache__", "py.typed"})
    return {f"{path.name}/" if path.is_dir() else path.name for path in found}


def test_the_source_root_is_no_package() -> None:
    assert not (OPERATOR / "__init__.py").exists()
    assert rooms(OPERATOR) == {"appcredential/", "entra_conformance/", "entra_emulator/"}
    done = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.add(1, 2))"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{OPERATOR}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "3\n"


def test_every_folder_that_the_document_names_is_there() -> None:
    for folder, names in tree().items():
        for name in names:
            assert (ROOT / folder / name).exists(), f"{folder}{name}"


def test_every_package_of_the_operator_is_named() -> None:
    named = tree()["operator/appcredential/"]
    found = {room for room in rooms(OPERATOR / "appcredential") if room.endswith("/")}
    assert found == {name for name in named if name.endswith("/")}


def test_no_module_hides_one_of_the_standard_library() -> None:
    roots = (OPERATOR, ROOT)
    names = {path.stem for root in roots for path in root.iterdir() if path.suffix == ".py"}
    packages = {path.parent.name for root in roots for path in root.glob("*/__init__.py")}
    assert (names | packages) & sys.stdlib_module_names == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the operator's wheel."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = target.glob("*.whl")
    with ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_operator_and_the_crds_and_nothing_else(wheel: list[str]) -> None:
    source = OPERATOR / "appcredential"
    modules = {f"appcredential/{p.relative_to(source)}" for p in source.rglob("*.py")}
    crds = {f"appcredential/crds/{path.name}" for path in (ROOT / "crds").glob("*.yaml")}
    assert len(crds) == 3
    content = {name for name in wheel if ".dist-info/" not in name}
    assert content == modules | crds | {"appcredential/py.typed"}


def test_the_wheel_names_none_of_the_tools(wheel: list[str]) -> None:
    for tool in ("entra_emulator", "entra_conformance", "demo", "attacks", "localcluster", "tests"):
        assert [name for name in wheel if tool in name] == []
