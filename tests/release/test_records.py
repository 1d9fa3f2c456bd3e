"""Which packages of Debian the files of an image came from, as dpkg of the build tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import assemble

OWNED = {
    "/usr/lib/x86_64-linux-gnu/libssl.so.3": "libssl3:amd64",
    "/lib/x86_64-linux-gnu/libc.so.6": "libc6:amd64",
    "/usr/lib/python3.11/os.py": "libpython3.11-minimal:amd64, other",
}
FILES = (
    "lib/x86_64-linux-gnu/libssl.so.3",
    "usr/lib/x86_64-linux-gnu/libc.so.6",
    "usr/lib/python3.11/os.py",
    "usr/local/lib/nobody.py",
    "opt/app/aiohttp/__init__.py",
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of an image, and a dpkg that knows each by one name."""

    def dpkg(*words: str) -> str:
        if words[0] == "--show":
            return words[1]
        assert not any("/opt/app" in word for word in words)
        lines = [f"{OWNED[name]}: {name}" for name in words if name in OWNED]
        return "\n".join(["diversion by dash from: /bin/sh", *lines])

    monkeypatch.setattr(assemble, "_dpkg", dpkg)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_library_is_found_by_either_of_its_names(root: Path) -> None:
    assert assemble.packages_of(root) == {
        "ca-certificates",
        "libssl3:amd64",
        "libc6:amd64",
        "libpython3.11-minimal:amd64",
        "other",
    }
