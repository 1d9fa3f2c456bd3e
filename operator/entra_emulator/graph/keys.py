"""The two Graph actions with which an application rolls its own certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import KEY_PAIR, ApplicationView, KeyCredential
from entra_emulator.directory.replication import Change, ChangeKind
from entra_emulator.errors.graph import bad_request, not_found
from entra_emulator.graph.call import (
    GraphAnswer,
    GraphCall,
    Route,
    addressed_record,
    route,
    seen_application,
    writable_application,
)
from entra_emulator.graph.proofs import check_proof
from entra_emulator.graph.render import render_key
from entra_emulator.policies.checks import (
    check_certificates,
    check_custom_password,
    check_symmetric_keys,
)
from entra_emulator.rules.keys import key_id_of, key_object, new_certificate, new_key_pair
from entra_emulator.rules.passwords import check_room, known_only, requested_password


def add_key(call: GraphCall) -> GraphAnswer:
    """Add a certificate to the existing ones."""
    record, view = _rollable(call)
    known_only(call.body, {"keyCredential", "passwordCredential", "proof"}, "keyCredential")
    wanted = key_object(call.body.get("keyCredential"))
    password = _password(wanted, call.body)
    _check_proof(call, view)
    check_room(record.truth())
    policies = call.world.policies
    check_symmetric_keys(policies, record, [wanted], call.world.clock)
    if password is not None:
        check_custom_password(policies, record)
    key = _made(call, wanted, password)
    if any(one.key_id == key.key_id for one in record.truth().keys):
        raise bad_request(f"A key credential with keyId '{key.key_id}' exists already.")
    check_certificates(policies, record, [key])
    record.add_key(key)
    context = call.context("microsoft.graph.keyCredential")
    return GraphAnswer(
        status=200, body={"@odata.context": context, **render_key(key, with_key=False)}
    )


def remove_key(call: GraphCall) -> GraphAnswer:
    """Remove a certificate that the chosen replica shows."""
    record, view = _rollable(call)
    known_only(call.body, {"keyId", "proof"}, "keyCredential")
    key_id = key_id_of(call.body)
    if key_id is None:
        raise bad_request("A value is required for parameter 'keyId'.")
    _check_proof(call, view)
    known = any(key.key_id == key_id for key in view.keys)
    if not known or not record.remove_key(key_id, call.world.change(ChangeKind.REMOVE_KEY)):
        raise bad_request(f"No key credential found with keyId '{key_id}'.")
    return GraphAnswer(status=204)


def _rollable(call: GraphCall) -> tuple[ApplicationRecord, ApplicationView]:
    """Return the application; it needs no permission for its own certificates."""
    record = addressed_record(call.world, call.caller.tenant_id, call.params)
    if record is None or record.app_id != call.caller.app_id:
        return writable_application(call)
    record, view = seen_application(call)
    if record.properties.deleted is not None:
        raise not_found(record.id)
    return record, view


def _check_proof(call: GraphCall, view: ApplicationView) -> None:
    principal = call.world.directory.principal_of(view.tenant_id, view.app_id)
    check_proof(
        call.body.get("proof"),
        issuers={view.id, *([principal.id] if principal is not None else [])},
        keys=view.keys,
        now=call.now.timestamp(),
    )


def _password(wanted: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """Return the password of a key pair; other types must not have one."""
    password = requested_password({"passwordCredential": body.get("passwordCredential")})
    text = password.get("secretText")
    if wanted.get("type") != KEY_PAIR:
        if body.get("passwordCredential") is not None:
            raise bad_request(
                f"'passwordCredential' belongs to keys of the type {KEY_PAIR} alone; it must be"
                " null for others."
            )
        return None
    if not isinstance(text, str) or not text:
        raise bad_request(
            f"A value is required for 'secretText' of 'passwordCredential': a key of the type"
            f" {KEY_PAIR} is opened with it."
        )
    return text


def _made(call: GraphCall, wanted: Mapping[str, Any], password: str | None) -> KeyCredential:
    def added() -> Change:
        return call.world.change(ChangeKind.ADD_KEY)

    if password is not None:
        return new_key_pair(wanted, password, call.world.clock, added)
    return new_certificate(wanted, call.world.clock, added)


ROUTES: tuple[Route, ...] = (
    route("application.addKey", "POST", "{app}/!addKey", add_key),
    route("application.removeKey", "POST", "{app}/!removeKey", remove_key),
)
