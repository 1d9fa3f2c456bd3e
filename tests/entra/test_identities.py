"""Each kind of the operator's own identity signs in through azure-identity."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.secret.pem import sha1_thumbprint
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    Cloud,
    EntraTenantSpec,
    ManagedIdentity,
    TenantId,
    TenantIdentity,
    WorkloadIdentity,
)
from appcredential.domain.status.problems_tenant import operator_refusal, tenant_refusal
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.session_opener import CustomCloud, SessionOpener
from appcredential.entra.tenant_session import TenantSession
from appcredential.entra.token_sources import token_source
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NoManagedIdentityError,
    OwnTokenError,
    ThrottledError,
    UnavailableError,
)
from tests.domain.test_operator_credential import token as jwt
from tests.support.clock import HandClock
from tests.support.emulator import Emulator
from tests.support.graph import OPERATOR, TENANT
from tests.support.keys import MadeCertificate, make_certificate, rsa_key
from tests.support.tokenserver import TokenServer, token_server

AUDIENCE = "api://own-cloud"
NOWHERE = ProjectedToken("/nowhere/token", "")


class WallClock(HandClock):
    """Real wall time; monotonic time by hand."""

    def now(self) -> datetime:
        return datetime.now(UTC)


# --- a certificate, at the emulator ---------------------------------------------------------


@dataclass
class Operator:
    """An operator's app registration in a tenant of its own, and sessions of it."""

    emulator: Emulator
    tenant: str
    client_id: str
    clock: WallClock = field(default_factory=WallClock)
    sessions: list[TenantSession] = field(default_factory=list)

    def register(self, certificate: MadeCertificate) -> str:
        text = certificate.pem.decode()
        return self.emulator.add_key(self.client_id, certificate=text)

    def open(self, certificate: MadeCertificate) -> TenantSession:
        identity = CertificateIdentity(
            client_id=ClientId(self.client_id), secret_name="operator", secret_key="tls.crt"
        )
        own = OperatorCredential(
            value=SecretValue(certificate.bundle.decode()),
            end=certificate.certificate.not_valid_after_utc,
            thumbprint=sha1_thumbprint(certificate.der),
        )
        return self.open_as(identity, own, NOWHERE)

    def open_as(
        self, identity: TenantIdentity, own: OperatorCredential, token: ProjectedToken
    ) -> TenantSession:
        endpoints = Endpoints(self.emulator.url, self.emulator.url)
        custom = CustomCloud(endpoints=endpoints, ca_file=str(self.emulator.ca_file))
        opener = SessionOpener(clock=self.clock, token=token, custom=custom)
        spec = EntraTenantSpec(
            tenant_id=TenantId(self.tenant), cloud=Cloud.CUSTOM, identity=identity
        )
        session = opener(spec, own, lambda: True)
        assert session is not None
        self.sessions.append(session)
        return session


@pytest.fixture
async def operator(emulator: Emulator) -> AsyncIterator[Operator]:
    emulator.clear_faults()
    tenant = emulator.create_tenant()
    client_id, _ = emulator.create_operator(tenant)
    made = Operator(emulator, tenant, client_id)
    yield made
    for session in made.sessions:
        await session.close()


async def test_a_certificate_signs_in_and_ends_with_itself(operator: Operator) -> None:
    certificate = make_certificate("operator")
    operator.register(certificate)
    session = operator.open(certificate)
    assert (await session.probe()).expiration == certificate.certificate.not_valid_after_utc
    assert session.client_id == operator.client_id
    app = operator.emulator.create_application(operator.tenant, owner=operator.client_id)
    found = await session.directory.application(ClientId(app.app_id), timedelta(seconds=1))
    assert found.object_id == app.id


async def test_one_that_is_not_registered_is_refused(operator: Operator) -> None:
    operator.register(make_certificate("operator"))
    session = operator.open(make_certificate("another", key=rsa_key(1)))
    with pytest.raises(IdentityRejectedError) as caught:
        await session.probe()
    assert caught.value.code == 700027
    # Who meets it at work says the same as the EntraTenant does.
    identity = CertificateIdentity(
        client_id=ClientId(operator.client_id), secret_name="operator", secret_key="tls.crt"
    )
    assert operator_refusal(caught.value) == tenant_refusal(identity, caught.value)
    assert "Register the one in the Secret" in caught.value.message


async def test_the_old_one_goes_and_the_new_one_works(operator: Operator) -> None:
    old, new = make_certificate("old"), make_certificate("new", key=rsa_key(1))
    first = operator.register(old)
    session = operator.open(old)
    await session.probe()
    operator.register(new)
    following = operator.open(new)
    await following.probe()
    operator.emulator.remove_key(operator.client_id, first)
    operator.clock.seconds += 60
    await following.probe()
    with pytest.raises(IdentityRejectedError):
        await operator.open(old).probe()


