"""A certificate, reconciled on an API server and an Entra in memory."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NoReturn

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret.records import pending_name
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import CredentialType, KeyId
from appcredential.errors import (
    AppCredentialError,
    NotYetError,
    OutcomeUnknownError,
    RejectedError,
    UnavailableError,
)
from appcredential.kube.custom_resources import GRANTS, path_of
from appcredential.ports.entra import CertificateLoss
from appcredential.x509.read import CertificateFiles, read_files
from appcredential.x509.reading import CertificateReader
from tests.support.builders import DAY, HOUR, MINUTE, NOW, OWNER, SECOND
from tests.support.directory import Failure
from tests.support.keys import MadeCertificate, make_certificate, rsa_key
from tests.support.session import MemorySession
from tests.support.world import SECRETS, TARGET, TENANT, World

PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
SOURCE: Final = f"{SECRETS}/source"
LOST: Final = OutcomeUnknownError("cut off")


class Certified(World):
    """The world with one AppCredential of type Certificate."""

    def __init__(self, **certificate: Any) -> None:
        super().__init__()
        self.entra = MemorySession(self.clock, types=CredentialType)
        self.ask(certificate)

    def ask(self, certificate: dict[str, Any]) -> None:
        """Write the resource."""
        self.put_resource(
            OWNER, type="Certificate", clientSecret=None, certificate=certificate, lifetime="2d"
        )

    async def pass_(self, length: timedelta) -> None:
        """Let time pass and do what is due."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            wait = await self.look() or timedelta(0)
            self.clock.advance(min(max(wait, timedelta(0)), end - self.clock.now()))

    @property
    def verbs(self) -> list[str]:
        """What was done to the application's certificates."""
        return [write.split()[0] for write in self.entra.writes]

    @property
    def reasons(self) -> list[str]:
        """The reasons of the Events so far."""
        return [e["reason"] for e in self.events]

    @property
    def stalled(self) -> str:
        return str(self.conditions.get("Stalled", {}).get("reason", ""))

    @property
    def published(self) -> str:
        """The key id that the target Secret records."""
        found = self.api.objects[TARGET]["metadata"]["annotations"]
        return str(found["appcredential.io/key-id"])


async def test_it_is_made_registered_proven_and_published() -> None:
    world = Certified()
    await world.publish()
    assert world.verbs == ["add"]
    assert list(world.entra.credentials) == [KeyId(world.published)]
    assert world.reasons == ["Issued", "Published"]
    made = world.entra.credentials[KeyId(world.published)]
    assert made.start == NOW.replace(microsecond=0)


async def test_a_renewal_removes_the_former_one_after_the_overlap() -> None:
    world = Certified()
    await world.publish()
    first = world.published
    await world.pass_(50 * HOUR)
    assert world.published != first
    assert world.verbs == ["add", "add", "remove"]
    assert list(world.entra.credentials) == [KeyId(world.published)]
    assert world.reasons[-1] == "Retired"


@pytest.mark.parametrize("is_committed", [False, True])
async def test_a_lost_answer_is_followed_by_the_same_registration(is_committed: bool) -> None:
    world = Certified()
    world.entra.failures = [Failure("add", LOST, is_committed=is_committed)]
    await world.publish()
    assert world.verbs == ["add", "add"]
    assert len(set(world.entra.writes)) == 1
    assert list(world.entra.credentials) == [KeyId(world.published)]


async def test_a_refused_certificate_is_given_up_and_another_one_made() -> None:
    world = Certified()
    world.entra.failures = [Failure("add", RejectedError("400", code="BadRequest"))]
    await world.look_at_tenant()
    await world.until(lambda: world.stalled == "CredentialRefused")
    held = world.api.objects[PENDING]["metadata"]["annotations"]
    assert held["appcredential.io/state"] == "Abandoned"
    await world.pass_(HOUR)
    assert world.ready["status"] == "True"
    assert len(set(world.entra.writes)) == 2


async def test_a_lifetime_over_the_policy_has_the_tenant_probed() -> None:
    world = Certified()
    code = "CredentialInvalidLifetimeAsPerAppPolicy"
    world.entra.failures = [Failure("add", RejectedError("400", code=code))]
    await world.look_at_tenant()
    world.clock.advance(2 * MINUTE)
    world.taken(TENANT.kind)
    await world.until(lambda: world.stalled == "LifetimeOverPolicy")
    assert world.taken(TENANT.kind) == [TENANT]


async def test_a_failing_registration_is_tried_again() -> None:
    world = Certified()
    world.entra.failures = [Failure("add", UnavailableError("503"))]
    await world.publish()
    assert world.verbs == ["add", "add"]


