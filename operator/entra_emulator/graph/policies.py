"""Graph operations that read app management policies; the admin API changes them."""

from __future__ import annotations

from entra_emulator.errors.graph import not_found
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, route, seen_application
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.graph.odata_query import check_options, context_suffix, pick, selected
from entra_emulator.policies.documents import (
    AppPolicy,
    TenantPolicy,
    render_app_policy,
    render_tenant_policy,
)

_DEFAULT = "policies/defaultAppManagementPolicy"
_OWN = "policies/appManagementPolicies"
_DEFAULT_FIELDS = tuple(render_tenant_policy(TenantPolicy()))
_FIELDS = tuple(render_app_policy(AppPolicy(display_name="")))


def get_default(call: GraphCall) -> GraphAnswer:
    """Read the tenant's default policy."""
    call.caller.may_read_policies()
    check_options(call.query, {"$select"})
    names = selected(call.query, _DEFAULT_FIELDS, "tenantAppManagementPolicy")
    row = render_tenant_policy(call.world.policies.default(call.caller.tenant_id))
    context = call.context(f"{_DEFAULT}{context_suffix(names)}/$entity")
    return GraphAnswer(status=200, body={"@odata.context": context, **pick(row, names)})


def list_policies(call: GraphCall) -> GraphAnswer:
    """List the policies other than the default."""
    call.caller.may_read_policies()
    return _list(call, _OWN, call.world.policies.policies(call.caller.tenant_id))


def get_policy(call: GraphCall) -> GraphAnswer:
    """Read a policy other than the default."""
    call.caller.may_read_policies()
    check_options(call.query, {"$select"})
    names = selected(call.query, _FIELDS, "appManagementPolicy")
    policy = call.world.policies.policy(call.caller.tenant_id, call.params["policy"])
    if policy is None:
        raise not_found(call.params["policy"])
    context = call.context(f"{_OWN}{context_suffix(names)}/$entity")
    row = render_app_policy(policy)
    return GraphAnswer(status=200, body={"@odata.context": context, **pick(row, names)})


def list_assigned(call: GraphCall) -> GraphAnswer:
    """List the policy that is assigned to an application: one, or none."""
    call.caller.may_read()
    call.caller.may_read_policies()
    record, view = seen_application(call)
    policy = call.world.policies.assigned(record)
    path = f"applications/{view.id}/appManagementPolicies"
    return _list(call, path, [policy] if policy is not None else [])


def _list(call: GraphCall, path: str, policies: list[AppPolicy]) -> GraphAnswer:
    places = {policy.id: place for place, policy in enumerate(policies, 1)}
    shape: ListShape[AppPolicy] = ListShape(
        path=path,
        type_name="appManagementPolicy",
        fields=_FIELDS,
        filters=frozenset({"id", "displayName", "isEnabled"}),
        render=render_app_policy,
        ordinal=lambda policy: places[policy.id],
        annotations={},
    )
    return answer_list(call, shape, policies)


ROUTES: tuple[Route, ...] = (
    route("policy.default.get", "GET", _DEFAULT, get_default),
    route("policy.list", "GET", _OWN, list_policies),
    route("policy.get", "GET", f"{_OWN}/{{policy}}", get_policy),
    route("application.policies.list", "GET", "{app}/appManagementPolicies", list_assigned),
)
