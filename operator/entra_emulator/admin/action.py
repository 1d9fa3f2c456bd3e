"""The type of an action of the admin API: a function of state, path names and body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from entra_emulator.world import World

Answer = tuple[int, Any]
"""HTTP status, and the JSON body; None for an empty answer."""

Action = Callable[[World, Mapping[str, str], Any], Answer]
"""Gets the state, the named parts of path and query, and the parsed JSON body."""
