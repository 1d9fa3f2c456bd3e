"""Which resourceVersions are news: what our own write made is none when a watch shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 100_000


def is_newer(seen: str, held: str) -> bool:
    """Return whether a version is later than the one that is held.

    Our own writes come back through the watch, and older events late. Resource
    versions of one kind compare as integers (KEP-5504); anything else counts as newer.
    """
    if seen.isdigit() and held.isdigit():
        return int(seen) > int(held)
    return bool(seen) and seen != held


class OwnWrites:
    """The version that our last write of each object made.

    Each of these writes names the version that it was decided on, so that an object that
    somebody else changed in between refuses it (409). What a watch shows up to the version of
    our own write is therefore known; a later one is news.
    """

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}

    def note(self, document: Mapping[str, Any]) -> None:
        """Note the answer to a write of ours."""
        if len(self._versions) >= _MOST:
            self._versions.clear()  # each echo costs one look then
        metadata = document["metadata"]
        self._versions[metadata["uid"]] = metadata["resourceVersion"]

    def cover(self, uid: str, version: str) -> bool:
        """Return whether a version of an object is that of our last write, or an older one."""
        own = self._versions.get(uid)
        return own is not None and not is_newer(version, own)

    def forget(self, uid: str) -> None:
        """Drop an object that is gone."""
        self._versions.pop(uid, None)
