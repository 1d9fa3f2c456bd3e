"""EntraTenants: their sessions with Graph, their status, and the finalizer that holds them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Protocol

from appcredential.domain.app_policy import UNREAD, AppPolicy
from appcredential.domain.conditions import (
    Condition,
    ConditionType,
    Problem,
    Reason,
    format_time,
    merge_conditions,
)
from appcredential.domain.observed import Policy, Tenant
from appcredential.domain.parse import parse_entra_tenant
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec import Cloud, EntraTenantSpec
from appcredential.domain.status import needs_write
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    IdentityRejectedError,
    InvalidSpecError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gate import Gate
from appcredential.kube.resources import FINALIZER, TENANTS, KubeObjects
from appcredential.kube.secrets_store import KubeSecrets
from appcredential.ports import Clock, Directory, Events, EventSubject, Probe, SignIn
from appcredential.workqueue import Key

log = logging.getLogger(__name__)

_RETRY = timedelta(seconds=30)
_SECOND_TRY = timedelta(seconds=5)
# How soon a new credential of the operator's own is taken up.
_RECHECK = timedelta(seconds=30)
_PROBE = timedelta(hours=1)
_SKEWED_PROBE = timedelta(minutes=1)
IDENTITY_REJECTED = Problem(
    reason=Reason.IDENTITY_REJECTED,
    message="Entra refuses the operator's own credential. Put a valid one into the Secret "
    "that spec.identity names, and check tenantId and clientId.",
)
_UNREACHABLE = Problem(
    reason=Reason.DIRECTORY_UNAVAILABLE,
    message="Graph or the token endpoint cannot be reached.",
    stalled=False,
)
_NOT_IN_A_TRIAL = Problem(
    reason=Reason.NOT_IN_A_TRIAL,
    message="The operator runs as a trial and never signs in to a real tenant. Install it without "
    "trial.enabled, or use cloud: Custom.",
)
_UNREAD = Problem(
    reason=Reason.TENANT_NOT_READY,
    message="The EntraTenant could not be looked at yet; the operator's log says why.",
    stalled=False,
)


class Session(Protocol):
    """An open session with one tenant."""

    @property
    def directory(self) -> Directory:
        """Graph."""
        ...

    @property
    def sign_in(self) -> SignIn:
        """The token endpoint."""
        ...

    @property
    def authority_host(self) -> str:
        """What consumers read as AZURE_AUTHORITY_HOST."""
        ...

    async def probe(self) -> Probe:
        """Sign in, read applications and the policy; raises errors of `errors.py`."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


