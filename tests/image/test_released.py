"""A release of this machine's architecture, pushed to a registry on this machine and read back."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from appcredential import __version__
from image.archive import archive
from image.engine import OPERATOR, TARGETS, Engine, find_engine
from image.inspecting import digest, unpacked
from image.sbom import document, parts, write
from localcluster.helm import locate_helm
from localcluster.tools import locate_tool
from release.chart import push_charts
from release.files import this_platform
from release.images import push_images
from release.place import pushed
from release.signatures import sign

pytestmark = pytest.mark.image
COSIGN = shutil.which("cosign")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find_engine()


@pytest.fixture(scope="module")
def crane() -> Path:
    return locate_tool("crane")


@pytest.fixture(scope="module")
def place(crane: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder in a registry that keeps its content in memory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = tmp_path_factory.mktemp("registry") / "log"
    with log.open("w") as output:
        command = [str(crane), "registry", "serve", "--address", address]
        running = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"{address}/platform"
    finally:
        running.terminate()
        running.wait(30)


@pytest.fixture(scope="module")
def folder(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` leaves."""
    folder = tmp_path_factory.mktemp("release")
    mine = folder / this_platform()
    mine.mkdir()
    for name in TARGETS.values():
        archive(engine, name, mine)
        write(engine, name, mine)
    return folder


@pytest.fixture(scope="module")
def release(crane: Path, place: str, folder: Path) -> dict[str, str]:
    """What was pushed."""
    push_images(crane, place, folder, [this_platform()])
    push_charts(locate_helm(), place, folder)
    return pushed(folder)


def ask(crane: Path, *words: str) -> str:
    command = [str(crane), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_tag_is_an_index_with_the_image_of_each_platform(
    crane: Path, place: str, release: dict[str, str]
) -> None:
    for name in TARGETS.values():
        reference = f"{place}/{name}"
        assert ask(crane, "digest", f"{reference}:{__version__}").strip() == release[reference]
        index = json.loads(ask(crane, "manifest", f"{reference}@{release[reference]}"))
        (image,) = index["manifests"]
        assert image["digest"] == release[f"{reference}#{this_platform()}"]
        assert f"{image['platform']['os']}-{image['platform']['architecture']}" == this_platform()


def test_the_pulled_chart_installs_the_pushed_images(
    place: str, release: dict[str, str], tmp_path: Path
) -> None:
    helm = str(locate_helm())
    words = ["template", "appcredential", f"oci://{place}/charts/appcredential", "--plain-http"]
    words += ["--version", __version__, "--set", "trial.enabled=true"]
    done = subprocess.run(
        [helm, *words], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = [d for d in yaml.safe_load_all(done.stdout) if d and d["kind"] == "Deployment"]
    images = {c["image"] for d in found for c in d["spec"]["template"]["spec"]["containers"]}
    wanted = {f"{place}/{name}" for name in TARGETS.values()}
    assert images == {f"{reference}@{release[reference]}" for reference in wanted}


def test_the_sbom_names_all_that_the_image_holds(engine: Engine, folder: Path) -> None:
    made = json.loads((folder / this_platform() / f"{OPERATOR}.spdx.json").read_text())
    purls = [package["externalRefs"][0]["referenceLocator"] for package in made["packages"]]
    with unpacked(engine, f"{OPERATOR}:{__version__}") as root:
        assert document(OPERATOR, digest(root), parts(root)) == made
        installed = list(root.glob("opt/app/*.dist-info"))
    assert len([purl for purl in purls if purl.startswith("pkg:pypi/")]) == len(installed) > 20
    for wanted in ("pkg:generic/python@3.", "pkg:deb/debian/libc6@", "pkg:deb/debian/libssl3"):
        assert any(purl.startswith(wanted) for purl in purls), wanted
    ends = {r["relatedSpdxElement"] for r in made["relationships"]}
    assert ends == {package["SPDXID"] for package in made["packages"]}


@pytest.mark.skipif(COSIGN is None, reason="cosign is missing: docs.sigstore.dev")
def test_what_was_signed_is_verified_and_nothing_else_is(
    release: dict[str, str], place: str, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    assert COSIGN is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSIGN_PASSWORD", "")
    for name in ("cosign", "other"):
        command = [COSIGN, "generate-key-pair", "--output-key-prefix", name]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    sign(COSIGN, folder, {"COSIGN_KEY": "cosign.key"})

    def verify(key: str, reference: str, *words: str) -> int:
        command = [COSIGN or "", *(words or ("verify",)), "--key", key]
        command += ["--insecure-ignore-tlog=true", reference]
        return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode

    for name, pushed_digest in release.items():
        reference = f"{name.partition('#')[0]}@{pushed_digest}"
        assert verify("cosign.pub", reference) == 0
        assert verify("other.pub", reference) != 0
    image = f"{place}/{OPERATOR}@{release[f'{place}/{OPERATOR}#{this_platform()}']}"
    assert verify("cosign.pub", image, "verify-attestation", "--type", "spdxjson") == 0
