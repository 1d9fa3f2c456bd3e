"""The certificate authorities that the operator trusts."""

from __future__ import annotations

import ssl

import httpx


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a verifying client context.

    Args:
        ca_file: PEM file of the only authorities to trust; None trusts the public ones.

    Raises:
        OSError: the file cannot be read or holds no certificate.
    """
    if ca_file is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_file)
