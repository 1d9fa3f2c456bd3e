"""An AppCredential of each type in one namespace: what no step of helm may change, and its life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from demo.exchanging import sign_in_as
from tests.integration.installation import CORE, Team
from tests.integration.stories_federation import CLIENT_ID, Federated

SECRET: Final = "app"
CERTIFICATE: Final = "certified"
TRUST: Final = "trusted"
OUTPUT: Final = "orders-entra"
TYPES: Final[Mapping[str, str]] = {
    SECRET: "client secret",
    CERTIFICATE: "certificate",
    TRUST: "federated identity",
}
Held = Mapping[str, tuple[str, ...]]
"""Ids of the credentials that the application has, by the AppCredential they are for."""
Mounted = Mapping[str, Mapping[str, str]]
"""What the workloads of each are given."""
NONE: Final[Held] = dict.fromkeys(TYPES, ())


class OfEachType:
    """Three AppCredentials of a team, each of another type, with a ServiceAccount."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.federated = Federated(team)

    def apply(self) -> None:
        """Create them, and wait until all are Ready."""
        self.team.apply(SECRET, deletionGracePeriod="0s")
        member = {"clientSecret": None, "certificate": {"source": "Generate"}}
        manifest = self.team.manifest(
            CERTIFICATE, type="Certificate", deletionGracePeriod="0s", **member
        )
        manifest["spec"] = {k: v for k, v in manifest["spec"].items() if v is not None}
        path = f"/apis/appcredential.io/v1alpha1/namespaces/{self.team.namespace}/appcredentials"
        self.team.i.kube.create(path, manifest)
        self.federated.account()
        self.federated.apply(
            TRUST,
            serviceAccount={"name": "orders"},
            configMap={"name": OUTPUT},
            deletionGracePeriod="0s",
        )
        self.ready()

    def ready(self) -> None:
        """Wait until all are, and nothing is on its way."""
        self.team.ready(SECRET)
        self.team.ready(CERTIFICATE)
        self.federated.ready(TRUST)
        self.team.until(lambda: self.team.pending() == [], "nothing is on its way")

    def held(self) -> Held:
        """Return what the application has."""
        return {
            SECRET: tuple(sorted(self.team.key_ids())),
            CERTIFICATE: tuple(sorted(self.team.certificates())),
            TRUST: tuple(sorted(c["id"] for c in self.federated.listed())),
        }

    def unchanged(self) -> dict[str, Any]:
        """Return all that must stay as it is while nothing is asked for."""
        secrets = {name: self.team.secret(name) or {} for name in (SECRET, CERTIFICATE)}
        return {
            "held": self.held(),
            "minted": self.team.minted(),
            "annotations": self.federated.annotations(),
            "uids": {n: s["metadata"]["uid"] for n, s in secrets.items()},
            "versions": {n: s["metadata"]["resourceVersion"] for n, s in secrets.items()},
        }

    def mounted(self) -> Mounted:
        """Return what the workloads of each type are given."""
        given = {name: self.team.values(name) for name in (SECRET, CERTIFICATE)}
        return {**given, TRUST: self.federated.annotations()}

    def sign_ins(self, mounted: Mounted) -> dict[str, bool]:
        """Sign in as the workloads of each type do."""
        i = self.team.i
        account = (i.cluster, i.emulator, self.team.namespace, "orders")
        return {
            SECRET: self.team.sign_in(mounted[SECRET]),
            CERTIFICATE: self.team.sign_in(mounted[CERTIFICATE]),
            TRUST: sign_in_as(*account, client_id=mounted[TRUST][CLIENT_ID]) == "",
        }

    def live_on(self) -> None:
        """Rotate both credentials, and have the output mended after somebody's edit."""
        before = {name: self.team.key(name) for name in (SECRET, CERTIFICATE)}
        for name in before:
            self.team.rotate(name)

        def are_rotated() -> bool:
            return all(self.team.key(n) not in {"", key} for n, key in before.items())

        self.team.until(are_rotated, "both have successors", SECRET)
        path = f"{CORE}/namespaces/{self.team.namespace}/configmaps/{OUTPUT}"
        wanted = self.output()
        self.team.i.kube.edit(path, lambda found: found.update(data={}))
        self.team.until(lambda: self.output() == wanted, "the output is mended", TRUST)

    def output(self) -> dict[str, str] | None:
        """Return the data of the output ConfigMap; None when it is not there."""
        path = f"{CORE}/namespaces/{self.team.namespace}/configmaps/{OUTPUT}"
        found = self.team.i.kube.get(path)
        return None if found is None else found.get("data")

    def end(self) -> None:
        """Delete all three, and wait until everything is taken back."""
        i = self.team.i
        for name in TYPES:
            self.team.delete(name)
        i.until(lambda: i.tickets(self.team.namespace) == [], "the deletions are finished")
        assert self.held() == NONE
        assert self.federated.annotations() == {}
        assert (self.team.secret(SECRET), self.team.secret(CERTIFICATE)) == (None, None)
        assert self.output() is None


def tell_step(
    tell: Callable[[str], None], step: str, before: Held, after: Held, sign_ins: Mapping[str, bool]
) -> None:
    """Print what a step did to the credentials: nothing, if all is well."""
    tell(f"{step}: what the application has before → after, and whether its workload signs in")
    for name, type_ in TYPES.items():
        shown = " → ".join(
            ", ".join(i[:8] for i in held[name]) or "none" for held in (before, after)
        )
        tell(f"  {type_:<18}  {shown:<21}  {'signs in' if sign_ins[name] else 'is refused'}")
