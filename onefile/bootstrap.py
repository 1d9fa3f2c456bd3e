"""What runs when kubectl-appcredential.pyz is started: unpack once, then run the tool from there.

Python imports no compiled module from an archive, and the Kubernetes client needs one. It runs
before anything else is there, so it imports the standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

_KEY = "zipapp.json"
_SITE = "site/"


def main() -> int:
    """Run the tool; return its exit status."""
    archive = Path(sys.argv[0]).resolve()
    with zipfile.ZipFile(archive) as opened:
        made = json.loads(opened.read(_KEY))
        here = [f"{sys.version_info[0]}.{sys.version_info[1]}", sysconfig.get_platform()]
        if here != [made["python"], made["platform"]]:
            return _failed(
                f"this file is for Python {made['python']} on {made['platform']}, and this is "
                f"Python {here[0]} on {here[1]}: install it with pipx instead"
            )
        try:
            folder = _unpacked(opened, str(made["digest"]))
        except OSError as exc:
            return _failed(f"it cannot be unpacked: {exc}")
    sys.path.insert(0, str(folder))
    try:
        from appcredential.cli import entry  # noqa: PLC0415 - it is there from now on

        is_completion = Path(sys.argv[0]).name.startswith("kubectl_complete")
        return entry.complete() if is_completion else entry.main()
    except ModuleNotFoundError as exc:
        missing = (exc.name or "").partition(".")[0]
        if missing not in made["without"]:
            raise
        return _failed(f"this file is without {missing}, which the command needs: use pipx")


def _unpacked(opened: zipfile.ZipFile, digest: str) -> Path:
    """Return the folder with what the archive holds; it is of this user only."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # such a value is to be ignored, by the XDG specification
        base = Path("~/.cache").expanduser()
    parent = base / "appcredential" / "zipapp"
    folder = parent / digest
    if _is_own(parent) and _is_own(folder):
        return folder
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _is_own(parent)  # whoever may write to it could put another folder into its place
    made = tempfile.mkdtemp(dir=parent)
    try:
        for name in opened.namelist():
            if name.startswith(_SITE):
                path = Path(made, name.removeprefix(_SITE))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(opened.read(name))
        try:
            Path(made).rename(folder)  # at once: another start never sees a half of it
        except OSError:
            if not _is_own(folder):  # else another start was quicker
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _is_own(folder: Path) -> bool:
    """Return whether it is there; one that others could have written is refused.

    Raises:
        OSError: it is there, and another user owns it or may write to it.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} belongs to somebody else, or others may write to it")
    return True


def _failed(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
