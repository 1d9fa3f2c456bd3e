"""What one action of the admin API is: a function of the state, the names in the path, the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from entra_emulator.world import World

Answer = tuple[int, Any]
"""HTTP status, and the JSON of the answer or None for an empty one."""

Action = Callable[[World, Mapping[str, str], Any], Answer]
"""Gets the state, the named parts of path and query, and the parsed body."""
