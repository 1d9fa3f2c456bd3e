"""Which installation serves a cluster, and under which id it issues credentials there.

Two installations would act on the same resources. An installation with another id would take the
credentials that were issued for those of another cluster: it would neither renew nor remove them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MAX_SHOWN: Final = 300
UNREAD: Final = "the claim on the cluster was not read yet"
STALE: Final = "the claim on the cluster could not be read for some time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an installation claims a cluster with; its text is what the Lease holds.

    Attributes:
        namespace: the operator's own.
        installation: its name there, the same for all of its replicas.
        cluster_id: the id in the markers of its credentials, not hashed.
    """

    namespace: str
    installation: str
    cluster_id: str

    @property
    def holder(self) -> str:
        """The part that names the installation; neither name can contain an @."""
        return f"{self.namespace}/{self.installation}"

    def __str__(self) -> str:
        return f"{self.holder}@{self.cluster_id}"


def may_replace(own: Claim, recorded: str, replaced: str) -> bool:
    """Return whether an installation may claim the cluster, or has done so.

    Args:
        own: its claim.
        recorded: the text of the claim that is there; empty without one.
        replaced: the text of the claim that an administrator lets it replace.
    """
    return recorded in {"", str(own), replaced}


def claim_problem(own: Claim, recorded: str, replaced: str, place: str) -> str:
    """Return why an installation may not act in the cluster; empty when it may.

    Args:
        own: its claim.
        recorded: the text of the claim that is there; empty without one.
        replaced: the text of the claim that an administrator lets it replace.
        place: the Lease that holds the claim, as namespace/name.
    """
    if may_replace(own, recorded, replaced):
        return ""
    shown = recorded[:_MAX_SHOWN]  # anybody who may write the Lease decides how long it is
    override = f"set APPCREDENTIAL_REPLACE_CLAIM (settings.replaceClaim of the chart) to {shown}"
    holder, _, cluster_id = shown.partition("@")
    if holder != own.holder or not cluster_id:
        return (
            f"the cluster is served by another installation, {holder}, says the Lease {place}: two "
            "would act on the same resources; uninstall one of them, or, if this one is to follow "
            f"the other and that is stopped, {override}"
        )
    return (
        f"this installation issues as {own.cluster_id} (APPCREDENTIAL_CLUSTER_ID, or else the uid "
        f"of the namespace kube-system), but credentials were issued here as {cluster_id}, says "
        f"the Lease {place}: they would count as another cluster's, and would neither be renewed "
        f"nor removed; set APPCREDENTIAL_CLUSTER_ID to {cluster_id} (settings.clusterId of the "
        "chart), unless the cluster is a copy of one that lives on; to leave them and begin anew, "
        f"{override}"
    )
