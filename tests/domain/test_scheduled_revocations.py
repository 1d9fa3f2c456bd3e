from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import revocation_name, scheduled_note
from appcredential.domain.facts.revocation import (
    credentials_to_revoke,
    fair_order,
    is_of_revocation,
    is_unconfirmed,
    leads_to,
    needs_directory,
)
from appcredential.domain.marker import Attempt, Owner
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.observed.target import Pending, PendingState, Target
from appcredential.domain.revocation import decide_revocation
from appcredential.domain.revocation_actions import (
    DeletePendingSecret,
    DeleteRevocation,
    DeleteTarget,
    ReadRevokedApplication,
    ReadRevokedSecrets,
    RevocationAction,
    RevokeCredential,
    Wait,
)
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    DeletionPolicy,
    KeyId,
    ObjectId,
    TenantId,
)
from appcredential.domain.spec.secret import SecretSpec
from tests.support.builders import (
    ATTEMPT,
    CLIENT_ID,
    DAY,
    HOUR,
    IDENTITY,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    OBJECT_ID,
    OLD,
    OLD_ATTEMPT,
    OTHER_IDENTITY,
    OTHER_OWNER,
    OWNER,
    SECOND,
    TENANT_ID,
    application,
    credential,
    minted,
    next_credential,
    old_credential,
    pending,
    problem,
    retiring,
    spec,
    target,
)

CLEAN = (NOW - 10 * SECOND, NOW - 5 * SECOND, NOW)
ABSENT = NOW - HOUR
THEIRS = KeyId("key-theirs")
ANOTHER = ClientId("99999999-9999-9999-9999-999999999999")
OTHER_TENANT = TenantId("88888888-8888-8888-8888-888888888888")


def revocation(
    *,
    policy: DeletionPolicy = DeletionPolicy.REVOKE,
    due: datetime = NOW - MINUTE,
    object_id: ObjectId | None = OBJECT_ID,
    secret_uid: str = "target-uid",
    pending_attempt: str = "",
) -> Revocation:
    return Revocation(
        owner=OWNER,
        resource_uid="resource-uid",
        tenant="default",
        tenant_id=TENANT_ID,
        client_id=CLIENT_ID,
        object_id=object_id,
        type=CredentialType.CLIENT_SECRET,
        policy=policy,
        secret_name="orders-entra",
        secret_uid=secret_uid,
        pending_attempt=pending_attempt,
        due=due,
    )


NEVER = replace(revocation(object_id=None, secret_uid=""), tenant_id=TenantId(""))
RETAIN = revocation(policy=DeletionPolicy.RETAIN, pending_attempt=NEXT_ATTEMPT)


def seen(
    revocation: Revocation,
    *,
    now: datetime = NOW,
    owner_absent_since: datetime | None = ABSENT,
    application: Application | None = application(credential()),  # noqa: B008 - frozen
    application_gone: bool = False,
    target: Target | None = target(),  # noqa: B008 - frozen
    pending: Pending | None = None,
    clean_reads: tuple[datetime, ...] = (),
    successor: AppCredentialSpec | None = None,
    tenant_id: TenantId | None = TENANT_ID,
    is_tenant_missing: bool = False,
) -> RevocationObservation:
    return RevocationObservation(
        now=now,
        identity=IDENTITY,
        revocation=revocation,
        owner_absent_since=owner_absent_since,
        application=application,
        application_gone=application_gone,
        target=target,
        pending=pending,
        clean_reads=clean_reads,
        successor=successor,
        tenant_id=tenant_id,
        is_tenant_missing=is_tenant_missing,
    )


