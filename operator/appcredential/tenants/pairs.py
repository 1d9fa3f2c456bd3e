"""Reads the operator's own certificates with their private keys, each once."""

from __future__ import annotations

from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.operator_problems import unusable_certificate
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509.read import CertificateFiles
from appcredential.x509.reading import CertificateReader

Texts: TypeAlias = tuple[SecretValue, SecretValue]
"""The text with the certificates, and the text with the private key."""


class PairReader:
    """Holds what was read last in each slot, so that nothing is parsed twice in a row."""

    def __init__(self) -> None:
        # Its own, so that users' certificates never take its threads.
        self._certificates = CertificateReader()
        self._parsed: dict[str, tuple[Texts, SuppliedCertificate | Problem]] = {}

    async def read(self, slot: str, texts: Texts) -> SuppliedCertificate | Problem:
        """Return the certificates that belong to a private key, or why they cannot be used."""
        held = self._parsed.get(slot)
        if held is None or held[0] != texts:
            held = (texts, await self._read(texts))
            self._parsed[slot] = held
        return held[1]

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        for slot in [s for s in self._parsed if s.partition("/")[0] == name]:
            del self._parsed[slot]

    async def _read(self, texts: Texts) -> SuppliedCertificate | Problem:
        content, private = texts
        try:
            return await self._certificates.read(CertificateFiles(content=content, private=private))
        except UnusableCertificateError as exc:
            return unusable_certificate(f"{exc}.")


def split(value: SecretValue) -> Texts:
    """Return the two texts of a value that holds both."""
    private, chain = pem.split_bundle(value.reveal())
    return SecretValue(chain), SecretValue(private)


def thumbprint_of(found: SuppliedCertificate) -> str:
    """Return the SHA-1 thumbprint of a certificate, as the portal shows it."""
    return pem.sha1_thumbprint(pem.leaf_der(found.value.reveal()))
