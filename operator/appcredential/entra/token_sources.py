"""The azure-identity credential of the operator, for each kind of identity.

It retries failed connections only. An answer, such as a 429 with Retry-After, comes back at
once, so that no worker is held up in a sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

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
    WorkloadIdentity,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operator_token import TokenSource
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.token_transport import TokenTransport

_RETRIES: Final[Mapping[str, Any]] = {"retry_total": 2, "retry_status": 0}


def token_source(
    spec: EntraTenantSpec,
    credential: OperatorCredential,
    endpoints: Endpoints,
    ca_file: str | None,
    token: ProjectedToken,
    extra_ca_file: str | None = None,
) -> Callable[[], TokenSource]:
    """Return a factory of azure-identity credentials for an EntraTenant.

    Args:
        spec: its tenant, cloud and identity.
        credential: what the identity's Secret holds; empty for an identity without a Secret.
        endpoints: of its cloud.
        ca_file: PEM file of the only authorities to trust; None trusts the public ones.
        token: of the operator's pod.
        extra_ca_file: PEM file of authorities to trust besides those.
    """
    tenant_id = spec.tenant_id

    def options() -> dict[str, Any]:
        # A transport belongs to one credential, and is closed with it.
        return {
            "authority": endpoints.authority,
            "transport": TokenTransport(ca_file, extra_ca_file),
            **_RETRIES,
        }

    match spec.identity:
        case ClientSecretIdentity(client_id=client_id):
            text = credential.value.reveal()
            return lambda: ClientSecretCredential(tenant_id, client_id, text, **options())
        case CertificateIdentity(client_id=client_id):
            data = credential.value.reveal().encode()
            return lambda: CertificateCredential(
                tenant_id, client_id, certificate_data=data, **options()
            )
        case WorkloadIdentity(client_id=client_id):
            # WorkloadIdentityCredential would keep a token for ten minutes, whatever its audience.
            return lambda: ClientAssertionCredential(
                tenant_id, client_id, lambda: token.read(spec.cloud), **options()
            )
        case ManagedIdentity() as identity:
            return lambda: _managed(identity)
        case _:
            assert_never(spec.identity)


def _managed(identity: ManagedIdentity) -> TokenSource:
    return ManagedIdentityCredential(
        client_id=identity.client_id,
        # The webhook's variables would make it sign in as another application, in its tenant.
        _exclude_workload_identity_credential=True,
        transport=TokenTransport(None),
        **_RETRIES,
    )
