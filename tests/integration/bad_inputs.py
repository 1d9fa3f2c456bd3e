"""What people and administrators get wrong: how each is made, what is said, how it is mended."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from demo.processes import OPERATOR_NAMESPACE
from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID
from tests.integration.installation import CORE, GROUP, PATIENCE, Installation, Team, stamp

Mend = Callable[[], object]
Made = tuple[Team, Mend]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault.

    Attributes:
        make: brings it about; returns the team that suffers and what mends it.
        reason: of Stalled on the AppCredential, and of its Warning.
        remedy: words of the message that say what to do.
        tenant_reason: of Ready and Stalled on the EntraTenant, where the fault is there.
        published: the resource had a credential before, which must stay.
        ready: what Ready says then.
        patience: how long the recovery may take.
    """

    name: str
    make: Callable[[Installation], Made]
    reason: str
    remedy: tuple[str, ...]
    tenant_reason: str = ""
    published: bool = False
    ready: tuple[str, str] = ("True", "RotationFailing")
    patience: float = PATIENCE

    def __str__(self) -> str:
        """Return the name, for pytest."""
        return self.name


def _identity_path(name: str) -> str:
    return f"{CORE}/namespaces/{OPERATOR_NAMESPACE}/secrets/{name}"


def _put_identity(i: Installation, name: str, value: str) -> None:
    def change(found: dict[str, Any]) -> None:
        found["stringData"] = {"clientSecret": value}

    i.kube.edit(_identity_path(name), change)


def _own_tenant(i: Installation, **fields: str) -> Team:
    """Return a team whose applications live in an EntraTenant of its own."""
    team = i.team("bad", granted=False)
    team.tenant = f"tenant-{team.namespace}"
    if fields:
        i.make_tenant(team.tenant, **fields)
    team.grant()
    return team


# --- the tenant ----------------------------------------------------------------------------


def tenant_missing(i: Installation) -> Made:
    team = _own_tenant(i)
    team.apply()
    return team, lambda: i.make_tenant(team.tenant)


def tenant_id_wrong(i: Installation) -> Made:
    wrong = str(uuid.uuid4())
    team = _own_tenant(i, tenant_id=wrong)
    team.apply()

    def mend() -> None:
        # tenantId is immutable: another EntraTenant it must be, once nobody uses this one.
        team.delete()
        path = f"{GROUP}/entratenants/{team.tenant}"
        i.kube.delete(path)
        i.until(lambda: i.kube.get(path) is None, "the wrong EntraTenant is gone")
        i.make_tenant(team.tenant)
        team.apply()

    return team, mend


def identity_missing(i: Installation) -> Made:
    name = f"identity-{secrets.token_hex(3)}"
    team = _own_tenant(i, identity=name)
    team.apply()
    return team, lambda: i.make_identity(name, OPERATOR_SECRET)


def identity_lacks_the_key(i: Installation) -> Made:
    name = f"identity-{secrets.token_hex(3)}"
    i.make_secret(OPERATOR_NAMESPACE, name, {"password": "x"})
    team = _own_tenant(i, identity=name)
    team.apply()
    return team, lambda: _put_identity(i, name, OPERATOR_SECRET)


def identity_wrong(i: Installation) -> Made:
    name = f"identity-{secrets.token_hex(3)}"
    i.make_identity(name, "a-value-that-entra-does-not-know-000000")
    team = _own_tenant(i, identity=name)
    team.apply()
    return team, lambda: _put_identity(i, name, OPERATOR_SECRET)


def identity_expired(i: Installation) -> Made:
    name, value = f"identity-{secrets.token_hex(3)}", "an-expired-value-of-the-operator-0000000"
    seed = {"displayName": "last year's", "value": value, "startInDays": -30, "endInDays": -1}
    i.emulator.call("POST", f"/applications/{OPERATOR_ID}/passwords", seed)
    i.make_identity(name, value)
    team = _own_tenant(i, identity=name)
    team.apply()
    return team, lambda: _put_identity(i, name, OPERATOR_SECRET)


