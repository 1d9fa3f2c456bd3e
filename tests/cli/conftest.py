"""Lets the Graph SDK warn in tests that read Entra, while every warning of ours is an error."""

from __future__ import annotations

import importlib
import warnings

import pytest

_OF_THE_SDK = r"ignore:.*is deprecated\..*:DeprecationWarning:(msgraph|kiota_abstractions)\..*"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("appcredential.entra.reader")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "person" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings(_OF_THE_SDK))
