"""What a watch shows of a target Secret, laid beside what was read of it."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.observed.target import Target
from appcredential.kube.own_writes import is_newer


@dataclass(frozen=True, slots=True)
class ShownTarget:
    """The last version that a watch or a list showed.

    Attributes:
        version: the resourceVersion; of its removal if it is gone.
    """

    version: str
    is_gone: bool = False

    def is_news_to(self, held: Target | None) -> bool:
        """Return whether it differs from what was read last: None, if that was nothing.

        Our own write is held as soon as its answer is there, so that its event is no news.
        """
        if held is None:
            return not self.is_gone
        return is_newer(self.version, held.resource_version)
