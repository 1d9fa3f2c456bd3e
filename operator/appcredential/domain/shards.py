"""Which of several operators works on a namespace.

Every namespace belongs to exactly one shard, by its name alone: each process finds that without a
word to another. Cluster-scoped objects have no namespace and belong to the first shard.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

MOST_SHARDS: Final = 16


def shard_of(namespace: str, count: int) -> int:
    """Return the shard that a namespace belongs to, from 0 on.

    Args:
        namespace: its name; empty for what is cluster-scoped.
        count: how many shards there are.
    """
    if not namespace:
        return 0
    return int.from_bytes(sha256(namespace.encode()).digest()) % count


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of the cluster that one process works on.

    Attributes:
        number: its own, from 0 on.
        count: of all shards.
    """

    number: int = 0
    count: int = 1

    def serves(self, namespace: str) -> bool:
        """Return whether a namespace is in this shard; an empty name is what is cluster-scoped."""
        return self.count == 1 or shard_of(namespace, self.count) == self.number

    @property
    def is_first(self) -> bool:
        """Whether it is the shard that also looks after what is cluster-scoped."""
        return self.number == 0

    @property
    def suffix(self) -> str:
        """What names its own objects, after the name of the first shard's."""
        return "" if self.is_first else f"-shard-{self.number}"


WHOLE: Final = Shard()
"""All namespaces: what a process works on unless there are several shards."""
