from __future__ import annotations

import pytest

from appcredential.domain.presets import PRESET_KEYS, preset_data
from appcredential.domain.spec import CredentialType, Preset
from appcredential.domain.templates import TEMPLATE_NAMES, parse_template, render_template

SECRET, CERTIFICATE = CredentialType.CLIENT_SECRET, CredentialType.CERTIFICATE
TLS = {"tls.crt": "<certificate>", "tls.key": "<privateKey>"}
EXPECTED = {
    (Preset.AZURE_IDENTITY, SECRET): {
        "AZURE_TENANT_ID": "<tenantId>",
        "AZURE_CLIENT_ID": "<clientId>",
        "AZURE_AUTHORITY_HOST": "<authorityHost>",
        "AZURE_CLIENT_SECRET": "<clientSecret>",
    },
    (Preset.AZURE_IDENTITY, CERTIFICATE): {
        "AZURE_TENANT_ID": "<tenantId>",
        "AZURE_CLIENT_ID": "<clientId>",
        "AZURE_AUTHORITY_HOST": "<authorityHost>",
        "AZURE_CLIENT_CERTIFICATE_PATH": "<mountPath>/client.pem",
        "client.pem": "<privateKey><certificate>",
        **TLS,
    },
    (Preset.RAW, SECRET): {
        "tenantId": "<tenantId>",
        "clientId": "<clientId>",
        "clientSecret": "<clientSecret>",
        "authorityHost": "<authorityHost>",
    },
    (Preset.RAW, CERTIFICATE): {
        "tenantId": "<tenantId>",
        "clientId": "<clientId>",
        "authorityHost": "<authorityHost>",
        "clientCertificate": "<privateKey><certificate>",
        "thumbprint": "<thumbprint>",
        "thumbprintSHA256": "<thumbprintSHA256>",
        **TLS,
    },
}


@pytest.mark.parametrize("kind", [SECRET, CERTIFICATE])
@pytest.mark.parametrize("preset", Preset)
def test_data(preset: Preset, kind: CredentialType) -> None:
    values = {name: f"<{name}>" for name in TEMPLATE_NAMES[kind]}
    found = {
        key: render_template(parse_template(text, kind), values)
        for key, text in preset_data(preset, kind).items()
    }
    assert found == EXPECTED[preset, kind]
    assert PRESET_KEYS[preset, kind] == tuple(EXPECTED[preset, kind])
