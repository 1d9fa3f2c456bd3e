"""The adapters against the emulator: real SDKs, real TLS, faults as Entra has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.observed.app_policy import PERMISSION_MISSING, UNRESTRICTED, AppPolicy
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import PROVEN, SignInClass
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientId,
    ClientSecretIdentity,
    Cloud,
    CredentialType,
    EntraTenantSpec,
    KeyId,
    ObjectId,
    TenantId,
    VerificationScope,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.session_opener import CustomCloud, SessionOpener
from appcredential.entra.tenant_session import TenantSession
from appcredential.errors import (
    ConflictError,
    IdentityRejectedError,
    NotFoundError,
    NotYetError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.graph_call import last_write, noting_writes
from appcredential.ports.entra import NewCertificate
from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from tests.support.clock import HandClock
from tests.support.emulator import READ_ALL, Emulator, MadeApplication
from tests.support.keys import make_certificate

FRESH = timedelta(seconds=15)


class EmulatedClock(HandClock):
    """Real wall time; monotonic time by hand. A sleep moves the emulator's clock as well."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._emulator.move_clock(seconds)


@dataclass
class Scene:
    """One tenant with one application that the operator owns."""

    emulator: Emulator
    session: TenantSession
    clock: EmulatedClock
    tenant: str
    app: MadeApplication
    operator: tuple[str, str]

    @property
    def operator_secret(self) -> str:
        return self.operator[1]

    @property
    def client_id(self) -> ClientId:
        return ClientId(self.app.app_id)

    @property
    def object_id(self) -> ObjectId:
        return ObjectId(self.app.id)

    async def come_again(self) -> None:
        """Come again when the application may be written, as the operator does."""
        try:
            with self.session.directory.turn(self.object_id, "orders"):
                return
        except NotYetError as error:
            await self.clock.sleep(error.retry_after.total_seconds())

    async def add(self, name: str = "marker") -> tuple[KeyId, SecretValue]:
        await self.come_again()
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        made = await self.session.directory.add_password(self.object_id, name, end)
        assert (made.credential.display_name, made.credential.end) == (name, end)
        return made.credential.key_id, made.value

    async def read(self, max_age: timedelta = FRESH) -> list[str]:
        found = await self.session.directory.application(self.client_id, max_age)
        assert found.object_id == self.object_id
        return [credential.key_id for credential in found.credentials]

    def count(self, operation: str) -> int:
        return self.emulator.counts().get(operation, 0)


def open_session(
    emulator: Emulator, clock: EmulatedClock, tenant: str, client: str, secret: str
) -> TenantSession:
    custom = CustomCloud(
        endpoints=Endpoints(emulator.url, emulator.url), ca_file=str(emulator.ca_file)
    )
    token = ProjectedToken("/nowhere", "")
    opener = SessionOpener(clock=clock, token=token, custom=custom, sleep=clock.sleep)
    identity = ClientSecretIdentity(
        client_id=ClientId(client), secret_name="operator", secret_key="clientSecret"
    )
    spec = EntraTenantSpec(tenant_id=TenantId(tenant), cloud=Cloud.CUSTOM, identity=identity)
    session = opener(spec, OperatorCredential(value=SecretValue(secret)), lambda: True)
    assert session is not None
    return session


@pytest.fixture
async def scene(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Scene]:
    emulator.clear_faults()
    tenant = emulator.create_tenant()
    client, secret = emulator.create_operator(tenant)
    app = emulator.create_application(tenant, owner=client, displayName="Orders")
    clock = EmulatedClock(emulator)
    session = open_session(emulator, clock, tenant, client, secret)
    emulator.reset_log()
    yield Scene(emulator, session, clock, tenant, app, (client, secret))
    emulator.clear_faults()
    await session.close()


async def test_a_probe_tells_when_the_operator_s_own_credential_ends(scene: Scene) -> None:
    end = (await scene.session.probe()).expiration
    assert end is not None
    assert end > datetime.now(UTC)
    assert scene.count("application.list") == 1


