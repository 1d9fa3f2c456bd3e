from __future__ import annotations

import pytest

from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.presets import PRESET_KEYS, preset_data
from appcredential.domain.spec.secret import Preset
from appcredential.domain.spec.templates import (
    TEMPLATE_NAMES,
    Values,
    parse_template,
    render_template,
)

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
        "authorityHost": "<authorityHost>",
        "clientSecret": "<clientSecret>",
    },
    (Preset.RAW, CERTIFICATE): {
        "tenantId": "<tenantId>",
        "clientId": "<clientId>",
        "authorityHost": "<authorityHost>",
        "clientCertificate": "<privateKey><certificate>",
        "thumbprint": "<thumbprint>",
        "thumbprintSHA256": "<thumbprintSHA256>",
        "x5t": "<x5t>",
        "x5tS256": "<x5tS256>",
        **TLS,
    },
    (Preset.TERRAFORM, SECRET): {
        "ARM_TENANT_ID": "<tenantId>",
        "ARM_CLIENT_ID": "<clientId>",
        "ARM_ENVIRONMENT": "<azureEnvironment>",
        "ARM_CLIENT_SECRET": "<clientSecret>",
    },
    (Preset.TERRAFORM, CERTIFICATE): {
        "ARM_TENANT_ID": "<tenantId>",
        "ARM_CLIENT_ID": "<clientId>",
        "ARM_ENVIRONMENT": "<azureEnvironment>",
        "ARM_CLIENT_CERTIFICATE": "PHBrY3MxMj4=",
        **TLS,
    },
    (Preset.MICROSOFT_IDENTITY_WEB, SECRET): {
        "AzureAd__Instance": "<authorityHost>/",
        "AzureAd__TenantId": "<tenantId>",
        "AzureAd__ClientId": "<clientId>",
        "AzureAd__ClientCredentials__0__SourceType": "ClientSecret",
        "AzureAd__ClientCredentials__0__ClientSecret": "<clientSecret>",
    },
    (Preset.MICROSOFT_IDENTITY_WEB, CERTIFICATE): {
        "AzureAd__Instance": "<authorityHost>/",
        "AzureAd__TenantId": "<tenantId>",
        "AzureAd__ClientId": "<clientId>",
        "AzureAd__ClientCredentials__0__SourceType": "Path",
        "AzureAd__ClientCredentials__0__CertificateDiskPath": "<mountPath>/keystore.p12",
        **TLS,
    },
    (Preset.GRAFANA, SECRET): {
        "GF_AUTH_AZUREAD_CLIENT_ID": "<clientId>",
        "GF_AUTH_AZUREAD_CLIENT_SECRET": "<clientSecret>",
        "GF_AUTH_AZUREAD_AUTH_URL": "<authorityHost>/<tenantId>/oauth2/v2.0/authorize",
        "GF_AUTH_AZUREAD_TOKEN_URL": "<authorityHost>/<tenantId>/oauth2/v2.0/token",
        "GF_AUTH_AZUREAD_CLIENT_AUTHENTICATION": "client_secret_post",
    },
}


@pytest.mark.parametrize(("preset", "kind"), EXPECTED)
def test_data(preset: Preset, kind: CredentialType) -> None:
    values = Values({name: f"<{name}>" for name in TEMPLATE_NAMES[kind]})
    found = {
        key: render_template(parse_template(text, kind), values)
        for key, text in preset_data(preset, kind).items()
    }
    assert found == EXPECTED[preset, kind]
    also = ("keystore.p12",) if kind is CERTIFICATE else ()
    assert PRESET_KEYS[preset, kind] == (*EXPECTED[preset, kind], *also)


def test_every_preset_is_there_for_a_secret_and_all_but_grafanas_for_a_certificate() -> None:
    assert {p for p, kind in EXPECTED if kind is SECRET} == set(Preset)
    assert {p for p, kind in EXPECTED if kind is CERTIFICATE} == set(Preset) - {Preset.GRAFANA}


def test_a_keystore_is_a_key_of_its_own() -> None:
    found = preset_data(Preset.AZURE_IDENTITY, CERTIFICATE, keystore=True)
    assert found["keystore.p12"] == "$(pkcs12)"


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            Preset.AZURE_IDENTITY,
            {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_AUTHORITY_HOST", "tls.crt"},
        ),
        (
            Preset.RAW,
            {
                "tenantId",
                "clientId",
                "authorityHost",
                "thumbprint",
                "thumbprintSHA256",
                "x5t",
                "x5tS256",
                "tls.crt",
            },
        ),
    ],
)
def test_without_the_private_key_nothing_is_written_that_needs_it(
    preset: Preset, expected: set[str]
) -> None:
    assert set(preset_data(preset, CERTIFICATE, private=False)) == expected
