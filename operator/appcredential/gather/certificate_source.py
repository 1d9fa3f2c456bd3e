"""Reads what a certificate needs besides its resource.

That is the certificate source, and the passwords of it and of the keystore.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import (
    CertificateInputs,
    Derived,
    SuppliedCertificate,
)
from appcredential.domain.promised import required
from appcredential.domain.secret.references import CERTIFICATE_TYPES
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.status.problems_source import (
    CONFIG_MAPS_FORBIDDEN,
    PasswordOf,
    empty_key,
    missing_key,
    missing_source,
    refused_source,
    unusable_source,
)
from appcredential.errors import PermissionDeniedError, UnusableCertificateError
from appcredential.gather.passwords import (
    HeldPasswords,
    Known,
    PasswordReader,
    is_unchanged,
    why_refused,
)
from appcredential.ports.certificate_sources import InputKind, Inputs
from appcredential.x509.read import CertificateFiles
from appcredential.x509.reading import CertificateReader, digest_of

_TLS_CERTIFICATE: Final = "tls.crt"
_TLS_KEY: Final = "tls.key"


Outcome: TypeAlias = SuppliedCertificate | Problem


@dataclass(slots=True)
class HeldInputs:
    """What this process holds of one resource's inputs. Losing it costs reads.

    Attributes:
        source: what the Secret or ConfigMap with the certificate was found to hold.
        passwords: what the Secrets with passwords were found to hold, by the field.
        password: of the keystore, as read last and usable.
        parsed: what the certificate's bytes were found to be, by their digest.
        derived: what was derived of the target Secret's last value, with what it rests on.
    """

    source: Known[Outcome] | None = None
    passwords: HeldPasswords = field(default_factory=dict)
    password: SecretValue | None = None
    parsed: tuple[str, Outcome] | None = None
    derived: tuple[object, Derived] | None = None


class CertificateInputsReader:
    """Reads source and password, and parses again only bytes that changed."""

    def __init__(self, inputs: Inputs, certificates: CertificateReader) -> None:
        self._inputs = inputs
        self._passwords = PasswordReader(inputs)
        self._certificates = certificates

    async def read(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> CertificateInputs:
        """Look at source and password.

        Args:
            namespace: the resource's.
            wanted: what its spec says of the certificate.
            held: of the same resource; what is read is noted there.

        Returns:
            The inputs, without what is derived of the target Secret's value.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            UnavailableError: the API server did not answer.
        """
        found = await self._supplied(namespace, wanted, held)
        password = await self._passwords.read(
            namespace, wanted.keystore_password, PasswordOf.KEYSTORE, held.passwords
        )
        held.password = password if isinstance(password, SecretValue) else None
        return CertificateInputs(
            supplied=found if isinstance(found, SuppliedCertificate) else None,
            problem=found if isinstance(found, Problem) else None,
            keystore_problem=password if isinstance(password, Problem) else None,
        )

    async def _supplied(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> Outcome | None:
        match wanted.source:
            case CertificateSource.GENERATE:
                return None
            case CertificateSource.INLINE:
                files = CertificateFiles(content=SecretValue(wanted.inline), name="inline.pem")
                return await self._parsed(wanted, held, files)
            case CertificateSource.SECRET:
                return await self._of_object(InputKind.SECRET, namespace, wanted, held)
            case CertificateSource.CONFIG_MAP:
                try:
                    return await self._of_object(InputKind.CONFIG_MAP, namespace, wanted, held)
                except PermissionDeniedError:
                    return CONFIG_MAPS_FORBIDDEN
            case _:
                assert_never(wanted.source)

    async def _of_object(
        self, kind: InputKind, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> Outcome:
        ref = required(wanted.ref)
        password = await self._passwords.read(
            namespace, wanted.source_password, PasswordOf.SOURCE, held.passwords
        )
        if isinstance(password, Problem):
            return password
        asked = (kind, ref, password)
        if await is_unchanged(self._inputs, (kind, namespace, ref.name), asked, held.source):
            return required(held.source).outcome
        has_pair = kind is InputKind.SECRET and ref.key == _TLS_CERTIFICATE
        keys = {ref.key, _TLS_KEY} if has_pair else {ref.key}
        found = await self._inputs.read(kind, namespace, ref.name, keys)
        if found is None:
            return missing_source(kind, ref.name)
        content, why = found.data.get(ref.key), why_refused(kind, found, CERTIFICATE_TYPES)
        if why is not None:
            outcome: Outcome = refused_source(ref, wanted.source.field, why)
        elif content is None:
            outcome = missing_key(kind, ref)
        elif blank := [key for key in sorted(keys) if _is_blank(found.data.get(key))]:
            outcome = empty_key(kind, ref.name, blank[0])
        else:
            private = found.data.get(_TLS_KEY) if has_pair else None
            files = CertificateFiles(
                content=content,
                private=private,
                may_hold_key=kind is InputKind.SECRET,
                password=password or SecretValue(""),
                name=ref.key,
            )
            outcome = await self._parsed(wanted, held, files)
        held.source = Known(asked=asked, version=found.version, outcome=outcome)
        return outcome

    async def _parsed(
        self, wanted: CertificateSpec, held: HeldInputs, files: CertificateFiles
    ) -> Outcome:
        """Parse the same bytes once, whatever else of their object changes."""
        digest = digest_of(files)
        if held.parsed is None or held.parsed[0] != digest:
            try:
                outcome: Outcome = await self._certificates.read(files)
            except UnusableCertificateError as exc:
                outcome = unusable_source(f"{exc}.", wanted.source.field)
            held.parsed = (digest, outcome)
        return held.parsed[1]


def _is_blank(value: SecretValue | None) -> bool:
    return value is not None and not value.reveal().strip()
