"""Sign in to the registry that a release is pushed to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from release.place import ReleaseError, is_loopback, run


def sign_in(crane: Path, helm: Path, place: str, environment: Mapping[str, str]) -> None:
    """Sign in crane (whose login cosign uses too) and helm; the token goes to them by a pipe.

    Raises:
        ReleaseError: user or token is missing, or the registry refused them.
    """
    user, token = (environment.get(name, "") for name in ("REGISTRY_USER", "REGISTRY_TOKEN"))
    if not user or not token:
        raise ReleaseError(
            "set REGISTRY_USER and REGISTRY_TOKEN in the environment; the token must allow "
            "writing to the registry"
        )
    host = place.partition("/")[0]
    plain = ("--plain-http",) if is_loopback(place) else ()
    words = ("--username", user, "--password-stdin")
    run(crane, "auth", "login", host, *words, secret=token)
    run(helm, "registry", "login", host, *words, *plain, secret=token)
