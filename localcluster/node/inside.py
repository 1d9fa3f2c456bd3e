"""The first process of the node: sets its namespaces up, then collects orphans for ever.

Run as a script: `inside.py FOLDER HIERARCHY…`, a hierarchy being its controllers such as
`cpu,cpuacct`. When all is set up it writes its process id, as the machine sees it, to FOLDER/pid.
Kept to the standard library: it starts without site packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

# What the kubelet would set for the whole machine. It finds these values and is content.
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def main() -> None:
    """Set up, tell, and stay."""
    folder = Path(sys.argv[1])
    # Asked of the machine's /proc, which is replaced below.
    pid = Path("/proc/self").readlink().name
    mount_own_folders(folder)
    mount_kernel_folders(sys.argv[2:])
    hide_machine_sysctls(folder)
    # Volumes that are mounted later reach the containers; nothing reaches the machine.
    run("mount", "--make-rshared", "/")
    run("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    draft = folder / "pid.new"
    draft.write_text(pid)
    draft.replace(folder / "pid")
    collect_orphans()


def mount_own_folders(folder: Path) -> None:
    """Let what is written to /run and /var stay with the node."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    upper, work, kubelet = (folder / name for name in ("var", "var-work", "kubelet"))
    for path in (upper, work, kubelet):
        path.mkdir()
    options = f"lowerdir=/var,upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "-o", options, "overlay", "/var")
    target = Path("/var/lib/kubelet")
    target.mkdir(parents=True, exist_ok=True)
    # Volumes lie here, and an overlay on an overlay is no place for those.
    run("mount", "--bind", str(kubelet), str(target))


def mount_kernel_folders(hierarchies: list[str]) -> None:
    """Show the node its own processes, links and cgroups."""
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    groups = Path("/sys/fs/cgroup")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(groups))
    for controllers in hierarchies:
        point = groups / controllers.removeprefix("name=")
        point.mkdir()
        # A hierarchy without a controller is asked for by `none` and its name.
        kind = f"none,{controllers}" if controllers.startswith("name=") else controllers
        run("mount", "-t", "cgroup", "-o", kind, "cgroup", str(point))
        if "," in controllers:
            for controller in controllers.split(","):
                (groups / controller).symlink_to(point.name)


def hide_machine_sysctls(folder: Path) -> None:
    """Put files of our own over the settings that are the whole machine's."""
    own = folder / "sysctls"
    own.mkdir()
    for name, value in SYSCTLS.items():
        file = own / name.replace("/", ".")
        file.write_text(value + "\n")
        run("mount", "--bind", str(file), f"/proc/sys/{name}")


def run(*words: str) -> None:
    """Run a program; its failure ends the node, with what it said in the node's log."""
    subprocess.run(words, check=True)


def collect_orphans() -> None:
    """Wait for the children of those that ended before them."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


if __name__ == "__main__":
    main()
