"""The labels of namespaces as last seen, while some grant selects namespaces by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from appcredential.domain.spec.label_selector import Labels
from appcredential.ports.namespaces import SeenNamespace

UNREADABLE: Final = (
    "the operator may not list and watch namespaces, so that no grant can select them by labels. "
    "Let it get, list and watch namespaces in the whole cluster (rbac.selectNamespaces of the "
    "chart), or list namespaces.names."
)


class KnownNamespaces:
    """Names and labels. A failure to read them changes nothing here: it is no evidence.

    Attributes:
        is_listed: whether all of them were listed; before that, none is known.
        problem: why the operator may not read them; empty if it may, or nobody asked.
    """

    def __init__(self) -> None:
        self._labels: dict[str, Labels | None] = {}
        self._untold: set[str] = set()
        self.is_listed = False
        self.problem = ""

    def labels(self, name: str) -> Labels | None:
        """Return the labels of a namespace; None while they are not known."""
        return self._labels.get(name)

    def replace(self, seen: Iterable[SeenNamespace]) -> frozenset[str]:
        """Take a whole list; return the namespaces that differ from before."""
        before, self._labels = self._labels, {one.name: one.labels for one in seen}
        self.is_listed, self.problem = True, ""
        untold, self._untold = self._untold, set()
        return frozenset(_differing(before, self._labels)) | untold

    def note(self, seen: SeenNamespace) -> bool:
        """Take one namespace as a watch shows it; return whether its users were told otherwise."""
        is_untold = seen.name in self._untold
        self._untold.discard(seen.name)
        return self._take(seen) or is_untold

    def read(self, seen: SeenNamespace) -> None:
        """Take one namespace as a read for one of its users shows it: the others are not told."""
        if self._take(seen):
            self._untold.add(seen.name)

    def _take(self, seen: SeenNamespace) -> bool:
        if seen.is_gone:
            return self._labels.pop(seen.name, None) is not None
        is_new = seen.name not in self._labels
        differs = is_new or self._labels[seen.name] != seen.labels
        self._labels[seen.name] = seen.labels
        return differs

    def forget(self, problem: str = "") -> None:
        """Know nothing any more: no grant looks at labels, or nobody may read them."""
        self._labels, self.is_listed, self.problem = {}, False, problem
        self._untold = set()


def _differing(
    before: Mapping[str, Labels | None], after: Mapping[str, Labels | None]
) -> Iterable[str]:
    missing = object()
    for name in before.keys() | after.keys():
        if before.get(name, missing) != after.get(name, missing):
            yield name
