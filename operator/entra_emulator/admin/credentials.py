"""Actions on secrets and certificates, for the admin API and seeds."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.admin.seed import KeySeed, PasswordSeed
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import KeyCredential, PasswordCredential
from entra_emulator.values.certificates import decode_binary, read_certificate
from entra_emulator.values.instants import Ticks, ticks_of
from entra_emulator.values.secret_text import digest_of, hint_of, new_secret
from entra_emulator.world import World


def add_password(world: World, record: ApplicationRecord, seed: PasswordSeed) -> dict[str, Any]:
    """Add a password with any dates, even long past ones."""
    secret = seed.value or new_secret()
    now = world.clock.now()
    password = PasswordCredential(
        key_id=seed.key_id or str(uuid.uuid4()),
        display_name=seed.display_name,
        start=_instant(seed.start_date_time, now, seed.start_in_days),
        end=_instant(seed.end_date_time, now, seed.end_in_days),
        hint=hint_of(secret),
        digest=digest_of(secret),
        added=world.settled_change(),
    )
    record.add_password(password)
    made = {"keyId": password.key_id, "displayName": password.display_name}
    return made if seed.value else {**made, "secretText": secret.reveal()}


def remove_password(world: World, record: ApplicationRecord, key_id: str) -> None:
    """Remove a password."""
    if not record.remove_password(key_id, world.settled_change()):
        raise unknown("password", key_id)


def add_key(world: World, record: ApplicationRecord, seed: KeySeed) -> dict[str, Any]:
    """Add a certificate, even an expired one."""
    text = seed.certificate.strip()
    try:
        content = text.encode() if text.startswith("-----") else decode_binary(text)
        certificate = read_certificate(content)
    except ValueError:
        raise AdminError(400, "certificate: neither PEM nor base64 of DER") from None
    key = KeyCredential(
        key_id=seed.key_id or str(uuid.uuid4()),
        display_name=seed.display_name or certificate.subject,
        start=certificate.start,
        end=certificate.end,
        custom_key_identifier=certificate.thumbprint,
        certificate=certificate,
        added=world.settled_change(),
    )
    record.add_key(key)
    return {"keyId": key.key_id, "displayName": key.display_name}


def remove_key(world: World, record: ApplicationRecord, key_id: str) -> None:
    """Remove a certificate."""
    if not record.remove_key(key_id, world.settled_change()):
        raise unknown("key", key_id)


def _instant(given: datetime | None, now: datetime, days: float) -> Ticks:
    instant = given or (now + timedelta(days=days)).replace(microsecond=0)
    return ticks_of(instant)
