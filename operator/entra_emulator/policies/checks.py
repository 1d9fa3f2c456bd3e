"""Refuse what policies forbid: only new credentials, never a sign-in with an existing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import KeyCredential, PasswordCredential
from entra_emulator.errors.graph import GraphError
from entra_emulator.policies.book import PolicyBook
from entra_emulator.policies.documents import (
    DEFAULT_POLICY_ID,
    KeyRestrictionType,
    PasswordRestrictionType,
    RestrictionType,
)
from entra_emulator.rules.passwords import optional_time
from entra_emulator.values.instants import TICKS_PER_SECOND, Ticks, add_years, ticks_of

SYMMETRIC = "Symmetric"
_DEFAULT_YEARS = 1


def check_password_kind(book: PolicyBook, record: ApplicationRecord) -> None:
    """Refuse a client secret if policies forbid secrets."""
    _check_addition(book, record, PasswordRestrictionType.PASSWORD_ADDITION)


def check_password_lifetime(
    book: PolicyBook, record: ApplicationRecord, password: PasswordCredential
) -> None:
    """Refuse a client secret with a longer lifetime than policies allow."""
    _check_lifetime(
        book, record, PasswordRestrictionType.PASSWORD_LIFETIME, password.end - password.start
    )


def check_custom_password(book: PolicyBook, record: ApplicationRecord) -> None:
    """Refuse a password that the client chose, if policies forbid those."""
    _check_addition(book, record, PasswordRestrictionType.CUSTOM_PASSWORD_ADDITION)


def check_certificates(
    book: PolicyBook, record: ApplicationRecord, added: Iterable[KeyCredential]
) -> None:
    """Refuse new certificates with a longer lifetime than policies allow."""
    for key in added:
        _check_lifetime(
            book, record, KeyRestrictionType.ASYMMETRIC_KEY_LIFETIME, key.end - key.start
        )


def check_issuer(book: PolicyBook, record: ApplicationRecord, issuer: str) -> None:
    """Refuse a federated credential for an issuer that the tenant does not allow."""
    if not book.allows_issuer(record.tenant_id, issuer):
        raise GraphError(
            400,
            "InvalidFederatedIdentityCredentialValue",
            f"FederatedIdentityCredential.Issuer '{issuer}' not allowed as per assigned policy"
            f" '{DEFAULT_POLICY_ID}'.",
        )


def check_symmetric_keys(
    book: PolicyBook, record: ApplicationRecord, entries: Any, clock: EmulatorClock
) -> None:
    """Refuse symmetric keys that policies forbid; Graph checks this before anything else."""
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, Mapping) or entry.get("type") != SYMMETRIC:
            continue
        _check_addition(book, record, PasswordRestrictionType.SYMMETRIC_KEY_ADDITION)
        start = optional_time(entry, "startDateTime") or ticks_of(clock.now())
        end = optional_time(entry, "endDateTime") or add_years(Ticks(start), _DEFAULT_YEARS)
        _check_lifetime(book, record, PasswordRestrictionType.SYMMETRIC_KEY_LIFETIME, end - start)


def _check_addition(book: PolicyBook, record: ApplicationRecord, kind: RestrictionType) -> None:
    rule = book.rule(record, kind)
    if rule is not None:
        raise GraphError(
            400,
            "CredentialTypeNotAllowedAsPerAppPolicy",
            f"Credential type not allowed as per assigned policy '{rule.policy_id}'.",
        )


def _check_lifetime(
    book: PolicyBook, record: ApplicationRecord, kind: RestrictionType, ticks: int
) -> None:
    rule = book.rule(record, kind)
    most = rule.restriction.lifetime if rule is not None else None
    if rule is None or most is None or ticks <= most.total_seconds() * TICKS_PER_SECOND:
        return
    message = (
        f"Credential lifetime exceeds the max value allowed as per assigned policy"
        f" '{rule.policy_id}'."
    )
    detail = {"code": "InvalidKeyEndDate", "message": message, "target": "EndDate"}
    raise GraphError(400, "CredentialInvalidLifetimeAsPerAppPolicy", message, details=[detail])
