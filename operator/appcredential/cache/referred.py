"""What an object of the three kinds refers to, by its spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tenant_of(document: Mapping[str, Any]) -> str:
    """Return the EntraTenant that an AppCredential or grant names."""
    reference = (document.get("spec") or {}).get("tenantRef") or {}
    return str(reference.get("name") or "default")


def secret_of(document: Mapping[str, Any]) -> str:
    """Return the Secret that an AppCredential publishes to."""
    secret = (document.get("spec") or {}).get("secret") or {}
    return str(secret.get("name") or document["metadata"]["name"])


def client_of(document: Mapping[str, Any]) -> str:
    """Return the client id that an AppCredential names."""
    application = (document.get("spec") or {}).get("application") or {}
    return str(application.get("clientId") or "")


def type_of(document: Mapping[str, Any]) -> str:
    """Return the type of credential that an AppCredential asks for."""
    return str((document.get("spec") or {}).get("type") or "")
