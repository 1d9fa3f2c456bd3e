"""An Entra emulator in a thread of its own, for tests with synchronous and asynchronous clients.

Every method runs its action on the server's event loop and returns when it is
done, so a test can prepare and inspect the state from anywhere.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from entra_emulator.admin import actions, credentials, federated, issuers, lookup, principals, views
from entra_emulator.admin.seed import (
    ApplicationSeed,
    FederatedSeed,
    ForeignPrincipalSeed,
    IssuerSeed,
    KeySeed,
    PasswordSeed,
    Seed,
    TenantSeed,
    read_document,
)
from entra_emulator.directory.entities import Permission
from entra_emulator.faults.documents import faults_from, rule_from
from entra_emulator.request_log import LogEntry
from entra_emulator.server import EmulatorServer
from entra_emulator.world import World

T = TypeVar("T")

OWNED_BY = Permission.READ_WRITE_OWNED
READ_WRITE_ALL = Permission.READ_WRITE_ALL
READ_ALL = Permission.READ_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePassword:
    """A password that a test asked for; the secret is known when it was generated."""

    key_id: str
    display_name: str | None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeApplication:
    """The ids of an application that a test asked for."""

    tenant_id: str
    id: str
    app_id: str
    service_principal_id: str | None
    passwords: tuple[MadePassword, ...] = ()


class Emulator:
    """Starts with `with Emulator(tls_dir) as emulator`; see the methods for what it can do."""

    def __init__(
        self,
        tls_dir: Path,
        *,
        seed: Mapping[str, Any] | None = None,
        port: int = 0,
        hostnames: Sequence[str] = (),
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="entra-emulator", daemon=True)
        parsed = read_document(Seed, seed) if seed is not None else None
        self._server = EmulatorServer(tls_dir=tls_dir, seed=parsed, port=port, hostnames=hostnames)

    @property
    def world(self) -> World:
        """The state itself; use it only through `do`."""
        return self._server.world

    @property
    def url(self) -> str:
        """Where the emulator listens, such as `https://127.0.0.1:41234`."""
        return self._server.url

    @property
    def authority_host(self) -> str:
        """The authority for azure-identity and MSAL."""
        return self._server.url

    @property
    def graph_root(self) -> str:
        """The root of Graph, with its version."""
        return self._server.graph_root

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust."""
        return self._server.ca_file

    def do(self, action: Callable[[World], T]) -> T:
        """Run an action on the state, on the server's loop, and return its result."""

        async def run() -> T:
            return action(self._server.world)

        return self._wait(run())

    def create_tenant(self, display_name: str = "Test", **fields: Any) -> str:
        """Create a tenant; return its id. `fields` are those of a seed, such as `domains`."""
        seed = read_document(TenantSeed, {"displayName": display_name, **fields})
        made = self.do(lambda world: actions.create_tenant(world, seed))
        return str(made["id"])

    def delete_tenant(self, tenant: str) -> None:
        """Delete a tenant with everything in it."""
        self.do(lambda world: actions.delete_tenant(world, tenant))

    def create_application(
        self,
        tenant: str,
        *,
        owner: str | Sequence[str] = (),
        passwords: Sequence[Mapping[str, Any]] = (),
        **fields: Any,
    ) -> MadeApplication:
        """Create an application with a service principal; return the ids.

        Args:
            tenant: id of the tenant.
            owner: appId or service principal id of the owner, or several.
            passwords: as in a seed: `displayName`, `value`, `endDateTime`, `endInDays`, …
            fields: more fields of a seed, such as `displayName`, `tags`, `signInAudience`.
        """
        owners = [owner] if isinstance(owner, str) else list(owner)
        document = {**fields, "owners": owners, "passwords": list(passwords)}
        seed = read_document(ApplicationSeed, document)
        return _made(tenant, self.do(lambda w: actions.create_application(w, tenant, seed)))

    def create_operator(self, tenant: str, permission: str = OWNED_BY) -> tuple[str, str]:
        """Create an application that may call Graph; return its client id and secret.

        Args:
            tenant: id of the tenant.
            permission: one or several, joined with a blank; empty for none.
        """
        permissions = tuple(Permission(word) for word in permission.split())
        made = self.do(lambda world: actions.create_operator(world, tenant, permissions))
        return str(made["clientId"]), str(made["clientSecret"])

    def set_permissions(self, tenant: str, app_id: str, permission: str) -> None:
        """Replace the permissions of a client; tokens issued before keep the old ones."""
        permissions = tuple(Permission(word) for word in permission.split())
        seed = ForeignPrincipalSeed(app_id=app_id, permissions=permissions)
        self.do(lambda world: principals.put_principal(world, tenant, seed))

    def add_password(self, app: str, **fields: Any) -> MadePassword:
        """Add a password as somebody else would; fields as in a seed."""
        seed = read_document(PasswordSeed, fields)
        return _password(
            self.do(
                lambda world: credentials.add_password(
                    world, lookup.find_application(world, app), seed
                )
            )
        )

    def remove_password(self, app: str, key_id: str) -> None:
        """Remove a password as somebody else would."""
        self.do(
            lambda world: credentials.remove_password(
                world, lookup.find_application(world, app), key_id
            )
        )

    def add_key(self, app: str, **fields: Any) -> str:
        """Add a certificate as somebody else would, fields as in a seed; return its key id."""
        seed = read_document(KeySeed, fields)
        return str(
            self.do(
                lambda world: credentials.add_key(world, lookup.find_application(world, app), seed)
            )["keyId"]
        )

    def remove_key(self, app: str, key_id: str) -> None:
        """Remove a certificate as somebody else would."""
        self.do(
            lambda world: credentials.remove_key(world, lookup.find_application(world, app), key_id)
        )

    def add_federated(self, app: str, **fields: Any) -> str:
        """Add a federated credential as somebody else would, as in a seed; return its id."""
        seed = read_document(FederatedSeed, fields)
        return str(
            self.do(lambda w: federated.add_federated(w, lookup.find_application(w, app), seed))[
                "id"
            ]
        )

    def change_federated(self, app: str, name: str, **values: Any) -> None:
        """Change a federated credential, named by its id or name, as somebody else would."""
        self.do(
            lambda w: federated.change_federated(w, lookup.find_application(w, app), name, values)
        )

    def remove_federated(self, app: str, name: str) -> None:
        """Remove a federated credential, named by its id or name, as somebody else would."""
        self.do(lambda w: federated.remove_federated(w, lookup.find_application(w, app), name))

    def add_issuer(self, url: str, **fields: Any) -> str:
        """Let tokens of an issuer be exchanged, fields as in a seed; return its name.

        Without a `ca` or `ca_file` the emulator hosts the issuer.
        """
        hosted = not {"ca", "caFile"} & fields.keys()
        seed = read_document(IssuerSeed, {"url": url, "hosted": hosted, **fields})
        return str(self.do(lambda world: issuers.add_issuer(world, seed))["name"])

    def sign(self, issuer: str, **wish: Any) -> str:
        """Return a token of a hosted issuer; `claims`, `header` and `lifetime_seconds`."""
        asked = issuers.TokenWish(**wish)
        return str(self.do(lambda world: issuers.sign_token(world, issuer, asked))["token"])

    def rotate_issuer(self, issuer: str, *, keep_old: bool = False) -> str:
        """Let a hosted issuer sign with a new key; return its id."""
        wish = issuers.KeyWish(keep_old=keep_old)
        return str(self.do(lambda world: issuers.rotate_key(world, issuer, wish))["kid"])

    def change_application(self, app: str, **properties: Any) -> None:
        """Change properties, named as in Graph, such as `isDisabled=True`."""
        self.do(lambda world: actions.change_application(world, app, properties))

    def set_owners(self, app: str, *owners: str) -> None:
        """Replace the owners, named by appId or service principal id."""
        self.do(lambda world: actions.set_owners(world, app, owners))

    def delete_application(self, app: str) -> None:
        """Delete an application for good."""
        self.do(lambda world: actions.delete_application(world, app))

    def delete_principal(self, tenant: str, name: str) -> None:
        """Delete a service principal, named by its id or the appId."""
        self.do(lambda world: principals.delete_principal(world, tenant, name))

    def application(self, app: str) -> dict[str, Any]:
        """Return the authoritative state of an application, by appId or object id."""
        return self.do(lambda w: views.show_application(lookup.find_application(w, app)))

    def set_faults(self, document: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Replace all faults: `set_faults(profile="realistic", rules=[{"fault": "throttle"}])`."""
        faults = faults_from({**(document or {}), **fields})
        self.do(lambda world: world.set_faults(faults))

    def add_rule(self, fault: str, **fields: Any) -> str:
        """Add one rule to the faults that are set; return its id."""
        rule = rule_from({"fault": fault, **fields})
        return self.do(lambda world: world.faults.add(rule, world.clock.now()))

    def clear_faults(self) -> None:
        """End all faults; every replica then shows everything."""
        self.do(lambda world: world.clear_faults())

    def now(self) -> datetime:
        """Return the emulated time."""
        return self.do(lambda world: world.clock.now())

    def move_clock(self, seconds: float) -> None:
        """Move the emulated time."""
        self.do(lambda world: world.clock.move(timedelta(seconds=seconds)))

    def stop_clock(self) -> None:
        """Let the emulated time stand still until it is moved."""
        self.do(lambda world: world.clock.stop())

    def counts(self) -> dict[str, int]:
        """Return how often each operation was asked for since the last reset."""
        return self.do(lambda world: world.log.counts())

    def requests(self, operation: str | None = None) -> list[LogEntry]:
        """Return the log of requests, oldest first."""
        return self.do(lambda world: world.log.entries(operation))

    def reset_log(self) -> None:
        """Forget requests and counts."""
        self.do(lambda world: world.log.reset())

    def start(self) -> None:
        """Start the thread and listen."""
        self._thread.start()
        self._wait(self._server.start())

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self._wait(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def _made(tenant: str, made: Mapping[str, Any]) -> MadeApplication:
    return MadeApplication(
        tenant_id=tenant,
        id=made["id"],
        app_id=made["appId"],
        service_principal_id=made["servicePrincipalId"],
        passwords=tuple(_password(one) for one in made["passwords"]),
    )


def _password(made: Mapping[str, Any]) -> MadePassword:
    return MadePassword(
        key_id=made["keyId"], display_name=made["displayName"], secret=made.get("secretText")
    )
