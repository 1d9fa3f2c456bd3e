"""Graph's report of which credentials sign in, which only beta has."""

from __future__ import annotations

import base64
from typing import Any

from entra_emulator.directory.entities import PasswordCredential
from entra_emulator.directory.sign_ins import SignIn
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, route
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.values.instants import render_time

BETA = "/"
"""How paths of beta begin here; those of v1.0 have no slash there."""
_PATH = "reports/appCredentialSignInActivities"
_FIELDS = (
    "id",
    "appId",
    "appObjectId",
    "credentialOrigin",
    "expirationDateTime",
    "keyId",
    "keyType",
    "keyUsage",
    "signInActivity",
)


def list_sign_ins(call: GraphCall) -> GraphAnswer:
    """List when each credential last signed in; permissions for applications are not enough."""
    call.caller.may_read_reports()
    shape: ListShape[SignIn] = ListShape(
        path=_PATH,
        type_name="appCredentialSignInActivity",
        fields=_FIELDS,
        filters=frozenset({"appId", "keyId"}),
        render=_render,
        ordinal=lambda row: row.ordinal,
        annotations={},
    )
    return answer_list(call, shape, call.world.sign_ins.of(call.caller.tenant_id))


def _render(row: SignIn) -> dict[str, Any]:
    credential = row.credential
    is_secret = isinstance(credential, PasswordCredential)
    name = f"{credential.key_id}|application"
    return {
        "id": base64.b64encode(name.encode()).decode(),
        "appId": row.app_id,
        "appObjectId": row.object_id,
        "credentialOrigin": "application",
        "expirationDateTime": render_time(credential.end),
        "keyId": credential.key_id,
        "keyType": "clientSecret" if is_secret else "certificate",
        "keyUsage": "verify",
        "signInActivity": {"lastSignInDateTime": render_time(row.time)},
    }


ROUTES: tuple[Route, ...] = (
    route("signInActivities.list", "GET", f"{BETA}{_PATH}", list_sign_ins),
)
