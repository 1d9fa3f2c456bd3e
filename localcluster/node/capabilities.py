"""Find out whether this machine can run a node, and why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from localcluster.errors import ClusterError
from localcluster.node import cgroups
from localcluster.node.configuration import PLUGINS
from localcluster.node.network import NODE_LINK

#: Programs, each with the Debian package that contains it.
PROGRAMS: Final = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    f"{PLUGINS}/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
REMEDY: Final = "on Debian: make node-packages"


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known about a machine."""

    linux: bool = True
    root: bool = True
    programs: frozenset[str] = frozenset(PROGRAMS)
    controllers: frozenset[str] = frozenset(cgroups.NEEDED)
    #: The kernel's refusals of trial runs, keyed by what the node needs.
    refused: dict[str, str] = field(default_factory=dict)


def reasons(machine: Machine) -> list[str]:
    """Return all reasons why the machine cannot run a node, each with its remedy."""
    if not machine.linux:
        return ["a node needs Linux"]
    if not machine.root:
        return ["a node needs root, for namespaces, mounts and cgroups of its own"]
    found = []
    packages = {PROGRAMS[name] for name in PROGRAMS.keys() - machine.programs}
    if packages:
        found.append(f"not installed: {', '.join(sorted(packages))} ({REMEDY})")
    controllers = [name for name in cgroups.NEEDED if name not in machine.controllers]
    if controllers:
        found.append(
            f"no writable cgroup of version 1 for {', '.join(controllers)}: a node here needs "
            "version 1 (boot with systemd.unified_cgroup_hierarchy=0, or take another machine)"
        )
    found += [f"the kernel refuses {what}: {said}" for what, said in machine.refused.items()]
    return found


def assert_capable() -> None:
    """Raise `ClusterError` with all reasons if this machine cannot run a node."""
    if found := reasons(look()):
        raise ClusterError("this machine cannot run a node:\n  - " + "\n  - ".join(found))


def look() -> Machine:
    """Examine this machine; trial runs happen in namespaces that end at once."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return Machine(linux=sys.platform == "linux", root=False)
    programs = frozenset(name for name in PROGRAMS if shutil.which(name))
    controllers = frozenset(
        controller
        for hierarchy in cgroups.mounted()
        if os.access(hierarchy.here, os.W_OK)
        for controller in hierarchy.controllers
    )
    tools = {"ip", "iptables", "unshare", "mount"}
    refused = _tried() if tools <= programs else {}
    return Machine(programs=programs, controllers=controllers, refused=refused)


def _tried() -> dict[str, str]:
    said = {
        "a pair of linked devices (veth)": _try(
            ["--net"], ["ip", "link", "add", NODE_LINK, "type", "veth", "peer", "other0"]
        ),
        "rules for addresses (iptables nat)": _try(
            ["--net"], ["iptables", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE"]
        ),
        "a file system over another (overlay)": _try_overlay(),
    }
    return {what: answer for what, answer in said.items() if answer}


def _try_overlay() -> str:
    """Try an overlay in the folder of clusters: not every file system can carry one."""
    with tempfile.TemporaryDirectory(prefix="appcredential-overlay-") as name:
        folder = Path(name)
        for part in ("lower", "upper", "work", "target"):
            (folder / part).mkdir()
        options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
        target = str(folder / "target")
        return _try(["--mount"], ["mount", "-t", "overlay", "-o", options, "overlay", target])


def _try(namespaces: Sequence[str], command: Sequence[str]) -> str:
    words = ["unshare", *namespaces, *command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode == 0:
        return ""
    return done.stderr.strip() or f"{' '.join(command)} ended with status {done.returncode}"
