"""The certificates of the operator's own application, where nobody renews them."""

from __future__ import annotations

from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId


class NoOwnKeys:
    """A `ports.own_keys.OwnKeys` that nothing in this world asks for."""

    async def add(self, object_id: ObjectId, content: str, vouching: SecretValue) -> None:
        raise AssertionError("no identity in this world has a rotation")

    async def remove(self, object_id: ObjectId, key_id: KeyId, vouching: SecretValue) -> None:
        raise AssertionError("no identity in this world has a rotation")
