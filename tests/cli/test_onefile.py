"""The tool as one file: it runs without the package, is made reproducibly, and krew takes it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential import __version__
from onefile import contents as contents_module
from onefile.archive import NAME, python_archive, source_time, tar_archive
from onefile.contents import WITHOUT, ContentsError, contents
from onefile.krew import manifest

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = (ROOT / "requirements" / "cli.txt").read_text()
BOOTSTRAP: Final = (ROOT / "onefile" / "bootstrap.py").read_bytes()
TIME: Final = 1_800_000_000


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """What goes in; a file that this machine has changed, as its own CA, counts as it is."""
    return contents(LOCK, [])


@pytest.fixture(scope="module")
def program(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onefile") / f"{NAME}.pyz"
    path.write_bytes(python_archive(files, BOOTSTRAP, TIME))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run(program: Path, cache: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it as a person does who has nothing of ours installed."""
    known = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "KUBECONFIG"}}
    return subprocess.run(
        # Neither the environment of this test nor its packages.
        [getattr(sys, "_base_executable", sys.executable), "-I", str(program), *words],
        env={**known, "XDG_CACHE_HOME": str(cache), **env},
        cwd=program.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_runs_without_the_package(program: Path, cache: Path) -> None:
    done = run(program, cache, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_no_cluster_is_one_line(program: Path, cache: Path) -> None:
    dead = program.parent / "kubeconfig"
    server = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    users = [{"name": "u", "user": {}}]
    document = {"clusters": [server], "contexts": [context], "users": users, "current-context": "x"}
    dead.write_text(yaml.safe_dump(document))
    done = run(program, cache, "list", "--kubeconfig", str(dead))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: No answer from the API server at http://127.0.0.1:1")


def test_it_completes(program: Path, cache: Path) -> None:
    assert "kubectl-appcredential" in run(program, cache, "completion", "bash").stdout
    link = program.parent / "kubectl_complete-appcredential"
    link.symlink_to(program)
    assert "audit" in run(link, cache, "au").stdout.splitlines()


def test_it_is_unpacked_once_and_for_its_user_only(program: Path, cache: Path) -> None:
    run(program, cache, "--version")
    (folder,) = (cache / "appcredential" / "zipapp").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    before = folder.stat().st_ino
    run(program, cache, "--version")
    assert folder.stat().st_ino == before


def test_a_folder_that_others_may_write_to_is_refused(
    program: Path, cache: Path, tmp_path: Path
) -> None:
    run(program, cache, "--version")
    (folder,) = (cache / "appcredential" / "zipapp").iterdir()
    open_to_all = tmp_path / "appcredential" / "zipapp" / folder.name
    open_to_all.mkdir(parents=True)
    open_to_all.chmod(0o777)
    done = run(program, tmp_path, "--version")
    assert done.returncode == 1
    assert "others may write to it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_others_may_exchange_is_refused(
    program: Path, cache: Path, tmp_path: Path
) -> None:
    run(program, cache, "--version")
    (folder,) = (cache / "appcredential" / "zipapp").iterdir()
    parent = tmp_path / "appcredential" / "zipapp"
    parent.mkdir(parents=True)
    (parent / folder.name).symlink_to(folder)  # whatever is in there
    parent.chmod(0o777)
    done = run(program, tmp_path, "--version")
    assert done.returncode == 1
    assert f"{parent} belongs to somebody else" in done.stderr
    (parent / folder.name).unlink()
    assert run(program, tmp_path, "--version").returncode == 1
    assert list(parent.iterdir()) == [], "nothing was unpacked into it"


def test_a_cache_that_depends_on_where_one_stands_is_not_used(
    program: Path, tmp_path: Path
) -> None:
    done = run(program, Path("cache"), "--version", HOME=str(tmp_path))
    assert done.returncode == 0
    assert (tmp_path / ".cache" / "appcredential" / "zipapp").is_dir()
    assert not (program.parent / "cache").exists()


def test_another_python_is_told_in_one_line(program: Path, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(other, "w") as new:
        made = {**json.loads(old.read("zipapp.json")), "python": "3.1"}
        new.writestr("__main__.py", old.read("__main__.py"))
        new.writestr("zipapp.json", json.dumps(made))
    done = run(other, cache, "list")
    assert done.returncode == 1
    assert done.stderr.startswith("error: this file is for Python 3.1 on ")
    assert "pipx" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_needs_entra_s_sdks_is_told_in_one_line(
    files: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "entra.pyz"
    entry = b"def main():\n    import msgraph.graph_service_client\ncomplete = main\n"
    changed = {**files, "appcredential/cli/entry.py": entry}
    path.write_bytes(python_archive(changed, BOOTSTRAP, TIME))
    done = run(path, cache, "inventory")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: this file is without msgraph, which the command needs: use pipx\n"
    )


# --- what goes in ------------------------------------------------------------------------------


def test_nothing_of_entra_goes_in(files: dict[str, bytes]) -> None:
    tops = {name.partition("/")[0] for name in files}
    assert tops.isdisjoint(WITHOUT)
    assert {"appcredential", "click", "kubernetes", "rich", "yaml"} <= tops
    assert not [name for name in files if ".." in name.split("/") or name.startswith("/")]
    assert sum(map(len, files.values())) < 60_000_000


def test_the_same_is_made_each_time(files: dict[str, bytes]) -> None:
    shuffled = dict(reversed(files.items()))
    first = python_archive(files, BOOTSTRAP, TIME)
    assert python_archive(shuffled, BOOTSTRAP, TIME) == first
    assert tar_archive(first, b"licence", TIME) == tar_archive(first, b"licence", TIME)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1800000000", TIME), ("0", 315_532_800), ("soon", 315_532_800)]
)
def test_the_time_is_the_sources(text: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    assert source_time() == seconds


def test_what_is_not_locked_does_not_go_out() -> None:
    with pytest.raises(ContentsError, match=r"click .* is installed, and 1\.0 is locked"):
        contents(re.sub(r"(?m)^click==\S+", "click==1.0", LOCK), [])


def test_what_was_changed_since_it_was_installed_does_not_go_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contents_module, "_digest", lambda _mode, _content: "another")
    with pytest.raises(ContentsError, match="not as it was installed"):
        contents(LOCK)


# --- krew ------------------------------------------------------------------------------------


def problems(text: str, archive: bytes) -> list[str]:
    """Return what krew would refuse, by the rules of its validation and of its guide."""
    found: Mapping[str, Any] = yaml.safe_load(text)
    spec, told = found["spec"], []
    short = spec.get("shortDescription") or ""
    rules = {
        "apiVersion": found["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2",
        "kind": found["kind"] == "Plugin",
        "name": re.fullmatch(r"[\w-]+", found["metadata"]["name"]),
        "version": re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", spec.get("version", "")),
        "shortDescription": short and "\n" not in short and len(short) <= 60,
        "platforms": spec.get("platforms"),
    }
    told += [name for name, holds in rules.items() if not holds]
    for platform in spec.get("platforms") or ():
        labels = platform["selector"].get("matchLabels")
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            names = {m.name: m.mode for m in packed.getmembers()}
        rules = {
            "uri": platform["uri"].startswith("https://") and platform["uri"].endswith(".tar.gz"),
            "sha256": platform["sha256"] == hashlib.sha256(archive).hexdigest(),
            "bin": names.get(platform["bin"], 0) & 0o111,
            "licence": "LICENSE" in names,
            "selector": labels and labels.keys() <= {"os", "arch"} and all(labels.values()),
            "files": "files" not in platform or platform["files"],
        }
        told += [name for name, holds in rules.items() if not holds]
    return told


def test_krew_takes_the_manifest(program: Path) -> None:
    archive = tar_archive(program.read_bytes(), b"licence", TIME)
    text = manifest(archive, __version__, "https://example.com/x.tar.gz")
    assert problems(text, archive) == []
    assert yaml.safe_load(text)["metadata"]["name"] == "appcredential"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("v1alpha2", "v1", ["apiVersion"]),
        ("version: v", "version: ", ["version"]),
        ("bin: kubectl-appcredential", "bin: other", ["bin"]),
        ("sha256: ", "sha256: a", ["sha256"]),
        ("os:", "kernel:", ["selector"]),
        ("https://example.com/x.tar.gz", "x", ["uri"]),
    ],
)
def test_a_wrong_manifest_is_noticed(old: str, new: str, told: list[str]) -> None:
    archive = tar_archive(b"#!program", b"licence", TIME)
    text = manifest(archive, __version__, "https://example.com/x.tar.gz").replace(old, new)
    assert problems(text, archive) == told
