"""Programs are handed on as they are, and can be run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.place import ReleaseError
from release.programs import pack, unpack


def test_a_program_is_where_the_cache_has_it(tmp_path: Path) -> None:
    built = tmp_path / "built" / "crane-v1-abc" / "crane"
    built.parent.mkdir(parents=True)
    built.write_text("#!/bin/sh\necho pushed\n")
    built.chmod(0o755)
    pack([built], tmp_path / "programs")
    unpack(tmp_path / "programs", tmp_path / "cache")
    found = tmp_path / "cache" / "crane-v1-abc" / "crane"
    done = subprocess.run([found], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout == "pushed\n"


def test_an_archive_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"programs\.tar is missing: run make release-programs"):
        unpack(tmp_path, tmp_path / "cache")
