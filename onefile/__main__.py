"""`python -m onefile FOLDER`: write the tool as one file, its archive and its manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appcredential import __version__
from onefile.archive import NAME, python_archive, source_time, tar_archive, write
from onefile.contents import ROOT, ContentsError, contents
from onefile.krew import manifest, system

_URL: Final = "https://example.com/releases"
"""The manifest is a template until somebody says where the archive is found."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the three files; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m onefile", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default=_URL, help="where the archive will be found")
    parser.add_argument(
        "--unverified",
        action="store_true",
        help="take files that were changed since they were installed; for trying it out",
    )
    given = parser.parse_args(arguments)
    folder, url, seconds = given.folder, given.url.rstrip("/"), source_time()
    changed: list[str] | None = [] if given.unverified else None
    try:
        files = contents((ROOT / "requirements" / "cli.txt").read_text(), changed)
    except ContentsError as exc:
        sys.stderr.write(f"error: {exc}: install it anew, or try it out with --unverified\n")
        return 1
    if changed:
        sys.stderr.write(f"warning: not as installed: {', '.join(changed)}\n")
    bootstrap = (ROOT / "onefile" / "bootstrap.py").read_bytes()
    program = python_archive(files, bootstrap, seconds)
    archive = tar_archive(program, (ROOT / "LICENSE").read_bytes(), seconds)
    packed = f"{NAME}-{__version__}-{'-'.join(system())}.tar.gz"
    write(folder / f"{NAME}.pyz", program, is_program=True)
    write(folder / packed, archive)
    text = manifest(archive, __version__, f"{url}/v{__version__}/{packed}")
    write(folder / "krew" / "appcredential.yaml", text.encode())
    sys.stdout.write(f"{folder / f'{NAME}.pyz'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
