"""AppCredentials as files hold them, checked and completed by the API server where that may be."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError
from appcredential.cli.plan.applied import as_applied
from appcredential.cli.plan.yaml_loader import load_all
from appcredential.cli.text import plain
from appcredential.domain.spec.checks import is_namespace_name
from appcredential.domain.times import format_time

_KIND: Final = "AppCredential"
_VERSION: Final = "appcredential.io/v1alpha1"
_LARGEST: Final = 8 * 1024 * 1024
_MOST: Final = 1000
_NO_DRY_RUN: Final = "does not support dry run"
_OF_THE_SERVER: Final = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""What only the API server sets; generators write some of it, such as `creationTimestamp: null`."""

Note = Callable[[str], None]
"""Told of what is left out, and of what was not checked."""


def documents(file: str, note: Note) -> list[Mapping[str, Any]]:
    """Return the AppCredentials of a file; `-` is stdin. What is none is noted.

    Raises:
        CliError: the file cannot be read, or holds none.
    """
    try:
        text = sys.stdin.read(_LARGEST + 1) if file == "-" else _content(Path(file))
    except (OSError, UnicodeDecodeError) as exc:
        raise CliError(f"{plain(file)} cannot be read: {plain(str(exc))}") from exc
    if len(text) > _LARGEST:
        raise CliError(f"{plain(file)} is larger than 8 MiB: plan fewer at a time.")
    try:
        found = list(_flat(load_all(text)))
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise CliError(f"{plain(file)} is no YAML: {plain(str(exc))}") from exc
    wanted = []
    for document in found:
        kind = plain(document.get("kind")) or "a document without kind"
        if (document.get("kind"), document.get("apiVersion")) == (_KIND, _VERSION):
            wanted.append(document)
        else:
            note(f"left out, because it is no {_KIND} of {_VERSION}: {kind} {_name(document)}")
    if not wanted:
        raise CliError(f"{plain(file)} holds no {_KIND} of {_VERSION}.")
    if len(wanted) > _MOST:
        raise CliError(f"{plain(file)} holds more than {_MOST}: plan fewer at a time.")
    return wanted


def _content(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        return opened.read(_LARGEST + 1)


def _flat(found: Iterator[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects, those of a List one by one."""
    for document in found:
        items = document.get("items") if isinstance(document, Mapping) else None
        if isinstance(items, list) and document.get("kind") == "List":
            yield from _flat(iter(items))
        elif isinstance(document, Mapping):
            yield document


def _name(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    return plain(metadata.get("name")) if isinstance(metadata, Mapping) else ""


def tried_out(api: Api, document: Mapping[str, Any], note: Note) -> AppCredential:
    """Return an AppCredential as it would be once the manifest is applied.

    Where the person may not even try, the schema is left to the operator's own reading of it.

    Raises:
        CliError: it has no name, or the API server refuses it, with field and remedy.
    """
    given = document.get("metadata")
    given = given if isinstance(given, Mapping) else {}
    metadata = {key: value for key, value in given.items() if key not in _OF_THE_SERVER}
    if not isinstance(metadata.get("name"), str):
        raise CliError("metadata.name: is required")
    namespace = metadata["namespace"] = metadata.get("namespace") or api.namespace
    if not isinstance(namespace, str) or not is_namespace_name(namespace):
        raise CliError(f"metadata.namespace: {plain(str(namespace))!r} is no name of a namespace")
    manifest = {**document, "metadata": metadata}
    manifest.pop("status", None)
    live = _live(api, namespace, metadata["name"], note)
    if live is not None:
        manifest = as_applied(manifest, live)
    try:
        found = api.try_out(manifest, live)
    except CliError as exc:
        # A webhook that cannot be tried out says nothing of the manifest.
        if not isinstance(exc, ForbiddenError) and _NO_DRY_RUN not in str(exc):
            raise
        note(f"the manifest was not checked by the API server: {exc}")
        found = AppCredential(manifest)
    return AppCredential(_completed(found, live, api))


def _live(api: Api, namespace: str, name: str, note: Note) -> AppCredential | None:
    try:
        return api.get(namespace, name)
    except NotThereError:
        return None
    except ForbiddenError as exc:
        note(f"whether it exists already: {exc}")
        return None


def _completed(found: AppCredential, live: AppCredential | None, api: Api) -> dict[str, Any]:
    """Return the object with what only an object that exists has."""
    known = dict(live.document["metadata"]) if live is not None else {}
    made = {
        "uid": str(uuid.uuid4()),
        "resourceVersion": "0",
        "generation": 1,
        "creationTimestamp": format_time(api.now()),
    }
    status = (live.document.get("status") if live is not None else None) or {}
    metadata = {**made, **known, **found.document["metadata"]}
    return {**found.document, "metadata": metadata, "status": status}