def identity_turns_wrong(i: Installation) -> Made:
    """The one in the Secret is none, and the one that signed in before is removed from Entra."""
    wanted = {"permissions": ["Application.ReadWrite.OwnedBy"]}
    made = i.emulator.call("POST", f"/tenants/{TENANT_ID}/operators", wanted)
    client_id, name = made["clientId"], f"identity-{secrets.token_hex(3)}"
    i.make_identity(name, made["clientSecret"])
    team = _own_tenant(i, client_id=client_id, identity=name)
    i.emulator.call("PUT", f"/applications/{team.client_id}/owners", {"owners": [client_id]})
    team.apply()
    team.ready()
    _put_identity(i, name, "a-value-that-entra-does-not-know-000000")
    (old,) = i.emulator.credentials(client_id)
    i.emulator.call("DELETE", f"/applications/{client_id}/passwords/{old['keyId']}")
    # A token that was issued before is good for an hour more; here it is not.
    i.add_rule(
        fault="expired-token",
        count=1,
        match={"app": team.client_id, "operation": "application.get"},
    )

    def mend() -> None:
        value = f"a-new-value-of-the-operator-{secrets.token_hex(6)}"
        seed = {"displayName": "new", "value": value, "endInDays": 30}
        i.emulator.call("POST", f"/applications/{client_id}/passwords", seed)
        _put_identity(i, name, value)

    return team, mend


def consent_missing(i: Installation) -> Made:
    made = i.emulator.call("POST", f"/tenants/{TENANT_ID}/operators", {"permissions": []})
    name = f"identity-{secrets.token_hex(3)}"
    i.make_identity(name, made["clientSecret"])
    team = _own_tenant(i, client_id=made["clientId"], identity=name)
    i.emulator.call("PUT", f"/applications/{team.client_id}/owners", {"owners": [made["clientId"]]})
    team.apply()
    consent = {"appId": made["clientId"], "permissions": ["Application.ReadWrite.OwnedBy"]}
    return team, lambda: i.emulator.call("PUT", f"/tenants/{TENANT_ID}/servicePrincipals", consent)


# --- the application -----------------------------------------------------------------------


def read_forbidden(i: Installation) -> Made:
    team = i.team("bad")
    match = {"app": team.client_id, "operation": "application.get"}
    rule = i.add_rule(fault="forbidden", match=match)
    team.apply()
    return team, lambda: i.drop_rule(rule)


def not_owner(i: Installation) -> Made:
    team = i.team("bad", owners=[])
    team.apply()
    owners = {"owners": [OPERATOR_ID]}
    return team, lambda: i.emulator.call("PUT", f"/applications/{team.client_id}/owners", owners)


def ownership_lost(i: Installation) -> Made:
    team = i.team("bad")
    team.apply(rotation={"renewBefore": "1m"})
    team.ready()
    path = f"/applications/{team.client_id}/owners"
    i.emulator.call("PUT", path, {"owners": []})
    team.change(rotation={"renewBefore": "1m", "rotateIssuedBefore": stamp(i.now())})
    return team, lambda: i.emulator.call("PUT", path, {"owners": [OPERATOR_ID]})


def type_forbidden_by_policy(i: Installation) -> Made:
    team = i.team("bad")
    i.put_under_policy(
        team.client_id, passwordCredentials=[{"restrictionType": "passwordAddition"}]
    )
    team.apply(lifetime="2h")

    def mend() -> None:
        i.exempt(team.client_id)
        team.change(lifetime="1h")  # no waiting for the next regular try

    return team, mend


def lifetime_over_policy(i: Installation) -> Made:
    team = i.team("bad")
    limit = {"restrictionType": "passwordLifetime", "maxLifetime": "PT1H"}
    i.put_under_policy(team.client_id, passwordCredentials=[limit])
    team.apply(lifetime="2h")
    return team, lambda: team.change(lifetime="50m")


def lifetime_over_a_new_policy(i: Installation) -> Made:
    team = i.team("bad")
    team.apply(rotation={"renewBefore": "1m"})
    team.ready()
    limit = {"restrictionType": "passwordLifetime", "maxLifetime": "PT30M"}
    i.put_under_policy(team.client_id, passwordCredentials=[limit])
    team.change(rotation={"renewBefore": "1m", "rotateIssuedBefore": stamp(i.now())})
    return team, lambda: team.change(lifetime="20m")


