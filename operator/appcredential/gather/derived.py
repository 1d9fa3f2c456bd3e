"""Works out what cryptography makes of a certificate for the content of its Secret."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from appcredential.domain.observed.certificate import Derived
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.annotations import Name, value_of
from appcredential.domain.secret.content import derived_names
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeystoreProfile
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.presets import KEYSTORE
from appcredential.gather.certificate_source import HeldInputs
from appcredential.x509 import keystores


async def derived_of(spec: AppCredentialSpec, target: Target | None, held: HeldInputs) -> Derived:
    """Return what the target Secret's content derives of its value, once for each value."""
    value, names = target.value if target is not None else None, derived_names(spec)
    if target is None or value is None or not names:
        return Derived()
    profile = spec.certificate.keystore_profile
    key = (value, target.data.get(KEYSTORE), _recorded(target), held.password, names, profile)
    if held.derived is None or held.derived[0] != key:
        held.derived = (key, await derive(spec, value, target, held.password))
    return held.derived[1]


async def derive(
    spec: AppCredentialSpec,
    value: SecretValue,
    live: Target | None,
    password: SecretValue | None,
) -> Derived:
    """Return what cryptography makes of a credential's value.

    A PKCS #12 file in the live Secret is kept if the record there says that this value was
    packed in it with this password and profile: another one would differ by its salts alone.
    Anybody may have put that file there, so it is never opened.

    Returns:
        What the Secret's content refers to; without what has no password or key.
    """
    names = derived_names(spec)
    if not names or not can_sign_in(value):
        return Derived()
    packed = live.data.get(KEYSTORE) if live is not None else None
    recorded = _recorded(live) if live is not None else ""
    profile = spec.certificate.keystore_profile
    found = await asyncio.to_thread(_derive, value, packed, recorded, password, profile)
    values = {name: text for name, text in found.values.items() if name in names}
    return replace(found, values=values)


def _recorded(live: Target) -> str:
    return value_of(live.annotations, Name.KEYSTORE_DIGEST)


def _derive(
    value: SecretValue,
    packed: SecretValue | None,
    recorded: str,
    password: SecretValue | None,
    profile: KeystoreProfile,
) -> Derived:
    try:
        found = {"jwk": keystores.build_jwk(value)}
        if password is None:
            return Derived(values=found)
        if packed is None or keystores.digest(packed, value, password, profile) != recorded:
            packed = keystores.pack_pkcs12(value, password, profile)
    except ValueError:
        return Derived()  # a damaged value, which a rule replaces
    return Derived(
        values={**found, "pkcs12": packed},
        keystore_digest=keystores.digest(packed, value, password, profile),
    )
