"""What holds for the renewal of the operator's own credential, whatever kind it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias

from appcredential.domain.own.secret import OwnContent, OwnSecret
from appcredential.errors import PermissionDeniedError, RejectedError, SecretForbiddenError
from appcredential.ports.events import Events, EventSubject
from appcredential.ports.own_secret import OwnSecrets
from appcredential.tenants.probing import OpenTenant

Tenants: TypeAlias = Callable[[], AsyncIterator[Mapping[str, Any]]]
"""Yields all EntraTenants by a live list."""


async def sharing(tenants: Tenants, own: str, secret_name: str) -> list[str]:
    """Return the EntraTenants other than `own` whose identity is in the same Secret.

    Raises:
        PermissionDeniedError, UnavailableError: they cannot be listed.
    """
    found = []
    async for document in tenants():
        name = str(document["metadata"]["name"])
        members = (document.get("spec") or {}).get("identity") or {}
        named = {((member or {}).get("secretRef") or {}).get("name") for member in members.values()}
        if name != own and secret_name in named:
            found.append(name)
    return sorted(found)


def is_clock_doubtful(tenant: OpenTenant) -> bool:
    """Return whether a credential made by this clock might not be valid, or not for long."""
    directory = tenant.session.directory
    return directory.skew() is None or directory.is_skew_doubted() or tenant.is_clock_wrong()


async def write_own(secrets: OwnSecrets, name: str, live: OwnSecret, wanted: OwnContent) -> None:
    """Replace what the Secret with the operator's own credential holds.

    Raises:
        SecretForbiddenError: the operator may not, or a policy of the cluster refuses it.
        ConflictError: somebody else wrote it meanwhile.
        UnavailableError: the API server gave no answer.
    """
    try:
        await secrets.write(name, live, wanted)
    except (PermissionDeniedError, RejectedError):
        text = "the operator may not write its own Secret"
        raise SecretForbiddenError(text, is_write=True) from None


async def tell_gone(
    events: Events, subject: EventSubject, kind: str, gone: frozenset[str], left_on: str
) -> None:
    """Tell in an Event that the operator's own former credentials are gone, or where they stay.

    Args:
        events: where to tell it.
        subject: the EntraTenant.
        kind: of the credentials, in words.
        gone: what is not recorded any more.
        left_on: client id of the app registration where they stay; empty when they are gone.
    """
    if not left_on:
        note = f"No former {kind} of the operator's own is on its app registration any more."
        await events.emit(subject, "IdentityRetired", note, warning=False)
    elif gone:
        note = (
            f"Each {kind} that the operator added to its former app registration ({left_on}) "
            "stays there: remove it there."
        )
        await events.emit(subject, "IdentityLeftBehind", note, warning=True)
