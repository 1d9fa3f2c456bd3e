"""Which installation serves a cluster, under which id it issues there, and in how many shards.

Two installations would act on the same resources. An installation with another id would take the
credentials that were issued for those of another cluster: it would neither renew nor remove them.
Two processes that count another number of shards would both take a namespace for theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.times import parse_time

_MAX_SHOWN: Final = 300
_SHARDED: Final = re.compile(r"([0-9]{1,4}) shards of (.*)", re.DOTALL)
UNREAD: Final = "the claim on the cluster was not read yet"
STALE: Final = "the claim on the cluster could not be read for some time"
RECENT: Final = (
    "the claim on the cluster was written moments ago: nothing is done until whoever acted by the "
    "former one has stopped"
)
LATE: Final = timedelta(seconds=30)
"""So long after the time in it a write may take effect: a request ends after 20 seconds, and the
rest is for how exactly the API server's clock is known."""


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the Lease says.

    Attributes:
        claim: the text of a claim; empty without one.
        shards: into how many shards the installation divides the cluster. Where nothing is said,
            one, which is how a process without shards claims it.
    """

    claim: str = ""
    shards: int = 1

    @classmethod
    def parse(cls, text: str) -> Recorded:
        """Read the text of the Lease. What a person damaged is another installation's."""
        found = _SHARDED.fullmatch(text)
        return cls(found[2], int(found[1])) if found is not None else cls(text)

    def __str__(self) -> str:
        return self.claim if self.shards == 1 else f"{self.shards} shards of {self.claim}"


@dataclass(frozen=True, slots=True)
class Record:
    """All that the Lease says.

    Attributes:
        what: the claim, and the number of shards.
        written: when it was replaced, by whoever did so; None where that is not to be read.
        is_replaced: another one was there before. A person may have written something else.
        patience: no process acts longer than that by what a look has shown; 0 where an earlier
            release wrote the claim.
    """

    what: Recorded = Recorded()
    written: datetime | None = None
    is_replaced: bool = False
    patience: timedelta = timedelta(0)

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Record:
        """Read the spec of the Lease."""
        return cls(
            Recorded.parse(str(spec.get("holderIdentity") or "")),
            parse_time(spec.get("acquireTime")),
            bool(spec.get("leaseTransitions")),
            timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0)),
        )


def has_to_wait(
    before: Record | None, latest: Record, *, now: datetime, patience: timedelta
) -> bool:
    """Return whether who acts by the latest record has to wait from now on, for all the patience.

    Args:
        before: the latest claim that this process saw before; without a claim where there was
            none, and None at its first look.
        latest: what it sees now.
        now: by the API server's clock.
        patience: for which it would wait.
    """
    is_told = latest.is_replaced or latest.what.shards > 1
    if before is None:
        is_old = latest.written is not None and now - latest.written > patience + LATE
        return is_told and not is_old
    if before.what.claim and before.what != latest.what:
        return True  # whatever the Lease says of that
    return is_told and before.written != latest.written


def missing_right(place: str, purpose: str) -> str:
    """Return what to do where the operator may not use one of its Leases.

    Args:
        place: the Lease, as namespace/name.
        purpose: what it is for.
    """
    return (
        f"the operator may not read and write the Lease {place}, {purpose}: give it the Roles of "
        "examples/deploy/rbac.yaml"
    )


def shards_problem(own: int, recorded: Recorded, place: str) -> str:
    """Return why a process has to wait for another number of shards; empty when it does not.

    Args:
        own: the number of shards that the process counts.
        recorded: what is there, with the number that counts for all.
        place: the Lease that holds it, as namespace/name.
    """
    if own == recorded.shards:
        return ""
    there = (
        f"the number of shards is {recorded.shards}, says the Lease {place}"
        if recorded.claim
        else f"no number of shards stands in the Lease {place} yet"
    )
    return (
        f"{there}, and this process counts "
        f"{own} (APPCREDENTIAL_SHARDS): nothing is done until the leader of the first shard has "
        f"recorded {own} there"
    )


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
