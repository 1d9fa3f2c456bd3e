"""Kubernetes Events (events.k8s.io/v1). Losing one is logged and never stops anything."""

from __future__ import annotations

import logging
import secrets

from appcredential.errors import AppCredentialError
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import API_VERSION
from appcredential.ports.kube import EventSubject
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

CONTROLLER = "appcredential.io/operator"
_MAX_NOTE = 1000


class KubeEvents:
    """The Events port."""

    def __init__(self, kube: KubeClient, clock: Clock, instance: str) -> None:
        self._kube = kube
        self._clock = clock
        self._instance = instance

    async def emit(self, about: EventSubject, reason: str, note: str, *, warning: bool) -> None:
        """See `ports.Events`."""
        namespace = about.namespace or "default"
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{about.name[:200]}.{secrets.token_hex(8)}"},
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
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        try:
            await self._kube.request("POST", path, body=body)
        except AppCredentialError as exc:
            log.warning("event was lost", extra={"reason": reason, "error": str(exc)})
