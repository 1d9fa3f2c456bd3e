"""Reads what applications hold, page by page and in batches, with progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from appcredential.cli.errors import NotThereError
from appcredential.cli.terminal import Show
from appcredential.domain.inventory import IN_A_BATCH
from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.model import ClientId, KeyId, ObjectId
from appcredential.errors import AppCredentialError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from appcredential.entra.reader import Reader

_NOW: Final = timedelta(0)
_FEW: Final = 20
"""The report of sign-ins is read for each application up to so many, else as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which applications: some by their client ids, all that the person owns, or all."""

    client_ids: Sequence[ClientId] = ()
    is_owned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What Entra showed.

    Attributes:
        found: each application, with its federated credentials unless they could not be read.
        policy: the default app management policy; None where it cannot be read.
        usage: when each key id last signed in; None where the report cannot be read.
        notes: what could not be read, for the person.
    """

    found: Sequence[tuple[Application, FederatedList | None]]
    policy: AppPolicy | None
    usage: Mapping[KeyId, datetime] | None
    notes: Sequence[str]


async def read(reader: Reader, wanted: Wanted, show: Show) -> Read:
    """Read applications and all that is known about their credentials.

    Raises:
        NotThereError: an application does not exist, or the person may not see it.
        AppCredentialError: applications cannot be read; see `errors.py`.
    """
    notes: list[str] = []
    if wanted.client_ids:
        found = [await _one(reader, client_id) for client_id in wanted.client_ids]
    else:
        listed = await _listed(reader, wanted, show, notes)
        found = await _with_trusts(reader, listed, show, notes)
    show("Reading the app management policy and the report of sign-ins")
    return Read(
        found=found,
        policy=await _policy(reader, notes),
        usage=await _usage(reader, wanted, show, notes),
        notes=notes,
    )


async def _one(reader: Reader, client_id: ClientId) -> tuple[Application, FederatedList | None]:
    try:
        application = await reader.patiently(lambda: reader.directory.application(client_id, _NOW))
    except NotFoundError as exc:
        raise NotThereError(
            f"There is no application {client_id} in this tenant, or you may not see it."
        ) from exc
    found = await reader.patiently(lambda: reader.directory.federated(application.object_id, _NOW))
    return application, found


async def _listed(
    reader: Reader, wanted: Wanted, show: Show, notes: list[str]
) -> list[Application]:
    found: dict[ClientId, Application] = {}
    unread = 0
    pages = reader.every_application(is_owned=wanted.is_owned)
    async with aclosing(pages):
        async for page in pages:
            found.update(page.found)
            unread += page.rows - len(page.found)
            show(f"Reading applications: {len(found):,}")
    if unread > 0:
        notes.append(f"{unread} rows of the list of applications could not be read.")
    return list(found.values())


async def _with_trusts(
    reader: Reader, applications: Sequence[Application], show: Show, notes: list[str]
) -> list[tuple[Application, FederatedList | None]]:
    trusts: dict[ObjectId, FederatedList | None] = {}
    lists = reader.lists
    for start in range(0, len(applications), IN_A_BATCH):
        show(f"Reading federated credentials: {start:,} of {len(applications):,} applications")
        asked = [one.object_id for one in applications[start : start + IN_A_BATCH]]
        try:
            trusts.update(await reader.patiently(partial(lists.federated, asked)))
        except PermissionDeniedError:
            notes.append("You may not read federated credentials.")
            break
    return [(one, trusts.get(one.object_id)) for one in applications]


async def _policy(reader: Reader, notes: list[str]) -> AppPolicy | None:
    try:
        return await reader.default_policy()
    except PermissionDeniedError:
        notes.append(
            "The app management policy is not readable for you (Policy.Read.All): other limits "
            "count."
        )
    except AppCredentialError as exc:
        notes.append(f"The app management policy could not be read: {exc}.")
    return None


async def _usage(
    reader: Reader, wanted: Wanted, show: Show, notes: list[str]
) -> Mapping[KeyId, datetime] | None:
    usage: dict[KeyId, datetime] = {}
    asked = wanted.client_ids if 0 < len(wanted.client_ids) <= _FEW else (None,)
    try:
        for client_id in asked:
            pages = reader.last_sign_ins(client_id)
            async with aclosing(pages):
                async for page in pages:
                    usage.update(page)
                    show(f"Reading the report of sign-ins: {len(usage):,} credentials")
    except PermissionDeniedError:
        notes.append(
            "The report of sign-ins is not readable for you (AuditLog.Read.All, and a licence): "
            "nothing is said about use."
        )
        return None
    except AppCredentialError as exc:
        notes.append(f"The report of sign-ins could not be read: {exc}. Nothing is said about use.")
        return None
    return usage
