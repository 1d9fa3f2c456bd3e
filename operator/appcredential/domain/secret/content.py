"""What the target Secret holds: keys, labels and annotations for one published credential.

The Secret is rendered whole from the spec, the credential and the live Secret.
Keys, labels and annotations that we did not write stay as they are: what we
wrote is listed in the annotation `appcredential.io/rendered`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from appcredential.domain.conditions import format_time
from appcredential.domain.observed.observation import (
    Abandoned,
    FormerOwner,
    HandedOver,
    IssuedCredential,
    Retiring,
    Target,
    Tenant,
)
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    Cloud,
    CredentialType,
    GenerateOnce,
    ObjectId,
)
from appcredential.domain.spec.presets import PRIVATE_NAMES, preset_data, shadowed
from appcredential.domain.spec.templates import (
    KEYSTORE_NAMES,
    names_in,
    parse_template,
    render_template,
)

PREFIX = "appcredential.io/"
MANAGED_BY = "app.kubernetes.io/managed-by"
RENDERED = PREFIX + "rendered"
CLUSTER = PREFIX + "cluster"
ADOPT = PREFIX + "adopt"
"""By which a person gives a Secret that has no owner to `namespace/name`."""
MAX_ABANDONED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Everything that T records about itself.

    Attributes:
        verified_time: last sign-in that proved it; None with verification disabled.
        taken_from: whose Secret it was before.
        handed_over: keys of the former owner that stay for now.
    """

    owner: str
    cluster: str
    tenant_id: str
    object_id: ObjectId
    credential: IssuedCredential
    verified_time: datetime | None
    published_time: datetime
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]
    taken_from: tuple[FormerOwner, ...] = ()
    handed_over: HandedOver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The wanted content of T. All of `data` is secret."""

    data: Mapping[str, SecretValue]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


_AZURE_ENVIRONMENTS: Final = {
    Cloud.PUBLIC: "public",
    Cloud.US_GOVERNMENT: "usgovernment",
    Cloud.US_GOVERNMENT_DOD: "usgovernment",
    Cloud.CHINA: "china",
    Cloud.CUSTOM: "custom",
}


def template_values(
    spec: AppCredentialSpec,
    tenant: Tenant,
    secret: SecretValue,
    derived: Mapping[str, SecretValue],
) -> dict[str, str]:
    """Return what `$(name)` stands for. The result holds the secret: never log it."""
    common = {
        "tenantId": tenant.tenant_id,
        "clientId": spec.client_id,
        "authorityHost": tenant.authority_host,
        "azureEnvironment": _AZURE_ENVIRONMENTS[tenant.cloud],
        "mountPath": spec.secret.mount_path,
    }
    if spec.type is CredentialType.CLIENT_SECRET:
        return {**common, "clientSecret": secret.reveal()}
    private, chain = pem.split_bundle(secret.reveal())
    der = pem.leaf_der(chain)
    return {
        **common,
        "privateKey": private,
        "certificate": chain,
        "thumbprint": pem.sha1_thumbprint(der),
        "thumbprintSHA256": pem.sha256_thumbprint(der),
        "x5t": pem.x5t(der),
        "x5tS256": pem.x5t_s256(der),
        **{name: value.reveal() for name, value in derived.items()},
    }


def derived_names(spec: AppCredentialSpec) -> frozenset[str]:
    """Return the names that the Secret's content refers to and cryptography must make."""
    if spec.type is not CredentialType.CERTIFICATE:
        return frozenset()
    preset = preset_data(spec.secret.preset, spec.type, keystore=spec.has_keystore)
    return _referred(spec, preset) & (KEYSTORE_NAMES | {"jwk"})


def needs_private_key(spec: AppCredentialSpec) -> bool:
    """Tell whether users ask for what there is only with the private key."""
    return spec.has_keystore or bool(_referred(spec, {}) & PRIVATE_NAMES)