async def test_a_grant_that_goes_meanwhile_counts_at_once() -> None:
    world = Certified()
    await world.look_at_tenant()
    del world.api.objects[path_of(GRANTS, "", "shop-apps")]
    await world.pass_(5 * MINUTE)
    assert PENDING not in world.api.objects
    assert world.verbs == []


async def test_a_subject_that_no_certificate_can_have_is_said() -> None:
    world = Certified(subject="CN=orders,C=Germany")
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.stalled == "InvalidSpec"
    assert "two letters in C" in world.conditions["Stalled"]["message"]
    assert PENDING not in world.api.objects
    world.ask({})
    await world.pass_(5 * MINUTE)
    assert world.ready["status"] == "True"


@pytest.mark.parametrize("error", [UnavailableError("503"), LOST])
async def test_a_removal_is_tried_again(error: AppCredentialError) -> None:
    world = Certified()
    await world.publish()
    world.entra.failures = [Failure("remove", error)]
    await world.pass_(50 * HOUR)
    assert world.verbs == ["add", "add", "remove", "remove"]
    assert len(world.entra.credentials) == 1


@pytest.mark.parametrize("is_restored", [False, True])
async def test_what_others_lose_meanwhile_is_told(is_restored: bool) -> None:
    world = Certified()
    await world.publish()
    world.entra.losses = [CertificateLoss(KeyId("theirs"), is_restored=is_restored)]
    await world.pass_(HOUR)
    expected = "CertificateRestored" if is_restored else "CertificateLost"
    (told,) = (e for e in world.events if e["reason"].startswith("Certificate"))
    assert told["reason"] == expected
    assert "theirs" in told["note"]
    assert told["type"] == "Warning"


# --- from a source ---------------------------------------------------------------------------


def put_source(world: World, made: MadeCertificate, *, key: bool) -> None:
    data = {"tls.crt": base64.b64encode(made.pem).decode()}
    if key:
        data["tls.key"] = base64.b64encode(made.key_pem).decode()
    world.api.put(SOURCE, {"data": data})


def supplied(number: int = 0) -> MadeCertificate:
    return make_certificate(
        start=NOW - HOUR, end=NOW + (60 + 30 * number) * DAY, key=rsa_key(number)
    )


@pytest.mark.parametrize("has_key", [True, False])
async def test_a_renewal_at_the_source_is_registered(has_key: bool) -> None:
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    put_source(world, supplied(), key=has_key)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    first = world.published
    assert "Reconciling" not in world.conditions
    put_source(world, supplied(1), key=has_key)
    seen = []
    while world.published == first:
        await world.pass_(10 * SECOND)
        seen.append(world.conditions.get("Reconciling", {}).get("reason"))
        assert world.ready["status"] == "True"
        assert len(seen) < 360
    assert {*seen} == {None, "Progressing" if has_key else "SourceRace"}
    assert "Reconciling" not in world.conditions
    assert ("SourceRace" in world.reasons) is not has_key


async def test_a_renewal_is_registered_though_another_entry_keeps_the_old_one_signing_in() -> None:
    """The published entry is gone, and no sign-in will ever confirm that."""
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    put_source(world, supplied(), key=True)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    first = KeyId(world.published)
    entry = world.entra.credentials.pop(first)
    world.entra.credentials[KeyId("theirs")] = replace(
        entry, key_id=KeyId("theirs"), display_name="put there by a person"
    )
    await world.pass_(2 * HOUR)
    assert world.verbs == ["add"], "the same certificate is not registered again"
    assert world.stalled == "CertificateRemoved"
    assert (world.ready["status"], world.ready["reason"]) == ("True", "RotationFailing")
    put_source(world, supplied(1), key=True)
    await world.pass_(HOUR)
    assert world.published != first
    assert (world.ready["status"], world.ready["reason"]) == ("True", "Published")
    assert world.stalled == ""
    assert set(world.entra.credentials) == {KeyId("theirs"), KeyId(world.published)}


async def test_what_the_source_holds_no_more_is_not_registered() -> None:
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    await world.look_at_tenant()
    await world.pass_(10 * MINUTE)
    assert world.stalled == "SourceNotFound"
    assert world.verbs == []


