"""What GitOps tools do to AppCredentials, with a credential of each type: nothing is lost.

Several ways follow each other on the same credentials, because it is the issue that takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from tests.integration.at_once import Story
from tests.integration.installation import Installation, condition_of
from tests.integration.repository import (
    CERTIFICATE,
    LABEL,
    NAMES,
    SECRET,
    Document,
    Repository,
)

Way = Callable[[Repository], None]

_SELECTED: Final = (
    "--prune",
    f"--selector={LABEL}=shop",
    "--prune-allowlist=appcredential.io/v1alpha1/AppCredential",
    "--prune-allowlist=core/v1/Secret",
    "--prune-allowlist=core/v1/ConfigMap",
)
_APPLYSET: Final = ("--prune", "--applyset=configmaps/shop")
_SERVER_SIDE: Final = ("--server-side",)
_ARGOCD: Final = ("--server-side", "--field-manager=argocd-controller", "--force-conflicts")
_FLUX: Final = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")
_TRACKING: Final = "argocd.argoproj.io/tracking-id"
# Without --timeout kubectl gives up at once on what has a finalizer, and creates nothing.
_FORCE: Final = ("--force", "--timeout=60s")


# --- applied again --------------------------------------------------------------------------


def _once_more(*words: str) -> Way:
    return lambda r: r.apply(*words)


def _replace(r: Repository) -> None:
    r.kubectl("replace")


def _tracked(r: Repository) -> None:
    """Apply as Argo CD does, with the annotation that it finds its resources by."""
    for document in r.documents:
        name = document["metadata"]["name"]
        tracking = f"shop:appcredential.io/AppCredential:{r.namespace}/{name}"
        document["metadata"]["annotations"] = {_TRACKING: tracking}
    r.apply(*_ARGOCD)
    for name in (SECRET, CERTIFICATE):
        secret = r.team.secret(name)
        assert secret is not None
        assert _TRACKING not in secret["metadata"]["annotations"], "the tool would prune the Secret"


APPLIED_AGAIN: Final[dict[str, Way]] = {
    "client-side apply": _once_more(),
    "prune by label": _once_more(*_SELECTED),
    "server-side apply": _once_more(*_SERVER_SIDE),
    "server-side apply again": _once_more(*_SERVER_SIDE),
    "another field manager": _once_more(*_FLUX),
    "argo cd": _tracked,
    "replace": _replace,
    "prune by applyset": _once_more(*_APPLYSET),
}


def applied_again(i: Installation) -> None:
    """Nothing changes, and Graph is not written to; finalizers are put back."""
    r = Repository(i, "again")
    r.issue()
    before = r.snapshot()
    for name, way in APPLIED_AGAIN.items():
        r.doing = name
        way(r)
        r.settled()
        assert r.snapshot() == before, f"{name}: something changed"
    r.wait_quietly()
    r.signs_in()
    assert r.snapshot() == before, "something changed later"


# --- gone, and back -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Return:
    """Resources that go and come back.

    Attributes:
        way: takes them away; not waited for.
        apply: how the tool applies them, before and after it; None when `way` itself brings them.
    """

    way: Way
    apply: Sequence[str] | None = ()


def _delete(*words: str) -> Way:
    return lambda r: r.kubectl("delete", *words)


def _pruned(*words: str) -> Way:
    """Apply a folder in which the AppCredentials are missing."""

    def way(r: Repository) -> None:
        metadata = {"name": "left", "namespace": r.namespace, "labels": {LABEL: "shop"}}
        left = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        r.kubectl("apply", *words, documents=[left])

    return way


def _pruned_by_argocd(r: Repository) -> None:
    """Delete in the foreground by the API, as Argo CD does by default."""
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
    for name in NAMES:
        status, text = r.i.cluster.api.send("DELETE", r.team.path(name), options)
        assert status in {200, 202}, text


def _replaced(r: Repository) -> None:
    r.kubectl("replace", "--force")


def _for_a_while(change: Callable[[Repository, Document], None]) -> Way:
    """Have `kubectl apply --force` create other ones under the same names, and then these again."""

    def way(r: Repository) -> None:
        folder = r.documents
        r.documents = deepcopy(folder)
        for document in r.documents:
            change(r, document["spec"])
        r.apply(*_FORCE)
        r.until(lambda: all(map(_is_looked_at, r.live().values())), "they are looked at")
        r.stay_away()
        r.documents = folder
        r.apply(*_FORCE)

    return way


def _other_type(_: Repository, spec: Document) -> None:
    """Swap the types; the trust is of an EntraTenant that does not exist."""
    if "clientSecret" in spec:
        spec.update(type="Certificate", certificate=spec.pop("clientSecret"))
    elif "certificate" in spec:
        spec.update(type="ClientSecret", clientSecret=spec.pop("certificate"))
    else:
        spec["tenantRef"] = {"name": "another"}


def _other_application(r: Repository, spec: Document) -> None:
    """Name another application, which is granted too."""
    client_id = r.i.make_application()
    r.team.grant(applications={"clientIds": [client_id]})
    spec["application"] = {"clientId": client_id}


def _is_looked_at(resource: Document) -> bool:
    return bool(condition_of(resource, "Ready"))


def _told(ways: dict[str, Return]) -> Story:
    def story(i: Installation) -> None:
        r = Repository(i, "back")
        r.issue()
        for name, way in ways.items():
            r.doing = name
            _goes_and_comes_back(r, way)
        r.wait_quietly()

    return story


def _goes_and_comes_back(r: Repository, told: Return) -> None:
    r.apply(*told.apply or ())
    r.settled()
    published, listed, writes = r.published(), r.listed(), r.writes()
    uids = {item["metadata"]["uid"] for item in r.live().values()}
    told.way(r)
    if told.apply is not None:
        r.gone()
        r.stay_away()
        r.apply(*told.apply)
    r.back()
    assert uids.isdisjoint(i["metadata"]["uid"] for i in r.live().values()), f"{r.doing}: not new"
    assert r.listed() == listed, f"{r.doing}: issued anew"
    assert r.published() == published, f"{r.doing}: the workload sees another credential"
    assert r.writes() == writes, f"{r.doing}: Graph was written to"


deleted_and_applied_again = _told(
    {
        "delete": Return(_delete()),
        "foreground deletion": Return(_delete("--cascade=foreground")),
        "orphaning deletion": Return(_delete("--cascade=orphan"), _SERVER_SIDE),
    }
)
pruned_by_kubectl_and_applied_again = _told(
    {
        "pruned by label": Return(_pruned(*_SELECTED), _SELECTED),
        "pruned by applyset": Return(_pruned(*_APPLYSET), _APPLYSET),
    }
)
pruned_by_tools_and_applied_again = _told(
    {
        "pruned by argo cd": Return(_pruned_by_argocd, _ARGOCD),
        "pruned by flux": Return(_delete("--wait=false"), _FLUX),
    }
)
created_anew_by_force = _told(
    {
        "replace --force": Return(_replaced, None),
        "apply --force, another type": Return(_for_a_while(_other_type), None),
    }
)


def for_another_application_and_back(i: Installation) -> None:
    """What is asked for at any time is published; what the workload took at first signs in on."""
    r = Repository(i, "back")
    r.issue()
    r.doing = "apply --force, another application"
    folder, listed = r.documents, r.listed()
    r.documents = deepcopy(folder)
    for document in r.documents:
        _other_application(r, document["spec"])
    r.apply(*_FORCE)
    r.until(lambda: _names_what_is_asked_for(r), "the Secrets are replaced", 120)
    r.stay_away()
    r.documents = folder
    r.apply(*_FORCE)
    r.back()
    assert _names_what_is_asked_for(r)
    assert r.listed() >= listed, f"{r.doing}: revoked without the overlap"
    r.wait_quietly()
    r.signs_in()


def _names_what_is_asked_for(r: Repository) -> bool:
    asked = {
        name: r.find(name)["spec"]["application"]["clientId"] for name in (SECRET, CERTIFICATE)
    }
    return all(r.team.values(name)["AZURE_CLIENT_ID"] == asked[name] for name in asked)
