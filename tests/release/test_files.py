"""What people download: complete, named by platform, with its hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from appcredential import __version__
from onefile.archive import NAME
from onefile.krew import manifest
from release.files import MANIFEST, downloads, merged
from release.place import ReleaseError

PLATFORMS = ("linux-amd64", "linux-arm64")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the jobs of a release leave."""
    wheels = tmp_path / "any"
    wheels.mkdir()
    (wheels / "appcredential_operator-1-py3-none-any.whl").write_text("wheel")
    for platform in PLATFORMS:
        made = tmp_path / platform
        made.mkdir()
        (made / f"{NAME}-{__version__}-{platform}.pyz").write_text(platform)
        (made / "appcredential.tar").write_text("for the registry")
        (made / "appcredential.spdx.json").write_text("{}")
        (made / MANIFEST).write_text(krew(platform))
    return tmp_path


def krew(platform: str) -> str:
    text = manifest(b"", __version__, f"https://example.com/{platform}.tar.gz")
    return text.replace("arch: amd64", f"arch: {platform.partition('-')[2]}")


def test_the_folder_has_all_of_it_and_no_image(folder: Path) -> None:
    target = downloads(folder, PLATFORMS)
    assert sorted(path.name for path in target.iterdir()) == [
        "SHA256SUMS",
        f"appcredential-{__version__}-linux-amd64.spdx.json",
        f"appcredential-{__version__}-linux-arm64.spdx.json",
        "appcredential_operator-1-py3-none-any.whl",
        f"{NAME}-{__version__}-linux-amd64.pyz",
        f"{NAME}-{__version__}-linux-arm64.pyz",
        f"{NAME}-krew.yaml",
    ]
    for line in (target / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((target / name).read_bytes()).hexdigest() == digest


def test_a_platform_that_is_missing_is_named(folder: Path) -> None:
    (folder / "linux-arm64" / MANIFEST).unlink()
    with pytest.raises(ReleaseError, match="run make dist on a machine of linux-arm64"):
        downloads(folder, PLATFORMS)
    assert downloads(folder, ["linux-amd64"]).is_dir()


def test_wheels_that_are_missing_are_named(folder: Path) -> None:
    for path in (folder / "any").iterdir():
        path.unlink()
    with pytest.raises(ReleaseError, match="run make wheels"):
        downloads(folder, PLATFORMS)


def test_one_manifest_for_krew_knows_all_platforms() -> None:
    document = yaml.safe_load(merged([krew(platform) for platform in PLATFORMS]))
    architectures = [p["selector"]["matchLabels"]["arch"] for p in document["spec"]["platforms"]]
    assert architectures == ["amd64", "arm64"]
    assert [p["uri"] for p in document["spec"]["platforms"]] == [
        f"https://example.com/{platform}.tar.gz" for platform in PLATFORMS
    ]
