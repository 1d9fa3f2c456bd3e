"""The first process of the node: it sets up the namespaces, then reaps orphans forever.

Run as a script: `inside.py FOLDER HIERARCHY…`; a hierarchy is a list of controllers such as
`cpu,cpuacct`. After the setup it writes its process id, as the machine sees it, to FOLDER/pid.
It uses only the standard library, because it starts without site packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

# The kubelet would set these values for the whole machine. It finds them and leaves them.
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def main() -> None:
    """Set up the node, announce it, and stay."""
    folder = Path(sys.argv[1])
    # Read from the machine's /proc, before `mount_kernel_folders` replaces it.
    pid = Path("/proc/self").readlink().name
    mount_own_folders(folder)
    mount_kernel_folders(sys.argv[2:])
    hide_machine_sysctls(folder)
    # Later mounts of volumes reach the containers, but none reaches the machine.
    run("mount", "--make-rshared", "/")
    run("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    draft = folder / "pid.new"
    draft.write_text(pid)
    draft.replace(folder / "pid")
    collect_orphans()


def mount_own_folders(folder: Path) -> None:
    """Mount folders of the node's own over /run and /var."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    upper, work, kubelet = (folder / name for name in ("var", "var-work", "kubelet"))
    for path in (upper, work, kubelet):
        path.mkdir()
    options = f"lowerdir=/var,upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "-o", options, "overlay", "/var")
    target = Path("/var/lib/kubelet")
    target.mkdir(parents=True, exist_ok=True)
    # Containers mount overlays over volumes here, which the kernel refuses on an overlay.
    run("mount", "--bind", str(kubelet), str(target))


def mount_kernel_folders(hierarchies: list[str]) -> None:
    """Mount /proc, /sys and cgroups, so that the node sees only its own."""
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    groups = Path("/sys/fs/cgroup")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(groups))
    for controllers in hierarchies:
        point = groups / controllers.removeprefix("name=")
        point.mkdir()
        # A hierarchy without a controller is mounted by `none` and its name.
        kind = f"none,{controllers}" if controllers.startswith("name=") else controllers
        run("mount", "-t", "cgroup", "-o", kind, "cgroup", str(point))
        if "," in controllers:
            for controller in controllers.split(","):
                (groups / controller).symlink_to(point.name)


def hide_machine_sysctls(folder: Path) -> None:
    """Mount files over the settings that belong to the whole machine."""
    own = folder / "sysctls"
    own.mkdir()
    for name, value in SYSCTLS.items():
        file = own / name.replace("/", ".")
        file.write_text(value + "\n")
        run("mount", "--bind", str(file), f"/proc/sys/{name}")


def run(*words: str) -> None:
    """Run a program; a failure ends the node, and its output is in the node's log."""
    subprocess.run(words, check=True)


def collect_orphans() -> None:
    """Reap the children of processes that ended before them."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


if __name__ == "__main__":
    main()
