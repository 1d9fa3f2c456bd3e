"""What azure-identity signs the operator in with, for each kind of identity.

It retries connections only: an answer, above all a 429 with its Retry-After, shall
come back at once instead of holding a worker in a sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from azure.identity.aio import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientSecretIdentity,
    EntraTenantSpec,
    ManagedIdentity,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operator_token import TokenSource
from appcredential.entra.projected_token import ProjectedToken

_RETRIES: Final[Mapping[str, Any]] = {"retry_total": 2, "retry_status": 0}


def token_source(
    spec: EntraTenantSpec,
    own: OperatorCredential,
    endpoints: Endpoints,
    ca_file: str | None,
    token: ProjectedToken,
) -> Callable[[], TokenSource]:
    """Return what makes azure-identity credentials for an EntraTenant.

    Args:
        spec: its tenant, cloud and identity.
        own: what the identity's Secret holds; empty where it names none.
        endpoints: of its cloud.
        ca_file: PEM file of the only authorities to trust; None trusts the public ones.
        token: of the operator's pod.
    """
    identity, tenant_id = spec.identity, spec.tenant_id
    if isinstance(identity, ManagedIdentity):
        return lambda: _managed(identity)
    client_id, options = identity.client_id, _options(endpoints, ca_file)
    if isinstance(identity, ClientSecretIdentity):
        text = own.value.reveal()
        return lambda: ClientSecretCredential(tenant_id, client_id, text, **options)
    if isinstance(identity, CertificateIdentity):
        data = own.value.reveal().encode()
        return lambda: CertificateCredential(tenant_id, client_id, certificate_data=data, **options)
    # Not WorkloadIdentityCredential: it keeps a token for ten minutes, whatever its audience.
    return lambda: ClientAssertionCredential(
        tenant_id, client_id, lambda: token.read(spec.cloud), **options
    )


def _options(endpoints: Endpoints, ca_file: str | None) -> dict[str, Any]:
    return {
        "authority": endpoints.authority,
        "connection_verify": ca_file or True,
        "connection_timeout": 5,
        "read_timeout": 8,
        **_RETRIES,
    }


def _managed(identity: ManagedIdentity) -> TokenSource:
    return ManagedIdentityCredential(
        client_id=identity.client_id,
        # Else the webhook's variables would make it sign in as somebody else, in their tenant.
        _exclude_workload_identity_credential=True,
        **_RETRIES,
    )
