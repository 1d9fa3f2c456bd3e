"""Makes the manifest by which krew installs the tool.

Source of the rules: krew.sigs.k8s.io/docs/developer-guide/plugin-manifest, and the checks that krew
makes of each manifest (internal/index/validation/validate.go of kubernetes-sigs/krew).
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from string import Template
from typing import Final

from onefile.contents import ROOT

TEMPLATE: Final = ROOT / "packaging" / "krew" / "appcredential.yaml"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def manifest(archive: bytes, version: str, uri: str) -> str:
    """Return the manifest of an archive for the system that this runs on.

    Args:
        archive: what krew downloads.
        version: of the tool.
        uri: where it is found.
    """
    template = Template(Path(TEMPLATE).read_text())
    here, architecture = system()
    return template.substitute(
        version=f"v{version}",
        uri=uri,
        sha256=hashlib.sha256(archive).hexdigest(),
        os=here,
        arch=architecture,
    )


def system() -> tuple[str, str]:
    """Return operating system and architecture of this machine, as krew and Go name them."""
    machine = platform.machine()
    return platform.system().lower(), _ARCHITECTURES.get(machine, machine)
