"""A Secret goes from one AppCredential to another while workloads use it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.docs.reading import ROOT
from tests.integration.installation import Installation, Team
from tests.integration.stories_issue import conditions
from tests.support.pods import Pod, new_pod

_EXAMPLE: Final = "secret-to-certificate"
_SECRET: Final = "orders-entra"
_OLD: Final = "orders"
_NEW: Final = "orders-certificate"
_CLIENT: Final = "33333333-3333-4333-8333-333333333333"


def the_example_migrates_without_a_failure(i: Installation) -> None:
    """Both files of the example, step by step as the guide says, with pods that never fail."""
    team = i.team("migration")
    _apply(team, "1-client-secret.yaml")
    team.ready(_OLD)
    first = team.key(_OLD)

    def read() -> Mapping[str, str]:
        return team.values(_SECRET)

    with ExitStack() as stack:
        started = stack.enter_context(Pod(i.emulator, read, is_mounted=False))
        mounted = stack.enter_context(Pod(i.emulator, read, is_mounted=True))
        assert new_pod(i.emulator, read(), _folder(i, "before")) == "ClientSecretCredential"
        uid = _secret(team)["metadata"]["uid"]
        _apply(team, "2-certificate.yaml")
        team.ready(_NEW, seconds=90)
        team.until(lambda: _is_taken(team, _OLD), "the old one knows", _OLD)
        assert _secret(team)["metadata"]["uid"] == uid
        assert "AZURE_CLIENT_SECRET" not in read()
        # The rollout: a new pod has the certificate, the one from before the client secret.
        assert new_pod(i.emulator, read(), _folder(i, "after")) == "CertificateCredential"
        _wait_for_tries(team, started, mounted)
        assert first in team.key_ids()
        assert started.used == ["ClientSecretCredential"]
        started.stop()
        team.change(_OLD, deletionGracePeriod="0s")
        team.delete(_OLD)
        team.until(lambda: first not in team.key_ids(), "the secret is revoked", seconds=60)
        i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
        _wait_for_tries(team, mounted)
    assert (started.failures, mounted.failures) == ([], [])
    assert mounted.used == ["ClientSecretCredential", "CertificateCredential"]
    assert team.is_ready(_NEW)
    assert _annotations(team)["owner"] == f"{team.namespace}/{_NEW}"
    assert team.minted() == 1
    notes = [note for _, reason, note in team.events(_NEW) if reason == "Published"]
    taken = f"The Secret was taken over from {team.namespace}/{_OLD}"
    assert notes == [f"{taken} and holds the new credential {team.key(_NEW)}."]
    assert "SecretTakenOver" in team.warnings(_OLD)


def what_is_asked_back_goes_back(i: Installation) -> None:
    """The same the other way round, as the guide says, and then it stays."""
    team = i.team("back")
    _publish(team, "a")
    _publish(team, "b", takeOverFrom="a")
    team.until(lambda: _is_taken(team, "a"), "a knows", "a")
    team.change("b", secret={"name": _SECRET})
    team.change("a", secret={"name": _SECRET, "takeOverFrom": "b"})
    team.ready("a", seconds=90)
    team.until(lambda: _is_taken(team, "b"), "b knows", "b")
    assert team.sign_in(team.values(_SECRET))
    assert team.minted() == 3


def a_renamed_resource_inherits_and_gives_back(i: Installation) -> None:
    """A rename keeps the Secret, and the way back within the grace period revokes nothing."""
    team = i.team("renamed")
    _publish(team, "a")
    first = team.key("a")
    team.apply("b", secret={"name": _SECRET})
    team.until(lambda: team.has("Stalled", "True", "SecretConflict", "b"), "it waits", "b")
    assert team.minted() == 1
    team.delete("a")
    team.ready("b", seconds=90)
    second = team.key("b")
    assert _annotations(team)["owner"] == f"{team.namespace}/b"
    team.delete("b")
    team.apply("a", secret={"name": _SECRET})
    team.ready("a", seconds=90)
    assert {first, second} < set(team.key_ids())
    assert team.sign_in(team.values(_SECRET))


def a_secret_made_by_hand_is_adopted(i: Installation) -> None:
    """Only when its owner wrote so into it; what else it holds stays."""
    team = i.team("byhand")
    made = i.make_secret(team.namespace, _SECRET, {"AZURE_CLIENT_SECRET": "x", "theirs": "y"})
    team.apply("a", secret={"name": _SECRET})
    team.until(lambda: team.has("Stalled", "True", "SecretConflict", "a"), "it waits", "a")
    assert _secret(team) == made
    _annotate(team, f"{team.namespace}/a")
    team.ready("a", seconds=60)
    assert _secret(team)["metadata"]["uid"] == made["metadata"]["uid"]
    assert team.values(_SECRET)["theirs"] == "y"
    assert team.sign_in(team.values(_SECRET))
    assert "adopt" not in _annotations(team)


def a_third_one_s_secret_is_untouched(i: Installation) -> None:
    """The spec names somebody who does not have it."""
    team = i.team("third")
    _publish(team, "a")
    before = _secret(team)
    team.apply("b", secret={"name": _SECRET, "takeOverFrom": "c"})
    team.until(lambda: team.has("Stalled", "True", "SecretConflict", "b"), "it is said", "b")
    assert f"AppCredential {team.namespace}/a" in team.condition("Stalled", "b")["message"]
    assert _secret(team) == before
    assert team.minted() == 1


def deleting_it_before_it_published_changes_nothing(i: Installation) -> None:
    """What had been issued for it goes; the Secret and its owner live on."""
    team = i.team("early")
    _publish(team, "a")
    rule = i.add_rule(fault="token-error", code=7000215, match={"app": team.client_id})
    team.apply("b", secret={"name": _SECRET, "takeOverFrom": "a"}, deletionGracePeriod="0s")
    team.until(lambda: len(team.key_ids()) == 2, "it is issued", "b")
    before = _secret(team)
    team.delete("b")
    team.until(lambda: team.key_ids() == [team.key("a")], "it is revoked", "a", seconds=60)
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert _secret(team) == before
    i.drop_rule(rule)
    team.ready("a")
    assert conditions(team, "a")["Ready"] == ("True", "Published")


# --- helpers -------------------------------------------------------------------------------


def _apply(team: Team, name: str) -> None:
    """Apply a file of the example, for this team's namespace and application."""
    text = (ROOT / "examples" / _EXAMPLE / name).read_text()
    own = text.replace("namespace: shop", f"namespace: {team.namespace}")
    team.i.cluster.kubectl("apply", "-f", "-", input=own.replace(_CLIENT, team.client_id))


