"""Looks at one EntraTenant as the operator would, with its own parts; nothing is written."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import yaml

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.inventory import Way
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.checks import is_object_name
from appcredential.domain.spec.model import EntraTenantSpec
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.status.problems_tenant import (
    CUSTOM_CLOUD_NOT_CONFIGURED,
    tenant_refusal,
    tenant_unreachable,
    trial_problem,
)
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    InvalidSpecError,
    UnavailableError,
    UnusableKubeconfigError,
)
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import TENANTS, KubeObjects
from appcredential.kube.secret_store import SecretValues
from appcredential.ports.entra import Probe
from appcredential.ports.local import Clock
from appcredential.ports.session import Session
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from appcredential.sign_in import projected_token, session_opener
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.probing import PASSING

_ONE_PAGE: Final = 1


class NotLookedError(Exception):
    """It could not look: nothing is known of the tenant. The message is for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look at a tenant showed.

    Attributes:
        spec: of the EntraTenant.
        problem: why the operator could not use the tenant; None when it can.
        is_signed_in: whether Entra gave it a token.
        skew: Entra's clock minus ours, by its answers; None when unknown.
        probe: what it learnt; None if it could not use the tenant.
        owned: how many applications the first page of those that it owns shows; None when
            they cannot be listed.
    """

    spec: EntraTenantSpec
    problem: Problem | None = None
    is_signed_in: bool = False
    skew: timedelta | None = None
    probe: Probe | None = None
    owned: int | None = None


async def look(settings: Settings, clock: Clock, name: str, kubeconfig: str) -> Seen:
    """Read an EntraTenant, sign in with the operator's credential, and read what is needed.

    Args:
        settings: of the operator.
        clock: of the process.
        name: of the EntraTenant.
        kubeconfig: a file; empty in the operator's pod.

    Raises:
        NotLookedError: the API server or Entra gave no usable answer, or there is no such
            EntraTenant.
    """
    kube = await _connected(clock, kubeconfig)
    try:
        spec = await _spec(kube, name)
        credential = await OperatorCredentials(
            clock=clock,
            namespace=settings.namespace,
            secrets=SecretValues(kube),
            token=projected_token(settings),
        ).read(name, spec)
    except InvalidSpecError as exc:
        raise NotLookedError(f"The EntraTenant {name} cannot be used: {exc}") from exc
    except AppCredentialError as exc:
        raise NotLookedError(f"The API server gave no usable answer: {exc}") from exc
    finally:
        await kube.close()
    refused = trial_problem(spec.cloud, trial=settings.lifecycle.trial)
    if refused is not None:
        return Seen(spec=spec, problem=refused)
    if isinstance(credential, Problem):
        return Seen(spec=spec, problem=credential)
    return await _signed_in(settings, clock, spec, credential)


async def _connected(clock: Clock, kubeconfig: str) -> KubeClient:
    try:
        return await KubeClient.connect(clock, kubeconfig)
    except (UnusableKubeconfigError, yaml.YAMLError) as exc:
        raise NotLookedError(
            "There is no way to the API server: run this in the operator's pod, or name a usable "
            "kubeconfig in KUBECONFIG."
        ) from exc


async def _spec(kube: KubeClient, name: str) -> EntraTenantSpec:
    if not is_object_name(name):
        raise NotLookedError(f"{name!r} is no name of an EntraTenant.")
    document = await KubeObjects(kube).get(TENANTS, "", name)
    if document is None:
        raise NotLookedError(f"There is no EntraTenant {name}: name one with --tenant-ref.")
    return parse_entra_tenant(document)


async def _signed_in(
    settings: Settings, clock: Clock, spec: EntraTenantSpec, credential: OperatorCredential
) -> Seen:
    opened = session_opener(settings, clock, Metrics(tuple))(spec, credential, lambda: False)
    if opened is None:
        return Seen(spec=spec, problem=CUSTOM_CLOUD_NOT_CONFIGURED)
    try:
        return await _probed(opened, spec)
    finally:
        await opened.close()


async def _probed(session: Session, spec: EntraTenantSpec) -> Seen:
    try:
        probe = await session.probe()
        owned = await _owned(session)
    except PASSING as exc:
        problem = tenant_unreachable(exc)
        if problem.reason is Reason.TLS_NOT_TRUSTED:
            return Seen(spec=spec, problem=problem)
        raise NotLookedError(problem.message) from exc
    except AppCredentialError as exc:
        is_refused = isinstance(exc, IdentityRejectedError)
        told = exc.skew if isinstance(exc, IdentityRejectedError) else None
        return Seen(
            spec=spec,
            problem=tenant_refusal(spec.identity, exc),
            is_signed_in=not is_refused,
            skew=told if told is not None else session.directory.skew(),
        )
    return Seen(
        spec=spec, is_signed_in=True, skew=session.directory.skew(), probe=probe, owned=owned
    )


async def _owned(session: Session) -> int | None:
    """Count what the first page shows of the applications that the operator owns."""
    if not session.principal_id:
        return None
    try:
        pages = session.lists.pages(Way.OWNED, (), _ONE_PAGE, session.principal_id)
        async with aclosing(pages):
            async for page in pages:
                return page.rows
    except UnavailableError:
        raise
    except AppCredentialError:
        return None
    return 0
