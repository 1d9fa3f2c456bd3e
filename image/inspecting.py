"""Inspect an image: its size, its id, and its files as a root for a process."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image.engine import Engine


def describe(engine: Engine, name: str) -> dict[str, Any]:
    """Return the size, the id and the digest of the files of an image."""
    with unpacked(engine, name) as root:
        size = sum(p.lstat().st_size for p in root.rglob("*") if not p.is_dir())
        content = digest(root)
    return {"id": identity(engine, name), "megabytes": round(size / 1e6, 1), "content": content}


def identity(engine: Engine, name: str) -> str:
    """Return the image's own id."""
    found = json.loads(engine.run("inspect", "--type", "image", name).stdout)
    document = found[0] if isinstance(found, list) else found
    return str(document.get("FromImageID") or document.get("Id"))


def configuration(engine: Engine, name: str) -> dict[str, Any]:
    """Return the image's configuration: user, entry point, environment and labels."""
    found = json.loads(engine.run("inspect", "--type", "image", name).stdout)
    if isinstance(found, list):
        return dict(found[0]["Config"])
    return dict(found["OCIv1"]["config"])


@contextmanager
def unpacked(engine: Engine, name: str) -> Iterator[Path]:
    """Yield a folder with the image's files; it is removed after the block."""
    with tempfile.TemporaryDirectory(prefix="appcredential-root-") as folder:
        root = Path(folder) / "root"
        if engine.is_buildah:
            container = engine.run("from", "--pull-never", name).stdout.strip()
            try:
                mounted = engine.run("mount", container).stdout.strip()
                subprocess.run(["cp", "-a", mounted, str(root)], check=True)
            finally:
                engine.run("rm", container)
        else:
            container = engine.run("create", name).stdout.strip()
            archive = Path(folder) / "root.tar"
            engine.run("export", "-o", str(archive), container)
            engine.run("rm", container)
            with tarfile.open(archive) as files:
                files.extractall(root, filter="fully_trusted")  # noqa: S202 - our own image
        yield root


def digest(root: Path) -> str:
    """Return a hash of every file's path, mode, time and content."""
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        whole.update(
            f"{path.relative_to(root)} {status.st_mode:o} {int(status.st_mtime)} ".encode()
        )
        if stat.S_ISLNK(status.st_mode):
            whole.update(str(path.readlink()).encode())
        elif stat.S_ISREG(status.st_mode):
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{whole.hexdigest()}"