async def test_issue_prove_and_remove(scene: Scene) -> None:
    await scene.session.probe()
    assert await scene.read() == []
    key, value = await scene.add()
    assert await scene.read() == [key]
    for scope in VerificationScope:
        result = await scene.session.sign_in.with_secret(scene.client_id, value, scope, "try")
        assert result == PROVEN
    await scene.come_again()
    await scene.session.directory.remove_password(scene.object_id, key)
    assert await scene.read() == []
    await scene.come_again()
    with pytest.raises(NotFoundError):
        await scene.session.directory.remove_password(scene.object_id, key)
    assert scene.session.authority_host == scene.emulator.url
    skew = scene.session.directory.skew()
    assert skew is not None
    # The sleeps between writes moved the emulator's clock, not ours.
    assert abs(skew - timedelta(seconds=sum(scene.clock.slept))) < timedelta(seconds=60)


async def test_a_write_is_known_by_the_ids_of_its_request(scene: Scene) -> None:
    await scene.session.probe()
    with noting_writes():
        await scene.read()
        assert last_write() is None, "a read changes nothing"
        await scene.add()
        made = last_write()
    assert made is not None
    assert (made.operation, made.status) == ("application.addPassword", 200)
    assert UUID(made.request_id) != UUID(made.client_request_id)
    assert last_write() is None


async def test_a_refusal_is_known_by_its_request_and_code(scene: Scene) -> None:
    await scene.session.probe()
    await scene.read()
    await scene.come_again()
    absent = KeyId("aaaaaaaa-0000-4000-8000-000000000009")
    with pytest.raises(NotFoundError) as raised, noting_writes():
        await scene.session.directory.remove_password(scene.object_id, absent)
    call = raised.value.graph
    assert call is not None
    assert call.operation == "application.removePassword"
    assert call.status in {400, 404}
    assert str(UUID(call.request_id)) == call.request_id
    assert call.code
    assert last_write() is None


async def test_a_certificate_is_registered_once_and_removed(scene: Scene) -> None:
    key, made = KeyId("aaaaaaaa-0000-4000-8000-000000000001"), make_certificate()
    certificate = NewCertificate(
        key_id=key,
        display_name="marker",
        start=made.certificate.not_valid_before_utc,
        end=made.certificate.not_valid_after_utc,
        content=made.base64,
    )
    directory = scene.session.directory
    for _ in range(2):
        await scene.come_again()
        await directory.add_certificate(scene.object_id, certificate, frozenset(), frozenset())
        assert await scene.read() == [key]
    await scene.come_again()
    await directory.remove_certificate(scene.object_id, key, frozenset({key}))
    assert await scene.read() == []


async def test_a_wrong_secret_is_not_yet(scene: Scene) -> None:
    result = await scene.session.sign_in.with_secret(
        scene.client_id, SecretValue("wrong"), VerificationScope.GRAPH, "try"
    )
    assert (result.kind, result.code) == (SignInClass.NOT_YET, 7000215)


async def test_a_throttled_token_endpoint_is_transient(scene: Scene) -> None:
    scene.emulator.add_rule("throttle", match={"operation": "token"}, retryAfter=7)
    result = await scene.session.sign_in.with_secret(
        scene.client_id, SecretValue("any"), VerificationScope.GRAPH, "try"
    )
    assert (result.kind, result.reason) == (SignInClass.TRANSIENT, Reason.THROTTLED)
    assert result.retry_after == timedelta(seconds=7)


async def test_a_read_is_one_request_shared_by_twenty(scene: Scene) -> None:
    await asyncio.gather(*(scene.read() for _ in range(20)))
    assert scene.count("application.get") == 1
    assert scene.count("token") == 1


async def test_a_504_after_commit_is_unknown_and_sent_once(scene: Scene) -> None:
    scene.emulator.add_rule("timeout-after-commit", match={"operation": "application.addPassword"})
    with pytest.raises(OutcomeUnknownError):
        await scene.add()
    assert scene.count("application.addPassword") == 1
    scene.emulator.clear_faults()
    assert len(await scene.read()) == 1


async def test_a_connection_cut_after_commit_is_unknown(scene: Scene) -> None:
    rule = {"match": {"operation": "application.addPassword"}, "seconds": 0, "commit": True}
    scene.emulator.add_rule("hang", **rule)
    with pytest.raises(OutcomeUnknownError):
        await scene.add()
    assert scene.count("application.addPassword") == 1


