"""Which Secrets a reference in a spec may read.

Who may create an AppCredential may not thereby read every Secret of the namespace: what a
reference names ends up, changed or not, in a Secret that other people may mount.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appcredential.domain.secret.annotations import Name, value_of
from appcredential.domain.secret.content import MANAGED_BY, MANAGER
from appcredential.domain.spec.reserved import CREDENTIAL_LABELS

OPAQUE: Final = "Opaque"
TLS: Final = "kubernetes.io/tls"
PASSWORD_TYPES: Final = (OPAQUE,)
CERTIFICATE_TYPES: Final = (OPAQUE, TLS)


def refusal(
    kind: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    allowed: tuple[str, ...],
) -> str | None:
    """Return why a reference may not read a Secret, with the remedy; None when it may.

    Args:
        kind: the Secret's type.
        labels: the Secret's.
        annotations: the Secret's.
        allowed: the types that this reference may read.
    """
    if labels.get(MANAGED_BY) == MANAGER or value_of(annotations, Name.OWNER):
        return "belongs to an AppCredential: name a Secret of your own"
    foreign = next((label for label in CREDENTIAL_LABELS if label in labels), None)
    if foreign is not None:
        return f"has the label {foreign}, by which another controller uses it: name another Secret"
    if kind not in allowed:
        return f"has a type that is not read: use a Secret of type {' or '.join(allowed)}"
    return None
