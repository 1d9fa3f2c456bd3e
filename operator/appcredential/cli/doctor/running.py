"""Checks of the operator itself: does it run, who leads, is it of this tool's version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.doctor.operators import COMPONENT, Operator, operators
from appcredential.cli.text import span, when
from appcredential.domain.claim import Record, Recorded

_MANY_RESTARTS: Final = 5
_RECENT: Final = timedelta(hours=24)
_USUAL_WAITS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_INSTALL: Final = "helm install appcredential charts/appcredential -n appcredential-system"


def deployments(gathered: Gathered) -> Iterator[Finding]:
    """Check that the operator is installed and its pods are ready."""
    if gathered.deployments.missing:
        remedy = "Name the operator's namespace with --operator-namespace, or ask for its pods."
        yield unchecked("operator", gathered.deployments.missing, remedy)
        return
    found = operators(gathered)
    if not found and gathered.searched:
        why = f"there is none in {gathered.searched}, and you may not look in all namespaces"
        yield unchecked("operator", why, "Name its namespace with --operator-namespace.")
    elif not found:
        text = "No Deployment has the labels of the chart, so no operator seems to be installed."
        yield Finding(Gravity.BROKEN, "operator", text, f"{_INSTALL}, or --operator-namespace")
    for operator in found:
        yield from _replicas(operator)
        yield from _pods(gathered, operator)


def _replicas(operator: Operator) -> Iterator[Finding]:
    about = f"operator {operator.full_name}"
    name, where = operator.deployment.name, operator.namespace
    if operator.replicas == 0:
        remedy = f"kubectl scale deployment {name} -n {where} --replicas 2"
        yield Finding(Gravity.BROKEN, about, "It is scaled to 0: nothing is renewed.", remedy)
    elif operator.ready == 0:
        remedy = f"kubectl logs deployment/{name} -n {where}"
        text = f"None of {operator.replicas} pods is ready: nothing is renewed."
        yield Finding(Gravity.BROKEN, about, text, remedy)
    elif operator.ready < operator.replicas:
        text = f"{operator.ready} of {operator.replicas} pods are ready."
        yield Finding(Gravity.RISK, about, text, f"kubectl get pods -n {where}")
    else:
        yield fine(about, f"{operator.ready} of {operator.replicas} pods are ready.")


def _pods(gathered: Gathered, operator: Operator) -> Iterator[Finding]:
    about = f"pods of {operator.full_name}"
    if gathered.pods.missing:
        yield unchecked(about, gathered.pods.missing)
        return
    found = [
        finding
        for pod in _pods_of(gathered, operator)
        for container in pod.entries("status", "containerStatuses")
        for finding in _container(pod, container, gathered.now)
    ]
    yield from found or [fine(about, "None waits for long or is restarted often.")]


def _container(pod: Document, container: Document, now: datetime) -> Iterator[Finding]:
    namespace = pod.text("metadata", "namespace")
    about, waits = f"pod {namespace}/{pod.name}", container.text("state", "waiting", "reason")
    if waits not in _USUAL_WAITS:
        text = f"It does not run: {waits}. {container.text('state', 'waiting', 'message')}"
        remedy = f"kubectl describe pod {pod.name} -n {namespace}"
        yield Finding(Gravity.WRONG, about, text.strip(), remedy)
    elif _restarts_often(container, now):
        count = container.number("restartCount")
        why = container.text("lastState", "terminated", "reason") or "unknown"
        text = f"It was restarted {count} times, the last time because of {why}."
        remedy = f"kubectl logs {pod.name} -n {namespace} --previous"
        if why == "OOMKilled":
            remedy = "Set resources.limits.memory of the chart to more."
        yield Finding(Gravity.RISK, about, text, remedy)


def _restarts_often(container: Document, now: datetime) -> bool:
    ended = container.time("lastState", "terminated", "finishedAt")
    is_recent = ended is not None and now - ended < _RECENT
    return is_recent and (container.number("restartCount") or 0) >= _MANY_RESTARTS


def _pods_of(gathered: Gathered, operator: Operator) -> list[Document]:
    return [
        pod
        for pod in gathered.pods.items
        if pod.text("metadata", "labels", COMPONENT) == operator.component
        and pod.text("metadata", "namespace") == operator.namespace
    ]


def versions(gathered: Gathered) -> Iterator[Finding]:
    """Compare this tool's version with the operator's."""
    about, found = "version", operators(gathered)
    if not found:
        yield unchecked(about, "no operator was found to compare this tool with")
        return
    for operator in found:
        if not operator.version:
            yield unchecked(about, f"the Deployment {operator.full_name} does not say its version")
        elif operator.version != gathered.tool_version:
            text = (
                f"This tool is {gathered.tool_version}, the operator {operator.full_name} is "
                f"{operator.version}: they may mean different things by the same field."
            )
            yield Finding(Gravity.ADVICE, about, text, "Install the same version of both.")
        else:
            yield fine(about, f"This tool and {operator.full_name} are {operator.version}.")


def leases(gathered: Gathered) -> Iterator[Finding]:
    """Check that each shard has a leader that is alive, and one of its pods."""
    found = operators(gathered)
    if not found or gathered.leases.missing:
        why = gathered.leases.missing or "no operator was found"
        yield unchecked("leader", f"{why}; the metric appcredential_leader tells, too")
        return
    for operator in found:
        yield _leader(gathered, operator)


def _leader(gathered: Gathered, operator: Operator) -> Finding:
    place = f"{operator.namespace}/{operator.lease}"
    about, lease = f"leader (Lease {place})", None
    for candidate in gathered.leases.items:
        if candidate.text("metadata", "namespace") == operator.namespace:
            lease = candidate if candidate.name == operator.lease else lease
    logs = f"kubectl logs deployment/{operator.deployment.name} -n {operator.namespace}"
    holder = lease.text("spec", "holderIdentity") if lease is not None else ""
    renewed = lease.time("spec", "renewTime") if lease is not None else None
    if lease is None or not holder or renewed is None:
        text = "No pod leads, so nothing is done."
        return Finding(Gravity.BROKEN, about, text, logs)
    lasts = timedelta(seconds=lease.number("spec", "leaseDurationSeconds") or 0)
    if gathered.now > renewed + lasts:
        text = f"{holder} renewed it {when(renewed, gathered.now)}, and it lasts {span(lasts)}."
        return Finding(Gravity.BROKEN, about, f"{text} Nobody leads now.", logs)
    names = [pod.name for pod in _pods_of(gathered, operator)]
    if not gathered.pods.missing and not any(holder.startswith(name) for name in names):
        text = f"{holder} leads, and is no pod of {operator.full_name}: who else holds it?"
        return Finding(Gravity.WRONG, about, text, f"kubectl get pods -A | grep {holder}")
    return fine(about, f"{holder} leads, and renewed it {when(renewed, gathered.now)}.")


def claim(gathered: Gathered) -> Iterator[Finding]:
    """Check that the installation that was found is the one that claims the cluster."""
    found = operators(gathered)
    if not found or gathered.claim.missing:
        why = gathered.claim.missing or "no operator was found"
        yield unchecked("claim on the cluster", why)
        return
    first = found[0]
    place = f"{first.claim_namespace}/appcredential-claim"
    about, lease = f"claim on the cluster (Lease {place})", gathered.claim.only
    spec = lease.at("spec") if lease is not None else None
    if not isinstance(spec, dict) or not spec.get("holderIdentity"):
        text = "No installation claims the cluster: the operator has not begun."
        remedy = f"kubectl logs deployment/{first.deployment.name} -n {first.namespace}"
        yield Finding(Gravity.BROKEN, about, text, remedy)
        return
    recorded = Record.of(Document(spec).document).what
    yield _claimed(about, first, found, recorded)


def _claimed(about: str, first: Operator, found: list[Operator], recorded: Recorded) -> Finding:
    claimed = Document({"by": recorded.claim}).text("by")
    holder = claimed.partition("@")[0]
    if holder not in {operator.holder for operator in found}:
        text = f"Another installation, {holder}, claims it: {first.holder} does nothing."
        remedy = (
            "Uninstall one of them. If this one follows the other and that is stopped, set "
            f"settings.replaceClaim of the chart to {claimed}"
        )
        return Finding(Gravity.BROKEN, about, text, remedy)
    counts = {operator.shard.count for operator in found if operator.holder == holder}
    if counts != {recorded.shards}:
        told = " and ".join(map(str, sorted(counts)))
        text = f"It counts {recorded.shards} shards, and the Deployments count {told}."
        remedy = f"Set shards of the chart to {max(counts)}, and wait until the first shard leads."
        return Finding(Gravity.WRONG, about, text, remedy)
    return fine(about, f"{holder} claims it.")
