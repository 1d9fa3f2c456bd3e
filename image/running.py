"""`python -m image.running ROOT FOLDER MODULE …`: run a program of an image, as a kubelet would.

The root is read-only, /tmp is a small file system in memory, FOLDER is mounted at
/var/run/secrets, and the user is that of the image. The mounts need root.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

USER: Final = "65532:65532"
GIVEN: Final = "/var/run/secrets"
ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin",
    "PYTHONPATH": "/opt/app",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "LANG": "C.UTF-8",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
}
"""The environment that the Dockerfile sets; a test compares the two."""


def command(root: Path, folder: Path, words: list[str]) -> list[str]:
    """Return the command that runs a module of the image."""
    r, given = shlex.quote(str(root)), shlex.quote(str(folder))
    steps = (
        f"mount --bind {r} {r}",
        f"mount -o remount,ro,bind {r}",
        f"mount -t tmpfs -o size=16m,mode=1777 tmpfs {r}/tmp",
        f"mount --bind {given} {r}{GIVEN}",
        f"mount --bind /dev {r}/dev",
        f"exec chroot --userspec={USER} {r} /usr/bin/python3 -m {shlex.join(words)}",
    )
    return ["unshare", "--mount", "sh", "-c", " && ".join(steps)]


def main() -> None:
    """Replace this process with the program."""
    root, folder, *words = sys.argv[1:]
    passed = {k: v for k, v in os.environ.items() if k.startswith("APPCREDENTIAL_")}
    if "KUBECONFIG" in os.environ:
        passed["KUBECONFIG"] = os.environ["KUBECONFIG"]
    # The host's programs make the mounts: the root contains only Python.
    env = {**ENVIRONMENT, **passed, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    words = command(Path(root), Path(folder), words)
    os.execvpe(words[0], words, env)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
