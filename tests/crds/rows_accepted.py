"""Rows of what is accepted: name, field, value."""

from __future__ import annotations

from typing import Final

from tests.crds.manifests import GUID, OTHER_GUID, Row

_ALL_NAMES: Final = (
    "$(tenantId)$(clientId)$(clientSecret)$(authorityHost)$(azureEnvironment)$(mountPath)"
)
_ALL_FORMATS: Final = "$(clientSecret:json)$(clientSecret:base64)$(clientSecret:url)"
_LITERALS: Final = "$$(clientId:x) $$(pkcs12) $$$$ $x $ $(unterminated $$"

APP: Final[tuple[Row, ...]] = (
    ("the least that is needed", "", None),
    ("an empty tenantRef", "tenantRef", {}),
    ("unknown fields are ignored", "later", {"x": 1}),
    ("the longest description", "clientSecret.description", "ö" * 36),
    ("the shortest lifetime", "lifetime", "60s"),
    ("the longest lifetime", "lifetime", "17544h"),
    ("all units at once", "lifetime", "1w2d3h4m5s"),
    ("the longest lead", "rotation", {"renewBefore": "2159h59m59s"}),
    ("the longest lead with an overlap", "rotation", {"renewBefore": "60d", "overlap": "30d"}),
    ("an overlap of a third of the default", "rotation.overlap", "30d"),
    ("an early retirement", "rotation.retireWhen", "OverlapElapsed"),
    ("a retirement after a rollout", "rotation.retireWhen", "RolledOut"),
    ("no early retirement", "rotation.retireWhen", "Expired"),
    ("a time with an offset", "rotation.rotateIssuedBefore", "2026-11-22T10:00:00.5+14:00"),
    ("a time of a leak", "rotation.revokeIssuedBefore", "2026-11-22T10:00:00Z"),
    ("an empty rotation", "rotation", {}),
    ("a verification", "verification", {"mode": "Disabled", "scope": "Self"}),
    ("a Secret's name with dots", "secret.name", "a.b-c"),
    ("the other preset", "secret", {"preset": "Raw", "data": {"AZURE_CLIENT_ID": {"value": ""}}}),
    ("a Secret that is taken over", "secret", {"name": "a", "takeOverFrom": "old.orders"}),
    ("Grafana's preset", "secret.preset", "Grafana"),
    ("Terraform's preset", "secret.preset", "Terraform"),
    ("a mount path", "secret.mountPath", "/etc/..data/x"),
    ("all names", "secret.data.a.value", _ALL_NAMES),
    ("all formats", "secret.data.a.value", _ALL_FORMATS),
    ("literal dollars", "secret.data.a.value", _LITERALS),
    ("16 references", "secret.data.a.value", "$(clientId)" * 16 + "$$(clientId)" * 20),
    ("64 KiB of data", "secret.data", {f"{i:x}": {"value": "x" * 4095} for i in range(16)}),
    ("several lines", "secret.data.a.value", "a=1\nb=$(clientId)\n"),
    ("a generated value", "secret.data.cookie-secret", {"generateOnce": {}}),
    ("the longest generated value", "secret.data.a.generateOnce.length", 512),
    ("a hidden key", "secret.data", {".a": {"value": "x"}}),
    ("a label with an empty value", "secret.labels", {"example.com/team": ""}),
    ("part-of", "secret.labels", {"app.kubernetes.io/part-of": "argocd"}),
    ("instance", "secret.labels", {"app.kubernetes.io/instance": "shop"}),
    ("Reloader's", "secret.annotations", {"reloader.stakater.com/match": "true"}),
    ("component", "secret.labels", {"app.kubernetes.io/component": "api"}),
    ("the CSI driver's label", "secret.labels", {"secrets-store.csi.k8s.io/used": "true"}),
    ("Flux's watch label", "secret.labels", {"reconcile.fluxcd.io/watch": "Enabled"}),
    ("a domain that only looks reserved", "secret.labels", {"nothelm.sh/x": "x"}),
    ("a reserved domain that is no prefix", "secret.labels", {"kubernetes.io": "x"}),
    ("an annotation of any text", "secret.annotations", {"note": "any { text }\n"}),
    ("a longest prefix", "secret.annotations", {"a" * 253 + "/" + "b" * 63: ""}),
    ("a deletion at once", "deletionGracePeriod", "0s"),
    ("a retained credential", "deletionPolicy", "Retain"),
    ("a suspension", "suspend", True),
)
TENANT: Final[tuple[Row, ...]] = (
    ("a tenant", "", None),
    ("a tenant with limits", "limits", {"types": ["ClientSecret"], "maxLifetime": "1w"}),
    ("a custom cloud", "cloud", "Custom"),
    ("another key", "identity.clientSecret.secretRef.key", ".a_B-1"),
)
GRANT: Final[tuple[Row, ...]] = (
    ("a grant", "", None),
    ("a grant in another tenant", "tenantRef.name", "prod"),
    ("two applications", "applications.clientIds", [GUID, OTHER_GUID]),
    ("two namespaces", "namespaces.names", ["a", "b-1"]),
    ("a type", "types", ["ClientSecret"]),
    ("a ceiling", "maxLifetime", "60s"),
    ("the highest bound", "maxCredentials", 10000),
    ("the operator's own application", "allowOperatorIdentity", True),
)
