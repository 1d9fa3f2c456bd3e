"""Builds what notices changes between passes, for `composition.py`."""

from __future__ import annotations

from appcredential.controllers.doubts import Doubts
from appcredential.controllers.inventory import Inventory
from appcredential.controllers.issuer_looks import IssuerLooks
from appcredential.controllers.looks import ClusterLooks
from appcredential.controllers.namespace_watch import NamespaceWatch
from appcredential.controllers.ownership import OwnershipLooks
from appcredential.controllers.published_sign_ins import PublishedSignIns
from appcredential.controllers.secret_watch import SecretWatch
from appcredential.domain.inventory import Budget
from appcredential.domain.looks import LookBudget
from appcredential.domain.published_sign_ins import SignInBudget
from appcredential.effects.context import Tools
from appcredential.kube.secret_watch import KubeSecretVersions
from appcredential.kube.versions import KubeVersions
from appcredential.parts import Parts
from appcredential.tenants.access import TenantAccess


def build_secret_watch(parts: Parts) -> SecretWatch:
    """Return what watches published Secrets; nothing, unless the settings ask for it."""
    settings = parts.settings
    # One watch of all namespaces serves every shard; what is not its own is passed over.
    scopes = tuple(filter(parts.store.shard.serves, settings.watch_namespaces))
    if not settings.watch_namespaces:
        scopes = ("",)
    return SecretWatch(
        process=parts.process,
        store=parts.store,
        states=parts.states,
        source=KubeSecretVersions(parts.client),
        scopes=scopes if settings.watch_secrets else (),
        period=settings.cluster_look_ceiling,
        wake=parts.queue.add,
    )


def build_namespace_watch(parts: Parts) -> NamespaceWatch:
    """Return what follows the labels of namespaces while a grant selects some by them."""
    return NamespaceWatch(
        process=parts.process,
        store=parts.store,
        source=parts.namespaces,
        period=parts.settings.relist,
        wake=parts.queue.add,
    )


def build_looks(parts: Parts, watch: SecretWatch) -> ClusterLooks:
    """Return what looks at the cluster's objects one by one.

    Args:
        parts: of the process.
        watch: what it follows needs no looks.
    """
    settings = parts.settings
    return ClusterLooks(
        process=parts.process,
        states=parts.states,
        versions=KubeVersions(parts.client),
        budget=LookBudget(
            per_second=settings.cluster_looks_per_second / settings.shards,
            ceiling=settings.cluster_look_ceiling,
        ),
        metrics=parts.metrics,
        wake=parts.wake_changed,
        look_whole=parts.look_whole,
        is_watched=watch.follows,
    )


def build_issuer_looks(parts: Parts) -> IssuerLooks:
    """Return what looks at the cluster's issuer, and at those of the settings."""
    return IssuerLooks(
        process=parts.process,
        states=parts.states,
        issuer=parts.issuer,
        documents=parts.documents,
        wake=parts.queue.add,
    )


def build_inventory(parts: Parts, tenants: TenantAccess) -> Inventory:
    """Return what goes over the applications of each tenant.

    Args:
        parts: of the process.
        tenants: those that can be used.
    """
    settings, metrics = parts.settings, parts.metrics
    return Inventory(
        clock=parts.clock,
        store=parts.store,
        access=tenants.access,
        doubts=Doubts(
            parts.clock,
            parts.store,
            parts.states,
            parts.wake_changed,
            metrics.inventory.doubts.inc,
            settle=settings.lifecycle.settle,
        ),
        guard=parts.process.guard,
        budget=Budget(
            per_second=settings.inventory_rate / settings.shards,
            ceiling=settings.inventory_ceiling,
        ),
        metrics=metrics,
    )


def build_ownership(parts: Parts, tenants: TenantAccess) -> OwnershipLooks:
    """Return what looks once a day whether the operator still owns the applications.

    Args:
        parts: of the process.
        tenants: the sessions, with what their tokens permit.
    """
    return OwnershipLooks(
        clock=parts.clock,
        store=parts.store,
        access=tenants.access,
        held=tenants.held,
        guard=parts.process.guard,
        wake=parts.look_whole,
    )


def build_sign_ins(parts: Parts, tools: Tools) -> PublishedSignIns:
    """Return what has published credentials sign in now and then.

    Args:
        parts: of the process.
        tools: what a sign-in is made with.
    """
    settings = parts.settings
    return PublishedSignIns(
        tools=tools,
        store=parts.store,
        states=parts.states,
        budget=SignInBudget(
            per_second=settings.lifecycle.published_sign_in_rate / settings.shards,
            interval=settings.published_sign_in_interval,
        ),
        metrics=parts.metrics.sign_ins,
        wake=parts.wake_changed,
    )
