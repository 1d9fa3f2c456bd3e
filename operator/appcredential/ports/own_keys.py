"""Certificates of the operator's own application, as a Protocol; `entra/` implements it."""

from __future__ import annotations

from typing import Protocol

from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId


class OwnKeys(Protocol):
    """What an application may change of its own certificates without any permission.

    Each call carries a proof that the caller holds the private key of one of them that is valid.
    """

    async def add(self, object_id: ObjectId, content: str, vouching: SecretValue) -> None:
        """Add a certificate; a second call with the same one adds another entry.

        Args:
            object_id: the operator's own application.
            content: base64 of the certificate's DER bytes.
            vouching: private key and certificate of one that is there.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may be there.
            RejectedError, NotFoundError, PermissionDeniedError, ThrottledError,
            ConflictError: certainly not added.
        """
        ...

    async def remove(self, object_id: ObjectId, key_id: KeyId, vouching: SecretValue) -> None:
        """Remove a certificate by its key id.

        Raises:
            NotFoundError: Graph knows no such certificate: it is gone, or not replicated yet.
        """
        ...
