"""The node's cgroups (version 1): one group per hierarchy, below our own group."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError

#: Hierarchies that the kubelet and runc use; the last one has no controller.
NEEDED = (
    *("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"),
    "name=systemd",
)
CPUSET = ("cpuset.cpus", "cpuset.mems")
REMOVE_SECONDS = 20.0
POLL = 0.05


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted hierarchy: its controllers, and the folder of our own group."""

    controllers: tuple[str, ...]
    here: Path


@dataclass(frozen=True, slots=True)
class Group:
    """A group that we made in one hierarchy."""

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
    """Make a group of that name in each hierarchy that the node needs."""
    return [_make(each, name) for each in mounted() if set(each.controllers) & set(NEEDED)]


def _make(hierarchy: Hierarchy, name: str) -> Group:
    folder = hierarchy.here / name
    folder.mkdir()
    if "cpuset" in hierarchy.controllers:
        # A new cpuset group has no CPU and no memory, so nothing could join it.
        for file in CPUSET:
            (folder / file).write_text((hierarchy.here / file).read_text())
    return Group(hierarchy.controllers, folder)


def remove(folders: Iterable[Path]) -> None:
    """Remove the groups and their subgroups after their last process has ended."""
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
    """Return the groups of that name that a killed cluster left."""
    return [h.here / name for h in mounted() if (h.here / name).exists()]
