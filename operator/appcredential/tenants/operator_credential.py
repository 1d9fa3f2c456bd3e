"""The operator's own credential, as an EntraTenant's identity names it.

It comes from a Secret in the operator's namespace, from the token of its pod, or from the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.operator_credential import (
    OperatorCredential,
    client_secret_of,
    pair_of,
    validity_problem,
)
from appcredential.domain.operator_problems import (
    CUSTOM_AUDIENCE_MISSING,
    missing_secret,
    unusable_token,
)
from appcredential.domain.own.secret import NEXT_KEY
from appcredential.domain.own.secret_records import NEXT_SECRET
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientSecretIdentity,
    EntraTenantSpec,
    ManagedIdentity,
    WorkloadIdentity,
)
from appcredential.errors import OwnTokenError
from appcredential.ports.kube import SecretReader
from appcredential.ports.local import Clock, PodToken
from appcredential.tenants.pairs import PairReader, Texts, split, thumbprint_of


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
        self._pairs = PairReader()

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

    async def spare(self, name: str, spec: EntraTenantSpec) -> OperatorCredential | None:
        """Return the successor that the operator made of its credential, if it is valid.

        Raises:
            PermissionDeniedError, UnavailableError: the Secret cannot be read.
        """
        identity = spec.identity
        if not isinstance(identity, CertificateIdentity | ClientSecretIdentity):
            return None
        data = await self._secrets.values(self._namespace, identity.secret_name) or {}
        if isinstance(identity, CertificateIdentity):
            return await self._spare(name, identity, data)
        beside = data.get(NEXT_SECRET) if identity.rotation is not None else None
        return OperatorCredential(value=beside) if beside is not None else None

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self._pairs.forget(name)

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
        return await self._usable(name, pair_of(data, identity))

    async def _spare(
        self, name: str, identity: CertificateIdentity, data: Mapping[str, SecretValue]
    ) -> OperatorCredential | None:
        if identity.rotation is None or NEXT_KEY not in data:
            return None
        found = await self._usable(f"{name}/next", split(data[NEXT_KEY]))
        return None if isinstance(found, Problem) else found

    async def _usable(self, slot: str, texts: Texts | Problem) -> OperatorCredential | Problem:
        """Return the certificate of a pair that is valid now, or why there is none."""
        pair = texts if isinstance(texts, Problem) else await self._pairs.read(slot, texts)
        if isinstance(pair, Problem):
            return pair
        now = self._clock.now()
        found = pair.current(now)
        problem = validity_problem(found.start, found.end, now)
        return problem or OperatorCredential(
            value=found.value,
            end=found.end,
            thumbprint=thumbprint_of(found),
        )

    async def _projected(self, spec: EntraTenantSpec) -> OperatorCredential | Problem:
        """Check the file now; each sign-in reads it again."""
        if not self._token.is_configured(spec.cloud):
            return CUSTOM_AUDIENCE_MISSING
        try:
            await asyncio.to_thread(self._token.read, spec.cloud)
        except OwnTokenError as exc:
            return unusable_token(str(exc))
        return OperatorCredential()
