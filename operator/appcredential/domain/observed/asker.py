"""Who asks for a credential, as far as grants look at it, and what the application allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from appcredential.domain.spec.grant import allow_tag
from appcredential.domain.spec.label_selector import Labels

Tags: TypeAlias = tuple[str, ...]
"""The tags of an application that are meant for grants, see `spec.grant.is_allow_tag`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The tags of an application as last seen, be it in a list or by a direct read.

    Attributes:
        seen: when the request left.
    """

    tags: Tags
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A namespace that asks for a credential of an application, now.

    Attributes:
        cluster_id: what the tags of applications call this cluster.
        operator_namespace: the operator's own, which no selector matches.
        labels: of the namespace; None while they are not known.
        labels_problem: why the operator cannot read labels until somebody mends it; else empty.
        tags: of the application; None while they are not known.
    """

    namespace: str
    now: datetime
    cluster_id: str
    operator_namespace: str
    labels: Labels | None = None
    labels_problem: str = ""
    tags: Tags | None = None

    @property
    def wanted_tag(self) -> str:
        """The tag that allows this namespace to ask."""
        return allow_tag(self.cluster_id, self.namespace)
