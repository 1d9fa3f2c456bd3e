"""Sign what was pushed, and attach to each image what is in it.

Keyless, cosign asks Fulcio for a certificate about who runs it, and notes the signature in
Rekor (docs.sigstore.dev/cosign/signing/overview). So there is no key to lose; but it needs an
identity of the workflow, or of a person with a browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from release.place import ReleaseError, pushed, run

_IDENTITIES: Final = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")


def sign(cosign: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Sign all references and attach the SBOM of each image.

    Args:
        cosign: the program.
        folder: of the release, with what was pushed and the SBOMs.
        environment: with the identity of a workflow, or COSIGN_KEY.

    Raises:
        ReleaseError: nothing was pushed, there is no identity or SBOM, or cosign failed.
    """
    how = identity(environment)
    found = pushed(folder)
    boms = {name: _bom(folder, name) for name in found if "#" in name}
    for name, digest in found.items():
        reference = f"{name.partition('#')[0]}@{digest}"
        run(cosign, "sign", "--yes", *how, reference)
        if name in boms:
            words = ("--type", "spdxjson", "--predicate", boms[name])
            run(cosign, "attest", "--yes", *how, *words, reference)


def identity(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return cosign's words for whose signature it is.

    Raises:
        ReleaseError: neither a workflow nor a key is there.
    """
    if key := environment.get("COSIGN_KEY", ""):
        # A registry without Rekor and Fulcio: the signature is the key's alone.
        return ("--key", key, "--tlog-upload=false", "--use-signing-config=false")
    if not any(environment.get(name) for name in _IDENTITIES):
        raise ReleaseError(
            "nobody to sign as: run it in the release workflow (id-token: write), set "
            "SIGSTORE_ID_TOKEN, or try it out with a key, as COSIGN_KEY=cosign.key"
        )
    return ()


def _bom(folder: Path, name: str) -> Path:
    reference, _, platform = name.partition("#")
    path = folder / platform / f"{reference.rpartition('/')[2]}.spdx.json"
    if not path.exists():
        raise ReleaseError(f"{path} is missing: run make dist on a machine of {platform}")
    return path