@pytest.mark.parametrize("empty", ["tls.crt", "tls.key"])
@pytest.mark.parametrize("blank", [b"", b"\n"])
async def test_an_empty_key_may_still_be_filled(empty: str, blank: bytes) -> None:
    """Some tools make the Secret first and fill it later."""
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    put_source(world, supplied(), key=True)
    data = world.api.objects[SOURCE]["data"]
    world.api.put(SOURCE, {"data": data | {empty: base64.b64encode(blank).decode()}})
    await world.look_at_tenant()
    await world.pass_(MINUTE)
    assert world.conditions["Reconciling"]["reason"] == "SourceNotFound"
    assert f"Key {empty} of Secret source is empty" in world.conditions["Reconciling"]["message"]
    assert (world.stalled, world.reasons) == ("", [])
    await world.pass_(2 * MINUTE)
    assert world.stalled == "SourceNotFound"
    put_source(world, supplied(), key=True)
    await world.pass_(MINUTE)
    assert world.ready["status"] == "True"
    assert world.stalled == ""


async def test_an_inline_certificate_is_registered() -> None:
    world = Certified(source="Inline", inline=supplied().pem.decode())
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    assert world.verbs == ["add"]


async def test_a_missing_right_to_read_config_maps_is_said() -> None:
    world = Certified(source="ConfigMap", configMapKeyRef={"name": "source", "key": "tls.crt"})
    world.api.refuse("GET", "configmaps/source", "no role")
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.stalled == "SourceUnusable"
    assert "may not read ConfigMaps" in world.conditions["Stalled"]["message"]


PFX: Final = {
    "source": "Secret",
    "secretKeyRef": {"name": "source", "key": "orders.pfx"},
    "passwordSecretKeyRef": {"name": "word", "key": "password"},
}
WORD: Final = f"{SECRETS}/word"


def put_pfx(world: World, made: MadeCertificate, password: bytes) -> None:
    content = base64.b64encode(made.pkcs12(password)).decode()
    world.api.put(SOURCE, {"data": {"orders.pfx": content}})


def put_word(world: World, password: bytes) -> None:
    world.api.put(WORD, {"data": {"password": base64.b64encode(password).decode()}})


async def test_a_pfx_waits_for_its_password_and_is_published_as_pem() -> None:
    world, made = Certified(**PFX), supplied()
    put_pfx(world, made, b"right")
    await world.look_at_tenant()
    await world.pass_(MINUTE)
    assert world.conditions["Reconciling"]["reason"] == "SourceNotFound"
    assert "Secret word does not exist" in world.conditions["Reconciling"]["message"]
    put_word(world, b"wrong")
    await world.pass_(5 * MINUTE)
    assert world.stalled == "SourceUnusable"
    assert "does not open with the password" in world.conditions["Stalled"]["message"]
    assert world.verbs == []
    put_word(world, b"right")
    await world.pass_(5 * MINUTE)
    assert world.ready["status"] == "True"
    data = world.api.objects[TARGET]["data"]
    assert base64.b64decode(data["client.pem"]) == made.bundle
    assert b"right" not in {base64.b64decode(value) for value in data.values()}


async def test_a_pfx_and_its_password_are_renewed_in_any_order() -> None:
    world = Certified(**PFX)
    put_pfx(world, supplied(), b"first")
    put_word(world, b"first")
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    first = world.published
    put_pfx(world, supplied(1), b"second")
    await world.pass_(HOUR)
    assert (world.stalled, world.published) == ("SourceUnusable", first)
    assert world.ready["reason"] == "RotationFailing"
    put_word(world, b"second")
    await world.pass_(HOUR)
    assert world.published != first
    assert (world.stalled, world.ready["reason"]) == ("", "Published")


async def test_an_unchanged_pfx_is_read_and_opened_once(parsed: list[SecretValue]) -> None:
    world = Certified(**PFX)
    put_pfx(world, supplied(), b"word")
    put_word(world, b"word")
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    reads = world.api.count("GET", "/source")
    await world.pass_(5 * HOUR)
    assert len(parsed) == 1
    assert world.api.count("GET", "/source") > reads, "its version is looked at"


async def test_one_pem_with_both_is_registered_and_proven() -> None:
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "client.pem"})
    made = supplied()
    content = base64.b64encode(made.pem + made.key_pem).decode()
    world.api.put(SOURCE, {"data": {"client.pem": content}})
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    found = base64.b64decode(world.api.objects[TARGET]["data"]["client.pem"])
    assert found == made.bundle
    assert world.conditions["Verified"]["status"] == "True"


KEYSTORE: Final = {"pkcs12": {"passwordSecretKeyRef": {"name": "source", "key": "password"}}}


def put_password(world: World, password: bytes) -> None:
    world.api.put(SOURCE, {"data": {"password": base64.b64encode(password).decode()}})