def refused_for_another_reason(i: Installation) -> Made:
    team = i.team("bad")
    match = {"app": team.client_id, "operation": "application.addPassword"}
    code = "Directory_QuotaExceeded"
    rule = i.add_rule(fault="graph-error", status=403, code=code, match=match)
    team.apply(lifetime="2h")

    def mend() -> None:
        i.drop_rule(rule)
        team.change(lifetime="1h")  # no waiting for the next regular try

    return team, mend


def application_unknown(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    team.client_id = str(uuid.uuid4())
    team.grant()
    team.apply()
    seed = {"displayName": "late", "appId": team.client_id, "owners": [OPERATOR_ID]}
    return team, lambda: i.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", seed)


def application_replaced(i: Installation) -> Made:
    team = i.team("bad")
    team.apply()
    team.ready()
    i.emulator.call("DELETE", f"/applications/{team.client_id}")
    seed = {"displayName": "another", "appId": team.client_id, "owners": [OPERATOR_ID]}
    i.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", seed)
    return team, lambda: i.kube.delete(team.secret_path())


def no_service_principal(i: Installation) -> Made:
    team = i.team("bad", servicePrincipal=None)
    team.apply()
    body = {"appId": team.client_id}
    return team, lambda: i.emulator.call("PUT", f"/tenants/{TENANT_ID}/servicePrincipals", body)


def application_disabled(i: Installation) -> Made:
    team = i.team("bad", isDisabled=True)
    team.apply()
    path = f"/applications/{team.client_id}"
    return team, lambda: i.emulator.call("PATCH", path, {"isDisabled": None})


def blocked_by_conditional_access(i: Installation) -> Made:
    team = i.team("bad")
    rule = i.add_rule(fault="token-error", code=53003, match={"app": team.client_id})
    team.apply()
    return team, lambda: i.drop_rule(rule)


# --- the grant -----------------------------------------------------------------------------


def not_granted(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    team.apply()

    def mend() -> None:
        message = team.condition("Stalled")["message"]
        manifest = json.loads(message[message.index("{") :])
        i.cluster.kubectl("apply", "-f", "-", input=json.dumps(manifest))

    return team, mend


def granted_to_another_namespace(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    name = team.grant(namespaces={"names": ["somebody-else"]})
    team.apply()
    names = {"names": ["somebody-else", team.namespace]}
    path = f"{GROUP}/applicationgrants/{name}"
    return team, lambda: i.kube.edit(path, lambda found: found["spec"].update(namespaces=names))


def granted_in_another_tenant(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    name = team.grant(tenantRef={"name": "elsewhere"})
    team.apply()
    path, tenant = f"{GROUP}/applicationgrants/{name}", {"name": "default"}
    return team, lambda: i.kube.edit(path, lambda found: found["spec"].update(tenantRef=tenant))


def granted_for_another_application(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    name = team.grant(applications={"clientIds": [str(uuid.uuid4())]})
    team.apply()
    path, ids = f"{GROUP}/applicationgrants/{name}", {"clientIds": [team.client_id]}
    return team, lambda: i.kube.edit(path, lambda found: found["spec"].update(applications=ids))


def the_operators_own_application(i: Installation) -> Made:
    wanted = {"permissions": ["Application.ReadWrite.OwnedBy"]}
    made = i.emulator.call("POST", f"/tenants/{TENANT_ID}/operators", wanted)
    owner = {"owners": [made["clientId"]]}
    i.emulator.call("PUT", f"/applications/{made['clientId']}/owners", owner)
    name = f"identity-{secrets.token_hex(3)}"
    i.make_identity(name, made["clientSecret"])
    team = i.team("bad", granted=False)
    team.tenant, team.client_id = f"tenant-{team.namespace}", made["clientId"]
    i.make_tenant(team.tenant, client_id=made["clientId"], identity=name)
    grant = team.grant()
    team.apply()
    path = f"{GROUP}/applicationgrants/{grant}"
    return team, lambda: i.kube.edit(
        path, lambda found: found["spec"].update(allowOperatorIdentity=True)
    )


def lifetime_too_short(i: Installation) -> Made:
    team = i.team("bad")
    team.apply(lifetime="60s")
    return team, lambda: team.change(lifetime="1h")


def lifetime_cut_too_short(i: Installation) -> Made:
    team = i.team("bad", granted=False)
    name = team.grant(maxLifetime="60s")
    team.apply()
    path = f"{GROUP}/applicationgrants/{name}"
    return team, lambda: i.kube.edit(path, lambda found: found["spec"].update(maxLifetime="2h"))


# --- the Secret ----------------------------------------------------------------------------


def secret_of_somebody_else(i: Installation) -> Made:
    team = i.team("bad")
    i.make_secret(team.namespace, "app", {"theirs": "untouched"})
    team.apply()
    return team, lambda: i.kube.delete(team.secret_path())


def secret_made_immutable(i: Installation) -> Made:
    team = i.team("bad")
    team.apply()
    team.ready()
    i.kube.edit(team.secret_path(), lambda found: found.update(immutable=True))
    return team, lambda: i.kube.delete(team.secret_path())


def secret_of_another_resource(i: Installation) -> Made:
    team = i.team("bad")
    team.apply("first", secret={"name": "shared"}, deletionGracePeriod="0s")
    team.ready("first")
    team.apply(secret={"name": "shared"})
    return team, lambda: team.delete("first")


def taken_from_somebody_else(i: Installation) -> Made:
    team = i.team("bad")
    team.apply("first", secret={"name": "shared"})
    team.ready("first")
    team.apply(secret={"name": "shared", "takeOverFrom": "nobody"})
    return team, lambda: team.change(secret={"name": "shared", "takeOverFrom": "first"})


def revocation_blocked(i: Installation) -> Made:
    team = i.team("bad")
    team.apply()
    team.ready()
    rule = i.add_rule(fault="token-error", code=53003, match={"app": team.client_id})
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    team.change(rotation={"revokeIssuedBefore": stamp(i.now())})
    return team, lambda: i.drop_rule(rule)


_TENANT: Final = "TenantNotReady"
_OWNERS: Final = ("owner", "consent")

CASES: Final = (
    Case(name="tenant missing", make=tenant_missing, reason="TenantNotFound", remedy=("create",)),
    Case(
        name="wrong tenant id",
        make=tenant_id_wrong,
        reason=_TENANT,
        tenant_reason="WrongTenantOrCloud",
        remedy=("tenantId",),
    ),
    Case(
        name="identity Secret missing",
        make=identity_missing,
        reason=_TENANT,
        tenant_reason="IdentitySecretNotFound",
        remedy=("Secret", "spec.identity"),
    ),
    Case(
        name="identity Secret lacks the key",
        make=identity_lacks_the_key,
        reason=_TENANT,
        tenant_reason="IdentitySecretNotFound",
        remedy=("Secret", "key"),
    ),
    Case(
        name="identity wrong",
        make=identity_wrong,
        reason=_TENANT,
        tenant_reason="IdentityRejected",
        remedy=("Put a valid one",),
    ),
    Case(
        name="identity expired",
        make=identity_expired,
        reason=_TENANT,
        tenant_reason="IdentityRejected",
        remedy=("Put a valid one",),
    ),
    Case(
        name="identity turns wrong",
        make=identity_turns_wrong,
        reason=_TENANT,
        tenant_reason="IdentityRejected",
        remedy=("Put a valid one",),
        published=True,
        ready=("True", "Published"),  # no rotation is due that could fail
    ),
    Case(
        name="consent missing",
        make=consent_missing,
        reason=_TENANT,
        tenant_reason="PermissionDenied",
        remedy=("Consent",),
    ),
    Case(name="read forbidden", make=read_forbidden, reason="PermissionDenied", remedy=_OWNERS),
    Case(name="not owner", make=not_owner, reason="PermissionDenied", remedy=_OWNERS),
    Case(
        name="ownership lost",
        make=ownership_lost,
        reason="PermissionDenied",
        remedy=_OWNERS,
        published=True,
    ),
    Case(
        name="type forbidden by policy",
        make=type_forbidden_by_policy,
        reason="TypeForbiddenByPolicy",
        remedy=("policy", "another type", "exempted"),
    ),
    Case(
        name="lifetime over policy",
        make=lifetime_over_policy,
        reason="LifetimeOverPolicy",
        remedy=("policy", "spec.lifetime"),
    ),
    Case(
        name="lifetime over a new policy",
        make=lifetime_over_a_new_policy,
        reason="LifetimeOverPolicy",
        remedy=("policy", "spec.lifetime"),
        published=True,
    ),
    Case(
        name="refused for another reason",
        make=refused_for_another_reason,
        reason="CredentialRefused",
        remedy=("Directory_QuotaExceeded", "log"),
    ),
    Case(
        name="application unknown",
        make=application_unknown,
        reason="ApplicationNotFound",
        remedy=("Is this the client id", "Check it"),
        patience=100,
    ),
    Case(
        name="application replaced",
        make=application_replaced,
        reason="ApplicationChanged",
        remedy=("Delete the Secret",),
        published=True,
        ready=("False", "ApplicationChanged"),
    ),
    Case(
        name="no service principal",
        make=no_service_principal,
        reason="NoServicePrincipal",
        remedy=("az ad sp create",),
        patience=80,
    ),
    Case(
        name="application disabled",
        make=application_disabled,
        reason="ApplicationDisabled",
        remedy=("Enable it",),
        patience=80,
    ),
    Case(
        name="conditional access",
        make=blocked_by_conditional_access,
        reason="BlockedByConditionalAccess",
        remedy=("Exclude", "Disabled"),
        patience=80,
    ),
    Case(
        name="a Secret taken from somebody who does not have it",
        make=taken_from_somebody_else,
        reason="SecretConflict",
        remedy=("spec.secret.takeOverFrom", "Correct one of the two names"),
        patience=80,
    ),
    Case(
        name="a revocation without a successor",
        make=revocation_blocked,
        reason="RevocationBlocked",
        remedy=("revokeIssuedBefore", "Conditional Access"),
        published=True,
        patience=80,
    ),
    Case(
        name="not granted",
        make=not_granted,
        reason="NotGranted",
        remedy=("administrator applies", '"kind": "ApplicationGrant"'),
    ),
    Case(
        name="granted to another namespace",
        make=granted_to_another_namespace,
        reason="NotGranted",
        remedy=("administrator applies",),
    ),
    Case(
        name="granted in another tenant",
        make=granted_in_another_tenant,
        reason="NotGranted",
        remedy=("administrator applies",),
    ),
    Case(
        name="granted for another application",
        make=granted_for_another_application,
        reason="NotGranted",
        remedy=("administrator applies",),
    ),
    Case(
        name="the operator's own application",
        make=the_operators_own_application,
        reason="OperatorIdentity",
        remedy=("allowOperatorIdentity",),
    ),
    Case(
        name="lifetime too short",
        make=lifetime_too_short,
        reason="LifetimeTooShort",
        remedy=("lifetime", "minimum"),
    ),
    Case(
        name="lifetime cut too short",
        make=lifetime_cut_too_short,
        reason="LifetimeTooShort",
        remedy=("grant", "minimum"),
    ),
    Case(
        name="Secret of somebody else",
        make=secret_of_somebody_else,
        reason="SecretConflict",
        remedy=("spec.secret.name", "delete", "appcredential.io/adopt="),
    ),
    Case(
        name="Secret made immutable",
        make=secret_made_immutable,
        reason="SecretConflict",
        remedy=("immutable", "kubectl replace --force"),
        published=True,
        ready=("True", "Published"),
    ),
    Case(
        name="Secret of another resource",
        make=secret_of_another_resource,
        reason="SecretConflict",
        remedy=("spec.secret.name", "/first", "spec.secret.takeOverFrom: first"),
    ),
)
UNTOUCHED: Final = {
    "Secret of somebody else": "app",
    "Secret of another resource": "shared",
    "a Secret taken from somebody who does not have it": "shared",
}
"""Cases in which a Secret is another's, with its name."""
NEVER_ASKED: Final = frozenset(
    c.name for c in CASES if c.reason in {"NotGranted", "OperatorIdentity"}
)
"""Cases in which nothing about the application may leave the cluster."""
