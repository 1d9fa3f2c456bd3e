"""An image of another architecture is built only where its programs run."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from image import build
from image.engine import ImageError


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of amd64 without emulators."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(build, "BINFMT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("asked", ["", "amd64"])
def test_its_own_needs_nothing(asked: str) -> None:
    assert build.foreign(asked) == ""


def test_another_one_is_refused_with_what_works(machine: Path) -> None:
    with pytest.raises(ImageError, match="only make image ARCH=amd64 works"):
        build.foreign("arm64")
    (machine / "qemu-aarch64").touch()
    assert build.foreign("arm64") == "arm64"


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(ImageError, match="there are amd64 and arm64"):
        build.foreign("riscv64")
