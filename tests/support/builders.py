"""Observations built by keyword, so that each test states only what matters to it.

Left alone, everything is well: `observation()` is a resource whose credential was
published ten days ago, is proven, listed, granted and far from its renewal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.assessment import assess
from appcredential.domain.facts.believed import believed
from appcredential.domain.facts.facts import Facts
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import (
    Attempt,
    ClusterIdentity,
    Owner,
    attempt_id,
    build_display_name,
)
from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.observed.entra import Application, Credential, Grant, Tenant
from appcredential.domain.observed.federated import Federation
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.pods import SeenPods
from appcredential.domain.observed.target import (
    Abandoned,
    IssuedCredential,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Target,
    TargetOwner,
)
from appcredential.domain.observed.workloads import Restarts
from appcredential.domain.proof import PROVEN, Proof, SignInClass, SignInResult, record
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.label_selector import Labels
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    Cloud,
    CredentialType,
    DeletionPolicy,
    KeyId,
    Limits,
    ObjectId,
    RetireWhen,
    RotationSpec,
    TenantId,
    VerificationMode,
    VerificationSpec,
)
from appcredential.domain.spec.restart import RestartSpec
from appcredential.domain.spec.secret import DataEntry, SecretSpec
from appcredential.domain.spec.time_zones import time_zone
from appcredential.domain.spec.windows import WEEK, RotationWindow, Weekday

NOW: Final = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

SYSTEM_UID: Final = "6f1c7a0e-0000-4000-8000-000000000001"
IDENTITY: Final = ClusterIdentity.of(SYSTEM_UID)
OTHER_IDENTITY: Final = ClusterIdentity.of("6f1c7a0e-0000-4000-8000-000000000002")
CLONE_IDENTITY: Final = ClusterIdentity(cluster=IDENTITY.cluster, system=OTHER_IDENTITY.system)
"""A cluster restored from ours: the same configured id, another kube-system."""
ADOPTING: Final = ClusterIdentity.of(SYSTEM_UID, adopted=["6f1c7a0e-0000-4000-8000-000000000002"])
"""Our own, with the setting that lets us use what the other cluster issued."""
OWNER: Final = Owner("shop", "orders")
OTHER_OWNER: Final = Owner("shop", "invoices")
TENANT_ID: Final = TenantId("11111111-1111-1111-1111-111111111111")
CLIENT_ID: Final = ClientId("22222222-2222-2222-2222-222222222222")
OBJECT_ID: Final = ObjectId("33333333-3333-3333-3333-333333333333")
OPERATOR_CLIENT_ID: Final = ClientId("44444444-4444-4444-4444-444444444444")
HOLDER: Final = "operator-0/1"
PENDING_UID: Final = "pending-uid"

KEY: Final = KeyId("key-published")
"""The published credential of a default target."""
NEXT: Final = KeyId("key-next")
"""The credential that a default `Minted` pending Secret holds."""
OLD: Final = KeyId("key-old")
"""One that is retiring."""

ATTEMPT: Final = attempt_id(IDENTITY, "earlier-pending-uid", 1)
NEXT_ATTEMPT: Final = attempt_id(IDENTITY, PENDING_UID, 1)
OLD_ATTEMPT: Final = attempt_id(IDENTITY, "first-pending-uid", 1)

SECRET: Final = SecretValue("canary-published-value")
NEXT_SECRET: Final = SecretValue("canary-next-value")

ISSUED: Final = NOW - 10 * DAY
LIFETIME: Final = 90 * DAY
NOT_YET: Final = SignInResult(SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 7000215)


def problem(reason: Reason = Reason.NOT_GRANTED, *, stalled: bool = True) -> Problem:
    return Problem(reason=reason, message=f"Because of {reason}.", stalled=stalled)


def attempt(uid: str = PENDING_UID, number: int = 1) -> Attempt:
    return attempt_id(IDENTITY, uid, number)


def rotation(
    *,
    renew_before: timedelta | None = None,
    overlap: timedelta | None = None,
    retire_when: RetireWhen = RetireWhen.OVERLAP_ELAPSED,
    rotate_issued_before: datetime | None = None,
    revoke_issued_before: datetime | None = None,
    windows: Iterable[RotationWindow] = (),
    restart: RestartSpec | None = None,
) -> RotationSpec:
    return RotationSpec(
        renew_before=renew_before,
        overlap=overlap,
        retire_when=retire_when,
        rotate_issued_before=rotate_issued_before,
        revoke_issued_before=revoke_issued_before,
        windows=tuple(windows),
        restart=restart,
    )


def window(
    start: str, end: str, *, days: Iterable[Weekday] = WEEK, zone: str = "UTC"
) -> RotationWindow:
    """Return a window of these times of day, such as 22:00."""
    opens, closes = (timedelta(hours=int(text[:2]), minutes=int(text[3:])) for text in (start, end))
    return RotationWindow(days=frozenset(days), start=opens, end=closes, zone=time_zone(zone))


def spec(
    *,
    lifetime: timedelta | None = None,
    rotation: RotationSpec = rotation(),  # noqa: B008 - frozen
    verification: VerificationMode = VerificationMode.REQUIRED,
    data: Mapping[str, DataEntry] = MappingProxyType({}),
    labels: Mapping[str, str] = MappingProxyType({}),
    annotations: Mapping[str, str] = MappingProxyType({}),
    deletion_policy: DeletionPolicy = DeletionPolicy.REVOKE,
    suspend: bool = False,
    client_id: ClientId = CLIENT_ID,
    tenant: str = "default",
    take_over_from: str = "",
) -> AppCredentialSpec:
    return AppCredentialSpec(
        tenant=tenant,
        client_id=client_id,
        type=CredentialType.CLIENT_SECRET,
        secret=SecretSpec(
            name="orders-entra",
            data=data,
            labels=labels,
            annotations=annotations,
            take_over_from=take_over_from,
        ),
        lifetime=lifetime,
        rotation=rotation,
        verification=VerificationSpec(mode=verification),
        deletion_policy=deletion_policy,
        suspend=suspend,
    )


def resource(
    spec: AppCredentialSpec | Problem = spec(),  # noqa: B008 - frozen
    *,
    generation: int = 1,
    uid: str = "resource-uid",
    has_finalizer: bool = True,
    creation_time: datetime = ISSUED,
    deletion_time: datetime | None = None,
    last_applied_time: datetime = ISSUED,
    status: Mapping[str, Any] = MappingProxyType({}),
) -> Resource:
    return Resource(
        owner=OWNER,
        uid=uid,
        resource_version="1",
        generation=generation,
        creation_time=creation_time,
        deletion_time=deletion_time,
        has_finalizer=has_finalizer,
        spec=spec,
        status=status,
        last_applied_time=last_applied_time,
    )


def tenant(
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    problem: Problem | None = None,
    tenant_id: TenantId = TENANT_ID,
) -> Tenant:
    return Tenant(
        name="default",
        tenant_id=tenant_id,
        cloud=Cloud.PUBLIC,
        authority_host="https://login.microsoftonline.com/",
        limits=limits,
        operator_client_ids=frozenset({OPERATOR_CLIENT_ID}),
        problem=problem,
    )


def asker(
    namespace: str = OWNER.namespace,
    *,
    now: datetime = NOW,
    labels: Labels | None = None,
    labels_problem: str = "",
    tags: Tags | None = None,
) -> Asker:
    return Asker(
        namespace=namespace,
        now=now,
        cluster_id="prod",
        operator_namespace="appcredential-system",
        labels=labels,
        labels_problem=labels_problem,
        tags=tags,
    )


def grant(*, max_lifetime: timedelta | None = None) -> Grant:
    return Grant(name="shop-apps", max_lifetime=max_lifetime)


def minted(
    key_id: KeyId = KEY,
    *,
    attempt: Attempt = ATTEMPT,
    value: SecretValue = SECRET,
    not_before: datetime = ISSUED,
    expires: datetime | None = None,
) -> IssuedCredential:
    return IssuedCredential(
        key_id=key_id,
        attempt=attempt,
        value_sha256=value.sha256(),
        not_before=not_before,
        expires=expires if expires is not None else not_before + LIFETIME,
    )


def credential(
    key_id: KeyId = KEY,
    *,
    attempt: Attempt = ATTEMPT,
    start: datetime = ISSUED,
    end: datetime | None = None,
    identity: ClusterIdentity = IDENTITY,
    owner: Owner = OWNER,
    display_name: str | None = None,
) -> Credential:
    marked = build_display_name(identity, owner, attempt, "")
    return Credential(
        key_id=key_id,
        display_name=marked if display_name is None else display_name,
        start=start,
        end=end if end is not None else start + LIFETIME,
    )


def old_credential(*, start: datetime = NOW - 60 * DAY, end: datetime | None = None) -> Credential:
    return credential(OLD, attempt=OLD_ATTEMPT, start=start, end=end)


def next_credential(*, start: datetime = NOW - 5 * SECOND) -> Credential:
    return credential(NEXT, attempt=NEXT_ATTEMPT, start=start)


def application(
    *credentials: Credential,
    read_time: datetime = NOW,
    object_id: ObjectId = OBJECT_ID,
    tags: Tags = (),
) -> Application:
    return Application(
        object_id=object_id,
        client_id=CLIENT_ID,
        display_name="Orders",
        credentials=credentials,
        read_time=read_time,
        tags=tags,
    )


UNTOLD: Final = application(credential())
"""The application, where a test does not say how Entra lists it."""


def retiring(
    key_id: KeyId = OLD,
    *,
    since: datetime = ISSUED,
    end: datetime = NOW + 30 * DAY,
    cause: RetireCause = RetireCause.REPLACED,
    removed: datetime | None = None,
    secret: str = "orders-entra",
    ahead: timedelta | None = timedelta(0),
) -> Retiring:
    """Return an entry of what this target Secret held, unless `secret` says otherwise."""
    return Retiring(
        key_id=key_id,
        end=end,
        since=since,
        cause=cause,
        removed=removed,
        secret=secret,
        ahead=ahead,
    )


def abandoned(attempt: Attempt = NEXT_ATTEMPT, *, time: datetime = NOW - 5 * MINUTE) -> Abandoned:
    return Abandoned(attempt=attempt, time=time)


def target(
    published: IssuedCredential = minted(),  # noqa: B008 - frozen
    *,
    value: SecretValue = SECRET,
    damaged: bool = False,
    spec: AppCredentialSpec = spec(),  # noqa: B008 - frozen
    tenant: Tenant = tenant(),  # noqa: B008 - frozen
    retiring: tuple[Retiring, ...] = (),
    abandoned: tuple[Abandoned, ...] = (),
    creation_time: datetime = ISSUED,
    published_time: datetime = ISSUED,
    verified_time: datetime | None = ISSUED,
    object_id: ObjectId = OBJECT_ID,
    live: Target | None = None,
    restart_since: datetime | None = None,
) -> Target:
    """Return T as the operator itself would have written it; `damaged` loses its value."""
    publication = Publication(
        owner=str(OWNER),
        cluster=IDENTITY.cluster,
        tenant_id=tenant.tenant_id,
        object_id=object_id,
        credential=published,
        verified_time=verified_time,
        published_time=published_time,
        retiring=retiring,
        abandoned=abandoned,
        restart_since=restart_since,
    )
    wanted = render(spec, tenant, value, publication, live, _generate)
    return Target(
        name=spec.secret.name,
        uid="target-uid",
        resource_version="1",
        creation_time=creation_time,
        deletion_time=None,
        type="Opaque",
        immutable=False,
        owner=str(OWNER),
        tenant_id=tenant.tenant_id,
        object_id=object_id,
        published=published,
        value=None if damaged else value,
        verified_time=verified_time,
        published_time=published_time,
        retiring=retiring,
        abandoned=abandoned,
        data=wanted.data,
        labels=wanted.labels,
        annotations=wanted.annotations,
        restart_since=restart_since,
    )


def named(o: Observation) -> Observation:
    """Return the observation with a status that names the application and nothing else."""
    told = {"application": {"objectId": OBJECT_ID, "clientId": CLIENT_ID}}
    return replace(o, resource=replace(o.resource, status={**o.resource.status, **told}))


def foreign_target() -> Target:
    """Return a Secret of the wanted name that another AppCredential publishes to."""
    return replace(target(), owner=str(OTHER_OWNER))


def _generate(length: int) -> SecretValue:
    return SecretValue("g" * length)


def pending(
    state: PendingState = PendingState.MINTED,
    *,
    uid: str = PENDING_UID,
    number: int = 1,
    attempt: Attempt | None = None,
    holder: str = HOLDER,
    intent_time: datetime = NOW - 10 * SECOND,
    minted_as: IssuedCredential | None = None,
    value: SecretValue | None = NEXT_SECRET,
    abandoned: tuple[Abandoned, ...] = (),
    tenant_id: TenantId = TENANT_ID,
    object_id: ObjectId = OBJECT_ID,
    owner: Owner = OWNER,
) -> Pending:
    """Return P. In state `Minted` it holds `NEXT`, minted five seconds ago, by default."""
    own = attempt if attempt is not None else attempt_id(IDENTITY, uid, number)
    holds = minted_as
    if holds is None and state is PendingState.MINTED:
        holds = minted(NEXT, attempt=own, value=NEXT_SECRET, not_before=NOW - 5 * SECOND)
    return Pending(
        uid=uid,
        resource_version="1",
        owner=str(owner),
        tenant_id=tenant_id,
        object_id=object_id,
        attempt=own,
        attempt_number=number,
        holder=holder,
        state=state,
        intent_time=intent_time,
        credential=holds,
        value=value if holds is not None else None,
        abandoned=abandoned,
    )


def proof(
    attempt: Attempt = NEXT_ATTEMPT, *results: SignInResult, last: datetime = NOW, every: int = 1
) -> Proof:
    """Return the run of these answers, `every` seconds apart, the last of them at `last`."""
    run: Proof | None = None
    for age in range(len(results) - 1, -1, -1):
        answer = results[len(results) - 1 - age]
        run = record(run, attempt, answer, last - age * every * SECOND)
    assert run is not None
    return run


def proven(attempt: Attempt = NEXT_ATTEMPT, *, times: int = 5, last: datetime = NOW) -> Proof:
    return proof(attempt, *([PROVEN] * times), last=last)


def observation(
    *,
    now: datetime = NOW,
    identity: ClusterIdentity = IDENTITY,
    settings: LifecycleSettings = LifecycleSettings(),  # noqa: B008 - frozen
    process_started: datetime = ISSUED,
    blocked: Problem | None = None,
    directory_skew: timedelta | None = timedelta(0),
    cluster_skew: timedelta | None = timedelta(0),
    resource: Resource = resource(),  # noqa: B008 - frozen
    tenant: Tenant | Problem = tenant(),  # noqa: B008 - frozen
    grant: Grant | Problem = grant(),  # noqa: B008 - frozen
    target: Target | None = target(),  # noqa: B008 - frozen
    pending: Pending | None = None,
    revocation_uid: str | None = None,
    crd_deleted: bool | None = None,
    application: Application | None = UNTOLD,
    memory: Memory = Memory(),  # noqa: B008 - frozen
    target_owner: TargetOwner | None = None,
    federation: Federation | None = None,
    is_untouched: bool = False,
    has_begun: bool = False,
    open_revocations: int = 0,
    unpublished_attempt: str = "",
    recorded: Recorded = Recorded.CURRENT,
    unowned_records: int = 0,
    pods: SeenPods | None = None,
    restarts: Restarts = Restarts(),  # noqa: B008 - frozen
) -> Observation:
    """Return an observation in which Entra lists what T records, unless it is said otherwise."""
    return Observation(
        now=now,
        settings=settings,
        identity=identity,
        holder=HOLDER,
        process_started=process_started,
        blocked=blocked,
        directory_skew=directory_skew,
        cluster_skew=cluster_skew,
        resource=resource,
        tenant=tenant,
        grant=grant,
        target=target,
        pending=pending,
        revocation_uid=revocation_uid,
        crd_deleted=crd_deleted,
        application=_listing(target) if application is UNTOLD else application,
        memory=memory,
        target_owner=target_owner,
        federation=federation,
        is_untouched=is_untouched,
        has_begun=has_begun,
        open_revocations=open_revocations,
        unpublished_attempt=unpublished_attempt,
        recorded=recorded,
        unowned_records=unowned_records,
        pods=pods,
        restarts=restarts,
    )


def _listing(t: Target | None) -> Application:
    held = t.published if t is not None and t.published is not None else minted()
    listed = credential(held.key_id, attempt=held.attempt, start=held.not_before, end=held.expires)
    return application(listed)


def facts(o: Observation) -> Facts:
    """Return the facts of an observation whose gates are open."""
    assert isinstance(o.resource.spec, AppCredentialSpec)
    assert isinstance(o.tenant, Tenant)
    assert o.application is not None
    return assess(believed(o))
