"""What the operator needs from Kubernetes to restart workloads, as a Protocol."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

from appcredential.domain.observed.workloads import Selection, Workload
from appcredential.errors import UnusableListError

SelectedWorkloads: TypeAlias = Mapping[Selection, tuple[Workload, ...] | UnusableListError]
"""By kind and name; an error where there are more than are read, which is no other question's."""


class Workloads(Protocol):
    """Workloads: listed while a restart is due or under way, never watched."""

    async def selected(self, namespace: str, asked: Collection[Selection]) -> SelectedWorkloads:
        """Return which workloads of a namespace each question asks for.

        Kinds that the cluster does not have are left out.

        Raises:
            AppCredentialError: the API server refused, or gave no whole list.
        """
        ...

    async def restart(self, namespace: str, workload: Workload, time: datetime) -> None:
        """Write a time into the annotation of exactly this version's pod template.

        Raises:
            ConflictError, NotFoundError: the workload changed or went meanwhile.
            PermissionDeniedError, RejectedError: a right is missing, or admission refuses it.
            UnavailableError: it may have been done.
        """
        ...
