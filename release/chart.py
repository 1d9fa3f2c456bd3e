"""Push both charts as OCI artefacts, which `helm install oci://…` takes."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from appcredential import __version__
from image.engine import TARGETS
from release.place import ROOT, ReleaseError, is_loopback, note, pushed, run

CHARTS: Final = ("appcredential", "appcredential-crds")


def push_charts(helm: Path, place: str, folder: Path) -> None:
    """Package both charts into `any` of a folder and push them below `charts/` of a place.

    The values of the packaged chart name the images that were pushed, by their digests.

    Raises:
        ReleaseError: the images were not pushed there, helm failed, or it named no digest.
    """
    plain = ("--plain-http",) if is_loopback(place) else ()
    known = pushed(folder)
    with tempfile.TemporaryDirectory(prefix="appcredential-charts-") as temporary:
        for name in CHARTS:
            source = Path(temporary) / name
            shutil.copytree(ROOT / "charts" / name, source)
            values = source / "values.yaml"
            values.write_text(naming_images(values.read_text(), place, known))
            run(helm, "package", "--destination", folder / "any", source)
            package = folder / "any" / f"{name}-{__version__}.tgz"
            target = f"oci://{place}/charts"
            # helm says it on standard error.
            answer = run(helm, "push", package, target, *plain, with_errors=True)
            note(folder, {f"{place}/charts/{name}": pushed_digest(answer)})


def naming_images(values: str, place: str, known: Mapping[str, str]) -> str:
    """Return the text of values.yaml with registry and digest of each of our images.

    Raises:
        ReleaseError: an image was not pushed to this place.
    """
    for name in TARGETS.values():
        if f"{place}/{name}" not in known:
            raise ReleaseError(f"{name} was not pushed to {place}: push the images first")
        values = re.sub(
            rf'(registry: )""(\n(?:.*\n)?.*repository: {name}\n(?:.*\n){{1,4}}?.*digest: )""',
            rf"\g<1>{place}\g<2>{known[f'{place}/{name}']}",
            values,
        )
    return values


def pushed_digest(answer: str) -> str:
    """Return the digest in what `helm push` prints.

    Raises:
        ReleaseError: there is none.
    """
    found = re.search(r"^Digest: (sha256:[0-9a-f]{64})$", answer, re.MULTILINE)
    if found is None:
        raise ReleaseError(f"helm push did not name a digest: {answer}")
    return found.group(1)
