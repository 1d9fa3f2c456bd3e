"""Kubernetes Events (events.k8s.io/v1). Losing one is logged and never stops anything."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Final

from appcredential.errors import AppCredentialError
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import API_VERSION
from appcredential.ports.events import NO_ANNOTATIONS, EventSubject, Related
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

CONTROLLER = "appcredential.io/operator"
_MAX_NOTE = 1000
_API_VERSIONS: Final = {
    "Secret": "v1",
    "ServiceAccount": "v1",
    "Rollout": "argoproj.io/v1alpha1",
}
"""Of what is no workload of `apps`."""


class KubeEvents:
    """The Events port."""

    def __init__(self, kube: KubeClient, clock: Clock, instance: str) -> None:
        self._kube = kube
        self._clock = clock
        self._instance = instance

    async def emit(
        self,
        about: EventSubject,
        reason: str,
        note: str,
        *,
        warning: bool,
        annotations: Mapping[str, str] = NO_ANNOTATIONS,
        related: Related | None = None,
    ) -> None:
        """See `ports.Events`."""
        namespace = about.namespace or "default"
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{about.name[:200]}.{secrets.token_hex(8)}",
                **({"annotations": dict(annotations)} if annotations else {}),
            },
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance[:128],
            "action": "Reconcile",
            "reason": reason,
            "note": note[:_MAX_NOTE],
            "type": "Warning" if warning else "Normal",
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": about.kind,
                "name": about.name,
                "uid": about.uid,
                **({"namespace": about.namespace} if about.namespace else {}),
            },
            **({"related": _reference(related)} if related is not None else {}),
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        try:
            await self._kube.request("POST", path, body=body)
        except AppCredentialError as exc:
            log.warning("event was lost", extra={"reason": reason, "error": str(exc)})


def _reference(related: Related) -> dict[str, str]:
    return {
        "apiVersion": _API_VERSIONS.get(related.kind, "apps/v1"),
        "kind": related.kind,
        "namespace": related.namespace,
        "name": related.name,
    }
