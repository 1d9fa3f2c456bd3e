"""Revocations as ConfigMaps in the operator's namespace. They never hold a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.facts.deletion import name_of
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.times import format_time, required_time
from appcredential.kube.client import KubeClient
from appcredential.kube.own_config_maps import Kept, OwnConfigMaps, data_of, read_revocation

LABEL: Final = "appcredential.io/ticket"


class KubeRevocations(OwnConfigMaps[Revocation]):
    """The Revocations port."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        kept = Kept(
            label=LABEL,
            what="revocation",
            warning="a revocation cannot be read and is left alone; mend or delete the ConfigMap",
            build=_build,
            read=_read,
            name_of=name_of,
        )
        super().__init__(kube, namespace, kept)

    async def list(self) -> tuple[Revocation, ...]:
        """See `ports.Revocations`."""
        return tuple([revocation async for revocation in self.each()])


def _build(revocation: Revocation) -> dict[str, str]:
    return {**data_of(revocation), "due": format_time(revocation.due)}


def _read(data: Mapping[str, str], metadata: Mapping[str, Any]) -> Revocation:
    return read_revocation(data, metadata, required_time(data["due"]))
