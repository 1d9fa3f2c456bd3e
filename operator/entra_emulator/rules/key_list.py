"""The rules for `keyCredentials`: which keys a PATCH of the whole list keeps, adds and removes.

There is no compare-and-swap: a PATCH removes every key that it does not name, whoever added it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.entities import ApplicationView, KeyCredential
from entra_emulator.directory.replication import Change
from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.rules.keys import certificate_of, key_id_of, key_object, new_certificate
from entra_emulator.rules.passwords import OBJECT_LIMIT, optional_time, too_large


@dataclass(frozen=True, slots=True)
class Replacement:
    """The result of a PATCH: ids of kept keys, and new keys."""

    kept: frozenset[str]
    added: tuple[KeyCredential, ...]


def replaced_keys(
    view: ApplicationView, body: Any, clock: EmulatorClock, change: Callable[[], Change]
) -> Replacement:
    """Compare a whole list with the existing keys.

    An entry with a known keyId stays and must not differ from the existing key; its `key` may be
    null or missing. Every other entry is new and needs its `key`.

    Args:
        view: the authoritative state.
        body: the value of `keyCredentials` in the request.
        clock: the emulated time.
        change: makes the change for a new entry.

    Raises:
        GraphError: Graph would refuse the list.
    """
    if not isinstance(body, list):
        raise bad_request("A collection is expected for property 'keyCredentials'.")
    existing = {key.key_id: key for key in view.keys}
    kept: set[str] = set()
    new: list[KeyCredential] = []
    for entry in body:
        wanted = key_object(entry)
        known = _kept_entry(existing, wanted)
        if known is not None:
            _check_unchanged(known, wanted)
            kept.add(known.key_id)
        else:
            new.append(new_certificate(wanted, clock, change))
    _check_ids(kept, new, len(body))
    if len(kept) + len(new) + len(view.passwords) > OBJECT_LIMIT:
        raise too_large()
    return Replacement(frozenset(kept), tuple(new))


def _kept_entry(
    existing: Mapping[str, KeyCredential], wanted: Mapping[str, Any]
) -> KeyCredential | None:
    """Return the existing key of an entry: by keyId, else by identifier and bytes."""
    key_id = key_id_of(wanted)
    if key_id is not None:
        return existing.get(key_id)
    identifier, content = wanted.get("customKeyIdentifier"), wanted.get("key")
    return next(
        (
            key
            for key in existing.values()
            if identifier == key.custom_key_identifier and _is_same_key(key, content)
        ),
        None,
    )


def _is_same_key(key: KeyCredential, content: Any) -> bool:
    return isinstance(content, str) and certificate_of(content).der == key.certificate.der


def _check_unchanged(key: KeyCredential, wanted: Mapping[str, Any]) -> None:
    times = {"startDateTime": key.start, "endDateTime": key.end}
    texts = {
        "displayName": key.display_name,
        "type": key.type,
        "usage": key.usage,
        "customKeyIdentifier": key.custom_key_identifier,
    }
    changed = any(optional_time(wanted, name) not in {None, at} for name, at in times.items())
    changed = changed or any(wanted.get(name, text) != text for name, text in texts.items())
    content = wanted.get("key")
    if changed or (content is not None and not _is_same_key(key, content)):
        raise GraphError(
            400,
            "Request_BadRequest",
            f"Update to existing credential with KeyId '{key.key_id}' is not allowed.",
            details=[
                {
                    "code": "KeyNotUpdatable",
                    "message": "Existing key credentials cannot be changed.",
                    "target": "keyCredentials",
                }
            ],
        )


def _check_ids(kept: set[str], new: Sequence[KeyCredential], entries: int) -> None:
    ids = kept | {key.key_id for key in new}
    if len(ids) != entries:
        raise bad_request("Two key credentials of the list have the same keyId.")
