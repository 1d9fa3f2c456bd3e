"""A session with one Entra tenant, as Protocols. The adapters are in `entra/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appcredential.domain.observed.entra import Tenant
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId, EntraTenantSpec
from appcredential.ports.entra import Directory, Probe, SignIn
from appcredential.ports.lists import Lists
from appcredential.ports.own_keys import OwnKeys


@dataclass(frozen=True, slots=True)
class Pace:
    """How the requests to one tenant do.

    Attributes:
        units: the share in use of the quota of resource units; 1 is all of it.
        writes: the same of the quota of writes.
        pause: for how many seconds nothing is sent, because Graph asked for it.
        pauses: how often Graph or the token endpoint asked for a pause.
    """

    units: float
    writes: float
    pause: float
    pauses: int


class Session(Protocol):
    """An open session with one tenant."""

    @property
    def directory(self) -> Directory:
        """Graph."""
        ...

    @property
    def own_keys(self) -> OwnKeys:
        """The certificates of the operator's own application."""
        ...

    @property
    def lists(self) -> Lists:
        """Graph's lists, which show many applications at once."""
        ...

    @property
    def sign_in(self) -> SignIn:
        """The token endpoint."""
        ...

    @property
    def authority_host(self) -> str:
        """The URL that workloads read as AZURE_AUTHORITY_HOST."""
        ...

    @property
    def client_id(self) -> ClientId | None:
        """The client as which the operator signs in; None until that is known."""
        ...

    @property
    def principal_id(self) -> str:
        """The object id of the operator's service principal; empty until that is known."""
        ...

    def pace(self) -> Pace:
        """Return how much of Graph's quotas is used, and the pause; for any thread."""
        ...

    async def probe(self) -> Probe:
        """Sign in, and read applications and the policy.

        Raises:
            AppCredentialError: the operator cannot use the tenant now.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


OpenSession = Callable[[EntraTenantSpec, OperatorCredential, Callable[[], bool]], Session | None]
"""Opens a session; None when `cloud: Custom` has no endpoints in the settings.

The last argument returns whether this process may write; it is asked before a lost certificate
is put back.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """A tenant that can be used, and the session to do so."""

    tenant: Tenant
    session: Session
