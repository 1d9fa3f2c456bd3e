"""A PATCH by alternate key that creates what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.errors.graph import bad_request

UPSERT = "create-if-missing"
"""The word of the `Prefer` header that asks for it."""


def named_in_path(body: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    """Return the body with the name from the path; the body may repeat that name.

    Raises:
        GraphError: 400 if the body has another name.
    """
    if body.get(key, name) != name:
        raise bad_request("The name in the body differs from the name in the path.")
    return {**body, key: name}
