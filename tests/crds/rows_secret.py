"""Rows of what is refused under `spec.secret`, in the form of `rows_refused.py`."""

from __future__ import annotations

from typing import Final

from tests.crds.manifests import Row

_PATTERN: Final = "should match"
_NAME: Final = "may not start with appcredential-pending-"
_KEY: Final = "keys must consist of at most 253"
_FORM: Final = "keys must be a name of at most 63"
_RESERVED: Final = "may not contain keys that Kubernetes, Helm"
_ONE: Final = "exactly one of value and generateOnce"
_UNKNOWN: Final = "refers to an unknown name: use $(tenantId)"
_TOO_MANY: Final = "refers to more than 16 values"
_ITEMS: Final = "at most 32 items"
_DATA: Final = "secret.data"
_VALUE: Final = "secret.data.a.value"
_AT_VALUE: Final = "secret.data[a].value"
_LENGTH: Final = "secret.data.a.generateOnce.length"
_AT_LENGTH: Final = "secret.data[a].generateOnce.length"
_LABELS: Final = "secret.labels"
_NOTES: Final = "secret.annotations"
_TEXT: Final = {"value": "x"}
_MANY: Final = {f"k{i}": "x" for i in range(33)}
_MANY_DATA: Final = dict.fromkeys(_MANY, _TEXT)
_TOGETHER: Final = "at most 65536 bytes"
_LONG: Final = {f"k{i}": {"value": "x" * 4096} for i in range(16)}
_WIDE: Final = {f"k{i}": {"value": "\U0001f511" * 1100} for i in range(15)}
_LONG_NOTES: Final = {f"example.com/k{i}": "x" * 4096 for i in range(16)}
_HALF: Final = {f"k{i}": {"value": "x" * 4096} for i in range(8)}
_HALF_NOTES: Final = {f"example.com/k{i}": "x" * 4096 for i in range(8)}
_FROM: Final = "secret.takeOverFrom"
_OWN: Final = {"name": "a", "takeOverFrom": "orders"}
_NO_NAME: Final = {"name": "a", "takeOverFrom": "shop/old"}
_RAW: Final = {"preset": "Raw", "data": {"clientId": _TEXT}}
_TERRAFORM: Final = {"preset": "Terraform", "data": {"ARM_CLIENT_SECRET": _TEXT}}
_GRAFANA: Final = {"preset": "Grafana", "data": {"GF_AUTH_AZUREAD_AUTH_URL": _TEXT}}
_WEB: Final = {"preset": "MicrosoftIdentityWeb", "data": {"AzureAd__TenantId": _TEXT}}

