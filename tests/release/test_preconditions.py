"""What is missing for a step is named, with the remedy, before anything is pushed or signed."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
import yaml

from image.engine import TARGETS
from release.chart import naming_images, pushed_digest
from release.images import push_images
from release.place import ROOT, ReleaseError, is_loopback, note, pushed, registry, run
from release.registry import sign_in
from release.signatures import identity, sign

PLACE = "registry.example.com/platform"
DIGEST = "sha256:" + "a" * 64
NOT_CALLED = Path("/not/called")


@pytest.mark.parametrize(
    "place", ["ghcr.io/example", "127.0.0.1:5000", "r.example.com:443/a/b-c_d"]
)
def test_a_place_in_a_registry(place: str) -> None:
    assert registry({"REGISTRY": place}) == place


@pytest.mark.parametrize(
    "place",
    ["https://ghcr.io/example", "ghcr.io/Example", "ghcr.io/example/", "ghcr.io/a:1", "a b", "-x"],
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ReleaseError, match=r"such as ghcr\.io/example"):
        registry({"REGISTRY": place})


def test_a_place_must_be_named() -> None:
    with pytest.raises(ReleaseError, match="REGISTRY is missing"):
        registry({})


def test_only_a_registry_on_this_machine_is_spoken_to_without_tls() -> None:
    places = ("127.0.0.1:5000/x", "localhost", "localhost.example.com", "127.0.0.1.example.com/x")
    assert [is_loopback(place) for place in places] == [True, True, False, False]


def test_nothing_is_pushed_while_an_archive_is_missing(tmp_path: Path) -> None:
    for name in TARGETS.values():
        write_image(tmp_path / "linux-amd64" / f"{name}.tar", "amd64")
    with pytest.raises(ReleaseError, match=r"linux-arm64/appcredential.tar is missing: run make"):
        push_images(NOT_CALLED, PLACE, tmp_path, ["linux-amd64", "linux-arm64"])


def test_an_image_of_another_architecture_is_refused(tmp_path: Path) -> None:
    for name in TARGETS.values():
        write_image(tmp_path / "linux-arm64" / f"{name}.tar", "amd64")
    with pytest.raises(ReleaseError, match=r"appcredential.tar is an image of linux-amd64"):
        push_images(NOT_CALLED, PLACE, tmp_path, ["linux-arm64"])


def write_image(path: Path, architecture: str) -> None:
    """Write what both engines call a docker archive, without layers."""
    path.parent.mkdir(exist_ok=True)
    files = {
        "manifest.json": [{"Config": "c.json", "Layers": []}],
        "c.json": {"os": "linux", "architecture": architecture},
    }
    with tarfile.open(path, "w") as archive:
        for name, document in files.items():
            content = json.dumps(document).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_the_chart_of_a_release_names_its_images_by_digest() -> None:
    values = (ROOT / "charts/appcredential/values.yaml").read_text()
    known = {f"{PLACE}/{name}": f"sha256:{n:064x}" for n, name in enumerate(TARGETS.values())}
    made = naming_images(values, PLACE, known)
    found, before = yaml.safe_load(made), yaml.safe_load(values)
    for image, name in ((found["image"], "operator"), (found["trial"]["image"], "emulator")):
        assert image["registry"] == PLACE
        assert image["digest"] == known[f"{PLACE}/{image['repository']}"]
        assert image["repository"] == TARGETS[name]
    found["image"], found["trial"]["image"] = before["image"], before["trial"]["image"]
    assert found == before
    assert made.count("\n") == values.count("\n")


def test_a_chart_without_its_images_is_not_pushed() -> None:
    with pytest.raises(ReleaseError, match="push the images first"):
        naming_images("", PLACE, {f"other.example.com/{name}": DIGEST for name in TARGETS.values()})


def test_what_helm_pushed_is_read_from_its_answer() -> None:
    assert pushed_digest(f"Pushed: {PLACE}/charts/a:1\nDigest: {DIGEST}\n") == DIGEST
    with pytest.raises(ReleaseError, match="did not name a digest"):
        pushed_digest("Pushed: nothing")


def test_what_was_pushed_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="push first"):
        pushed(tmp_path)
    note(tmp_path, {"a": "1"})
    note(tmp_path, {"b": "2"})
    assert pushed(tmp_path) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("given", [{}, {"REGISTRY_USER": "me"}, {"REGISTRY_TOKEN": "value"}])
def test_who_signs_in_must_be_named(given: dict[str, str]) -> None:
    with pytest.raises(ReleaseError, match="REGISTRY_USER and REGISTRY_TOKEN"):
        sign_in(NOT_CALLED, NOT_CALLED, PLACE, given)


def test_a_token_is_in_no_command_line(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$@" >> {seen}\ncat >> {seen}.input\n')
    program.chmod(0o755)
    given = {"REGISTRY_USER": "me", "REGISTRY_TOKEN": "the-token"}
    sign_in(program, program, PLACE, given)
    assert "the-token" not in seen.read_text()
    assert (tmp_path / "seen.input").read_text() == "the-token" * 2


def test_without_an_identity_nothing_is_signed(tmp_path: Path) -> None:
    note(tmp_path, {f"{PLACE}/appcredential": DIGEST})
    with pytest.raises(ReleaseError, match="id-token: write"):
        sign("/not/called", tmp_path, {})
    assert identity({"SIGSTORE_ID_TOKEN": "x"}) == ()


def test_an_image_is_not_signed_without_what_is_in_it(tmp_path: Path) -> None:
    note(tmp_path, {f"{PLACE}/appcredential#linux-arm64": DIGEST})
    with pytest.raises(ReleaseError, match=r"linux-arm64/appcredential.spdx.json is missing"):
        sign("/not/called", tmp_path, {"SIGSTORE_ID_TOKEN": "x"})


def test_each_digest_is_signed_and_each_image_gets_its_sbom(tmp_path: Path) -> None:
    seen, program = tmp_path / "seen", tmp_path / "cosign"
    program.write_text(f'#!/bin/sh\necho "$@" >> {seen}\n')
    program.chmod(0o755)
    bom = tmp_path / "linux-amd64" / "appcredential.spdx.json"
    bom.parent.mkdir()
    bom.write_text(json.dumps({}))
    other = DIGEST.replace("a", "b")
    image = f"{PLACE}/appcredential"
    note(tmp_path, {image: DIGEST, f"{image}#linux-amd64": other})
    sign(str(program), tmp_path, {"SIGSTORE_ID_TOKEN": "x"})
    assert seen.read_text().splitlines() == [
        f"sign --yes {image}@{DIGEST}",
        f"sign --yes {image}@{other}",
        f"attest --yes --type spdxjson --predicate {bom} {image}@{other}",
    ]


def test_a_program_that_fails_or_is_missing_is_named() -> None:
    with pytest.raises(ReleaseError, match="false x ended with status 1"):
        run("false", "x")
    with pytest.raises(ReleaseError, match="/not/called cannot be run"):
        run(NOT_CALLED, "x")
