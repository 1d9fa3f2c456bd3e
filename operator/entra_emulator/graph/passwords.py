"""The two Graph actions on client secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.replication import ChangeKind
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, route, writable_application
from entra_emulator.graph.render import render_password
from entra_emulator.policies.checks import check_password_kind, check_password_lifetime
from entra_emulator.rules.passwords import (
    check_count,
    new_password,
    no_such_password,
    requested_key_id,
    requested_password,
)
from entra_emulator.values.secret_text import new_secret


def add_password(call: GraphCall) -> GraphAnswer:
    """Create a secret; only this answer ever contains its value."""
    record, _ = writable_application(call)
    made = generate_password(call, record, requested_password(call.body))
    context = call.context("microsoft.graph.passwordCredential")
    return GraphAnswer(status=200, body={"@odata.context": context, **made})


def generate_password(
    call: GraphCall, record: ApplicationRecord, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Add a secret; return it with its value, for the one answer that may show it.

    Raises:
        GraphError: a policy forbids it, the application is full, or a value is wrong.
    """
    check_password_kind(call.world.policies, record)
    check_count(record.truth())
    secret = new_secret()
    password = new_password(wanted, call.world.clock, call.world.change(ChangeKind.ADD), secret)
    check_password_lifetime(call.world.policies, record, password)
    record.add_password(password)
    return {**render_password(password), "secretText": secret.reveal()}


def remove_password(call: GraphCall) -> GraphAnswer:
    """Remove a secret that the chosen replica shows; for an unknown one Graph answers 400."""
    record, view = writable_application(call)
    key_id = requested_key_id(call.body)
    known = any(password.key_id == key_id for password in view.passwords)
    if not known or not record.remove_password(key_id, call.world.change(ChangeKind.REMOVE)):
        raise no_such_password(key_id)
    return GraphAnswer(status=204)


ROUTES: tuple[Route, ...] = (
    route("application.addPassword", "POST", "{app}/!addPassword", add_password),
    route("application.removePassword", "POST", "{app}/!removePassword", remove_password),
)
