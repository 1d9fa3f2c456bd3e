"""What the documents point at is there: links, make targets, examples, paths and commands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.docs.reading import DOCUMENTS, ROOT, anchors, blocks, links, name_of

MAKEFILE: Final = (ROOT / "Makefile").read_text()
TARGETS: Final = set(re.findall(r"^([a-z0-9-]+):.*##", MAKEFILE, re.MULTILINE))
README: Final = (ROOT / "README.md").read_text()

# Every command of the README's blocks, and who runs it. A new one is listed or not merged.
RUN_BY: Final = {
    "make demo": "people and CI: it takes minutes and tells its story",
    "make test": "people and CI: it is what runs this test",
    'eval "$(make -s cluster EMULATOR=1)"': "people; tests/localcluster runs the cluster's command",
    "kubectl apply -f examples/quickstart.yaml": "tests/crds, as a dry run of the API server",
    "kubectl wait --for=condition=Ready appcred/orders -n shop --timeout=120s": "people",
    "kubectl get appcred -n shop": "tests/crds, which compares the columns",
    "kubectl describe appcred orders -n shop": "people",
    "make cluster-down": "people; tests/localcluster runs the cluster's command",
    "helm install appcredential charts/appcredential -n appcredential-system --create-namespace": (
        "tests/chart, with the values of a cluster that has no nodes"
    ),
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document.read_text()):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


def test_every_test_that_is_named_exists() -> None:
    named = [
        found
        for document in DOCUMENTS
        for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", document.read_text())
    ]
    assert len(named) > 20
    for path, name in named:
        assert re.search(rf"^(?:async )?(?:def )?{name}\b", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_exists(document: Path) -> None:
    text = document.read_text()
    quoted = re.findall(r"`make ([a-z0-9-]+)", text)
    typed = re.findall(
        r"\bmake (?:-s )?([a-z0-9-]+)", "\n".join(blocks(text, "sh", "console", "bash"))
    )
    assert set(quoted) | set(typed) <= TARGETS


def test_every_target_for_people_is_documented() -> None:
    development = (ROOT / "docs" / "development.md").read_text()
    quoted = set(re.findall(r"`make ([a-z0-9-]+)", development))
    assert TARGETS - quoted <= {"help", "setup", "clean", "cluster-binary"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = set(re.findall(r"\b(?:examples|docs|crds|tests|demo)/[\w./-]+\.\w+", text))
    # Beside examples/README.md they are named without the folder.
    named |= set(re.findall(r"kubectl apply (?:--server-side )?-f ([\w./-]+)", text))
    for path in named - {"-"}:  # "-" is what was piped in
        assert (ROOT / path).exists() or (document.parent / path).exists(), path


def test_every_example_is_listed_in_its_readme() -> None:
    examples = ROOT / "examples"
    listed = links((examples / "README.md").read_text())
    # A folder with a README of its own is listed by that.
    own = [p.parent for p in examples.glob("*/README.md")]
    found = [p / "README.md" for p in own]
    found += [
        p
        for p in examples.rglob("*")
        if p.is_file() and p.name != "README.md" and not any(p.is_relative_to(o) for o in own)
    ]
    assert sorted(str(p.relative_to(examples)) for p in found) == sorted(
        link for link in listed if not link.startswith("..")
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_shell_blocks_are_shell(document: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    for block in blocks(document.read_text(), "sh", "bash"):
        done = subprocess.run(
            [bash, "-n"], input=block, capture_output=True, text=True, timeout=10, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_yaml_blocks_are_yaml(document: Path) -> None:
    for block in blocks(document.read_text(), "yaml"):
        assert list(yaml.safe_load_all(block))


def test_every_command_of_the_readme_is_run_by_somebody() -> None:
    lines = "\n".join(blocks(README, "sh")).splitlines()
    commands = [re.sub(r"\s+# .*$", "", line).strip() for line in lines if line.strip()]
    assert commands == list(RUN_BY)


def test_the_first_screen_says_what_it_is_and_how_to_see_it() -> None:
    first = README.splitlines()[:40]
    text = "\n".join(first)
    assert first[0] == "# appcredential"
    for word in ("Entra", "Kubernetes", "kind: AppCredential", "make demo", "make test"):
        assert word in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_documents_hold_nothing_of_the_machine_they_were_written_on(document: Path) -> None:
    assert re.findall(r"(?<![\w.~/])/(?:root|home|work|tmp)/\S*", document.read_text()) == []
    assert re.findall(r"\b(?:TODO|FIXME|XXX)\b", document.read_text()) == []
