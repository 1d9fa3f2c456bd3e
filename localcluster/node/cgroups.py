"""The node's cgroups (version 1): one group in each hierarchy, below the one that we are in."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError

#: What the kubelet and runc use; the last is a hierarchy without a controller.
NEEDED = (
    *("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"),
    "name=systemd",
)
CPUSET = ("cpuset.cpus", "cpuset.mems")
REMOVE_SECONDS = 20.0
POLL = 0.05


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted hierarchy: its controllers, and the folder of the group that we are in."""

    controllers: tuple[str, ...]
    here: Path


@dataclass(frozen=True, slots=True)
class Group:
    """A group of ours in one hierarchy."""

    controllers: tuple[str, ...]
    folder: Path


def hierarchies(mountinfo: str, own: str) -> list[Hierarchy]:
    """Return the mounted hierarchies of version 1.

    Args:
        mountinfo: the text of /proc/self/mountinfo.
        own: the text of /proc/self/cgroup.
    """
    paths = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        paths[tuple(controllers.split(","))] = Path(path)
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        here = [c for c in paths if kind == "cgroup" and set(c) <= set(options.split(","))]
        found += [
            Hierarchy(each, Path(point) / paths[each].relative_to(root))
            for each in here
            if paths[each].is_relative_to(root)
        ]
    return found


def mounted() -> list[Hierarchy]:
    """Return the hierarchies of this machine."""
    own = Path("/proc/self")
    return hierarchies((own / "mountinfo").read_text(), (own / "cgroup").read_text())


def make(name: str) -> list[Group]:
    """Make a group of that name in each hierarchy that is needed."""
    return [_make(each, name) for each in mounted() if set(each.controllers) & set(NEEDED)]


def _make(hierarchy: Hierarchy, name: str) -> Group:
    folder = hierarchy.here / name
    folder.mkdir()
    if "cpuset" in hierarchy.controllers:
        # A new group of this kind may run nowhere, and nothing can join it.
        for file in CPUSET:
            (folder / file).write_text((hierarchy.here / file).read_text())
    return Group(hierarchy.controllers, folder)


def remove(folders: Iterable[Path]) -> None:
    """Remove the groups with those below them, once their last process is gone."""
    deadline = time.monotonic() + REMOVE_SECONDS
    for folder in folders:
        while folder.exists() and not _removed(folder):
            if time.monotonic() > deadline:
                raise ClusterError(f"{folder} still has processes after {REMOVE_SECONDS:g} s")
            time.sleep(POLL)


def _removed(folder: Path) -> bool:
    try:
        for below in sorted(folder.rglob("*/"), reverse=True):
            below.rmdir()
        folder.rmdir()
    except OSError:
        return False  # busy, or just gone
    return True


def leftover(name: str) -> list[Path]:
    """Return the groups of that name, of a cluster that was killed."""
    return [h.here / name for h in mounted() if (h.here / name).exists()]
