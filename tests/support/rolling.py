"""An application that rolls its own certificates with addKey and removeKey."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.assertions import segment
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate, make_certificate

AUDIENCE: Final = "00000002-0000-0000-c000-000000000000"
PASSWORD: Final = "of the file"


class Roller:
    """An application without any permission that owns one certificate and its key."""

    def __init__(self, emulator: Emulator, http: httpx.Client, tenant: str) -> None:
        self.emulator = emulator
        self.held = make_certificate("held")
        made = emulator.create_application(
            tenant,
            passwords=[{"displayName": "to sign in with"}],
            keys=[{"certificate": self.held.pem.decode()}],
        )
        self.id, self.app_id = made.id, made.app_id
        self.principal_id = made.service_principal_id
        secret = made.passwords[0].secret
        assert secret is not None
        self.user = GraphUser(emulator, http, tenant, made.app_id, secret)

    def proof(
        self, signer: MadeCertificate | None = None, *, alg: str = "RS256", **claims: Any
    ) -> str:
        """Return a proof; claims can be replaced, or removed with None."""
        by = signer or self.held
        now = int(self.emulator.now().timestamp())
        header = {"alg": alg, "typ": "JWT", "x5t": segment(bytes.fromhex(by.thumbprint))}
        wanted = {"aud": AUDIENCE, "iss": self.id, "nbf": now, "exp": now + 600, **claims}
        payload = {name: value for name, value in wanted.items() if value is not None}
        signed = f"{_part(header)}.{_part(payload)}"
        assert isinstance(by.key, rsa.RSAPrivateKey)
        signature = by.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{segment(signature)}"

    def add(self, made: MadeCertificate, proof: Any = None, **fields: Any) -> httpx.Response:
        key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": made.base64, **fields}
        body = {
            "keyCredential": {name: value for name, value in key.items() if value is not None},
            "passwordCredential": None,
            "proof": self.proof() if proof is None else proof,
        }
        return self.user.call("POST", f"applications/{self.id}/addKey", body)

    def add_pair(self, content: bytes, password: Any = PASSWORD, **fields: Any) -> httpx.Response:
        key = {"type": "X509CertAndPassword", "usage": "Sign", **fields}
        key["key"] = base64.b64encode(content).decode()
        body = {
            "keyCredential": key,
            "passwordCredential": None if password is None else {"secretText": password},
            "proof": self.proof(),
        }
        return self.user.call("POST", f"applications/{self.id}/addKey", body)

    def remove(self, key_id: Any, proof: Any = None) -> httpx.Response:
        body = {"keyId": key_id, "proof": self.proof() if proof is None else proof}
        return self.user.call("POST", f"applications/{self.id}/removeKey", body)

    def thumbprints(self) -> list[str]:
        listed = self.emulator.application(self.id)["keyCredentials"]
        return [key["customKeyIdentifier"] for key in listed]


def _part(content: Any) -> str:
    return segment(json.dumps(content).encode())
