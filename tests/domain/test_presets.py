from __future__ import annotations

import pytest

from appcredential.domain.presets import PRESET_KEYS, preset_data
from appcredential.domain.spec import Preset
from appcredential.domain.templates import TEMPLATE_NAMES

VALUES = {name: f"<{name}>" for name in TEMPLATE_NAMES}
EXPECTED = {
    Preset.AZURE_IDENTITY: {
        "AZURE_TENANT_ID": "<tenantId>",
        "AZURE_CLIENT_ID": "<clientId>",
        "AZURE_AUTHORITY_HOST": "<authorityHost>",
        "AZURE_CLIENT_SECRET": "<clientSecret>",
    },
    Preset.RAW: {
        "tenantId": "<tenantId>",
        "clientId": "<clientId>",
        "clientSecret": "<clientSecret>",
        "authorityHost": "<authorityHost>",
    },
}


@pytest.mark.parametrize("preset", Preset)
def test_data(preset: Preset) -> None:
    assert preset_data(preset, VALUES) == EXPECTED[preset]


@pytest.mark.parametrize("preset", Preset)
def test_keys_are_those_written(preset: Preset) -> None:
    assert PRESET_KEYS[preset] == tuple(EXPECTED[preset])
