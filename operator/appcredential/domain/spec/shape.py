"""The base of the shapes of manifests."""

from __future__ import annotations

import msgspec


class Shape(msgspec.Struct, rename="camel", frozen=True):
    """Base of all shapes: camelCase in the manifest, snake_case here."""
