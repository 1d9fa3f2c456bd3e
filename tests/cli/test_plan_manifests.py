"""Manifests for a plan mean what kubectl takes them for."""

from __future__ import annotations

from pathlib import Path

import pytest

from appcredential.cli.errors import CliError
from appcredential.cli.plan import manifests
from appcredential.cli.plan.manifests import documents

HEAD = "{kind: AppCredential, apiVersion: appcredential.io/v1alpha1, spec: "


def read(folder: Path, text: str) -> object:
    file = folder / "manifest.yaml"
    file.write_text(text)
    (found,) = documents(str(file), lambda _: None)
    return found["spec"]


def test_times_are_the_strings_that_kubectl_sends(tmp_path: Path) -> None:
    """Python takes the first one for a datetime, and the second one for the number 1320."""
    found = read(tmp_path, HEAD + "{at: 2026-11-22T10:00:00Z, from: 22:00, day: 2026-11-22, n: 3}}")

    assert found == {"at": "2026-11-22T10:00:00Z", "from": "22:00", "day": "2026-11-22", "n": 3}


@pytest.mark.parametrize("text", ["!!timestamp 2026-99-99", "!!int x", "2026-99-99: ["])
def test_what_python_cannot_construct_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CliError, match="is no YAML"):
        read(tmp_path, text)


def test_a_file_is_never_cut_off_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + "{}}"
    monkeypatch.setattr(manifests, "_LARGEST", len(text))
    assert read(tmp_path, text) == {}
    with pytest.raises(CliError, match="is larger than"):
        read(tmp_path, text + "\n---\n")
