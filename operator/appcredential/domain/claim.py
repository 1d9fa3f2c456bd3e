"""Which installation serves a cluster, and under which id it issues credentials there.

Two installations would act on the same resources. An installation with another id would take the
credentials that were issued for those of another cluster: it would neither renew nor remove them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNREAD: Final = "the claim on the cluster was not read yet"


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
    override = f"set APPCREDENTIAL_REPLACE_CLAIM (settings.replaceClaim of the chart) to {recorded}"
    holder, _, cluster_id = recorded.partition("@")
    if holder != own.holder:
        return (
            f"the cluster is served by another installation, {holder}, says the Lease {place}: two "
            "would act on the same resources; uninstall one of them, or, if this one is to follow "
            f"the other and that is stopped, {override}"
        )
    return (
        f"APPCREDENTIAL_CLUSTER_ID means {own.cluster_id}, but credentials were issued here as "
        f"{cluster_id}, says the Lease {place}: they would count as another cluster's, and would "
        f"neither be renewed nor removed; set it to {cluster_id} (settings.clusterId of the "
        f"chart), or, to leave them and begin anew, {override}"
    )