def _referred(spec: AppCredentialSpec, preset: Mapping[str, str]) -> frozenset[str]:
    texts = [e.text for e in spec.secret.data.values() if not isinstance(e, GenerateOnce)]
    return frozenset().union(*(names_in(t, spec.type) for t in (*texts, *preset.values())))


def render(
    spec: AppCredentialSpec,
    tenant: Tenant,
    secret: SecretValue,
    publication: Publication,
    live: Target | None,
    generate: Callable[[int], SecretValue] | None,
    *,
    derived: Mapping[str, SecretValue] = MappingProxyType({}),
) -> Rendering:
    """Return the whole wanted content of T.

    Args:
        spec: the resource's.
        tenant: gives ids and the authority host.
        secret: the credential's value.
        publication: what the annotations record.
        live: the Secret as it is, whose foreign keys and generated values stay.
        generate: makes a value of that many characters for `generateOnce`; None
            leaves a missing one out, which then differs from the live Secret.
        derived: values that cryptography made of the credential's, by template name.
    """
    old = _written(live)
    values = template_values(spec, tenant, secret, derived)
    data = _data(spec, values, live, generate)
    data = _handed_over(publication, live, data) | data
    labels = {MANAGED_BY: "appcredential", **spec.secret.labels}
    annotations = {**spec.secret.annotations, **_annotations(publication)}
    written = {
        "keys": sorted(data),
        "labels": sorted(spec.secret.labels),
        "annotations": sorted(spec.secret.annotations),
    }
    annotations[RENDERED] = json.dumps(written, separators=(",", ":"))
    if live is None:
        return Rendering(data=data, labels=labels, annotations=annotations)
    kept = {k: v for k, v in live.annotations.items() if not k.startswith(PREFIX)}
    return Rendering(
        data=_keep(live.data, old["keys"]) | data,
        labels=_keep(live.labels, old["labels"]) | labels,
        annotations=_keep(kept, old["annotations"]) | annotations,
    )


def is_rendered(live: Target, wanted: Rendering) -> bool:
    """Tell whether T already is as wanted."""
    return (
        dict(live.data) == dict(wanted.data)
        and dict(live.labels) == dict(wanted.labels)
        and dict(live.annotations) == dict(wanted.annotations)
    )


def type_of(value: SecretValue) -> CredentialType:
    """Return the type of the credential that a value is of."""
    is_certificate = pem.has_certificate(value.reveal())
    return CredentialType.CERTIFICATE if is_certificate else CredentialType.CLIENT_SECRET


def can_sign_in(value: SecretValue) -> bool:
    """Tell whether a value is enough to sign in; a certificate whose key is elsewhere is not."""
    text = value.reveal()
    return pem.has_private_key(text) or not pem.has_certificate(text)


def leaf_of(value: SecretValue) -> bytes | None:
    """Return the certificate itself, DER; None for what holds none."""
    try:
        return pem.leaf_der(value.reveal())
    except ValueError:
        return None


def find_value(data: Mapping[str, SecretValue], digest: str) -> SecretValue | None:
    """Return the value in T whose SHA-256 is the recorded one; None when it was lost.

    That of a certificate is key and certificate together, which T holds as `tls.key`
    and `tls.crt` whatever else it holds.
    """
    values = list(data.values())
    if "tls.key" in data and "tls.crt" in data:
        values.append(SecretValue(data["tls.key"].reveal() + data["tls.crt"].reveal()))
    return next((value for value in values if value.sha256() == digest), None)


def _data(
    spec: AppCredentialSpec,
    values: Mapping[str, str],
    live: Target | None,
    generate: Callable[[int], SecretValue] | None,
) -> dict[str, SecretValue]:
    preset = preset_data(
        spec.secret.preset,
        spec.type,
        keystore=spec.has_keystore,
        private=values.get("privateKey") != "",
    )
    texts, data = dict(preset), {}
    for key, entry in spec.secret.data.items():
        if not isinstance(entry, GenerateOnce):
            texts[key] = entry.text
        elif live is not None and key in live.data:
            data[key] = live.data[key]
        elif generate is not None:
            data[key] = generate(entry.length)
    for key, text in texts.items():
        if names_in(text, spec.type) <= values.keys():
            data[key] = SecretValue(render_template(parse_template(text, spec.type), values))
        elif live is not None and key in live.data:
            data[key] = live.data[key]  # made of what cannot be read now, such as a password
    return data


