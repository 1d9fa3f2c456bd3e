"""`python -m tests.integration.broken run`: the real operator with one promise broken.

An adapter is replaced from outside before the real `main` runs, as `BROKEN` names it.
The stories that watch over the promise must fail with it; see test_broken.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from appcredential.__main__ import main
from appcredential.domain.facts import retirement
from appcredential.domain.observed.entra import Application, Credential, Grant
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Target
from appcredential.domain.proof import PROVEN, SignInResult
from appcredential.domain.spec.model import AppCredentialSpec, DeletionPolicy
from appcredential.effects import issuing
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.signin import TokenEndpoint
from appcredential.gather import granted
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import APP_CREDENTIALS, KubeObjects
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets

Method = Callable[..., Awaitable[Any]]

_LONG_AGO: Final = timedelta(hours=1)


def _answers(owner: type, method: str, change: Callable[[Any], Any]) -> None:
    """Change what a method answers; None stays None."""
    inner: Method = getattr(owner, method)

    async def changed(*args: Any, **words: Any) -> Any:
        answer = await inner(*args, **words)
        return change(answer) if answer is not None else None

    setattr(owner, method, changed)


def publishes_unproven() -> None:
    """Take every sign-in for a success."""

    async def proven(*_: Any) -> SignInResult:
        return PROVEN

    setattr(TokenEndpoint, "with_secret", proven)  # noqa: B010 - a method is replaced


def says_ready() -> None:
    """Call every AppCredential Ready."""
    inner: Method = KubeObjects.apply_status

    async def apply(
        self: KubeObjects, plural: str, metadata: Mapping[str, Any], status: Mapping[str, Any]
    ) -> Any:
        if plural == APP_CREDENTIALS:
            ready = {"status": "True", "reason": "Published", "message": "All is well."}
            found = [c | ready if c["type"] == "Ready" else c for c in status["conditions"]]
            status = {**status, "conditions": found}
        return await inner(self, plural, metadata, status)

    setattr(KubeObjects, "apply_status", apply)  # noqa: B010 - a method is replaced


def takes_any_secret() -> None:
    """Take a Secret without an owner for the resource's own."""
    inner: Method = KubeSecrets.target

    async def target(self: KubeSecrets, namespace: str, name: str) -> Target | None:
        found: Target | None = await inner(self, namespace, name)
        return replace(found, owner=f"{namespace}/{name}") if found is not None else None

    setattr(KubeSecrets, "target", target)  # noqa: B010 - a method is replaced


def forgets_the_overlap() -> None:
    """Believe that all was replaced long ago, whatever Entra says of what came next."""
    vars(retirement)["replaced_since"] = lambda _facts, entry: entry.since

    def age(t: Target) -> Target:
        retiring = tuple(replace(r, since=r.since - _LONG_AGO) for r in t.retiring)
        return replace(t, creation_time=t.creation_time - _LONG_AGO, retiring=retiring)

    _answers(KubeSecrets, "target", age)
    _answers(KubeSecrets, "put_target", age)


def takes_foreign_credentials() -> None:
    """Take all credentials of an application for ours once one of them is."""

    def claim(application: Application) -> Application:
        names = [c.display_name for c in application.credentials if " shop" in c.display_name]

        def claimed(c: Credential) -> Credential:
            if not names or c.display_name in names:
                return c
            # An attempt of its own: two credentials of one attempt would be taken for damage.
            marker, _, text = names[0].partition(" ")
            return replace(c, display_name=f"{marker[:-10]}{'a' * 10} {text}")

        return replace(application, credentials=tuple(map(claimed, application.credentials)))

    _answers(GraphDirectory, "application", claim)


def ignores_suspend() -> None:
    """Read every resource as not suspended."""

    def wake(r: Resource) -> Resource:
        if isinstance(r.spec, AppCredentialSpec):
            return replace(r, spec=replace(r.spec, suspend=False))
        return r

    for method in ("get", "set_finalizer", "apply_status"):
        _answers(KubeResources, method, wake)


def needs_no_grant() -> None:
    """Let every resource have what it asks for."""

    def given(*_: Any) -> Grant:
        return Grant(name="none", max_lifetime=None)

    for user in (granted, issuing):
        setattr(user, "evaluate", given)  # noqa: B010 - a function is replaced


def ignores_windows() -> None:
    """Read every resource as one without windows."""

    def without(r: Resource) -> Resource:
        if not isinstance(r.spec, AppCredentialSpec):
            return r
        return replace(r, spec=replace(r.spec, rotation=replace(r.spec.rotation, windows=())))

    for method in ("get", "set_finalizer", "apply_status"):
        _answers(KubeResources, method, without)


def renews_what_is_created_again() -> None:
    """Take a resource that was created anew for a new one, which has no credential yet."""

    def anew(r: Resource) -> Resource:
        if not isinstance(r.spec, AppCredentialSpec):
            return r
        rotation = replace(r.spec.rotation, rotate_issued_before=r.creation_time)
        return replace(r, spec=replace(r.spec, rotation=rotation))

    for method in ("get", "set_finalizer", "apply_status"):
        _answers(KubeResources, method, anew)


def revokes_at_once() -> None:
    """Take every ticket for due."""
    _change_tickets(lambda t: replace(t, due=t.due - _LONG_AGO))


def revokes_what_is_retained() -> None:
    """Take every ticket for one that revokes."""
    _change_tickets(lambda t: replace(t, policy=DeletionPolicy.REVOKE))


def _change_tickets(change: Callable[[Revocation], Revocation]) -> None:
    _answers(KubeRevocations, "get", change)
    _answers(KubeRevocations, "put", change)
    _answers(KubeRevocations, "list", lambda found: tuple(map(change, found)))


VARIANTS: Final = {
    variant.__name__: variant
    for variant in (
        publishes_unproven,
        says_ready,
        takes_any_secret,
        forgets_the_overlap,
        takes_foreign_credentials,
        ignores_suspend,
        needs_no_grant,
        ignores_windows,
        renews_what_is_created_again,
        revokes_at_once,
        revokes_what_is_retained,
    )
}

if __name__ == "__main__":
    VARIANTS[os.environ["BROKEN"]]()
    sys.exit(main())
