"""The operator's own credential, as an EntraTenant's identity names it.

It comes from a Secret in the operator's namespace, from the token of its pod, or from the node.
"""

from __future__ import annotations

import asyncio
from typing import TypeAlias, assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.operator_credential import (
    OperatorCredential,
    client_secret_of,
    pair_of,
    validity_problem,
)
from appcredential.domain.operator_problems import (
    CUSTOM_AUDIENCE_MISSING,
    missing_secret,
    unusable_certificate,
    unusable_token,
)
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientSecretIdentity,
    EntraTenantSpec,
    ManagedIdentity,
    WorkloadIdentity,
)
from appcredential.errors import OwnTokenError, UnusableCertificateError
from appcredential.ports.kube import SecretReader
from appcredential.ports.local import Clock, PodToken
from appcredential.x509.read import CertificateFiles
from appcredential.x509.reading import CertificateReader

_Texts: TypeAlias = tuple[SecretValue, SecretValue]


class OperatorCredentials:
    """Reads the credential anew each time, so that a new one takes no restart.

    Args:
        namespace: the operator's own, the only one where it reads its own Secrets.
        token: of the operator's pod.
    """

    def __init__(
        self, *, clock: Clock, namespace: str, secrets: SecretReader, token: PodToken
    ) -> None:
        self._clock = clock
        self._namespace = namespace
        self._secrets = secrets
        self._token = token
        # Its own, so that users' certificates never take its threads.
        self._certificates = CertificateReader()
        self._parsed: dict[str, tuple[_Texts, SuppliedCertificate | Problem]] = {}

    async def read(self, name: str, spec: EntraTenantSpec) -> OperatorCredential | Problem:
        """Return what the operator signs in with, or why it cannot be used.

        Raises:
            PermissionDeniedError, UnavailableError: the Secret cannot be read.
        """
        match spec.identity:
            case ClientSecretIdentity() as identity:
                return await self._client_secret(identity)
            case CertificateIdentity() as identity:
                return await self._certificate(name, identity)
            case WorkloadIdentity():
                return await self._projected(spec)
            case ManagedIdentity():
                return OperatorCredential()  # the node gives the token
            case _:
                assert_never(spec.identity)

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self._parsed.pop(name, None)

    async def _client_secret(self, identity: ClientSecretIdentity) -> OperatorCredential | Problem:
        data = await self._secrets.values(self._namespace, identity.secret_name)
        if data is None:
            return missing_secret()
        value = client_secret_of(data, identity)
        return value if isinstance(value, Problem) else OperatorCredential(value=value)

    async def _certificate(
        self, name: str, identity: CertificateIdentity
    ) -> OperatorCredential | Problem:
        data = await self._secrets.values(self._namespace, identity.secret_name)
        if data is None:
            return missing_secret()
        texts = pair_of(data, identity)
        if isinstance(texts, Problem):
            return texts
        held = self._parsed.get(name)
        if held is None or held[0] != texts:
            held = (texts, await self._read_pair(texts))
            self._parsed[name] = held
        if isinstance(held[1], Problem):
            return held[1]
        now = self._clock.now()
        found = held[1].current(now)
        problem = validity_problem(found.start, found.end, now)
        return problem or OperatorCredential(
            value=found.value,
            end=found.end,
            thumbprint=pem.sha1_thumbprint(pem.leaf_der(found.value.reveal())),
        )

    async def _read_pair(self, texts: _Texts) -> SuppliedCertificate | Problem:
        try:
            content, private = texts
            return await self._certificates.read(CertificateFiles(content=content, private=private))
        except UnusableCertificateError as exc:
            return unusable_certificate(f"{exc}.")

    async def _projected(self, spec: EntraTenantSpec) -> OperatorCredential | Problem:
        """Check the file now; each sign-in reads it again."""
        if not self._token.is_configured(spec.cloud):
            return CUSTOM_AUDIENCE_MISSING
        try:
            await asyncio.to_thread(self._token.read, spec.cloud)
        except OwnTokenError as exc:
            return unusable_token(str(exc))
        return OperatorCredential()
