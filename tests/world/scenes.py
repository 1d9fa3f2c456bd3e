"""Where a history begins: one AppCredential of each type, as users write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appcredential.domain.spec.model import CredentialType
from tests.support.builders import CLIENT_ID
from tests.world.consumers import Consumer, mounted, restarted, stubborn

WINDOWS: Final = ({"from": "11:15", "to": "11:30"}, {"from": "12:15", "to": "12:30"})
"""The world begins at ten. The first two renewals wait for one of these, and the next cannot."""
_ROTATION: Final = {"renewBefore": "40m", "overlap": "20m", "retireWhen": "OverlapElapsed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One beginning.

    Attributes:
        spec: of the AppCredential.
        processes: of the operator; all but the first are standbys.
        consumers: make the workloads that read the Secret.
        has_pods: pods use the Secret, which read it once, at their start.
        is_adopting: the operator may use what another cluster issued.
        is_walked: random histories begin here, too; else only those that are written down.
    """

    name: str
    spec: Mapping[str, Any]
    processes: int = 1
    consumers: tuple[Callable[[], Consumer], ...] = (mounted, restarted)
    has_pods: bool = False
    is_adopting: bool = False
    is_walked: bool = True

    @property
    def kind(self) -> CredentialType:
        """The type of its credentials."""
        return CredentialType(self.spec["type"])

    @property
    def is_federated(self) -> bool:
        """There is no Secret."""
        return self.kind is CredentialType.FEDERATED_IDENTITY

    @property
    def has_windows(self) -> bool:
        """A publish waits for a window."""
        return "windows" in (self.spec.get("rotation") or {})

    @property
    def has_restarts(self) -> bool:
        """The operator restarts workloads, whose pods these are."""
        return "restart" in (self.spec.get("rotation") or {})

    @property
    def is_brought(self) -> bool:
        """Somebody else makes the certificate."""
        return (self.spec.get("certificate") or {}).get("source") == "Secret"


def _spec(kind: str, member: str, of_member: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "application": {"clientId": CLIENT_ID},
        "type": kind,
        member: dict(of_member),
        "deletionPolicy": "Revoke",
        "deletionGracePeriod": "20m",
        **more,
    }


_HELD: Final[Mapping[str, Any]] = {
    "secret": {"name": "orders-entra"},
    "lifetime": "2h",
    "rotation": _ROTATION,
}
_SECRET: Final = _spec("ClientSecret", "clientSecret", {}, **_HELD)
_DEFAULTS: Final = _spec("ClientSecret", "clientSecret", {}, secret={"name": "orders-entra"})
"""As most people write it: no renewal is due while it is watched, so a history is short."""
_CERTIFICATE: Final = _spec("Certificate", "certificate", {"source": "Generate"}, **_HELD)
_BROUGHT: Final = _spec(
    "Certificate",
    "certificate",
    {"source": "Secret", "secretKeyRef": {"name": "orders-tls", "key": "tls.crt"}},
    secret={"name": "orders-entra"},
    rotation={"overlap": "20m", "retireWhen": "OverlapElapsed"},
)
_RESTARTING: Final = {
    **_ROTATION,
    "renewBefore": "55m",
    "restart": {"workloads": "UsingSecret"},
}
_FEDERATED: Final = _spec(
    "FederatedIdentity", "federatedIdentity", {"serviceAccount": {"name": "orders"}}
)

SCENES: Final[Mapping[str, Scene]] = {
    scene.name: scene
    for scene in (
        Scene(name="secret", spec=_SECRET),
        Scene(
            name="expired",
            spec={**_SECRET, "rotation": {**_ROTATION, "retireWhen": "Expired"}},
            consumers=(mounted, stubborn),
        ),
        Scene(name="unproven", spec={**_SECRET, "verification": {"mode": "Disabled"}}),
        Scene(name="replicas", spec=_SECRET, processes=2),
        Scene(
            name="pods",
            spec={
                **_SECRET,
                "rotation": {**_ROTATION, "renewBefore": "55m", "retireWhen": "RolledOut"},
            },
            consumers=(mounted,),
            has_pods=True,
        ),
        Scene(
            name="restart",
            spec={**_SECRET, "rotation": {**_RESTARTING, "retireWhen": "RolledOut"}},
            consumers=(mounted,),
            has_pods=True,
        ),
        Scene(
            name="restart-overlap",
            spec={**_SECRET, "rotation": _RESTARTING},
            consumers=(mounted,),
            has_pods=True,
        ),
        Scene(
            name="windows",
            spec={
                **_SECRET,
                "rotation": {**_ROTATION, "renewBefore": "60m", "windows": WINDOWS},
            },
        ),
        Scene(name="certificate", spec=_CERTIFICATE),
        Scene(name="brought", spec=_BROUGHT, is_walked=False),
        Scene(name="federated", spec=_FEDERATED, consumers=()),
        Scene(name="adopting", spec=_SECRET, is_adopting=True, is_walked=False),
        Scene(name="adopting-certificate", spec=_CERTIFICATE, is_adopting=True, is_walked=False),
        Scene(name="defaults", spec=_DEFAULTS, is_walked=False),
    )
}
WALKED: Final = tuple(name for name, scene in SCENES.items() if scene.is_walked)
