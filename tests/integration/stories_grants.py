"""Grants that name no application and no namespace, on a real Kubernetes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tests.integration.installation import (
    CORE,
    GROUP,
    Installation,
    Team,
    condition_of,
    parse,
    stamp,
)
from tests.integration.stories_issue import conditions

NAMESPACES: Final = 40
APPLICATIONS: Final = 300
_ENVIRONMENTS: Final = ("prod", "test", "sandbox", "preview")
_OBSERVED: Final = 15
_SOON: Final = 15.0
"""Seconds: what a watch tells comes at once, and the machine has other things to do."""


def cluster_id(i: Installation) -> str:
    """Return what tags call this cluster, where no setting names it."""
    found = i.kube.get(f"{CORE}/namespaces/kube-system")
    assert found is not None
    return str(found["metadata"]["uid"])


def tag(i: Installation, namespace: str) -> str:
    """Return the tag by which an application allows a namespace."""
    return f"appcredential.io/allow={cluster_id(i)}/{namespace}"


def set_tags(i: Installation, client_id: str, *tags: str) -> None:
    """Have the owner of an application write its tags."""
    i.emulator.call("PATCH", f"/applications/{client_id}", {"tags": list(tags)})


def make_labelled(i: Installation, prefix: str, labels: Mapping[str, str]) -> str:
    """Create a namespace of a fresh name with labels."""
    name = f"{prefix}-{secrets.token_hex(3)}"
    i.kube.create(f"{CORE}/namespaces", {"metadata": {"name": name, "labels": dict(labels)}})
    return name


def label(i: Installation, namespace: str, **labels: str) -> None:
    """Replace the labels of a namespace that tests gave it."""

    def change(found: dict[str, Any]) -> None:
        kept = {k: v for k, v in found["metadata"]["labels"].items() if "/" in k}
        found["metadata"]["labels"] = {**kept, **labels}

    i.kube.edit(f"{CORE}/namespaces/{namespace}", change)


def _grant(i: Installation, name: str, key: str, value: str, **spec: Any) -> None:
    selector = {"matchLabels": {key: value}}
    i.make_grant(name, namespaces={"selector": selector}, **spec)


def forty_namespaces_need_four_grants(i: Installation) -> None:
    """300 applications, and no client id is typed; a preview namespace is served at once."""
    key = f"env-{secrets.token_hex(3)}"
    tagged, whole = {"tagged": True}, {"all": True}
    for name, applications in zip(_ENVIRONMENTS, (tagged, tagged, whole, whole), strict=True):
        _grant(i, f"{key}-{name}", key, name, applications=applications)
    spaces = [make_labelled(i, "fleet", {key: _ENVIRONMENTS[n % 3]}) for n in range(NAMESPACES - 1)]

    def one(number: int) -> Team:
        namespace = spaces[number % len(spaces)]
        tags = [tag(i, namespace)] if number % len(spaces) % 3 < 2 else []
        return Team(i, namespace, i.make_application(tags=tags))

    teams = [one(number) for number in range(APPLICATIONS - 1)]
    for number, team in enumerate(teams):
        name = f"app-{number}"
        # A grant decides the same of one that is only observed, which costs no credential.
        mode = "Manage" if number % _OBSERVED == 0 else "Observe"
        body = team.manifest(name, verification={"mode": "Disabled"}, mode=mode)
        i.kube.create(f"{GROUP}/namespaces/{team.namespace}/appcredentials", body)

    def granted() -> int:
        found = i.kube.items(f"{GROUP}/appcredentials")
        own = [r for r in found if r["metadata"]["namespace"] in set(spaces)]
        names = [str((r.get("status") or {}).get("grant") or "") for r in own]
        return sum(name.startswith(key) for name in names)

    i.until(lambda: granted() == len(teams), "each is granted", seconds=90)
    for number, team in enumerate(teams):
        if number % _OBSERVED == 0:
            team.ready(f"app-{number}")
    preview = Team(i, make_labelled(i, "pr", {key: "preview"}), i.make_application())
    preview.apply(verification={"mode": "Disabled"})
    preview.ready(seconds=_SOON)
    assert preview.status()["grant"] == f"{key}-preview"

    def used() -> int:
        paths = (f"{GROUP}/applicationgrants/{key}-{name}" for name in _ENVIRONMENTS)
        told = ((i.kube.get(path) or {}).get("status") or {} for path in paths)
        return sum((status.get("usage") or {}).get("appCredentials", 0) for status in told)

    i.until(lambda: used() == APPLICATIONS, "the grants say who uses them", seconds=90)


def a_tag_taken_away_stops_what_is_new(i: Installation) -> None:
    """What is published stays and signs in, and the tag given back is enough to go on."""
    team = i.team("untagged", granted=False)
    _tagged(i, team)
    set_tags(i, team.client_id, tag(i, team.namespace))
    team.apply()
    team.ready()
    set_tags(i, team.client_id)
    team.until(
        lambda: team.has("Stalled", "True", "GrantWithdrawn"), "the loss is told", seconds=90
    )
    key, values = team.key(), team.values()
    team.rotate()
    team.until(lambda: team.has("Ready", "True", "RotationFailing"), "the rotation is refused")
    assert (team.key(), team.minted()) == (key, 1)
    assert team.sign_in(values)
    assert not i.requests(team.client_id, "application.removePassword")
    set_tags(i, team.client_id, tag(i, team.namespace))
    team.until(lambda: team.key() not in {"", key}, "it goes on", seconds=90)


def _tagged(i: Installation, team: Team) -> str:
    return team.grant(applications={"tagged": True})


def a_tag_has_to_be_exact(i: Installation) -> None:
    """One for another cluster, with a wildcard or in another case allows nothing, and is shown."""
    team = i.team("inexact", granted=False)
    _tagged(i, team)
    exact = tag(i, team.namespace)
    wrong = [
        exact.replace(cluster_id(i), "another"),
        exact.replace(team.namespace, "*"),
        exact.upper(),
    ]
    set_tags(i, team.client_id, *wrong)
    team.apply()
    team.until(lambda: team.has("Stalled", "True", "NotGranted"), "it is refused")
    message = team.condition("Stalled")["message"]
    assert f"lacks the tag {exact}" in message
    assert "Seen instead" in message
    assert wrong[0] in message
    assert not i.requests(team.client_id, "application.addPassword")
    # One read looked for the tag. Lists look for it from then on.
    assert len(i.requests(team.client_id, "application.get")) == 1
    set_tags(i, team.client_id, *wrong, exact)
    team.ready(seconds=90)
    assert team.signs_in()


def without_a_tagged_grant_nothing_is_asked(i: Installation) -> None:
    """A grant for tagged applications of other namespaces asks for nothing here."""
    team, other = i.team("unasked", granted=False), i.team("asked", granted=False)
    _tagged(i, other)
    set_tags(i, team.client_id, tag(i, team.namespace))
    team.apply()
    team.until(lambda: team.has("Stalled", "True", "NotGranted"), "it is refused")
    assert not i.requests(team.client_id)


def a_label_decides(i: Installation) -> None:
    """A namespace gets the label and is served; loses it, and nothing new is issued."""
    key = f"served-{secrets.token_hex(3)}"
    team = i.team("labelled", granted=False)
    _grant(i, key, key, "yes", applications={"clientIds": [team.client_id]})
    team.apply()
    team.until(lambda: team.has("Stalled", "True", "NotGranted"), "it is refused")
    assert f"does not meet {key}=yes" in team.condition("Stalled")["message"]
    assert not i.requests(team.client_id)
    label(i, team.namespace, **{key: "yes"})
    team.ready(seconds=_SOON)
    label(i, team.namespace)
    withdrawn = partial(team.has, "Stalled", "True", "GrantWithdrawn")
    team.until(withdrawn, "the loss is told", seconds=_SOON)
    first = team.key()
    team.rotate()
    team.until(lambda: team.has("Ready", "True", "RotationFailing"), "the rotation is refused")
    assert (team.key(), team.minted()) == (first, 1)
    assert team.signs_in()
    label(i, team.namespace, **{key: "yes"})
    team.until(lambda: team.key() not in {"", first}, "it goes on")


def a_grant_ends_by_itself(i: Installation) -> None:
    """At its end it is as if it were withdrawn, and it says so itself."""
    team = i.team("ending", granted=False)
    name = team.grant()
    team.apply()
    team.ready()
    end = i.now() + timedelta(seconds=4)
    path = f"{GROUP}/applicationgrants/{name}"
    i.kube.edit(path, lambda found: found["spec"].update(expires=stamp(end)))
    withdrawn = partial(team.has, "Stalled", "True", "GrantWithdrawn")
    team.until(withdrawn, "the end is told", seconds=_SOON)
    assert i.now() >= parse(stamp(end))
    assert conditions(team)["Ready"][0] == "True"

    def said() -> str:
        found = i.kube.get(path)
        return str(condition_of(found or {}, "Ready").get("reason"))

    i.until(lambda: said() == "GrantExpired", "the grant says so", _SOON)


def kubernetes_own_namespaces_are_never_selected(i: Installation) -> None:
    """A label on kube-system, or on the operator's own namespace, gives nothing."""
    key = f"system-{secrets.token_hex(3)}"
    _grant(i, key, key, "yes", applications={"all": True})
    for namespace in ("kube-public", i.namespace):
        label(i, namespace, **{key: "yes"})
        team = Team(i, namespace, i.make_application())
        team.apply(key)
        refused = partial(team.has, "Stalled", "True", "NotGranted", key)
        team.until(refused, "it is refused", key)
        assert not i.requests(team.client_id)
        i.kube.delete(team.path(key))
        label(i, namespace)
