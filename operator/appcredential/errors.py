"""The error tree. Adapters translate what their libraries raise into these, in one place each.

AppCredentialError(reason)
├── InvalidSpecError(path)          the user must change the manifest
├── UnusableCertificateError        Entra cannot use a certificate that a user supplied
├── UnusableKubeconfigError         there is no way to the API server
├── ConflictError                   409: the object changed or exists; gather again
├── NotFoundError                   404: absent, or not visible to this replica yet
├── PermissionDeniedError           401/403: an administrator must act
│   ├── IdentityRejectedError(code) Entra refuses the operator's own credential
│   │   ├── OwnTokenError           the projected token of the operator's pod cannot be sent
│   │   └── NoManagedIdentityError  the operator's node gives it no managed identity
│   └── SecretForbiddenError        no role lets the operator read or write the Secret
├── RejectedError(code)             the server refused the request for good (other 4xx)
│   └── SecretRefusedError(cause)   quota, admission or validation keeps the Secret out
├── ThrottledError(retry_after)     429
│   └── NotYetError                 not sent: others are before us, by the operator's own pace
├── TooLateError                    not sent: the caller's deadline passed before
└── UnavailableError                network, time-out, 5xx; a write may have been applied
    ├── UntrustedServerError        the server's certificate is not trusted; nothing was sent
    ├── OutcomeUnknownError         a write was sent and its answer was lost
    ├── AnswerTooLargeError         a read whose answer was given up at a bound
    └── UnusableListError           a list whose pages lead elsewhere, or do not end

No message in this tree holds a secret value or text that a server sent: messages reach
status and Events, while server text goes to the log only.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from appcredential.graph_call import GraphCall


class AppCredentialError(Exception):
    """Base of everything this package raises on purpose.

    Attributes:
        graph: the call to Graph that failed; None for everything else, and what was never sent.
    """

    graph: GraphCall | None = None


class InvalidSpecError(AppCredentialError):
    """A manifest that the operator cannot use.

    Args:
        path: dotted path of the field, such as `spec.rotation.overlap`.
        remedy: what must be true, such as `must be at most renewBefore`.
    """

    def __init__(self, path: str, remedy: str) -> None:
        super().__init__(f"{path}: {remedy}")
        self.path = path
        self.remedy = remedy


class UnusableCertificateError(AppCredentialError):
    """A certificate that a user supplied cannot be used.

    The message continues a sentence that begins with "The certificate". It names the fault
    and the remedy, and holds nothing of the content.
    """


class UnusableKubeconfigError(AppCredentialError):
    """The kubeconfig cannot be used, or none is named and this is no pod with a token."""


class ConflictError(AppCredentialError):
    """The object exists already, or its resourceVersion or uid is not the one sent."""


class NotFoundError(AppCredentialError):
    """The server answered 404. One such answer never proves that a credential is gone."""


class NamespaceTerminatingError(AppCredentialError):
    """The namespace is being deleted, so nothing can be created in it."""


class PermissionDeniedError(AppCredentialError):
    """The server answered 401 or 403: an administrator must grant a permission."""


class IdentityRejectedError(PermissionDeniedError):
    """The operator got no token of its own, so it asked nothing of Graph.

    Args:
        code: AADSTS number of the token endpoint's answer, 0 without one.
        skew: Entra's clock minus ours by that answer, when it told the time.

    Attributes:
        message: what the rejection means for the operator's kind of identity, for status;
            empty when that kind is not known.
    """

    def __init__(self, message: str, *, code: int = 0, skew: timedelta | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.skew = skew
        self.message = ""


class OwnTokenError(IdentityRejectedError):
    """The projected token that the operator signs in with is missing, or may not be sent.

    The message continues a sentence that begins with the file's name, and holds nothing of
    the token.
    """


class NoManagedIdentityError(IdentityRejectedError):
    """The operator's node gives it no managed identity."""


class SecretForbiddenError(PermissionDeniedError):
    """The API server does not let the operator read, or write, Secrets of a namespace."""

    def __init__(self, message: str, *, is_write: bool) -> None:
        super().__init__(message)
        self.is_write = is_write


class RejectedError(AppCredentialError):
    """The server refused the request and will refuse it again.

    Args:
        code: the machine-readable error code of the server, safe to show.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class SecretRefusal(StrEnum):
    """Why the API server refuses a Secret although the operator may write it."""

    QUOTA = "Quota"
    ADMISSION = "Admission"
    INVALID = "Invalid"


class SecretRefusedError(RejectedError):
    """The API server refuses a Secret although the operator may write it."""

    def __init__(self, message: str, *, cause: SecretRefusal) -> None:
        super().__init__(message, code=str(cause))
        self.cause = cause


class ThrottledError(AppCredentialError):
    """The server asked us to slow down.

    Args:
        retry_after: how long to send nothing.
    """

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotYetError(ThrottledError):
    """The call was not sent: its turn has not come. `retry_after` says when to come again."""


class TooLateError(AppCredentialError):
    """The call was not sent: the caller's deadline passed before its turn came."""


class UnavailableError(AppCredentialError):
    """Network failure, time-out or 5xx. It proves nothing; try again later."""


class UntrustedServerError(UnavailableError):
    """The certificate of Graph or of the token endpoint is not trusted; nothing was sent.

    Args:
        is_token_endpoint: whether it is the token endpoint's; otherwise Graph's.

    Attributes:
        issuer: who issued it; empty until somebody looked, and when that is unknown.
    """

    def __init__(self, message: str, *, is_token_endpoint: bool) -> None:
        super().__init__(message)
        self.is_token_endpoint = is_token_endpoint
        self.issuer = ""


class OutcomeUnknownError(UnavailableError):
    """A write was sent and no usable answer came back: it may have been applied."""


class AnswerTooLargeError(UnavailableError):
    """The answer to a read has more bytes than this process takes. Ask for less."""


class UnusableListError(UnavailableError):
    """The pages of a list lead to another address, or there are more than the list can have."""