SECRET: Final[tuple[Row, ...]] = (
    ("the operator's own name", "secret.name", "appcredential-pending-x", _NAME),
    ("a Helm release", "secret.name", "sh.helm.release.v1.x.v1", _NAME),
    ("a bootstrap token", "secret.name", "bootstrap-token-abcdef", _NAME),
    ("an authority that pods trust", "secret.name", "istio-ca-secret", _NAME),
    ("data of more than 64 KiB", _DATA, _LONG, _TOGETHER, "secret"),
    ("data of few letters and more than 64 KiB", _DATA, _WIDE, _TOGETHER, "secret"),
    ("annotations of more than 64 KiB", _NOTES, _LONG_NOTES, _TOGETHER, "secret"),
    ("both of more than 64 KiB", "secret", {"data": _HALF, "annotations": _HALF_NOTES}, _TOGETHER),
    ("a name in upper case", "secret.name", "A_b", _PATTERN),
    ("a Secret taken from itself", "secret", _OWN, "may not name this AppCredential", _FROM),
    ("a Secret taken without its name", _FROM, "old", "needs secret.name"),
    ("a Secret taken from no name", "secret", _NO_NAME, _PATTERN, _FROM),
    (
        "a Secret taken from nobody",
        "secret",
        {"name": "a", "takeOverFrom": ""},
        "at least 1",
        _FROM,
    ),
    ("an unknown preset", "secret.preset", "Spring", "Unsupported value"),
    ("a relative path", "secret.mountPath", "var/run", _PATTERN),
    ("a path upwards", "secret.mountPath", "/a/../b", "may not contain . or .. as a segment"),
    ("a long path", "secret.mountPath", "/" + "a" * 255, "Too long"),
    ("a key of the preset", _DATA, {"AZURE_CLIENT_ID": _TEXT}, "preset AzureIdentity writes"),
    ("a key of the other preset", "secret", _RAW, "preset Raw writes", _DATA),
    ("a key of Terraform's", "secret", _TERRAFORM, "preset Terraform writes", _DATA),
    ("a key of Grafana's", "secret", _GRAFANA, "preset Grafana writes", _DATA),
    ("a key of ASP.NET's", "secret", _WEB, "preset MicrosoftIdentityWeb writes", _DATA),
    ("a PKCS #12 file as text", _VALUE, "$(pkcs12:json)", _UNKNOWN, _AT_VALUE),
    ("a key with a slash", _DATA, {"a/b": _TEXT}, _KEY),
    ("a key of two dots", _DATA, {"..x": _TEXT}, _KEY),
    ("a key of one dot", _DATA, {".": _TEXT}, _KEY),
    ("a key with a line break", _DATA, {"a\n": _TEXT}, _KEY),
    ("a long key", _DATA, {"a" * 254: _TEXT}, _KEY),
    ("an entry of nothing", "secret.data.a", {}, _ONE, "secret.data[a]"),
    ("an entry of both", "secret.data.a", {**_TEXT, "generateOnce": {}}, _ONE, "secret.data[a]"),
    ("an unknown reference", _VALUE, "$(clientid)", _UNKNOWN, _AT_VALUE),
    ("an unknown format", _VALUE, "$(clientId:hex)", _UNKNOWN, _AT_VALUE),
    ("17 references", _VALUE, "$(clientId)" * 17, _TOO_MANY, _AT_VALUE),
    ("17 references that do not end", _VALUE, "$(" * 17, _TOO_MANY, _AT_VALUE),
    ("an empty format", _VALUE, "$(clientId:)", _UNKNOWN, _AT_VALUE),
    ("a reference after an escape", _VALUE, "$$$(x)", _UNKNOWN, _AT_VALUE),
    ("a reference that ends late", _VALUE, "$(a $(clientId)", _UNKNOWN, _AT_VALUE),
    ("a long value", _VALUE, "x" * 4097, "Too long", _AT_VALUE),
    ("a number for a value", _VALUE, 1, "must be of type string", "secret.data[...].value"),
    ("too few characters", _LENGTH, 15, "greater than or equal to 16", _AT_LENGTH),
    ("too many characters", _LENGTH, 513, "less than or equal to 512", _AT_LENGTH),
    ("too many keys", _DATA, _MANY_DATA, _ITEMS),
    ("Helm's annotation", _NOTES, {"meta.helm.sh/release-name": "x"}, _RESERVED),
    ("Argo CD's tracking", _NOTES, {"argocd.argoproj.io/tracking-id": "x"}, _RESERVED),
    ("kubectl's annotation", _NOTES, {"kubectl.kubernetes.io/restartedAt": "x"}, _RESERVED),
    ("replicator's", _NOTES, {"replicator.v1.mittwald.de/replicate-to": "x"}, _RESERVED),
    ("reflector's", _NOTES, {"reflector.v1.k8s.emberstack.com/reflects": "x"}, _RESERVED),
    ("our own annotation", _NOTES, {"appcredential.io/owner": "x"}, _RESERVED),
    ("Argo CD's cluster", _LABELS, {"argocd.argoproj.io/secret-type": "cluster"}, _RESERVED),
    ("Flux's tracking", _LABELS, {"kustomize.toolkit.fluxcd.io/name": "x"}, _RESERVED),
    ("Helm's release", _LABELS, {"owner": "helm", "name": "web"}, _RESERVED),
    ("who manages it", _LABELS, {"app.kubernetes.io/managed-by": "x"}, _RESERVED),
    ("Rancher's pruning", _LABELS, {"objectset.rio.cattle.io/hash": "x"}, _RESERVED),
    ("a label key of two slashes", _LABELS, {"a/b/c": "x"}, _FORM),
    ("a prefix in upper case", _NOTES, {"Helm.sh/x": "x"}, _FORM),
    ("a long label key", _LABELS, {"a" * 64: "x"}, _FORM),
    ("a long prefix", _LABELS, {"a" * 254 + "/b": "x"}, _FORM),
    ("a wrong label value", _LABELS, {"a": "-"}, _PATTERN, "secret.labels[a]"),
    ("a long label value", _LABELS, {"a": "x" * 64}, "Too long", "secret.labels[a]"),
    ("too many labels", _LABELS, _MANY, _ITEMS),
    ("a long annotation", _NOTES, {"a": "x" * 4097}, "Too long", "secret.annotations[a]"),
    ("too many annotations", _NOTES, _MANY, _ITEMS),
)