def _handed_over(
    publication: Publication, live: Target | None, data: Mapping[str, SecretValue]
) -> dict[str, SecretValue]:
    """Return what stays of a former owner's keys beside ours."""
    found = publication.handed_over
    if found is None or live is None:
        return {}
    kept = found.keys - shadowed(data)
    return {key: value for key, value in live.data.items() if key in kept}


def written_keys(t: Target) -> frozenset[str]:
    """Return the keys in T that an AppCredential wrote."""
    return _written(t)["keys"]


def _annotations(p: Publication) -> dict[str, str]:
    c = p.credential
    found = {
        "owner": p.owner,
        "cluster": p.cluster,
        "tenant-id": p.tenant_id,
        "application-object-id": p.object_id,
        "key-id": c.key_id,
        "attempt": c.attempt,
        "value-sha256": c.value_sha256,
        "not-before": format_time(c.not_before),
        "expires": format_time(c.expires),
        "published-time": format_time(_rounded_up(p.published_time)),
    }
    if p.verified_time is not None:
        found["verified-time"] = format_time(p.verified_time)
    if p.retiring:
        found["retiring"] = _dump([_retiring(e) for e in p.retiring])
    if p.abandoned:
        found["abandoned"] = dump_abandoned(p.abandoned)
    if p.taken_from:
        found["taken-over-from"] = _dump([_former(e) for e in p.taken_from])
    if p.handed_over is not None:
        until = format_time(_rounded_up(p.handed_over.until))
        found["handed-over"] = _dump({"keys": sorted(p.handed_over.keys), "until": until})
    return {PREFIX + key: value for key, value in found.items()}


def dump_abandoned(entries: tuple[Abandoned, ...]) -> str:
    """Return the `abandoned` annotation: the last five attempts with their times."""
    kept = entries[-MAX_ABANDONED:]
    return _dump([{"attempt": e.attempt, "time": format_time(e.time)} for e in kept])


def _former(entry: FormerOwner) -> dict[str, str | int]:
    return {"owner": entry.owner, "uid": entry.uid, "generation": entry.generation}


def _retiring(entry: Retiring) -> dict[str, str]:
    found = {
        "keyId": entry.key_id,
        "end": format_time(entry.end),
        "since": format_time(_rounded_up(entry.since)),
        "cause": str(entry.cause),
    }
    if entry.removed is not None:
        found["removed"] = format_time(entry.removed)
    return found


def _rounded_up(time: datetime) -> datetime:
    """Return whole seconds, never earlier: an overlap that begins then is never too short."""
    whole = time.replace(microsecond=0)
    return whole if whole == time else whole + timedelta(seconds=1)


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _written(live: Target | None) -> dict[str, frozenset[str]]:
    raw = live.annotations.get(RENDERED, "{}") if live is not None else "{}"
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):  # a person's edit; nested too deep is one too
        found = {}
    names = ("keys", "labels", "annotations")
    listed = {n: found.get(n) if isinstance(found, dict) else None for n in names}
    return {
        n: frozenset(str(i) for i in v) if isinstance(v, list) else frozenset()
        for n, v in listed.items()
    }


def _keep(live: Mapping[str, Any], ours: frozenset[str]) -> dict[str, Any]:
    return {k: v for k, v in live.items() if k not in ours}


def pending_name(owner_hash: str) -> str:
    """Return P's name."""
    return f"appcredential-pending-{owner_hash}"


def digest(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text, for names of tickets."""
    return hashlib.sha256(text.encode()).hexdigest()
