"""How large the target Secret becomes, counted before it is rendered.

Users decide how often each value appears in it. etcd takes 1.5 MiB in one request, and what is
rendered is held several times on its way there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appcredential.domain.observed.entra import Tenant
from appcredential.domain.secret import pem
from appcredential.domain.secret.content import template_values, templates_of
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.secret import GenerateOnce
from appcredential.domain.spec.templates import parse_template, rendered_bytes

MAX_SECRET: Final = 512 * 1024
"""Bytes of all keys and values that the operator writes into one Secret."""

_CLIENT_SECRET: Final = 256
"""Bytes of a client secret that is not issued yet; Entra's have 40."""
_AROUND_PUBLIC_KEY: Final = 4096
"""Bytes of a certificate besides what grows with its key."""
_AROUND_FILE: Final = 1024
"""Bytes that JWK and PKCS #12 need besides key and chain."""
_NO_CERTIFICATE: Final = SecretValue(
    f"-----BEGIN {pem.CERTIFICATE}-----\n-----END {pem.CERTIFICATE}-----\n"
)


def secret_bytes(
    spec: AppCredentialSpec,
    tenant: Tenant,
    value: SecretValue | None,
    kept: Mapping[str, SecretValue],
) -> int:
    """Return the bytes of keys and values that the operator would write, at most.

    Args:
        spec: the resource's.
        tenant: of the application.
        value: the credential's; None while it is not made yet, which counts as the largest.
        kept: what stays of a former owner's content.
    """
    sizes = _sizes(spec, tenant, value)
    rendered = sum(
        len(key) + rendered_bytes(parse_template(text, spec.type), sizes)
        for key, text in templates_of(spec, private=sizes.get("privateKey") != 0).items()
    )
    generated = sum(
        len(key) + entry.length
        for key, entry in spec.secret.data.items()
        if isinstance(entry, GenerateOnce)
    )
    return rendered + generated + sum(len(k) + len(_bytes(v.reveal())) for k, v in kept.items())


def _sizes(spec: AppCredentialSpec, tenant: Tenant, value: SecretValue | None) -> dict[str, int]:
    """Return the bytes of each name's value, at most."""
    if not spec.type.is_certificate:
        known = value or SecretValue("-" * _CLIENT_SECRET)
        return _counted(template_values(spec, tenant, known, {}))
    if value is not None and pem.has_certificate(value.reveal()):
        sizes = _counted(template_values(spec, tenant, value, {}))
    else:
        sizes = _counted(template_values(spec, tenant, _NO_CERTIFICATE, {}))
        key = spec.certificate.key_size  # PKCS #8 as PEM has fewer characters than bits
        sizes |= {"privateKey": key, "certificate": key + _AROUND_PUBLIC_KEY}
    both = sizes["privateKey"] + sizes["certificate"] + _AROUND_FILE
    return {**sizes, "jwk": both, "pkcs12": both}


def _counted(values: Mapping[str, str]) -> dict[str, int]:
    return {name: len(_bytes(text)) for name, text in values.items()}


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