async def test_a_429_pauses_without_calling(scene: Scene) -> None:
    scene.emulator.add_rule("throttle", match={"operation": "application.*"}, retryAfter=20)
    with pytest.raises(ThrottledError) as first:
        await scene.read()
    scene.emulator.clear_faults()
    scene.clock.seconds += 19
    with pytest.raises(ThrottledError):
        await scene.add()
    assert first.value.retry_after == timedelta(seconds=20)
    assert (scene.count("application.get"), scene.count("application.addPassword")) == (1, 0)
    scene.clock.seconds += 1
    await scene.read()


async def test_quick_writes_are_spaced_past_the_conflict_window(scene: Scene) -> None:
    scene.emulator.add_rule("conflict", seconds=5)
    await scene.add("first")
    with pytest.raises(ConflictError):
        await scene.add("second")
    await scene.add("second")
    assert scene.clock.slept == [1.0, 10.0]
    assert scene.count("application.addPassword") == 3


@pytest.mark.parametrize("fault", ["unavailable", "server-error"])
async def test_errors_of_the_service_are_not_repeated(scene: Scene, fault: str) -> None:
    scene.emulator.add_rule(fault, match={"operation": "application.*"})
    with pytest.raises(UnavailableError) as read:
        await scene.read()
    with pytest.raises(OutcomeUnknownError):
        await scene.add()
    assert type(read.value) is UnavailableError
    assert scene.count("application.get") == 1
    assert scene.count("application.addPassword") == 1


@pytest.mark.parametrize("fault", ["expired-token", "claims-challenge"])
async def test_a_token_that_graph_refuses_is_renewed(scene: Scene, fault: str) -> None:
    await scene.read()
    count = {"count": 1} if fault == "expired-token" else {}
    scene.emulator.add_rule(fault, match={"operation": "application.get"}, **count)
    scene.clock.seconds += 60
    assert await scene.read() == []
    assert scene.count("token") == 2


async def test_missing_rights_and_missing_applications(scene: Scene) -> None:
    foreign = scene.emulator.create_application(scene.tenant)
    end = datetime.now(UTC) + timedelta(days=30)
    with pytest.raises(PermissionDeniedError):
        await scene.session.directory.add_password(ObjectId(foreign.id), "marker", end)
    missing = ClientId("99999999-0000-0000-0000-000000000009")
    with pytest.raises(NotFoundError):
        await scene.session.directory.application(missing, FRESH)


async def test_who_is_made_an_owner_of_the_session_s_principal_may_write(scene: Scene) -> None:
    client, secret = scene.emulator.create_operator(scene.tenant)
    session = open_session(scene.emulator, scene.clock, scene.tenant, client, secret)
    await session.probe()
    end = datetime.now(UTC) + timedelta(days=30)
    foreign = scene.emulator.create_application(scene.tenant)
    with pytest.raises(PermissionDeniedError):
        await session.directory.add_password(ObjectId(foreign.id), "marker", end)
    scene.emulator.set_owners(foreign.id, session.principal_id)
    scene.clock.seconds += 60  # its own pace
    await session.directory.add_password(ObjectId(foreign.id), "marker", end)
    await session.close()


async def test_an_operator_that_may_only_read(scene: Scene) -> None:
    client, secret = scene.emulator.create_operator(scene.tenant, READ_ALL)
    session = open_session(scene.emulator, scene.clock, scene.tenant, client, secret)
    await session.probe()
    end = datetime.now(UTC) + timedelta(days=30)
    with pytest.raises(PermissionDeniedError) as caught:
        await session.directory.add_password(scene.object_id, "marker", end)
    assert type(caught.value) is PermissionDeniedError
    await session.close()


async def test_an_operator_without_rights_fails_its_probe(scene: Scene) -> None:
    client, secret = scene.emulator.create_operator(scene.tenant, "")
    session = open_session(scene.emulator, scene.clock, scene.tenant, client, secret)
    with pytest.raises(PermissionDeniedError):
        await session.probe()
    await session.close()