def _publish(team: Team, name: str, **secret: Any) -> None:
    team.apply(name, secret={"name": _SECRET, **secret})
    team.ready(name, seconds=60)


def _secret(team: Team) -> dict[str, Any]:
    found = team.secret(_SECRET)
    assert found is not None
    return found


def _annotations(team: Team) -> dict[str, str]:
    prefix = "appcredential.io/"
    found: dict[str, str] = _secret(team)["metadata"]["annotations"]
    return {k.removeprefix(prefix): v for k, v in found.items()}


def _annotate(team: Team, owner: str) -> None:
    def write(found: dict[str, Any]) -> None:
        found["metadata"].setdefault("annotations", {})["appcredential.io/adopt"] = owner

    team.i.kube.edit(team.secret_path(_SECRET), write)


def _is_taken(team: Team, name: str) -> bool:
    return team.has("Stalled", "True", "SecretTakenOver", name)


def _wait_for_tries(team: Team, *pods: Pod) -> None:
    """Wait until each of them has signed in some more times."""
    wanted = [pod.tries + 8 for pod in pods]

    def is_done() -> bool:
        return all(pod.tries >= n or pod.failures for pod, n in zip(pods, wanted, strict=True))

    team.i.until(is_done, "the pods have signed in")


def _folder(i: Installation, name: str) -> Path:
    return i.folder / name


def two_for_one_secret_at_once(i: Installation) -> None:
    """One of them gets it; the other one gives up what it issued, and says what is in the way."""
    team = i.team("both")
    names = ("app", "other")
    for name in names:
        team.apply(name, secret={"name": "app"})
    team.until(lambda: any(map(team.is_ready, names)), "one of them has it")
    (loser,) = [name for name in names if not team.is_ready(name)]
    team.until(
        lambda: team.has("Stalled", "True", "SecretConflict", loser), "the other one says so"
    )
    team.until(lambda: len(team.key_ids()) == 1, "what was issued in vain is gone", seconds=120)
    team.until(lambda: "pending" not in team.status(loser), "it is not told any more")
    assert team.pending() == []
    assert team.signs_in()
