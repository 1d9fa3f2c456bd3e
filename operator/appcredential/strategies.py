"""What differs between the types of credentials, beside how one is made.

Everything that is not here or in `certificate_issuing.py` is the same for all.
"""

from __future__ import annotations

from appcredential.domain.proof import SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, KeyId, ObjectId
from appcredential.ports.entra import Directory, SignIn


async def sign_in(
    endpoint: SignIn, spec: AppCredentialSpec, value: SecretValue, correlation: str
) -> SignInResult:
    """Sign in once with a credential's value, as workloads of that type do. Never raises."""
    method = {
        CredentialType.CLIENT_SECRET: endpoint.with_secret,
        CredentialType.CERTIFICATE: endpoint.with_certificate,
    }[spec.type]
    return await method(spec.client_id, value, spec.verification.scope, correlation)


async def remove(
    directory: Directory,
    kind: CredentialType,
    object_id: ObjectId,
    key_id: KeyId,
    known: frozenset[KeyId],
) -> None:
    """Remove one credential of the application.

    Args:
        directory: Graph.
        kind: of the credential.
        object_id: the application.
        key_id: what goes.
        known: certificates that are recorded to exist beside it.

    Raises:
        NotFoundError: gone already, or not known to that replica yet.
    """
    if kind is CredentialType.CERTIFICATE:
        await directory.remove_certificate(object_id, key_id, known - {key_id})
    elif kind is CredentialType.FEDERATED_IDENTITY:
        await directory.remove_federated(object_id, key_id)
    else:
        await directory.remove_password(object_id, key_id)