async def test_no_key_is_logged(operator: Operator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    certificate = make_certificate("operator")
    operator.register(certificate)
    await operator.open(certificate).probe()
    assert caplog.text
    for line in certificate.key_pem.decode().splitlines()[1:-1]:
        assert line not in caplog.text
    assert "eyJ" not in caplog.text


# --- the pod's token, at the emulator ---------------------------------------------------------


async def test_a_token_that_the_application_trusts_signs_in(
    operator: Operator, tmp_path: Path
) -> None:
    emulator, file = operator.emulator, tmp_path / "token"
    url, subject = "https://oidc.example.net/cluster-1/", "system:serviceaccount:system:operator"
    issuer = emulator.add_issuer(url)
    identity = WorkloadIdentity(client_id=ClientId(operator.client_id))
    session = operator.open_as(identity, OperatorCredential(), ProjectedToken(str(file), AUDIENCE))
    file.write_text(emulator.sign(issuer, claims={"sub": subject, "aud": [AUDIENCE]}))
    with pytest.raises(IdentityRejectedError) as caught:
        await session.probe()
    assert caught.value.code == 70025
    emulator.add_federated(
        operator.client_id, name="operator", issuer=url, subject=subject, audiences=[AUDIENCE]
    )
    operator.clock.seconds += 60
    found = await session.probe()
    assert found.expiration is None
    assert session.client_id == operator.client_id
    file.write_text(emulator.sign(issuer, claims={"sub": f"{subject}-2", "aud": [AUDIENCE]}))
    another = operator.open_as(identity, OperatorCredential(), ProjectedToken(str(file), AUDIENCE))
    with pytest.raises(IdentityRejectedError) as caught:
        await another.probe()
    assert caught.value.code == 700213


# --- the pod's token ------------------------------------------------------------------------


def operator_token(
    identity: TenantIdentity,
    token: ProjectedToken = NOWHERE,
    *,
    cloud: Cloud = Cloud.CUSTOM,
    url: str = "https://login.test",
    ca_file: str | None = None,
) -> OperatorToken:
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=cloud, identity=identity)
    endpoints = Endpoints(url, "https://graph.test")
    make = token_source(spec, OperatorCredential(), endpoints, ca_file, token)
    return OperatorToken(make, endpoints.graph_scope, HandClock(), 5.0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TokenServer]:
    async with token_server(tmp_path) as running:
        yield running


def workload(server: TokenServer, file: Path, audience: str = AUDIENCE) -> OperatorToken:
    return operator_token(
        WorkloadIdentity(client_id=OPERATOR),
        ProjectedToken(str(file), audience),
        url=server.url,
        ca_file=server.ca_file,
    )


async def test_the_file_is_read_for_every_sign_in(server: TokenServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    texts = [jwt(aud=[AUDIENCE], jti=str(n)) for n in range(2)]
    async with workload(server, file) as token:
        for text in texts:
            file.write_text(f"{text}\n")
            await token.warm()
            await token.forget(token.generation)
    assert [seen.form["client_assertion"] for seen in server.seen] == texts
    form = server.seen[0].form
    assert form["client_assertion_type"].endswith(":jwt-bearer")
    assert form["client_id"] == OPERATOR
    assert form["scope"] == "https://graph.test/.default"
    assert "client_secret" not in form


@pytest.mark.parametrize("text", [jwt(aud="api://AzureADTokenExchange"), "word", ""])
async def test_what_may_not_be_sent_does_not_leave(
    server: TokenServer, tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "token"
    file.write_text(text)
    async with workload(server, file) as token:
        for _ in range(2):
            with pytest.raises(OwnTokenError):
                await token.warm()
        file.write_text(jwt(aud=AUDIENCE))
        await token.warm()
    assert len(server.seen) == 1
    assert not text or text not in caplog.text


# --- what the node gives --------------------------------------------------------------------


@dataclass
class Metadata:
    """A node's metadata endpoint."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[web.Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def metadata(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Metadata]:
    found = Metadata()
    app = web.Application()
    app.router.add_get("/metadata/identity/oauth2/token", found.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url)
    # As the webhook sets them: they must not turn it into a workload identity.
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "33333333-0000-0000-0000-000000000003")
    yield found
    await runner.cleanup()


def issued(client_id: str) -> dict[str, Any]:
    return {
        "access_token": jwt(appid=client_id),
        "expires_in": "3599",
        "token_type": "Bearer",
        "resource": "https://graph.test",
    }


@pytest.mark.parametrize("client_id", [OPERATOR, None])
async def test_the_node_s_token_says_whose_it_is(
    metadata: Metadata, client_id: ClientId | None
) -> None:
    metadata.body = issued(OPERATOR)
    identity = ManagedIdentity(client_id=client_id)
    async with operator_token(identity, cloud=Cloud.PUBLIC) as token:
        assert await token.client_id() == OPERATOR
        await token.warm()
    (seen,) = metadata.seen
    assert seen.query["resource"] == "https://graph.test"
    assert seen.query.get("client_id") == client_id
    assert seen.headers["Metadata"] == "true"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, NoManagedIdentityError),
        (429, ThrottledError),
        (500, UnavailableError),
        (403, IdentityRejectedError),
    ],
)
async def test_a_node_that_gives_none(metadata: Metadata, status: int, error: type) -> None:
    metadata.status = status
    metadata.body = {"error": "invalid_request", "error_description": "words of the node"}
    metadata.headers = {"Retry-After": "9"} if status == 429 else {}
    async with operator_token(ManagedIdentity(), cloud=Cloud.PUBLIC) as token:
        with pytest.raises(AppCredentialError) as caught:
            await token.warm()
    assert type(caught.value) is error
    assert "words" not in str(caught.value)
    assert len(metadata.seen) == 1


async def test_a_refusal_of_the_node_is_repeated_for_a_while(metadata: Metadata) -> None:
    metadata.status = 400
    async with operator_token(ManagedIdentity(), cloud=Cloud.PUBLIC) as token:
        for _ in range(20):
            with pytest.raises(NoManagedIdentityError):
                await token.warm()
    assert len(metadata.seen) == 1


async def test_a_node_without_an_endpoint_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    async with operator_token(ManagedIdentity(), cloud=Cloud.PUBLIC) as token:
        with pytest.raises(NoManagedIdentityError):
            await token.warm()
