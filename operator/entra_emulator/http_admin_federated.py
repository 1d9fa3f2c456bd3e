"""The part of the admin API that is about federated credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator import admin_federated as federated
from entra_emulator.admin_actions import find_application
from entra_emulator.http_admin_action import Action, Answer
from entra_emulator.seed_types import FederatedSeed, read_document
from entra_emulator.world import World


def _add(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    return 201, federated.add_federated(world, record, read_document(FederatedSeed, body))


def _change(world: World, names: Mapping[str, str], body: Any) -> Answer:
    record = find_application(world, names["app"])
    changes = read_document(dict[str, Any], body)
    federated.change_federated(world, record, names["credential"], changes)
    return 204, None


def _remove(world: World, names: Mapping[str, str], _: Any) -> Answer:
    record = find_application(world, names["app"])
    federated.remove_federated(world, record, names["credential"])
    return 204, None


_LIST = "applications/{app}/federatedIdentityCredentials"
FEDERATED_ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("POST", _LIST, _add),
    ("PATCH", f"{_LIST}/{{credential}}", _change),
    ("DELETE", f"{_LIST}/{{credential}}", _remove),
)
