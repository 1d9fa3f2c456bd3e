"""The admin API's requests about app management policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from entra_emulator.admin import lookup, policies
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import (
    AppPolicy,
    TenantPolicy,
    render_app_policy,
    render_tenant_policy,
)
from entra_emulator.world import World

Answer = tuple[int, Any]


class _PolicyRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    policy: str | None


class _IssuersRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    issuers: tuple[str, ...] | None


def _tenant_id(world: World, names: Mapping[str, str]) -> str:
    return lookup.find_tenant(world, names["tenant"]).id


def _show_default(world: World, names: Mapping[str, str], _: Any) -> Answer:
    return 200, render_tenant_policy(world.policies.default(_tenant_id(world, names)))


def _set_default(world: World, names: Mapping[str, str], body: Any) -> Answer:
    policy = read_document(TenantPolicy, body)
    return 200, policies.set_default(world, _tenant_id(world, names), policy)


def _list_policies(world: World, names: Mapping[str, str], _: Any) -> Answer:
    return 200, [
        render_app_policy(one) for one in world.policies.policies(_tenant_id(world, names))
    ]


def _create_policy(world: World, names: Mapping[str, str], body: Any) -> Answer:
    seed = read_document(AppPolicy, body)
    return 201, policies.create_policy(world, _tenant_id(world, names), seed)


def _replace_policy(world: World, names: Mapping[str, str], body: Any) -> Answer:
    seed = read_document(AppPolicy, body)
    return 200, policies.replace_policy(world, _tenant_id(world, names), names["policy"], seed)


def _delete_policy(world: World, names: Mapping[str, str], _: Any) -> Answer:
    policies.delete_policy(world, _tenant_id(world, names), names["policy"])
    return 204, None


def _assign_policy(world: World, names: Mapping[str, str], body: Any) -> Answer:
    name = read_document(_PolicyRequest, body).policy
    policies.assign_policy(world, lookup.find_application(world, names["app"]), name)
    return 204, None


def _allow_issuers(world: World, names: Mapping[str, str], body: Any) -> Answer:
    issuers = read_document(_IssuersRequest, body).issuers
    world.policies.allow_issuers(_tenant_id(world, names), issuers)
    return 204, None


POLICY_ACTIONS = (
    ("PUT", "tenants/{tenant}/federatedIssuers", _allow_issuers),
    ("GET", "tenants/{tenant}/defaultPolicy", _show_default),
    ("PUT", "tenants/{tenant}/defaultPolicy", _set_default),
    ("GET", "tenants/{tenant}/policies", _list_policies),
    ("POST", "tenants/{tenant}/policies", _create_policy),
    ("PUT", "tenants/{tenant}/policies/{policy}", _replace_policy),
    ("DELETE", "tenants/{tenant}/policies/{policy}", _delete_policy),
    ("PUT", "applications/{app}/policy", _assign_policy),
)
