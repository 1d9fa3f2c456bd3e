"""What is counted before a Secret is rendered is never less than what is rendered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.facts.publication import publication
from appcredential.domain.secret.content import render
from appcredential.domain.secret.size import secret_bytes
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSpec, KeyRef
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.secret import Preset, Template
from appcredential.gather.derived import derive
from appcredential.x509.generate import generate
from tests.support.builders import NOW, facts, minted, observation, resource, spec, target

PASSWORD = KeyRef(name="password", key="password")
NAMES = ("privateKey", "certificate", "jwk", "thumbprint", "x5tS256", "authorityHost", "mountPath")
DATA = {
    f"{name}.{form or 'plain'}": Template(f"ä{{}}$$ $({name}{':' if form else ''}{form})" * 3)
    for name in NAMES
    for form in ("", "json", "base64", "url")
} | {"file": Template("$(pkcs12)"), "file64": Template("$(pkcs12:base64)")}


@pytest.mark.parametrize("size", [2048, 4096])
@pytest.mark.parametrize("preset", [Preset.RAW, Preset.AZURE_IDENTITY])
async def test_a_certificate_with_all_that_is_derived_of_it(size: int, preset: Preset) -> None:
    made = generate("CN=orders,O=Contoso", size, NOW, NOW + timedelta(days=90)).value
    wanted = replace(
        spec(),
        type=CredentialType.CERTIFICATE,
        certificate=CertificateSpec(key_size=size, keystore_password=PASSWORD),
        secret=replace(spec().secret, preset=preset, data=DATA),
    )
    plain = replace(wanted, secret=spec().secret)
    o = observation(resource=resource(wanted), target=target(minted(), value=made, spec=plain))
    f = facts(o)
    derived = await derive(wanted, made, None, SecretValue("ö" * 128))
    found = render(wanted, f.tenant, made, publication(f), None, None, derived=derived)
    assert DATA.keys() <= found.data.keys()
    rendered = sum(
        len(key) + len(value.reveal().encode(errors="surrogateescape"))
        for key, value in found.data.items()
    )
    for value in (made, None):
        assert rendered <= secret_bytes(wanted, f.tenant, value, {})
