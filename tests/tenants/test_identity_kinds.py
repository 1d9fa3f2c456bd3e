"""Each kind of the operator's own identity: what is read, what is told when it cannot be used."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appcredential.domain.secret.pem import sha1_thumbprint
from appcredential.domain.spec.model import Cloud
from appcredential.entra.projected_token import ProjectedToken
from appcredential.errors import IdentityRejectedError, NoManagedIdentityError, OwnTokenError
from tests.domain.test_operator_credential import token
from tests.support.builders import CLIENT_ID, DAY, NOW, OPERATOR_CLIENT_ID
from tests.support.keys import MadeCertificate, ec_key, make_certificate, rsa_key
from tests.support.world import World

REFERENCE = {"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "identity"}}
AUDIENCE = "api://own-cloud"
OTHER_CLIENT = "55555555-5555-5555-5555-555555555555"


def made(name: str = "operator", **fields: Any) -> MadeCertificate:
    return make_certificate(name, **{"start": NOW - DAY, "end": NOW + 30 * DAY, **fields})


def in64(**data: bytes | str) -> dict[str, str]:
    texts = {k: v.encode() if isinstance(v, str) else v for k, v in data.items()}
    return {k.replace("_", "."): base64.b64encode(v).decode() for k, v in texts.items()}


def tls(certificate: MadeCertificate) -> dict[str, str]:
    return in64(tls_crt=certificate.pem, tls_key=certificate.key_pem)


def with_certificate(data: dict[str, str], key: str = "tls.crt") -> World:
    world = World()
    world.put_tenant(
        certificate={"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "identity", "key": key}}
    )
    world.put_identity_data(data)
    return world


def ready(world: World) -> dict[str, Any]:
    return world.tenant_conditions["Ready"]


# --- certificates ---------------------------------------------------------------------------


async def test_a_secret_of_cert_manager_s_is_signed_in_with() -> None:
    certificate = made()
    world = with_certificate(tls(certificate))
    world.entra.expiration = NOW + 20 * DAY
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    (own,) = world.opened
    assert own.value.reveal() == certificate.bundle.decode()
    assert own.end == NOW + 30 * DAY
    assert world.tenant_status["identity"] == {
        "clientId": OPERATOR_CLIENT_ID,
        "thumbprint": sha1_thumbprint(certificate.der),
        "expirationTime": "2026-12-12T10:00:00Z",
    }


async def test_of_several_in_a_file_the_valid_one_that_ends_last_is_signed_in_with() -> None:
    old, new = made(start=NOW - 90 * DAY, end=NOW - DAY), made(end=NOW + 60 * DAY)
    world = with_certificate(in64(tls_crt=old.pem + new.pem, tls_key=new.key_pem))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert [own.value.reveal() for own in world.opened] == [new.bundle.decode()]


async def test_a_file_with_both_is_signed_in_with_whatever_its_order() -> None:
    certificate, issuer = made(), made("issuer", key=rsa_key(1))
    text = issuer.pem + certificate.pem + certificate.key_pem
    world = with_certificate(in64(client_pem=text), "client.pem")
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert world.opened[0].value.reveal() == certificate.bundle.decode()


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (tls(made(end=NOW)), "IdentityCertificateUnusable", "has expired"),
        (
            tls(made(start=NOW + timedelta(seconds=1))),
            "IdentityCertificateUnusable",
            "is not valid yet",
        ),
        (tls(made(key=ec_key())), "IdentityCertificateUnusable", "not RSA"),
        (
            in64(tls_crt=made().pem, tls_key=made(key=rsa_key(1)).key_pem),
            "IdentityCertificateUnusable",
            "does not belong to the private key",
        ),
        (in64(tls_crt=made().pem, tls_key="word"), "IdentityCertificateUnusable", "cannot be read"),
        (in64(tls_crt=made().pem, tls_key=""), "IdentityCertificateUnusable", "tls.key"),
        (
            in64(tls_crt=made().pem, tls_key=made().key_pem.decode().encode("utf-16")),
            "IdentityCertificateUnusable",
            "iconv -f UTF-16 -t UTF-8 tls.key > plain.pem",
        ),
        (
            in64(tls_crt=made().pkcs12(b"word")),
            "IdentityCertificateUnusable",
            "openssl pkcs12 -in tls.crt -nodes > plain.pem",
        ),
        (
            in64(tls_crt=made().pem + b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"),
            "IdentityCertificateUnusable",
            "(openssl pkey -in tls.crt; openssl x509 -in tls.crt) > plain.pem",
        ),
        (
            in64(tls_crt=made().bundle.decode().replace("\n", "\\n")),
            "IdentityCertificateUnusable",
            'printf %b "$(cat tls.crt)" > plain.pem',
        ),
        (in64(tls_crt="word", tls_key=made().key_pem), "IdentityCertificateUnusable", "X.509"),
        (in64(tls_crt="", tls_key=made().key_pem), "IdentityCertificateUnusable", "is empty"),
        (in64(tls_crt=made().key_pem), "IdentityCertificateUnusable", "is empty"),
        (in64(tls_crt=made().pem), "IdentitySecretNotFound", "no key tls.key"),
        (in64(tls_key=made().key_pem), "IdentitySecretNotFound", "no key tls.crt"),
    ],
)
async def test_what_cannot_be_used_is_told_for_what_it_is(
    data: dict[str, str], reason: str, words: str
) -> None:
    world = with_certificate(data)
    wait = await world.look_at_tenant()
    assert (ready(world)["status"], ready(world)["reason"]) == ("False", reason)
    assert words in ready(world)["message"]
    assert world.tenant_conditions["Stalled"]["reason"] == reason
    assert world.sessions == []
    assert wait == timedelta(seconds=30)
    assert [e["reason"] for e in world.events] == [reason]
    world.put_identity_data(tls(made()))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert "Stalled" not in world.tenant_conditions


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "is empty"),
        (b"operator-value\n", "line break"),
        (b"operator-value\r\n", "line break"),
        (b" operator-value", "blank"),
        ("operator-value".encode("utf-16"), "written as UTF-16"),
        ("operator-value".encode("utf-8-sig"), "byte order mark"),
        (b"\xff\x00\xfe\x81", "binary"),
    ],
)
@pytest.mark.parametrize("is_ready", [True, False])
async def test_a_client_secret_that_cannot_be_one_is_told_for_what_it_is(
    value: bytes, words: str, is_ready: bool
) -> None:
    world = World()
    if is_ready:
        await world.publish()
    opened = len(world.opened)
    world.put_identity_data(in64(clientSecret=value))
    await world.look_at_tenant()
    stalled = world.tenant_conditions["Stalled"]
    assert stalled["reason"] == "IdentitySecretUnusable"
    assert stalled["message"].startswith("The value of clientSecret in the operator's own Secret")
    assert words in stalled["message"]
    assert "operator-value" not in stalled["message"]
    assert (ready(world)["status"] == "True") is is_ready
    assert len(world.opened) == opened
    await world.look()
    assert world.ready["reason"] == ("Published" if is_ready else "TenantNotReady")
    world.put_identity_data(in64(clientSecret="valid"))
    await world.look_at_tenant()
    assert world.opened[-1].value.reveal() == "valid"
    assert "Stalled" not in world.tenant_conditions


async def test_a_missing_secret_is_told() -> None:
    world = with_certificate(tls(made()))
    world.put_identity_data(None)
    await world.look_at_tenant()
    assert ready(world)["reason"] == "IdentitySecretNotFound"
    assert "create it" in ready(world)["message"]


async def test_one_that_is_valid_soon_is_taken_up_then() -> None:
    world = with_certificate(tls(made(start=NOW + timedelta(seconds=40))))
    await world.look_at_tenant()
    world.clock.advance(timedelta(seconds=30))
    await world.look_at_tenant()
    assert ready(world)["status"] == "False"
    world.clock.advance(timedelta(seconds=30))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"


# --- without a secret -----------------------------------------------------------------------


def with_token(path: Path, *, custom: bool = False, audience: str = AUDIENCE) -> World:
    world = World(ProjectedToken(str(path / "token"), audience))
    cloud = "Custom" if custom else "Public"
    world.put_tenant(cloud, workloadIdentity={"clientId": OPERATOR_CLIENT_ID})
    return world


async def test_a_workload_identity_signs_in_with_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token(aud=["api://AzureADTokenExchange"]))
    world = with_token(tmp_path)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert world.tenant_status["identity"] == {"clientId": OPERATOR_CLIENT_ID}
    assert world.opened[0].value.reveal() == ""


async def test_a_custom_cloud_gets_a_token_of_its_own_audience_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token(aud=["api://AzureADTokenExchange"]))
    world = with_token(tmp_path, custom=True)
    await world.look_at_tenant()
    assert ready(world)["reason"] == "IdentityTokenUnusable"
    assert "APPCREDENTIAL_CUSTOM_TOKEN_AUDIENCE" in ready(world)["message"]
    assert world.sessions == []
    file.write_text(token(aud=[AUDIENCE]) + "\n")
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"


async def test_a_custom_cloud_without_an_audience_gets_none(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token(aud=[""]))
    world = with_token(tmp_path, custom=True, audience="")
    await world.look_at_tenant()
    assert ready(world)["reason"] == "CustomCloudNotConfigured"
    with pytest.raises(OwnTokenError):
        world.token.read(Cloud.CUSTOM)


async def test_a_missing_token_is_told_and_the_one_before_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "token"
    world = with_token(tmp_path)
    await world.look_at_tenant()
    assert ready(world)["reason"] == "IdentityTokenUnusable"
    assert "cannot be read" in ready(world)["message"]
    file.write_text(token(aud="x"))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    file.write_bytes(b"\xff")
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert world.tenant_conditions["Stalled"]["reason"] == "IdentityTokenUnusable"
    world.entra.error = OwnTokenError("cannot be read.")
    world.clock.advance(timedelta(hours=1))
    await world.look_at_tenant()
    assert (ready(world)["status"], ready(world)["reason"]) == ("False", "IdentityTokenUnusable")


async def test_a_managed_identity_is_known_once_it_signed_in() -> None:
    world = World()
    world.put_tenant(managedIdentity={})
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert "identity" not in world.tenant_status
    world.entra.client_id = CLIENT_ID
    world.entra.probe_errors = [None]
    world.clock.advance(timedelta(hours=1))
    await world.look_at_tenant()
    assert world.tenant_status["identity"] == {"clientId": CLIENT_ID}
    await world.look()
    assert world.ready["reason"] == "OperatorIdentity"


async def test_a_managed_identity_that_is_not_there_is_told() -> None:
    world = World()
    world.put_tenant(managedIdentity={"clientId": OTHER_CLIENT})
    world.entra.error = NoManagedIdentityError("token: none")
    await world.look_at_tenant()
    assert ready(world)["reason"] == "ManagedIdentityUnavailable"
    world.entra.error = IdentityRejectedError("token: refused")
    await world.look_at_tenant()
    assert ready(world)["reason"] == "IdentityRejected"
    assert "managed identity" in ready(world)["message"]
