"""Assemble the root file system of an image: Python, its libraries, packages, code, nothing else.

Runs with the Python of the build stage and needs only the standard library and `ldd`. It compiles
all bytecode, because the container's file system is read-only. The bytecode is tied to content and
not to times, so that two builds are equal.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

APP = Path("opt/app")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Parts of the standard library that a server does not need, such as tools that install packages.
LEFT_OUT = frozenset(
    {
        *("ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "test", "venv"),
        *("distutils", "dist-packages", "site-packages", "__pycache__", "turtle.py"),
    }
)
USERS = "root:x:0:0::/:/nologin\nappcredential:x:65532:65532::/tmp:/nologin\n"
GROUPS = "root:x:0:\nappcredential:x:65532:\n"


def main() -> None:
    """Assemble one root."""
    parser = argparse.ArgumentParser()
    for name in ("site", "package", "license", "root"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--crds", type=Path)
    options = parser.parse_args()
    root: Path = options.root
    copy_python(root)
    copy_app(options, root / APP)
    copy_rest(options, root)
    copy_libraries(root)
    copy_records(root)
    compile_all(root)
    set_times(root, int(os.environ.get("SOURCE_DATE_EPOCH", "0")))


def copy_python(root: Path) -> None:
    """Copy the interpreter and its standard library to the same paths in the root."""
    program = Path(sys.executable).resolve()
    copy_file(program, root)
    link = root / "usr/bin/python3"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(program)
    for key in ("stdlib", "platstdlib"):
        source = Path(sysconfig.get_path(key))
        shutil.copytree(source, within(root, source), dirs_exist_ok=True, ignore=_left_out)


def _left_out(_folder: str, names: list[str]) -> set[str]:
    # Only programs that embed Python need its static library.
    return {n for n in names if n in LEFT_OUT or n.startswith("config-") or n.endswith(".a")}


def copy_app(options: argparse.Namespace, target: Path) -> None:
    """Copy the packages and our code."""
    clean = shutil.ignore_patterns("__pycache__", "bin")
    shutil.copytree(options.site, target, ignore=clean)
    package: Path = options.package
    shutil.copytree(package, target / package.name, ignore=clean)
    if options.crds is not None:
        shutil.copytree(options.crds, target / package.name / "crds")


def copy_rest(options: argparse.Namespace, root: Path) -> None:
    """Write users, certificate authorities, the licence, and folders that serve as mount points."""
    etc = root / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "passwd").write_text(USERS)
    (etc / "group").write_text(GROUPS)
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    copy_file(AUTHORITIES, root)
    documents = root / "usr/share/doc/appcredential"
    documents.mkdir(parents=True)
    shutil.copyfile(options.license, documents / "LICENSE")
    for name in ("tmp", "proc", "sys", "dev", "run", "var/run/secrets"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)


def copy_libraries(root: Path) -> None:
    """Copy every shared library that a program or module in the root links to."""
    here = [p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and is_elf(p)]
    wanted = {path for program in here for path in linked(program)}
    # glibc loads these by name to look up a host, so no program links to them.
    wanted |= {p for path in wanted for p in path.parent.glob("libnss_*.so.2")}
    for path in sorted(wanted):
        if not within(root, path).exists():
            copy_file(path, root)


def copy_records(root: Path) -> None:
    """Write which packages of Debian the files came from, in one file each, and whose they are.

    Scanners read `var/lib/dpkg/status.d` of images without dpkg, as of those by distroless. A
    Python that no package brought, as in Docker's images, has its version in a file of ours.
    """
    documents = root / "usr/share/doc/appcredential"
    (documents / "python-version").write_text(f"{platform.python_version()}\n")
    if shutil.which("dpkg-query") is None:
        return
    copy_file(Path("/etc/os-release"), root)
    folder = root / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    for package in sorted(packages_of(root)):
        found = _dpkg("--status", package)
        (folder / package.partition(":")[0]).write_text(found.rstrip("\n") + "\n")


def packages_of(root: Path) -> set[str]:
    """Return the packages of Debian that own files of the root, by dpkg's names for them."""
    paths = [p for p in root.rglob("*") if p.is_file() and not p.is_relative_to(root / APP)]
    names = [f"/{p.relative_to(root)}" for p in paths]
    # /lib is a link to /usr/lib, and dpkg knows a library by the one name that its package has.
    others = [name.removeprefix("/usr") for name in names if name.startswith("/usr/lib")]
    names += [*others, *(f"/usr{name}" for name in names if name.startswith("/lib"))]
    # The bundle of authorities is made at installation, of files that this one owns.
    found = {"ca-certificates"} if _dpkg("--show", "ca-certificates") else set()
    for at in range(0, len(names), 500):
        for line in _dpkg("--search", *names[at : at + 500]).splitlines():
            owners, _, path = line.partition(": ")
            if path and not owners.startswith("diversion "):
                found |= set(owners.split(", "))
    return found


def _dpkg(*words: str) -> str:
    """Return what dpkg-query prints; it fails when one of several files has no owner."""
    done = subprocess.run(["dpkg-query", *words], capture_output=True, text=True, check=False)
    return done.stdout


def linked(program: Path) -> Iterable[Path]:
    """Return the libraries that the loader finds for a program; symbolic links keep their names."""
    done = subprocess.run(
        ["ldd", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        words = line.replace("=>", " ").split()
        found = [Path(word) for word in words if word.startswith("/")]
        # Wheels bring some libraries along, next to their modules: those are copied already.
        yield from (path for path in found[-1:] if "/build/" not in str(path))


def is_elf(path: Path) -> bool:
    """Return whether a file is a program or a shared library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def copy_file(path: Path, root: Path) -> None:
    """Copy a file to the same path in the root; a link becomes the file that it points to."""
    target = within(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path.resolve(), target)


def within(root: Path, path: Path) -> Path:
    """Return the place of an absolute path in the root."""
    return root / path.relative_to("/")


def compile_all(root: Path) -> None:
    """Compile every module; the bytecode contains a hash of the source and no time."""
    by_content = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in (Path(sysconfig.get_path("stdlib")), Path("/") / APP):
        done = compileall.compile_dir(
            within(root, folder),
            stripdir=str(root),
            prependdir="/",
            quiet=2,
            invalidation_mode=by_content,
        )
        if not done:
            sys.stderr.write(f"some modules below {folder} do not compile and stay as they are\n")


def set_times(root: Path, moment: int) -> None:
    """Set the times of all files to the same moment."""
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (moment, moment), follow_symlinks=False)
    os.utime(root, (moment, moment))


if __name__ == "__main__":
    main()
