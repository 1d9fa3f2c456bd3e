"""Builds what reads and renews the operator's own credentials."""

from __future__ import annotations

from appcredential.kube.custom_resources import TENANTS
from appcredential.kube.own_secret import KubeOwnSecrets
from appcredential.parts import Parts
from appcredential.ports.local import PodToken
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.own_identity import OwnIdentity
from appcredential.tenants.own_rotation import OwnRotation
from appcredential.tenants.own_secret_rotation import OwnSecretRotation
from appcredential.tenants.own_secret_steps import OwnSecretSteps
from appcredential.tenants.own_steps import OwnSteps


def build_own_identity(parts: Parts, token: PodToken) -> OwnIdentity:
    """Return the operator's own credentials.

    Args:
        parts: of the process.
        token: of the operator's pod.
    """
    clock, namespace = parts.clock, parts.settings.namespace
    secrets = KubeOwnSecrets(parts.client, namespace)
    cluster = parts.process.identity.whole
    return OwnIdentity(
        OperatorCredentials(clock=clock, namespace=namespace, secrets=parts.secrets, token=token),
        OwnRotation(
            process=parts.process,
            secrets=secrets,
            steps=OwnSteps(clock=clock, secrets=secrets, events=parts.kube.events, cluster=cluster),
            tenants=lambda: parts.objects.pages(TENANTS),
        ),
        OwnSecretRotation(
            process=parts.process,
            secrets=secrets,
            steps=OwnSecretSteps(clock=clock, secrets=secrets, events=parts.kube.events),
            tenants=lambda: parts.objects.pages(TENANTS),
        ),
    )