NOTHING = application()
INTENT = pending(PendingState.INTENT, intent_time=NOW - 59 * SECOND)
CASES: list[tuple[str, RevocationObservation, RevocationAction]] = [
    (
        "waits while the owner is present or unknown",
        seen(revocation(), owner_absent_since=None),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "waits until it is due",
        seen(revocation(due=NOW + DAY)),
        Wait(NOW + DAY),
    ),
    (
        "waits until the owner was absent for ten minutes",
        seen(revocation(), owner_absent_since=NOW - 9 * MINUTE),
        Wait(NOW + MINUTE),
    ),
    (
        "acts at the very time that was waited for",
        seen(revocation(due=NOW), owner_absent_since=NOW - 10 * MINUTE),
        RevokeCredential(KEY, ATTEMPT),
    ),
    (
        "waits out a young intent",
        seen(revocation(), pending=INTENT),
        Wait(NOW + SECOND),
    ),
    (
        "does not wait for an old intent",
        seen(revocation(), pending=replace(INTENT, intent_time=NOW - MINUTE)),
        RevokeCredential(KEY, ATTEMPT),
    ),
    (
        "reads T and P before anything that rests on them",
        replace(seen(revocation(), application=None, target=None), has_secrets=False),
        ReadRevokedSecrets(),
    ),
    (
        "reads neither T nor P before it is due",
        replace(seen(revocation(due=NOW + DAY)), has_secrets=False),
        Wait(NOW + DAY),
    ),
    (
        "reads neither T nor P while the tenant cannot be used",
        replace(seen(revocation(), tenant_id=None), has_secrets=False),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "reads the application first",
        seen(revocation(), application=None),
        ReadRevokedApplication(),
    ),
    (
        "reads again when the read is old",
        seen(revocation(), application=application(credential(), read_time=NOW - 16 * SECOND)),
        ReadRevokedApplication(),
    ),
    (
        "removes a credential of ours",
        seen(revocation()),
        RevokeCredential(KEY, ATTEMPT),
    ),
    (
        "removes one however many clean reads there were",
        seen(revocation(), clean_reads=CLEAN),
        RevokeCredential(KEY, ATTEMPT),
    ),
    (
        "asks for three clean reads",
        seen(revocation(), application=NOTHING, clean_reads=CLEAN[:2]),
        ReadRevokedApplication(),
    ),
    (
        "deletes P when Entra is clean",
        seen(revocation(), application=NOTHING, clean_reads=CLEAN, pending=pending()),
        DeletePendingSecret(),
    ),
    (
        "leaves a P of another owner",
        seen(
            revocation(), application=NOTHING, clean_reads=CLEAN, pending=pending(owner=OTHER_OWNER)
        ),
        DeleteTarget(),
    ),
    (
        "leaves a Secret that only bears P's name",
        seen(
            revocation(),
            application=NOTHING,
            clean_reads=CLEAN,
            pending=replace(pending(), is_foreign=True),
        ),
        DeleteTarget(),
    ),
    (
        "leaves P to a resource that has the name now",
        seen(
            revocation(),
            application=NOTHING,
            clean_reads=CLEAN,
            pending=pending(),
            successor=replace(spec(), client_id=ANOTHER, secret=SecretSpec(name="another")),
        ),
        DeleteTarget(),
    ),
    (
        "leaves T to a resource that has the name now and publishes to it",
        seen(
            revocation(),
            application=NOTHING,
            clean_reads=CLEAN,
            successor=replace(spec(), client_id=ANOTHER),
        ),
        DeleteRevocation(),
    ),
    (
        "deletes T when P is gone",
        seen(revocation(), application=NOTHING, clean_reads=CLEAN),
        DeleteTarget(),
    ),
    (
        "leaves a T made after the deletion",
        seen(revocation(secret_uid="earlier-uid"), application=NOTHING, clean_reads=CLEAN),
        DeleteRevocation(),
    ),
    (
        "leaves a T of another owner",
        seen(
            revocation(),
            application=NOTHING,
            clean_reads=CLEAN,
            target=replace(target(), owner=str(OTHER_OWNER)),
        ),
        DeleteRevocation(),
    ),
    (
        "leaves a T whose credential is of another type",
        seen(
            replace(revocation(), type=CredentialType.CERTIFICATE),
            application=NOTHING,
            clean_reads=CLEAN,
        ),
        DeleteRevocation(),
    ),
    (
        "leaves a T whose credential is of another application",
        seen(
            revocation(),
            application=replace(NOTHING, object_id=ObjectId("another-object")),
            clean_reads=CLEAN,
        ),
        DeleteRevocation(),
    ),
    (
        "deletes a T whose value was lost",
        seen(
            revocation(),
            application=NOTHING,
            clean_reads=CLEAN,
            target=replace(target(), value=None),
        ),
        DeleteTarget(),
    ),
    (
        "ends when nothing is left",
        seen(revocation(), application=NOTHING, clean_reads=CLEAN, target=None),
        DeleteRevocation(),
    ),
    (
        "asks nothing of Entra when the application is gone",
        seen(revocation(), application=None, application_gone=True),
        DeleteTarget(),
    ),
    (
        "reads by client id when no object id is known",
        seen(revocation(object_id=None), application=None),
        ReadRevokedApplication(),
    ),
    (
        "waits while the EntraTenant is absent or not ready",
        seen(revocation(), tenant_id=None, is_tenant_missing=True),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "waits while the EntraTenant leads to another directory",
        seen(revocation(), tenant_id=OTHER_TENANT),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "believes no 404 of another directory",
        seen(revocation(), tenant_id=OTHER_TENANT, application=None, application_gone=True),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "takes the directory there is when none is known",
        seen(replace(revocation(), tenant_id=TenantId("")), tenant_id=OTHER_TENANT),
        RevokeCredential(KEY, ATTEMPT),
    ),
    (
        "waits for a missing tenant when anything was issued",
        seen(replace(NEVER, secret_uid="some-uid"), tenant_id=None, is_tenant_missing=True),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "waits for a tenant that is not ready also when nothing was issued",
        seen(NEVER, tenant_id=None),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "ends when nothing was ever issued and there is no tenant",
        seen(NEVER, tenant_id=None, is_tenant_missing=True, target=None, application=None),
        DeleteRevocation(),
    ),
    (
        "asks nothing of Entra under Retain when nothing was ever issued",
        seen(
            replace(NEVER, policy=DeletionPolicy.RETAIN),
            tenant_id=None,
            target=None,
            application=None,
        ),
        DeleteRevocation(),
    ),
    (
        "waits for no tenant under Retain when nothing was unpublished",
        seen(replace(RETAIN, pending_attempt=""), tenant_id=None, application=None),
        DeleteRevocation(),
    ),
    (
        "waits for the tenant under Retain for an unpublished attempt",
        seen(RETAIN, tenant_id=None, is_tenant_missing=True, application=None),
        Wait(NOW + 10 * MINUTE),
    ),
    (
        "keeps the published one under Retain",
        seen(RETAIN, clean_reads=CLEAN),
        DeleteRevocation(),
    ),
    (
        "removes the unpublished attempt under Retain",
        seen(RETAIN, application=application(credential(), next_credential())),
        RevokeCredential(NEXT, NEXT_ATTEMPT),
    ),
    (
        "deletes P under Retain",
        seen(RETAIN, pending=pending(), clean_reads=CLEAN),
        DeletePendingSecret(),
    ),
]


