"""The operations of which a failure is told, by name."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What failed. The same operation must succeed before its problem is over."""

    READ = "read"
    """Reading the application or its federated credentials."""
    MINT = "mint"
    """Issuing or registering a credential, or making or changing a federated one."""
    REMOVE = "remove"
    """Removing a credential from the application."""
    PROVE = "prove"
    """Asking for a ServiceAccount's token, without which no exchange can be tried."""
    ANNOTATE = "annotate"
    """Annotating the ServiceAccount."""
    OUTPUT = "output"
    """Writing the output ConfigMap."""
    STORE_MINTED = "store minted"
    """Writing the pending Secret before and after the credential is issued."""
    STORE_REGISTERED = "store registered"
    """Writing the pending Secret after the certificate is registered."""
    FENCE = "fence"
    """Writing the pending Secret of an attempt that is given up."""
    DELETE_PENDING = "delete pending"
    """Deleting the pending Secret."""
    PUBLISH = "publish"
    """Writing a new credential into the target Secret."""
    WRITE_TARGET = "write target"
    """Writing the target Secret with the credential that it holds."""
