"""What the target Secret holds: keys, labels and annotations for one published credential.

The Secret is rendered whole from the spec, the credential and the live Secret. Keys, labels
and annotations of other people stay as they are: the annotation `appcredential.io/rendered`
lists what the operator wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from appcredential.domain.observed.certificate import Derived
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.target import Target
from appcredential.domain.secret import pem
from appcredential.domain.secret.annotations import PREFIX, Name, value_of
from appcredential.domain.secret.entries import Rendered, dump_rendered, load_rendered
from appcredential.domain.secret.generated import generated_annotation
from appcredential.domain.secret.records import Publication, target_annotations
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, Cloud, CredentialType
from appcredential.domain.spec.presets import PRIVATE_NAMES, preset_data, shadowed
from appcredential.domain.spec.secret import GenerateOnce
from appcredential.domain.spec.templates import (
    KEYSTORE_NAMES,
    Values,
    names_in,
    parse_template,
    render_template,
)

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "appcredential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The wanted content of the target Secret. All of `data` is secret."""

    data: Mapping[str, SecretValue]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


_NOTHING: Final = Derived()
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
    """Return the values of `$(name)`, by name. The result holds the secret: never log it."""
    common = {
        "tenantId": tenant.tenant_id,
        "clientId": spec.client_id,
        "authorityHost": tenant.authority_host,
        "azureEnvironment": _AZURE_ENVIRONMENTS[tenant.cloud],
        "mountPath": spec.secret.mount_path,
    }
    match spec.type:
        case CredentialType.CLIENT_SECRET:
            return {**common, "clientSecret": secret.reveal()}
        case CredentialType.CERTIFICATE:
            made = {name: value.reveal() for name, value in derived.items()}
            return {**common, **_certificate_values(secret), **made}
        case CredentialType.FEDERATED_IDENTITY:
            return common
        case _:
            assert_never(spec.type)


def _certificate_values(secret: SecretValue) -> dict[str, str]:
    private, chain = pem.split_bundle(secret.reveal())
    der = pem.leaf_der(chain)
    return {
        "privateKey": private,
        "certificate": chain,
        "thumbprint": pem.sha1_thumbprint(der),
        "thumbprintSHA256": pem.sha256_thumbprint(der),
        "x5t": pem.x5t(der),
        "x5tS256": pem.x5t_s256(der),
    }


def derived_names(spec: AppCredentialSpec) -> frozenset[str]:
    """Return the names in the Secret's content whose values need cryptography."""
    if not spec.type.is_certificate:
        return frozenset()
    preset = preset_data(spec.secret.preset, spec.type, keystore=spec.has_keystore)
    return _referred(spec, preset) & (KEYSTORE_NAMES | {"jwk"})


def needs_private_key(spec: AppCredentialSpec) -> bool:
    """Return whether the spec asks for content that needs the private key."""
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
    derived: Derived = _NOTHING,
) -> Rendering:
    """Return the whole wanted content of the target Secret.

    Args:
        spec: the resource's.
        tenant: source of the ids and the authority host.
        secret: the credential's value.
        publication: what the annotations record.
        live: the Secret as it is. Other people's keys and generated values stay.
        generate: makes a value of that many characters for `generateOnce`; None leaves a
            missing one out, which then differs from the live Secret.
        derived: what needs cryptography.
    """
    old = _rendered(live)
    values = template_values(spec, tenant, secret, derived.values)
    data = _data(spec, values, live, generate)
    data = _handed_over(publication, live, data) | data
    labels = {MANAGED_BY: MANAGER, **spec.secret.labels}
    written = Rendered(
        keys=frozenset(data),
        labels=frozenset(spec.secret.labels),
        annotations=frozenset(spec.secret.annotations),
    )
    annotations = {
        **spec.secret.annotations,
        **target_annotations(publication),
        **_keystore_annotation(spec, derived, live),
        **generated_annotation(spec, live, data),
        Name.RENDERED: dump_rendered(written),
    }
    if live is None:
        return Rendering(data=data, labels=labels, annotations=annotations)
    kept = {k: v for k, v in live.annotations.items() if not k.startswith(PREFIX)}
    return Rendering(
        data=_keep(live.data, old.keys) | data,
        labels=_keep(live.labels, old.labels) | labels,
        annotations=_keep(kept, old.annotations) | annotations,
    )


def _keystore_annotation(
    spec: AppCredentialSpec, derived: Derived, live: Target | None
) -> dict[str, str]:
    """Return what records the PKCS #12 file. Without its password, file and record stay."""
    kept = value_of(live.annotations, Name.KEYSTORE_DIGEST) if live is not None else ""
    found = derived.keystore_digest or kept
    return {Name.KEYSTORE_DIGEST: found} if found and spec.has_keystore else {}


def is_rendered(live: Target, wanted: Rendering) -> bool:
    """Return whether the target Secret already is as wanted."""
    return (
        dict(live.data) == dict(wanted.data)
        and dict(live.labels) == dict(wanted.labels)
        and dict(live.annotations) == dict(wanted.annotations)
    )


def _data(
    spec: AppCredentialSpec,
    values: Mapping[str, str],
    live: Target | None,
    generate: Callable[[int], SecretValue] | None,
) -> dict[str, SecretValue]:
    data: dict[str, SecretValue] = {}
    for key, entry in spec.secret.data.items():
        if not isinstance(entry, GenerateOnce):
            continue
        if live is not None and key in live.data:
            data[key] = live.data[key]
        elif generate is not None:
            data[key] = generate(entry.length)
    known = Values(values)
    for key, text in templates_of(spec, private=values.get("privateKey") != "").items():
        if names_in(text, spec.type) <= values.keys():
            data[key] = SecretValue(render_template(parse_template(text, spec.type), known))
        elif live is not None and key in live.data:
            data[key] = live.data[key]  # its source, such as a password, is unreadable now
    return data


def templates_of(spec: AppCredentialSpec, *, private: bool) -> dict[str, str]:
    """Return the texts with references that the Secret's keys are rendered from.

    Args:
        spec: the resource's.
        private: whether a certificate's private key is available.
    """
    preset = preset_data(spec.secret.preset, spec.type, keystore=spec.has_keystore, private=private)
    entries = spec.secret.data.items()
    return {**preset, **{k: e.text for k, e in entries if not isinstance(e, GenerateOnce)}}


def _handed_over(
    publication: Publication, live: Target | None, data: Mapping[str, SecretValue]
) -> dict[str, SecretValue]:
    """Return the former owner's keys that stay next to ours."""
    found = publication.handed_over
    if found is None or live is None:
        return {}
    kept = found.keys - shadowed(data)
    return {key: value for key, value in live.data.items() if key in kept}


def written_keys(target: Target) -> frozenset[str]:
    """Return the keys of a target Secret that an AppCredential wrote."""
    return _rendered(target).keys


def _rendered(live: Target | None) -> Rendered:
    return (
        load_rendered(value_of(live.annotations, Name.RENDERED)) if live is not None else Rendered()
    )


def _keep(live: Mapping[str, Any], ours: frozenset[str]) -> dict[str, Any]:
    return {k: v for k, v in live.items() if k not in ours}


def digest(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text, for names of revocations."""
    return hashlib.sha256(text.encode()).hexdigest()