OpenSession = Callable[[EntraTenantSpec, SecretValue, Callable[[], bool]], Session | None]
"""Opens a session; None when `cloud: Custom` has no endpoints in the settings.

The last argument tells whether this process may act: asked before something is mended.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """A usable tenant."""

    tenant: Tenant
    session: Session


class _Verdict(Enum):
    """What a look came to that leaves everything as it was."""

    UNDECIDED = auto()


@dataclass(slots=True)
class _Open:
    """A session, and what is known of it.

    Attributes:
        digest: SHA-256 of the operator's own credential, to notice another one.
        probed: when it was last probed; None asks for a probe.
        failing: what the last probe that counts came to.
        second_try: when a probe that failed in passing is made once more.
        is_skewed: somebody was held because the tenant's clock is wrong.
        expiration: when the operator's own credential ends, as the last good probe saw it.
        policy: what Entra's policy allows, as the last probe that learnt it saw it.
    """

    spec: EntraTenantSpec
    digest: str
    session: Session
    probed: datetime | None = None
    failing: Problem | None = None
    second_try: datetime | None = None
    is_skewed: bool = False
    expiration: datetime | None = None
    policy: AppPolicy = UNREAD


class Tenants:
    """Reconciles EntraTenants and hands out access to them."""

    def __init__(
        self,
        *,
        clock: Clock,
        namespace: str,
        objects: KubeObjects,
        secrets: KubeSecrets,
        events: Events,
        gate: Gate,
        open_session: OpenSession,
        users_of: Callable[[str], list[Key]],
        wake: Callable[[Key], None],
        retry: timedelta = _RETRY,
        max_skew: timedelta = Policy().max_clock_skew,  # noqa: B008 - frozen
        trial: bool = False,
    ) -> None:
        self._clock = clock
        self._namespace = namespace
        self._objects = objects
        self._secrets = secrets
        self._events = events
        self._gate = gate
        self._open_session = open_session
        self._users_of = users_of
        self._wake = wake
        self._retry = retry
        self._max_skew = max_skew
        self._trial = trial
        self._open: dict[str, _Open] = {}
        self._outcomes: dict[str, Problem | None] = {}

    def was_looked_at(self, name: str) -> bool:
        """Tell whether it is known here whether this EntraTenant can be used."""
        return name in self._outcomes

    def access(self, name: str) -> Access | Problem:
        """Return a tenant that signs in, or why there is none."""
        problem = self._outcomes.get(name)
        if problem is not None:
            return problem
        held = self._open.get(name)
        if held is None:
            return Problem(
                reason=Reason.TENANT_NOT_FOUND,
                message="The EntraTenant that spec.tenantRef names does not exist: create it, or "
                "name another one in a new AppCredential.",
            )
        held.is_skewed = held.is_skewed or self._blocks(held)
        spec = held.spec
        tenant = Tenant(
            name=name,
            tenant_id=spec.tenant_id,
            cloud=spec.cloud,
            authority_host=held.session.authority_host,
            limits=spec.limits,
            operator_client_id=spec.identity.client_id,
            problem=None,
            app_policy=held.policy,
        )
        return Access(tenant, held.session)

    def doubt(self, name: str, max_age: timedelta) -> None:
        """Have a tenant probed at once, unless it was within `max_age`.

        For whoever met something that concerns all users of the tenant.
        """
        held = self._open.get(name)
        if held is None or held.failing is not None or held.probed is None:
            return  # it is looked at soon anyway
        if self._clock.now() - held.probed < max_age:
            return
        held.probed = None
        self._wake(Key(TENANTS, "", name))

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one EntraTenant's session and status up to date."""
        document = await self._objects.get(TENANTS, "", key.name)
        if document is None:
            await self._forget(key.name)
            return None
        try:
            if self._gate.problem() is None and await self._finalize(key, document):
                return self._clock.now() + self._retry
            problem = await self._connect(key.name, document)
        except AppCredentialError:
            # Whoever uses it must not wait for ever, above all not with a deletion.
            self._outcomes.setdefault(key.name, _UNREAD)
            raise
        if isinstance(problem, _Verdict):
            return self._open[key.name].second_try or self._clock.now() + self._retry
        self._note(key.name, problem)
        self._note_skew(key.name)
        if self._gate.problem() is None:
            await self._write_status(document, problem)
        return self._clock.now() + (_RECHECK if problem is None else self._retry)

    async def close(self) -> None:
        """Close all sessions."""
        for name in list(self._open):
            await self._close(name)

    async def _finalize(self, key: Key, document: Mapping[str, Any]) -> bool:
        """Hold a tenant while resources refer to it; tell whether its version changed."""
        metadata = document["metadata"]
        deleting = "deletionTimestamp" in metadata
        wanted = not deleting or bool(self._users_of(key.name))
        if wanted == (FINALIZER in (metadata.get("finalizers") or ())):
            return not wanted  # while it is held, its users still need it
        try:
            await self._objects.set_finalizer(TENANTS, metadata, present=wanted)
        except ConflictError:
            return True
        self._wake(key)
        return True

    async def _connect(self, name: str, document: Mapping[str, Any]) -> Problem | _Verdict | None:
        try:
            spec = parse_entra_tenant(document)
        except InvalidSpecError as exc:
            return Problem(reason=Reason.INVALID_SPEC, message=str(exc))
        if self._trial and spec.cloud is not Cloud.CUSTOM:
            await self._close(name)
            return _NOT_IN_A_TRIAL
        identity = spec.identity
        secret = await self._secrets.value(
            self._namespace, identity.secret_name, identity.secret_key
        )
        if secret is None:
            return Problem(
                reason=Reason.IDENTITY_SECRET_NOT_FOUND,
                message="The Secret in the operator's namespace that spec.identity names, "
                "or its key, does not exist.",
            )
        problem = await self._ensure_open(name, spec, secret)
        return problem or await self._probe(name)

    async def _ensure_open(
        self, name: str, spec: EntraTenantSpec, secret: SecretValue
    ) -> Problem | None:
        held = self._open.get(name)
        if held is not None and held.spec == spec and held.digest == secret.sha256():
            return None
        session = self._open_session(spec, secret, lambda: self._gate.problem() is None)
        if session is None:
            await self._close(name)
            return Problem(
                reason=Reason.CUSTOM_CLOUD_NOT_CONFIGURED,
                message="cloud: Custom needs APPCREDENTIAL_CUSTOM_AUTHORITY and "
                "APPCREDENTIAL_CUSTOM_GRAPH in the operator's settings.",
            )
        # At no moment without a session: the tenant would pass for one that does not exist.
        opened = self._open[name] = _Open(spec, secret.sha256(), session)
        if held is not None:
            opened.is_skewed, opened.policy = held.is_skewed, held.policy
            await held.session.close()
        return None

    async def _probe(self, name: str) -> Problem | _Verdict | None:
        held, now = self._open[name], self._clock.now()
        if held.second_try is not None and now < held.second_try:
            return _Verdict.UNDECIDED
        if not self._is_probe_due(held, now):
            return None
        held.probed = now
        try:
            self._learn(name, held, await held.session.probe())
        except PermissionDeniedError as exc:
            log.warning("tenant refuses the operator", extra={"tenant": name, "error": str(exc)})
            held.failing = _refusal(exc)
        except (UnavailableError, ThrottledError, ConflictError, NotFoundError) as exc:
            log.warning("tenant unreachable", extra={"tenant": name, "error": str(exc)})
            if held.second_try is None and held.failing != _UNREACHABLE:
                held.second_try = now + self._pause_after(name, exc)
                return _Verdict.UNDECIDED
            held.failing = _UNREACHABLE
        except AppCredentialError as exc:
            log.warning("tenant probe failed", extra={"tenant": name, "error": str(exc)})
            held.failing = Problem(
                reason=Reason.IDENTITY_REJECTED,
                message="Entra refuses the operator's request; its log has the code.",
            )
        else:
            held.failing = None
        held.second_try = None
        return held.failing

    def _learn(self, name: str, held: _Open, found: Probe) -> None:
        """Note what a good probe told; another policy means other lifetimes for all users."""
        held.expiration = found.expiration
        if found.policy is None or found.policy == held.policy:
            return
        was_known, held.policy = held.policy != UNREAD, found.policy
        if was_known:
            self._wake_users(name)

    def _is_probe_due(self, held: _Open, now: datetime) -> bool:
        if held.probed is None or held.failing is not None or held.second_try is not None:
            return True
        return now - held.probed >= (_SKEWED_PROBE if self._blocks(held) else _PROBE)

    def _pause_after(self, name: str, error: AppCredentialError) -> timedelta:
        """Return when to try again after one failure, which may be nobody's fault.

        Those who wait for the first look at a tenant do not wait for long.
        """
        soon = min(_SECOND_TRY, self._retry)
        if isinstance(error, ThrottledError) and name in self._outcomes:
            return max(error.retry_after, soon)
        return soon

    def _note(self, name: str, problem: Problem | None) -> None:
        """Record how the look ended; whoever uses the tenant hears of a change."""
        outcome = not_ready(problem) if problem is not None else None
        is_news = name not in self._outcomes or self._outcomes[name] != outcome
        self._outcomes[name] = outcome
        if is_news:
            self._wake_users(name)

    def _note_skew(self, name: str) -> None:
        """Wake whoever was held by a wrong clock that is right now."""
        held = self._open.get(name)
        if held is not None and held.is_skewed and not self._blocks(held):
            held.is_skewed = False
            self._wake_users(name)

    def _blocks(self, held: _Open) -> bool:
        """Tell whether the tenant's clock keeps its users from doing anything."""
        skew = held.session.directory.skew()
        return skew is not None and abs(skew) > self._max_skew

    def _wake_users(self, name: str) -> None:
        for user in self._users_of(name):
            self._wake(user)

    async def _write_status(self, document: Mapping[str, Any], problem: Problem | None) -> None:
        metadata, current = document["metadata"], document.get("status") or {}
        generation = int(metadata["generation"])
        wanted: dict[str, Any] = {
            "observedGeneration": generation,
            "conditions": merge_conditions(
                current.get("conditions") or (),
                _conditions(problem),
                generation=generation,
                now=self._clock.now(),
                trial=self._trial,
            ),
        }
        identity = ((document.get("spec") or {}).get("identity") or {}).get("clientSecret") or {}
        if identity.get("clientId"):
            wanted["identity"] = {"clientId": identity["clientId"], **self._own_end(metadata)}
        held = self._open.get(metadata["name"])
        if held is not None:
            wanted["appManagementPolicy"] = held.policy.told()
        if not needs_write(current, wanted):
            return
        try:
            await self._objects.apply_status(TENANTS, metadata, wanted)
        except ConflictError:
            self._wake(Key(TENANTS, "", metadata["name"]))
            return
        if problem is not None and problem.stalled:
            subject = EventSubject(
                kind="EntraTenant", namespace="", name=metadata["name"], uid=metadata["uid"]
            )
            await self._events.emit(subject, str(problem.reason), problem.message, warning=True)

    def _own_end(self, metadata: Mapping[str, Any]) -> dict[str, str]:
        held = self._open.get(metadata["name"])
        if held is None or held.expiration is None:
            return {}
        return {"expirationTime": format_time(held.expiration)}

    async def _forget(self, name: str) -> None:
        self._outcomes.pop(name, None)
        await self._close(name)

    async def _close(self, name: str) -> None:
        held = self._open.pop(name, None)
        if held is not None:
            await held.session.close()


def not_ready(problem: Problem) -> Problem:
    """Return what the users of a tenant are told about its problem."""
    return Problem(
        reason=Reason.TENANT_NOT_READY,
        message=f"The EntraTenant is not ready: {problem.reason}. {problem.message}",
        stalled=problem.stalled,
    )


def _refusal(exc: PermissionDeniedError) -> Problem:
    if isinstance(exc, IdentityRejectedError):
        return IDENTITY_REJECTED
    return Problem(
        reason=Reason.PERMISSION_DENIED,
        message="Graph refuses to let the operator read applications. Consent to "
        "Application.ReadWrite.OwnedBy for its app registration.",
    )


def _conditions(problem: Problem | None) -> list[Condition]:
    if problem is None:
        message = "The operator signs in and may read applications."
        return [
            Condition(
                type=ConditionType.READY, status="True", reason=Reason.SIGNED_IN, message=message
            )
        ]
    abnormal = ConditionType.STALLED if problem.stalled else ConditionType.RECONCILING
    words: dict[str, Any] = {"reason": problem.reason, "message": problem.message}
    return [
        Condition(type=ConditionType.READY, status="False", **words),
        Condition(type=abnormal, status="True", **words),
    ]
