"""Certificates that others issue: brought by cert-manager or a person, registered, followed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import pkcs12

from tests.integration.installation import CORE, Installation, Team
from tests.support.keys import MadeCertificate, ec_key, make_certificate, rsa_key

_ROTATION: Final = {"renewBefore": "30m", "overlap": "5s", "retireWhen": "OverlapElapsed"}
_TLS: Final = {"source": "Secret", "secretKeyRef": {"name": "orders-tls"}}


def _made(name: str, hours: int, number: int = 0) -> MadeCertificate:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    return make_certificate(name, end=end, key=rsa_key(number))


def _apply(team: Team, name: str = "app", *, member: dict[str, Any], **spec: Any) -> None:
    wanted = {"type": "Certificate", "certificate": member, "rotation": _ROTATION, **spec}
    manifest = team.manifest(name, **wanted)
    for field in ("clientSecret", "lifetime"):
        del manifest["spec"][field]
    team.i.kube.create(team.path().rsplit("/", 1)[0], manifest)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _put_pair(team: Team, made: MadeCertificate, name: str = "orders-tls") -> None:
    """Write a pair as cert-manager does: again over what is there."""
    data = {"tls.crt": _text(made.pem), "tls.key": _text(made.key_pem)}
    path = f"{CORE}/namespaces/{team.namespace}/secrets"
    if team.i.kube.get(f"{path}/{name}") is None:
        body = {"metadata": {"name": name}, "type": "kubernetes.io/tls", "data": data}
        team.i.kube.create(path, body)
    else:
        team.i.kube.edit(f"{path}/{name}", lambda found: found.update(data=data))


def _put_file(team: Team, content: bytes, name: str = "upload", key: str = "app.cer") -> None:
    """Write a file as `kubectl create configmap --from-file` does."""
    path = f"{CORE}/namespaces/{team.namespace}/configmaps"
    data = {key: _text(content)}
    if team.i.kube.get(f"{path}/{name}") is None:
        team.i.kube.create(path, {"metadata": {"name": name}, "binaryData": data})
    else:
        team.i.kube.edit(f"{path}/{name}", lambda found: found.update(binaryData=data))


def _tells(team: Team, reason: str, words: str, name: str = "app") -> None:
    def is_told() -> bool:
        found = team.condition("Stalled", name)
        return found.get("reason") == reason and words in found["message"]

    team.until(is_told, f"{name}: {reason}: {words}", name, 60)


def a_pair_reaches_workloads_only_after_it_was_proven(i: Installation) -> None:
    """cert-manager renews; the target follows once Entra knows the new one; the old one goes."""
    foreign = make_certificate("of another team").pem.decode()
    team = i.team("certmanager", keys=[{"certificate": foreign}])
    others = set(team.certificates())
    first, second = _made("orders", 3), _made("orders", 5, 1)
    _apply(team, member=_TLS, deletionGracePeriod="0s")
    _tells(team, "SourceNotFound", "Secret orders-tls does not exist")
    _put_pair(team, first)
    status = team.ready(seconds=60)
    assert status["credential"]["thumbprint"] == first.thumbprint
    assert team.condition("Verified")["status"] == "True"
    assert team.signs_in()
    old, old_key = team.values(), team.key()
    assert old["client.pem"] == first.bundle.decode()
    _put_pair(team, second)
    team.until(lambda: team.key() not in {"", old_key}, "the renewed one is published", seconds=60)
    assert team.values()["client.pem"] == second.bundle.decode()
    assert team.signs_in()
    assert team.sign_in(old), "the old one is refused during the overlap"
    team.until(lambda: old_key not in team.certificates(), "the old one is retired", seconds=60)
    assert not team.sign_in(old)
    assert team.signs_in()
    team.delete()
    team.until(lambda: set(team.certificates()) == others, "ours alone are revoked", seconds=60)


def a_certificate_without_its_key_is_registered(i: Installation) -> None:
    """An uploaded file: the gap is said, the renewal followed, the old one kept and retired."""
    team = i.team("upload")
    first, second = _made("orders", 3), _made("orders", 5, 1)
    _put_file(team, first.der)
    wanted = {"source": "ConfigMap", "configMapKeyRef": {"name": "upload", "key": "app.cer"}}
    _apply(team, member=wanted, secret={"preset": "Raw"})
    status = team.ready(seconds=60)
    key = team.key()
    assert team.certificates() == {key: first.thumbprint}
    assert team.has("Verified", "Unknown", "NotVerifiable")
    assert "verifiedTime" not in status["credential"]
    values = team.values()
    assert values["tls.crt"] == first.pem.decode()
    assert values["thumbprint"] == first.thumbprint
    assert not {"tls.key", "clientCertificate"} & set(values)
    assert team.sign_in({**values, "client.pem": first.bundle.decode(), **_as_environment(values)})
    _put_file(team, second.pem)
    team.until(lambda: team.key() not in {"", key}, "the renewed one is published", seconds=60)
    team.until(lambda: "SourceRace" in team.warnings(), "the gap is said")
    team.until(lambda: list(team.certificates()) == [team.key()], "the old one goes", seconds=60)
    assert team.ready()["credential"]["thumbprint"] == second.thumbprint


def one_file_with_both_is_followed(i: Installation) -> None:
    """A PFX with a password, as Key Vault exports it, then PEM with both under the same key."""
    team = i.team("onefile")
    first, second = _made("orders", 3), _made("orders", 5, 1)
    path = f"{CORE}/namespaces/{team.namespace}/secrets"
    packed = base64.b64encode(first.pkcs12(b"word"))  # External Secrets copies it as base64
    data = {"orders.pfx": _text(packed), "word": _text(b"other")}
    i.kube.create(path, {"metadata": {"name": "vault"}, "data": data})
    member = {
        "source": "Secret",
        "secretKeyRef": {"name": "vault", "key": "orders.pfx"},
        "passwordSecretKeyRef": {"name": "vault", "key": "word"},
    }
    _apply(team, member=member)
    _tells(team, "SourceUnusable", "does not open with the password")
    assert team.certificates() == {}
    i.kube.edit(f"{path}/vault", lambda found: found["data"].update(word=_text(b"word")))
    team.ready(seconds=60)
    assert team.values()["client.pem"] == first.bundle.decode()
    assert team.signs_in()
    key = team.key()
    both = {"orders.pfx": _text(second.pem + second.key_pem)}
    i.kube.edit(f"{path}/vault", lambda found: found["data"].update(both))
    team.until(lambda: team.key() not in {"", key}, "the renewed one is published", seconds=60)
    assert team.values()["client.pem"] == second.bundle.decode()
    assert team.signs_in()


def _as_environment(values: dict[str, str]) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": values["tenantId"],
        "AZURE_CLIENT_ID": values["clientId"],
        "AZURE_AUTHORITY_HOST": values["authorityHost"],
    }


def a_certificate_written_out_is_registered(i: Installation) -> None:
    """A changed manifest is a renewal like any other."""
    team = i.team("inline")
    first, second = _made("orders", 3), _made("orders", 5, 1)
    _apply(team, member={"source": "Inline", "inline": base64.b64encode(first.pem).decode()})
    team.ready(seconds=60)
    assert list(team.certificates().values()) == [first.thumbprint]
    assert "sourceCertificate" not in team.status()
    both = first.pem + second.pem  # appended, as some do at each renewal
    team.change(certificate={"source": "Inline", "inline": both.decode()})
    team.until(
        lambda: (team.status().get("credential") or {}).get("thumbprint") == second.thumbprint,
        "the new one is published",
        seconds=60,
    )
    chosen = team.status()["sourceCertificate"]
    assert chosen["candidates"] == 2
    assert chosen["thumbprintSHA256"] == team.status()["credential"]["thumbprintSHA256"]


def what_an_administrator_removed_stays_removed(i: Installation) -> None:
    """It may have leaked: the same certificate is not registered again, another one is."""
    team = i.team("removed")
    _put_pair(team, _made("orders", 3))
    _apply(team, member=_TLS)
    team.ready(seconds=60)
    key = team.key()
    # Within a minute of registering it, a missing one is taken for another writer's mishap.
    i.pass_time(team.time("publishedTime") + timedelta(seconds=62))
    team.i.emulator.call("DELETE", f"/applications/{team.client_id}/keys/{key}")
    _tells(team, "CertificateRemoved", "renew it at its source")
    assert team.condition("Ready")["status"] == "False"
    assert team.certificates() == {}
    second = _made("orders", 5, 1)
    _put_pair(team, second)
    team.until(lambda: team.is_ready() and team.key() != key, "another one helps", seconds=60)
    assert list(team.certificates().values()) == [second.thumbprint], team.certificates()
    assert team.signs_in()


def a_keystore_follows_its_password(i: Installation) -> None:
    """PKCS #12 and JWK beside PEM: missing password, wrong one, changed one."""
    team = i.team("keystore")
    member = {"keystore": {"pkcs12": {"passwordSecretKeyRef": {"name": "p12"}}}}
    data = {"jwk.json": {"value": "$(jwk)"}}
    _apply(team, member=member, secret={"preset": "Terraform", "data": data}, lifetime="1h")
    _tells(team, "KeystorePassword", "Secret p12 does not exist")
    assert team.certificates() == {}, "nothing is registered that could not be published"
    i.make_secret(team.namespace, "p12", {"password": "ends with a break\n"})
    _tells(team, "KeystorePassword", "is no password")
    _set_password(team, "first")
    team.ready(seconds=60)
    key = team.key()
    _check_keystore(team, "first")
    values = _raw(team)
    assert values["ARM_CLIENT_CERTIFICATE"].decode() == _text(values["keystore.p12"])
    assert values["ARM_ENVIRONMENT"] == b"custom"
    assert json.loads(values["jwk.json"])["kid"] == team.certificates()[key]
    assert b"first" not in values.values(), "the password stays in its own Secret"
    _set_password(team, "second")
    packed = values["keystore.p12"]
    team.until(lambda: _raw(team)["keystore.p12"] != packed, "it is packed anew")
    _check_keystore(team, "second")
    i.kube.delete(team.secret_path("p12"))
    _tells(team, "KeystorePassword", "Secret p12 does not exist")
    assert team.has("Ready", "True", "RotationFailing")
    _check_keystore(team, "second")
    assert team.key() == key