async def test_an_operator_with_a_wrong_secret_is_told_so(scene: Scene) -> None:
    client, _ = scene.emulator.create_operator(scene.tenant)
    session = open_session(scene.emulator, scene.clock, scene.tenant, client, "wrong")
    with pytest.raises(IdentityRejectedError) as caught:
        await session.probe()
    assert caught.value.code == 7000215
    assert caught.value.skew is not None
    assert abs(caught.value.skew) < timedelta(minutes=1)
    await session.close()


def restrict(scene: Scene, *passwords: dict[str, str], certificates: str = "") -> None:
    """Give the tenant a default policy."""
    keys = [{"restrictionType": "asymmetricKeyLifetime", "maxLifetime": certificates}]
    document = {
        "isEnabled": True,
        "applicationRestrictions": {
            "passwordCredentials": list(passwords),
            "keyCredentials": keys if certificates else [],
        },
    }
    policy = read_document(TenantPolicy, document)
    scene.emulator.do(lambda world: set_default(world, scene.tenant, policy))


async def test_a_policy_is_named_by_its_code(scene: Scene) -> None:
    restrict(scene, {"restrictionType": "passwordLifetime", "maxLifetime": "P29D"})
    with pytest.raises(RejectedError) as caught:
        await scene.add()
    assert caught.value.code == "CredentialInvalidLifetimeAsPerAppPolicy"
    restrict(scene, {"restrictionType": "passwordAddition"})
    with pytest.raises(RejectedError) as caught:
        await scene.add()
    assert caught.value.code == "CredentialTypeNotAllowedAsPerAppPolicy"
    assert await scene.read() == []


async def test_what_the_policy_allows_at_most_is_taken(scene: Scene) -> None:
    """For both types what `max_lifetime` says is what Entra accepts."""
    restrict(
        scene, {"restrictionType": "passwordLifetime", "maxLifetime": "PT2H"}, certificates="PT3H"
    )
    permissions = "Application.ReadWrite.OwnedBy Policy.Read.ApplicationConfiguration"
    client, _ = scene.operator
    scene.emulator.set_permissions(scene.tenant, client, permissions)
    policy = (await scene.session.probe()).policy
    assert policy is not None
    most = policy.max_lifetime(CredentialType.CLIENT_SECRET, None)
    assert most is not None
    end = (datetime.now(UTC) + most).replace(microsecond=0)
    await scene.session.directory.add_password(scene.object_id, "marker", end)
    assert policy.summary() == {"clientSecret": "at most 2h", "certificate": "at most 3h"}


async def test_consent_to_read_the_policy_is_noticed(scene: Scene) -> None:
    """Without it the tenant is usable; the token that lacks it is not used for ever."""
    found = await scene.session.probe()
    assert found.policy == AppPolicy(unknown=PERMISSION_MISSING)
    assert found.expiration is not None
    assert scene.count("token") == 1
    client, _ = scene.operator
    permissions = "Application.ReadWrite.OwnedBy Policy.Read.All"
    scene.emulator.set_permissions(scene.tenant, client, permissions)
    assert (await scene.session.probe()).policy == UNRESTRICTED
    assert scene.count("token") == 2
    await scene.session.probe()
    assert scene.count("token") == 2
    assert scene.count("policy.default.get") == 3


async def test_a_policy_that_cannot_be_read_now_is_not_learnt(scene: Scene) -> None:
    match = {"operation": "policy.default.get"}
    scene.emulator.add_rule("server-error", match=match)
    found = await scene.session.probe()
    assert found.policy is None
    assert found.expiration is not None


async def test_when_an_application_was_created_is_read(scene: Scene) -> None:
    found = await scene.session.directory.application(scene.client_id, FRESH)
    assert found.created is not None
    assert abs(found.created - datetime.now(UTC)) < timedelta(minutes=5)


async def test_nothing_secret_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, value = await scene.add()
    await scene.session.sign_in.with_secret(scene.client_id, value, VerificationScope.GRAPH, "try")
    await scene.read()
    assert caplog.text
    assert value.reveal() not in caplog.text
    assert scene.operator_secret not in caplog.text
    assert "eyJ" not in caplog.text
