"""The admin API's requests about credentials of applications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.admin import credentials, federated
from entra_emulator.admin.action import Action, Answer
from entra_emulator.admin.lookup import find_application
from entra_emulator.admin.seed import FederatedSeed, KeySeed, PasswordSeed, read_document
from entra_emulator.world import World


def _add_password(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    return 201, credentials.add_password(world, record, read_document(PasswordSeed, body))


def _remove_password(world: World, names: Mapping[str, str], _: Any) -> Answer:
    credentials.remove_password(world, find_application(world, names["app"]), names["key"])
    return 204, None


def _add_key(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    return 201, credentials.add_key(world, record, read_document(KeySeed, body))


def _remove_key(world: World, names: Mapping[str, str], _: Any) -> Answer:
    credentials.remove_key(world, find_application(world, names["app"]), names["key"])
    return 204, None


def _add_federated(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    return 201, federated.add_federated(world, record, read_document(FederatedSeed, body))


def _change_federated(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    changes = read_document(dict[str, Any], body)
    federated.change_federated(world, record, names["credential"], changes)
    return 204, None


def _remove_federated(world: World, names: Mapping[str, str], _: Any) -> Answer:
    record = find_application(world, names["app"])
    federated.remove_federated(world, record, names["credential"])
    return 204, None


_FEDERATED = "applications/{app}/federatedIdentityCredentials"
CREDENTIAL_ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("POST", "applications/{app}/passwords", _add_password),
    ("DELETE", "applications/{app}/passwords/{key}", _remove_password),
    ("POST", "applications/{app}/keys", _add_key),
    ("DELETE", "applications/{app}/keys/{key}", _remove_key),
    ("POST", _FEDERATED, _add_federated),
    ("PATCH", f"{_FEDERATED}/{{credential}}", _change_federated),
    ("DELETE", f"{_FEDERATED}/{{credential}}", _remove_federated),
)