def _set_password(team: Team, value: str) -> None:
    path = team.secret_path("p12")
    team.i.kube.edit(path, lambda found: found.update(data={"password": _text(value.encode())}))


def _raw(team: Team) -> dict[str, bytes]:
    found = team.secret()
    assert found is not None
    return {k: base64.b64decode(v) for k, v in found["data"].items()}


def _check_keystore(team: Team, password: str) -> None:
    values = _raw(team)
    found = pkcs12.load_pkcs12(values["keystore.p12"], password.encode())
    assert found.cert is not None
    assert found.key is not None


def what_cannot_be_used_is_named(i: Installation) -> None:
    """Each file for what it is; nothing of it reaches the application."""
    team = i.team("unusable")
    now = datetime.now(UTC).replace(microsecond=0)
    good, day = make_certificate("orders"), timedelta(days=1)
    expired = make_certificate("old", start=now - 2 * day, end=now - day)
    coming = make_certificate("coming", start=now + day, end=now + 2 * day)
    files = {
        "expired": (expired.pem, "has expired: renew it"),
        "coming": (coming.pem, "is not valid yet"),
        "curve": (make_certificate("ec", key=ec_key()).pem, "sign with RSA only"),
        "private": (good.key_pem, "holds a private key where a certificate is meant"),
        "text": (b"no certificate at all", "cannot be read: give an X.509 certificate"),
        "pfx": (good.pkcs12(b"word"), "is a PKCS #12 file (PFX)"),
        "windows": (good.pem.decode().encode("utf-16"), "written as UTF-16"),
    }
    for name, (content, _) in files.items():
        _put_file(team, content, name)
        wanted = {"source": "ConfigMap", "configMapKeyRef": {"name": name, "key": "app.cer"}}
        _apply(team, name, member=wanted)
    _put_file(team, good.pem, "keyless")
    missing = {"source": "ConfigMap", "configMapKeyRef": {"name": "keyless", "key": "x.cer"}}
    _apply(team, "nokey", member=missing)
    mismatch = {"source": "Secret", "secretKeyRef": {"name": "mismatch"}}
    pair = {"tls.crt": good.pem.decode(), "tls.key": _made("b", 3, 1).key_pem.decode()}
    i.make_secret(team.namespace, "mismatch", pair)
    _apply(team, "mismatched", member=mismatch)
    for name, (_, words) in files.items():
        _tells(team, "SourceUnusable", words, name)
    _tells(team, "SourceNotFound", "ConfigMap keyless has no key x.cer", "nokey")
    _tells(team, "SourceUnusable", "does not belong to the private key", "mismatched")
    assert team.certificates() == {}
    _put_file(team, good.pem, "text")
    team.ready("text", seconds=60)


def a_broken_source_leaves_what_works(i: Installation) -> None:
    """The certificate in use stays, whatever happens to its source."""
    team = i.team("broken")
    first = _made("orders", 3)
    _put_pair(team, first)
    _apply(team, member=_TLS)
    team.ready(seconds=60)
    held, key = team.values(), team.key()
    path = team.secret_path("orders-tls")
    i.kube.edit(path, lambda found: found["data"].update({"tls.crt": _text(b"damaged")}))
    _tells(team, "SourceUnusable", "cannot be read")
    assert team.has("Ready", "True", "RotationFailing")
    i.kube.delete(path)
    _tells(team, "SourceNotFound", "does not exist")
    assert team.values() == held
    assert team.signs_in()
    assert list(team.certificates()) == [key]
    _put_pair(team, first)
    team.ready(seconds=60)
    assert team.key() == key, "the same certificate needs no second registration"
