"""Lets the SDK say what it says, while every warning of ours stays an error."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import pytest

# The SDK's own builders import classes that it declares deprecated, some only when used.
_OF_THE_SDK = r"ignore:.*is deprecated\..*:DeprecationWarning:(msgraph|kiota_abstractions)\..*"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("appcredential.entra.tenant_session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(_OF_THE_SDK))