@pytest.mark.parametrize(
    ("observation", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_next(observation: RevocationObservation, expected: RevocationAction) -> None:
    assert decide_revocation(observation) == expected


def test_revoke_covers_every_credential_of_the_owner_in_this_cluster_and_no_other() -> None:
    listed = application(
        credential(),
        old_credential(),
        next_credential(),
        credential(THEIRS, owner=OTHER_OWNER),
        credential(identity=OTHER_IDENTITY),
        credential(attempt=Attempt("zzzz" + ATTEMPT[4:])),
        credential(display_name="made by hand"),
    )
    found = credentials_to_revoke(seen(revocation(), application=listed))
    assert [c.key_id for c in found] == [KEY, OLD, NEXT]


def test_nothing_is_revoked_without_a_read() -> None:
    assert credentials_to_revoke(seen(revocation(), application=None)) == []


def test_retain_never_takes_what_workloads_may_use() -> None:
    listed = application(credential(), old_credential())
    published = revocation(policy=DeletionPolicy.RETAIN, pending_attempt=ATTEMPT)
    assert credentials_to_revoke(seen(published, application=listed)) == []
    kept = target(minted(), retiring=(retiring(OLD),))
    retired = revocation(policy=DeletionPolicy.RETAIN, pending_attempt=OLD_ATTEMPT)
    assert credentials_to_revoke(seen(retired, application=listed, target=kept)) == []
    (unrecorded,) = credentials_to_revoke(seen(retired, application=listed, target=None))
    assert unrecorded.key_id == OLD


def test_a_revocation_runs_to_its_end() -> None:
    listed = [credential(), old_credential(), credential(THEIRS, owner=OTHER_OWNER)]
    observation = seen(
        revocation(),
        application=application(*listed, read_time=NOW - HOUR),
        pending=pending(),
    )
    done: list[RevocationAction] = []
    for _ in range(20):
        action = decide_revocation(observation)
        done.append(action)
        observation = after(observation, action)
        if isinstance(action, DeleteRevocation):
            break
    names = [type(a).__name__ for a in done]
    assert names == [
        "ReadRevokedApplication",
        "RevokeCredential",
        "RevokeCredential",
        *["ReadRevokedApplication"] * 3,
        "DeletePendingSecret",
        "DeleteTarget",
        "DeleteRevocation",
    ]
    assert observation.application is not None
    assert [c.display_name for c in observation.application.credentials] == [listed[2].display_name]


def after(observation: RevocationObservation, action: RevocationAction) -> RevocationObservation:
    """Return what is seen once the action was done."""
    now = observation.now + 5 * SECOND
    read = observation.application
    assert read is not None
    match action:
        case ReadRevokedApplication():
            observation = replace(observation, now=now, application=replace(read, read_time=now))
            return (
                observation
                if credentials_to_revoke(observation)
                else replace(observation, clean_reads=(*observation.clean_reads, now))
            )
        case RevokeCredential():
            kept = tuple(c for c in read.credentials if c.key_id != action.key_id)
            return replace(observation, application=replace(read, credentials=kept), clean_reads=())
        case DeletePendingSecret():
            return replace(observation, pending=None)
        case DeleteTarget():
            return replace(observation, target=None)
        case _:
            return observation


@pytest.mark.parametrize(
    ("found", "tenant_id", "expected"),
    [
        (spec(), TENANT_ID, True),
        (spec(), None, True),
        (spec(), OTHER_TENANT, True),
        (problem(), None, True),
        (spec(client_id=ANOTHER), TENANT_ID, False),
        (spec(client_id=ANOTHER), None, False),
        (spec(tenant="second"), TENANT_ID, True),
        (spec(tenant="second"), None, True),
        (spec(tenant="second"), OTHER_TENANT, False),
    ],
)
def test_the_owner_is_present_when_tenant_application_and_type_are_the_same_or_unknown(
    found: AppCredentialSpec | Problem, tenant_id: TenantId | None, expected: bool
) -> None:
    assert is_of_revocation(revocation(), found, tenant_id) == expected


def test_an_end_without_clean_reads_is_unconfirmed() -> None:
    assert is_unconfirmed(seen(revocation(), application_gone=True))
    assert is_unconfirmed(seen(revocation(), clean_reads=CLEAN[:2]))
    assert not is_unconfirmed(seen(revocation(), clean_reads=CLEAN))
    assert is_unconfirmed(seen(RETAIN, application_gone=True))
    assert not is_unconfirmed(seen(replace(RETAIN, pending_attempt="")))


def test_a_revocation_that_knows_no_directory_takes_another_tenant_for_the_same() -> None:
    unknown = replace(revocation(), tenant_id=TenantId(""))
    assert is_of_revocation(unknown, spec(tenant="second"), OTHER_TENANT)


def test_a_revocation_name_tells_owner_tenant_application_and_type_apart() -> None:
    kind = CredentialType.CLIENT_SECRET
    names = {
        revocation_name(OWNER, "default", CLIENT_ID, kind),
        revocation_name(OTHER_OWNER, "default", CLIENT_ID, kind),
        revocation_name(Owner("shop-orders", "x"), "default", CLIENT_ID, kind),
        revocation_name(OWNER, "other", CLIENT_ID, kind),
        revocation_name(OWNER, "default", ClientId(CLIENT_ID[::-1]), kind),
    }
    assert len(names) == 5
    assert all(len(n) <= 63 and n == n.lower() for n in names)


def test_the_defaults_are_the_documented_ones() -> None:
    observation = seen(revocation())
    assert (observation.absence, observation.intent_respect) == (
        timedelta(minutes=10),
        timedelta(seconds=60),
    )


def test_namespaces_take_turns_and_the_oldest_of_each_goes_first() -> None:
    def of(namespace: str, name: str, age: timedelta) -> Revocation:
        return replace(revocation(due=NOW - age), owner=Owner(namespace, name))

    many = [of("flood", f"f-{number}", (100 - number) * MINUTE) for number in range(100)]
    others = [of("shop", "orders", SECOND), of("bank", "loans", HOUR), of("shop", "old", MINUTE)]
    order = [r.owner.name for r in fair_order([*reversed(many), *others], lambda _: ())]
    assert order[:5] == ["f-0", "loans", "old", "f-1", "orders"]
    assert order[5:] == [f"f-{number}" for number in range(2, 100)]
    late = [r.owner.name for r in fair_order(others, lambda r: (r.owner.name == "old",))]
    assert late == ["loans", "orders", "old"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (CredentialType.CLIENT_SECRET, "credentials and its Secret are removed at 2026-"),
        (CredentialType.CERTIFICATE, "credentials and its Secret are removed at 2026-"),
        (CredentialType.FEDERATED_IDENTITY, "trusts are removed at 2026-"),
    ],
)
def test_when_a_revocation_comes_is_told_unless_all_stays(kind: CredentialType, words: str) -> None:
    assert words in (scheduled_note(replace(revocation(), type=kind)) or "")
    kept = replace(revocation(), type=kind, policy=DeletionPolicy.RETAIN)
    assert scheduled_note(kept) is None


def test_a_secret_that_stays_is_not_said_to_go() -> None:
    """Another resource has taken it over, or none was ever written."""
    told = scheduled_note(revocation(secret_uid="")) or ""
    assert "its credentials are removed at 2026-" in told
    assert "Secret" not in told
    trusts = replace(revocation(), type=CredentialType.FEDERATED_IDENTITY)
    assert "Secret" not in (scheduled_note(trusts) or "")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (revocation(), True),
        (NEVER, False),
        (replace(NEVER, pending_attempt=NEXT_ATTEMPT), True),
        (RETAIN, True),
        (replace(RETAIN, object_id=None), True),
        (replace(RETAIN, pending_attempt=""), False),
    ],
)
def test_the_directory_is_needed_where_something_may_be_removed_there(
    found: Revocation, expected: bool
) -> None:
    assert needs_directory(found) == expected


@pytest.mark.parametrize(
    ("tenant", "tenant_id", "expected"),
    [
        ("default", TENANT_ID, True),
        ("default", "", True),
        ("default", OTHER_TENANT, False),
        ("other", TENANT_ID, False),
    ],
)
def test_only_the_tenant_of_the_directory_lets_revoke(
    tenant: str, tenant_id: str, expected: bool
) -> None:
    left = revocation()
    assert left.tenant_id == TENANT_ID
    assert leads_to(tenant, tenant_id, left) is expected
    unknown = replace(left, tenant_id=TenantId(""))
    assert leads_to(tenant, tenant_id, unknown) is (tenant == "default")
