"""Check the credential of a client: one function per kind."""

from __future__ import annotations

from datetime import datetime

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView, PasswordCredential
from entra_emulator.directory.replication import Sees
from entra_emulator.errors.tokens import TokenError
from entra_emulator.jose.assertions import ASSERTION_TYPE, check_assertion, read_assertion
from entra_emulator.tokens.federated_login import check_federated
from entra_emulator.tokens.request import TokenRequest
from entra_emulator.values.instants import Ticks, ticks_of
from entra_emulator.values.secret_text import SecretText
from entra_emulator.world import World

BY_SECRET, BY_ASSERTION = "1", "2"


async def check_credential(
    world: World,
    record: ApplicationRecord,
    view: ApplicationView,
    request: TokenRequest,
    sees: Sees,
    now: datetime,
) -> str:
    """Accept a single credential; return its kind as the `appidacr` claim.

    Args:
        world: has the issuers of foreign tokens.
        record: the authoritative application.
        view: the application on the chosen replica.
        request: the form.
        sees: which changes the chosen replica shows.
        now: the emulated time.

    Raises:
        TokenError: there are two credentials (RFC 6749, section 2.3), or the credential is
            refused.
    """
    secret, assertion = request.client_secret, request.client_assertion
    if request.is_ambiguous or (secret is not None and assertion is not None):
        raise TokenError(7000218)
    if secret is not None:
        password = _check_secret(record, view, secret, sees, now)
        world.sign_ins.note(view, password, ticks_of(now))
        return BY_SECRET
    if assertion is not None:
        await _check_assertion(world, view, assertion, request, now)
    return BY_ASSERTION


async def _check_assertion(
    world: World, view: ApplicationView, text: SecretText, request: TokenRequest, now: datetime
) -> None:
    if request.client_assertion_type != ASSERTION_TYPE:
        raise TokenError(900144, name="client_assertion_type")
    assertion = read_assertion(text.reveal())
    if assertion.issuer != view.app_id:
        await check_federated(world, view, assertion, now)
        return
    key = check_assertion(
        assertion,
        client_id=view.app_id,
        audiences=request.own_addresses,
        keys=view.keys,
        now=now.timestamp(),
    )
    world.sign_ins.note(view, key, ticks_of(now))


def _check_secret(
    record: ApplicationRecord,
    view: ApplicationView,
    secret: SecretText,
    sees: Sees,
    now: datetime,
) -> PasswordCredential:
    """Return the currently valid secret that the replica shows.

    A secret that has not reached the replica is refused like a wrong one. But if the application
    has an expired secret, Entra reports "expired" instead, so 7000222 says nothing about a new
    secret.
    """
    known = view.passwords
    instant = ticks_of(now)
    matching = [one for one in known if one.digest.matches(secret)]
    valid = [one for one in matching if one.start <= instant < one.end]
    if valid:
        return valid[0]
    fresh = any(one.digest.matches(secret) for one in record.pending_passwords(sees))
    only_expired = any(_expired(one, instant) for one in matching)
    if only_expired or (fresh and any(_expired(one, instant) for one in known)):
        raise TokenError(7000222, app=record.app_id)
    raise TokenError(7000215, app=record.app_id)


def _expired(password: PasswordCredential, instant: Ticks) -> bool:
    return password.end <= instant
