"""The emulator; and the SDK says what it says, while every warning of ours stays an error."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.emulator import Emulator

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


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for the module."""
    with Emulator(tmp_path_factory.mktemp("entra")) as running:
        yield running


@pytest.fixture(scope="module")
def still_emulator(emulator: Emulator) -> Emulator:
    """The same, with a clock that tests move by hand."""
    emulator.stop_clock()
    return emulator
