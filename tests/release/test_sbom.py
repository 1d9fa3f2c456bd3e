"""What is in an image, as SPDX: read from its files, the same for the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.sbom import Part, document, parts

STATUS = """Package: {name}
Status: install ok installed
Architecture: amd64
Version: {version}
Description: a library
 with a second line: of text
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of an image, as far as they say what is in it."""
    files = {
        "usr/share/doc/appcredential/python-version": "3.13.5\n",
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n# no more\n',
        "var/lib/dpkg/status.d/libssl3": STATUS.format(name="libssl3", version="3.0.17-1~deb12u2"),
        "var/lib/dpkg/status.d/libbz2-1.0": STATUS.format(name="libbz2-1.0", version="1:1.0+b1"),
        "opt/app/aiohttp-3.14.dist-info/METADATA": (
            "Metadata-Version: 2.4\nName: aiohttp\nVersion: 3.14\nLicense-Expression: Apache-2.0\n"
        ),
        "opt/app/typing_extensions-4.dist-info/METADATA": (
            "Name: Typing_Extensions\nVersion: 4\nLicense: free text of any kind\n\nVersion: 5\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_each_package_is_named_as_its_database_does(root: Path) -> None:
    debian = "arch=amd64&distro=debian-12"
    assert parts(root) == [
        Part(
            "libbz2-1.0",
            "1:1.0+b1",
            "NOASSERTION",
            f"pkg:deb/debian/libbz2-1.0@1%3A1.0%2Bb1?{debian}",
        ),
        Part(
            "libssl3",
            "3.0.17-1~deb12u2",
            "NOASSERTION",
            f"pkg:deb/debian/libssl3@3.0.17-1~deb12u2?{debian}",
        ),
        Part("python", "3.13.5", "PSF-2.0", "pkg:generic/python@3.13.5"),
        Part("aiohttp", "3.14", "Apache-2.0", "pkg:pypi/aiohttp@3.14"),
        Part("typing-extensions", "4", "NOASSERTION", "pkg:pypi/typing-extensions@4"),
    ]


def test_a_base_that_is_not_debian_has_no_such_packages(root: Path) -> None:
    (root / "etc/os-release").unlink()
    assert {part.purl.partition("/")[0] for part in parts(root)} == {"pkg:generic", "pkg:pypi"}


def test_the_document_is_whole_and_the_same_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    made = document("appcredential", "sha256:abc", parts(root))
    assert made == document("appcredential", "sha256:abc", parts(root))
    assert made["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert made["documentNamespace"].endswith("-abc")
    packages = {package["SPDXID"] for package in made["packages"]}
    assert len(packages) == len(made["packages"]) == 6
    assert {r["relatedSpdxElement"] for r in made["relationships"]} == packages
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    later = document("appcredential", "sha256:abc", parts(root))
    assert later["creationInfo"]["created"] == "1970-01-02T00:00:00Z"