async def test_a_keystore_waits_for_its_password() -> None:
    world = Certified(keystore=KEYSTORE)
    await world.look_at_tenant()
    await world.pass_(10 * MINUTE)
    assert world.stalled == "KeystorePassword"
    put_password(world, b"canary")
    await world.pass_(10 * MINUTE)
    assert world.ready["status"] == "True"
    assert "keystore.p12" in world.api.objects[TARGET]["data"]


def _alter(target: dict[str, Any], key: str, value: str | None) -> None:
    found = target["data"] if key in target["data"] else target["metadata"]["annotations"]
    if value is None:
        del found[key]
    else:
        found[key] = value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("keystore.p12", base64.b64encode(b"hostile").decode()),
        ("keystore.p12", None),
        ("appcredential.io/keystore-digest", "0" * 64),
        ("appcredential.io/keystore-digest", None),
    ],
    ids=["another file", "no file", "another record", "from before there were records"],
)
async def test_a_keystore_that_is_not_known_is_packed_anew_once_and_never_opened(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str | None
) -> None:
    for name in ("load_pkcs12", "load_key_and_certificates"):
        monkeypatch.setattr(pkcs12, name, _never)
    world = Certified(keystore=KEYSTORE)
    put_password(world, b"canary")
    await world.look_at_tenant()
    await world.pass_(HOUR)
    former = copy.deepcopy(world.api.objects[TARGET])
    edited = copy.deepcopy(former)
    _alter(edited, key, value)
    world.api.put(TARGET, edited)
    await world.pass_(HOUR)
    repaired = world.api.objects[TARGET]
    assert repaired["data"]["keystore.p12"] != former["data"]["keystore.p12"]
    assert repaired["data"]["tls.key"] == former["data"]["tls.key"]
    await world.pass_(6 * HOUR)
    assert world.api.objects[TARGET] == repaired


def _never(*_: object) -> NoReturn:
    raise AssertionError("a file of the target Secret was opened")


async def test_another_profile_packs_the_keystore_anew_and_once() -> None:
    world = Certified(keystore=KEYSTORE)
    put_password(world, b"canary")
    await world.look_at_tenant()
    await world.pass_(HOUR)
    former = copy.deepcopy(world.api.objects[TARGET])
    world.ask({"keystore": {"pkcs12": {**KEYSTORE["pkcs12"], "profile": "LegacyDES"}}})
    await world.pass_(HOUR)
    legacy = copy.deepcopy(world.api.objects[TARGET])
    assert legacy["data"]["keystore.p12"] != former["data"]["keystore.p12"]
    assert legacy["data"]["tls.key"] == former["data"]["tls.key"]
    world.states.forget(OWNER)
    await world.pass_(HOUR)
    assert world.api.objects[TARGET] == legacy


async def test_a_restart_packs_no_keystore_and_another_password_packs_one() -> None:
    world = Certified(keystore=KEYSTORE)
    put_password(world, b"canary")
    await world.look_at_tenant()
    await world.pass_(HOUR)
    former = copy.deepcopy(world.api.objects[TARGET])
    world.states.forget(OWNER)  # all that a restart loses
    await world.pass_(HOUR)
    assert world.api.objects[TARGET] == former
    put_password(world, b"another")
    await world.pass_(HOUR)
    packed = base64.b64decode(world.api.objects[TARGET]["data"]["keystore.p12"])
    assert pkcs12.load_pkcs12(packed, b"another").key is not None


# --- hostile sources -------------------------------------------------------------------------

SOURCES: Final[list[dict[str, Any]]] = [
    {"source": "Secret", "secretKeyRef": {"name": "source", "key": "tls.crt"}},
    {"source": "ConfigMap", "configMapKeyRef": {"name": "source", "key": "tls.crt"}},
    {"source": "Inline", "inline": supplied().pem.decode()},
    {"keystore": {"pkcs12": {"passwordSecretKeyRef": {"name": "source", "key": "tls.crt"}}}},
    {
        "source": "Secret",
        "secretKeyRef": {"name": "elsewhere", "key": "a.pfx"},
        "passwordSecretKeyRef": {"name": "source", "key": "tls.crt"},
    },
]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[SecretValue]:
    """What was parsed, in the order in which it was."""
    found: list[SecretValue] = []

    async def read(self: CertificateReader, files: CertificateFiles) -> SuppliedCertificate:
        found.append(files.content)
        return read_files(files)

    monkeypatch.setattr(CertificateReader, "read", read)
    return found


