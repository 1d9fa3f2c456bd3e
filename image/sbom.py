"""`python -m image.sbom FOLDER`: write for each built image what is in it, as SPDX 2.3 in JSON.

The rules are those of spdx.github.io/spdx-spec/v2.3. The image itself is read, not what it was
meant to be made of: packages of Python by their metadata, packages of Debian by the records that
assemble.py leaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Final

from appcredential import __version__
from image.each import write_each
from image.engine import Engine
from image.inspecting import digest, unpacked

NAMESPACE: Final = "https://example.com/appcredential/spdx"
"""SPDX asks for a URI that is unique, not for a page that exists."""
_STATUS: Final = "var/lib/dpkg/status.d"
_NONE: Final = "NOASSERTION"


@dataclass(frozen=True, slots=True)
class Part:
    """A package within an image.

    Attributes:
        name: as its makers call it.
        version: as its makers write it.
        licence: an SPDX expression, or NOASSERTION.
        purl: its package URL, by which scanners find it in their databases.
    """

    name: str
    version: str
    licence: str
    purl: str


def parts(root: Path) -> list[Part]:
    """Return the packages in the files of an image, sorted by their package URLs."""
    found = [*_of_python(root), *_of_debian(root)]
    return sorted(set(found), key=lambda part: part.purl)


def _of_python(root: Path) -> Iterator[Part]:
    version = root / "usr/share/doc/appcredential/python-version"
    text = version.read_text().strip()
    yield Part("python", text, "PSF-2.0", f"pkg:generic/python@{text}")
    for path in root.glob("opt/app/*.dist-info/METADATA"):
        metadata = HeaderParser().parsestr(path.read_text())
        name = re.sub(r"[-_.]+", "-", str(metadata["Name"])).lower()
        version_found = str(metadata["Version"])
        # Only this field is an SPDX expression (PEP 639); `License` is free text.
        licence = str(metadata.get("License-Expression") or _NONE)
        yield Part(name, version_found, licence, f"pkg:pypi/{name}@{version_found}")


def _of_debian(root: Path) -> Iterator[Part]:
    release = root / "etc/os-release"
    if not release.exists():
        return
    known = dict(line.split("=", 1) for line in release.read_text().splitlines() if "=" in line)
    distribution = f"{known['ID']}-{known.get('VERSION_ID', '')}".replace('"', "")
    for path in (root / _STATUS).iterdir():
        record = HeaderParser().parsestr(path.read_text())
        name, version = str(record["Package"]), str(record["Version"])
        quoted = version.replace("+", "%2B").replace(":", "%3A")
        more = f"arch={record['Architecture']}&distro={distribution}"
        yield Part(name, version, _NONE, f"pkg:deb/debian/{name}@{quoted}?{more}")


def document(name: str, content: str, found: Sequence[Part]) -> dict[str, Any]:
    """Return the SPDX document of an image.

    Args:
        name: of the image, without its version.
        content: the digest of its files, `sha256:…`: the same files give the same document.
        found: what is in it.
    """
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or 0)
    image = Part(name, __version__, "Apache-2.0", f"pkg:oci/{name}")
    packages = [_package("SPDXRef-image", image)]
    relationships = [_related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image")]
    for part in found:
        identifier = f"SPDXRef-{hashlib.sha256(part.purl.encode()).hexdigest()[:16]}"
        packages.append(_package(identifier, part))
        relationships.append(_related("SPDXRef-image", "CONTAINS", identifier))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{__version__}-{platform.machine()}",
        "documentNamespace": f"{NAMESPACE}/{name}-{__version__}-{content.rpartition(':')[2]}",
        "creationInfo": {
            "created": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "creators": [f"Tool: appcredential-image-sbom-{__version__}"],
        },
        "packages": packages,
        "relationships": relationships,
    }


def _package(identifier: str, part: Part) -> dict[str, Any]:
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": part.purl,
    }
    return {
        "SPDXID": identifier,
        "name": part.name,
        "versionInfo": part.version,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": part.licence,
        "copyrightText": _NONE,
        "externalRefs": [reference],
    }


def _related(one: str, how: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def write(engine: Engine, name: str, folder: Path) -> Path:
    """Write the document of a built image; return its path."""
    with unpacked(engine, f"{name}:{__version__}") as root:
        made = document(name, digest(root), parts(root))
    path = folder / f"{name}.spdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(write_each(write))
