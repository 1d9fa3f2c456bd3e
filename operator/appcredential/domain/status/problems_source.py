"""What status says of a certificate source, or of a keystore's password, that is of no use."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeyRef

_MAX_PASSWORD: Final = 128


class PasswordOf(StrEnum):
    """Whose password a reference names: the field of the spec."""

    KEYSTORE = "spec.certificate.keystore.pkcs12.passwordSecretKeyRef"
    SOURCE = "spec.certificate.passwordSecretKeyRef"


_MISSING: Final = {
    PasswordOf.KEYSTORE: Reason.KEYSTORE_PASSWORD,
    PasswordOf.SOURCE: Reason.SOURCE_NOT_FOUND,
}
_UNUSABLE: Final = {
    PasswordOf.KEYSTORE: Reason.KEYSTORE_PASSWORD,
    PasswordOf.SOURCE: Reason.SOURCE_UNUSABLE,
}


def unusable_source(what: str, field: str = "") -> Problem:
    """Return why nothing can be registered of a source.

    Args:
        what: the rest of a sentence about the certificate, with the remedy.
        field: of the spec, where it says which bytes are meant.
    """
    where = f" ({field})" if field else ""
    message = f"The certificate at the source{where} {what}"
    return Problem(reason=Reason.SOURCE_UNUSABLE, message=message)


CONFIG_MAPS_FORBIDDEN: Final = unusable_source(
    "cannot be read: the operator may not read ConfigMaps in this namespace. Bind its "
    "role there, or use source Secret."
)


def missing_source(kind: str, name: str) -> Problem:
    """Return what to do about a source that does not exist.

    Args:
        kind: Secret or ConfigMap.
        name: of the object.
    """
    message = f"{kind} {name} does not exist. Create it, or name another one."
    return Problem(reason=Reason.SOURCE_NOT_FOUND, message=message)


def missing_key(kind: str, ref: KeyRef) -> Problem:
    """Return what to do about a source without the key that the spec names."""
    message = f"{kind} {ref.name} has no key {ref.key}. Name the key it is in."
    return Problem(reason=Reason.SOURCE_NOT_FOUND, message=message)


def empty_key(kind: str, name: str, key: str) -> Problem:
    """Return what to do about a key without content, as tools make it that fill it later."""
    message = f"Key {key} of {kind} {name} is empty. It is read again until it is filled."
    return Problem(reason=Reason.SOURCE_NOT_FOUND, message=message)


def refused_source(ref: KeyRef, field: str, why: str) -> Problem:
    """Return why a Secret is not read as the source of a certificate.

    Args:
        ref: the Secret.
        field: of the spec, which names it.
        why: the rest of a sentence about the Secret, with the remedy.
    """
    return Problem(reason=Reason.SOURCE_UNUSABLE, message=f"{field}: Secret {ref.name} {why}.")


def refused_password(ref: KeyRef, why: str, of: PasswordOf = PasswordOf.KEYSTORE) -> Problem:
    """Return why a Secret is not read for a password; see `refused_source`."""
    return Problem(reason=_UNUSABLE[of], message=f"{of}: Secret {ref.name} {why}.")


def usable_password(
    ref: KeyRef,
    values: Mapping[str, SecretValue] | None,
    of: PasswordOf = PasswordOf.KEYSTORE,
) -> SecretValue | Problem:
    """Return a password, or why there is none.

    Args:
        ref: where the spec says that it is.
        values: of that Secret by their keys; None when the Secret does not exist.
        of: whose password.
    """
    value = values.get(ref.key) if values is not None else None
    if value is None:
        what = "does not exist" if values is None else f"has no key {ref.key}"
        message = f"Secret {ref.name} {what}. Create it with a password."
        return Problem(reason=_MISSING[of], message=message)
    text = value.reveal()
    if not text or len(text) > _MAX_PASSWORD or not text.isprintable():
        return Problem(
            reason=_UNUSABLE[of] if text else _MISSING[of],  # an empty one may still be filled
            message=f"Key {ref.key} of Secret {ref.name} is no password: it must have 1 to "
            f"{_MAX_PASSWORD} printable characters, without a line break at its end.",
        )
    return value
