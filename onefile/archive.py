"""Writes archives that are the same, byte for byte, whenever they hold the same."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import sysconfig
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from onefile.contents import WITHOUT

SHEBANG: Final = b"#!/usr/bin/env python3\n"
NAME: Final = "kubectl-appcredential"
_EARLIEST: Final = 315_532_800
"""1980: an archive knows no earlier time."""
_FILE: Final = 0o100644 << 16


def source_time() -> int:
    """Return the time that all files get: SOURCE_DATE_EPOCH, else the earliest."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    return max(_EARLIEST, int(text)) if text.isdecimal() else _EARLIEST


def python_archive(files: Mapping[str, bytes], bootstrap: bytes, seconds: int) -> bytes:
    """Return an archive that Python runs.

    Args:
        files: by their names in the folder that is unpacked.
        bootstrap: the program that unpacks it.
        seconds: the time of all files.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    made = {
        "digest": digest.hexdigest(),
        "platform": sysconfig.get_platform(),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "without": list(WITHOUT),
    }
    raw = io.BytesIO()
    raw.write(SHEBANG)
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        _add(archive, "__main__.py", bootstrap, seconds)
        _add(archive, "zipapp.json", json.dumps(made, sort_keys=True).encode(), seconds)
        for name in sorted(files):
            _add(archive, f"site/{name}", files[name], seconds)
    return raw.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, seconds: int) -> None:
    info = zipfile.ZipInfo(name, time.gmtime(seconds)[:6])
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, _FILE
    archive.writestr(info, content)


def tar_archive(program: bytes, licence: bytes, seconds: int) -> bytes:
    """Return what krew unpacks: the program and its licence."""
    raw = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=seconds) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content, mode in (("LICENSE", licence, 0o644), (NAME, program, 0o755)):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(content), mode, seconds
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def write(path: Path, content: bytes, *, is_program: bool = False) -> None:
    """Write a file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if is_program:
        path.chmod(0o755)