@pytest.mark.parametrize("certificate", SOURCES)
async def test_nothing_of_a_source_is_read_before_a_grant_allows_it(
    certificate: dict[str, Any], parsed: list[SecretValue]
) -> None:
    world = Certified(**certificate)
    put_source(world, supplied(), key=True)
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    await world.pass_(10 * MINUTE)
    assert world.stalled == "NotGranted"
    assert (world.api.count("GET", "/source"), parsed) == (0, [])
    world.put_grant("shop-apps")
    await world.pass_(10 * MINUTE)
    assert world.api.count("GET", "/source") + len(parsed) > 0


async def test_a_source_whose_turn_to_be_read_has_not_come_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[bool] = []

    async def read(self: CertificateReader, files: CertificateFiles) -> SuppliedCertificate:
        turns.append(len(turns) >= 3)
        if not turns[-1]:
            raise NotYetError("others are read", retry_after=timedelta(seconds=5))
        return read_files(files)

    monkeypatch.setattr(CertificateReader, "read", read)
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    put_source(world, supplied(), key=True)
    await world.look_at_tenant()
    for _ in range(3):
        with pytest.raises(NotYetError):  # which the queue tries again, later and later
            await world.look()
    assert (world.stalled, world.reasons) == ("", [])
    await world.until(lambda: "Published" in world.reasons)
    assert turns == [False] * 3 + [True]
    assert world.reasons == ["Issued", "Published"]


async def test_a_source_over_a_bound_is_named_and_parsed_again_only_when_its_bytes_change(
    parsed: list[SecretValue],
) -> None:
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    certificate = base64.b64encode(supplied().pem).decode()
    hostile = {"tls.crt": certificate, "tls.key": base64.b64encode(b"A" * 40_000).decode()}
    world.api.put(SOURCE, {"data": hostile})
    await world.look_at_tenant()
    await world.pass_(10 * MINUTE)
    assert world.stalled == "SourceUnusable"
    message = world.conditions["Stalled"]["message"]
    assert "spec.certificate.secretKeyRef" in message
    assert "issue it with an RSA key of 2048 to 8192 bits" in message
    for touched in ("once", "twice"):
        world.api.put(SOURCE, {"data": {**hostile, "note": "b25l"}, "metadata": {"x": touched}})
        await world.pass_(HOUR)
    assert len(parsed) == 1
    put_source(world, supplied(), key=True)
    await world.pass_(HOUR)
    assert len(parsed) == 2
    assert world.ready["status"] == "True"


# --- what references may read ----------------------------------------------------------------

OURS: Final = {"labels": {"app.kubernetes.io/managed-by": "appcredential"}}
TOKEN: Final = "kubernetes.io/service-account-token"


@pytest.mark.parametrize(
    ("certificate", "reason", "field"),
    [
        ({"keystore": KEYSTORE}, "KeystorePassword", "keystore.pkcs12.passwordSecretKeyRef"),
        (SOURCES[0], "SourceUnusable", "secretKeyRef"),
        (
            PFX | {"passwordSecretKeyRef": {"name": "source", "key": "password"}},
            "SourceUnusable",
            "passwordSecretKeyRef",
        ),
    ],
)
@pytest.mark.parametrize("secret", [{"type": TOKEN}, {"metadata": OURS}])
async def test_no_reference_reads_a_secret_that_is_not_meant_for_it(
    certificate: dict[str, Any], reason: str, field: str, secret: dict[str, Any]
) -> None:
    value = base64.b64encode(b"canary").decode()
    world = Certified(**certificate)
    world.api.put(SOURCE, {"data": {"password": value, "tls.crt": value}, **secret})
    await world.look_at_tenant()
    await world.pass_(10 * MINUTE)
    assert world.stalled == reason
    message = world.conditions["Stalled"]["message"]
    assert message.startswith(f"spec.certificate.{field}: Secret source ")
    assert TARGET not in world.api.objects
    assert world.verbs == []


async def test_the_keystores_password_stays_in_its_own_secret() -> None:
    for preset in ("Terraform", "MicrosoftIdentityWeb"):
        world = Certified(keystore=KEYSTORE)
        put_password(world, b"canary")
        world.put_resource(
            OWNER,
            type="Certificate",
            clientSecret=None,
            certificate={"keystore": KEYSTORE},
            secret={"name": "orders-entra", "preset": preset},
        )
        await world.look_at_tenant()
        await world.pass_(HOUR)
        found = world.api.objects[TARGET]["data"]
        assert base64.b64encode(b"canary").decode() not in found.values()
        packed = base64.b64decode(found["keystore.p12"])
        assert pkcs12.load_pkcs12(packed, b"canary").key is not None
