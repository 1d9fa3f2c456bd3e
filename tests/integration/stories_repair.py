"""Somebody edits or deletes what the operator wrote: it is mended, at the least cost."""

from __future__ import annotations

import base64
import re
import subprocess
from datetime import timedelta
from typing import Any, Final

from tests.integration.installation import GROUP, Installation, Team
from tests.integration.stories_issue import conditions

_OVERLAP: Final = timedelta(seconds=4)
_QUICK: Final[dict[str, Any]] = {
    "rotation": {"renewBefore": "30m", "overlap": "4s", "retireWhen": "OverlapElapsed"}
}
MANAGED_BY: Final = "app.kubernetes.io/managed-by"


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def a_deleted_secret_is_written_anew(i: Installation) -> None:
    """Its value is lost, so a new one is issued; pods that hold the old one keep the overlap."""
    team = i.team("deleted")
    team.apply(**_QUICK)
    team.ready()
    first, old = team.key(), team.values()
    i.pass_time(team.time("startTime") + timedelta(seconds=6))
    i.kube.delete(team.secret_path())
    team.until(lambda: team.key() not in {"", first}, "a new one is published")
    published = team.time("publishedTime")
    assert team.signs_in()
    assert team.sign_in(old), "the old one was removed although it may be in use"
    team.until(lambda: first not in team.key_ids(), "the old one is retired")
    assert i.now() - published >= _OVERLAP
    assert team.minted() == 2


def a_damaged_value_is_replaced(i: Installation) -> None:
    """A value that nobody knows any more is replaced by a new credential."""
    team = i.team("damaged")
    team.apply(**_QUICK)
    team.ready()
    first = team.key()

    def damage(secret: dict[str, Any]) -> None:
        secret["data"]["AZURE_CLIENT_SECRET"] = _encode("garbage")

    i.kube.edit(team.secret_path(), damage)
    team.until(lambda: team.key() not in {"", first}, "a new one is published")
    team.ready()
    assert team.signs_in()
    assert team.minted() == 2


def an_edited_secret_is_put_right(i: Installation) -> None:
    """Keys, labels and annotations come back with the same credential; others' additions stay."""
    team = i.team("edited")
    team.apply(
        secret={
            "labels": {"app.kubernetes.io/part-of": "a"},
            "data": {"url": {"value": "$(clientId)"}},
        }
    )
    team.ready()
    wanted, key = team.values(), team.key()

    def edit(secret: dict[str, Any]) -> None:
        secret["data"]["AZURE_CLIENT_ID"] = _encode("wrong")
        secret["data"]["theirs"] = _encode("kept")
        del secret["data"]["AZURE_TENANT_ID"], secret["data"]["url"]
        secret["metadata"]["labels"] = {"theirs": "kept"}
        del secret["metadata"]["annotations"]["appcredential.io/rendered"]

    i.kube.edit(team.secret_path(), edit)
    team.until(lambda: team.values() == {**wanted, "theirs": "kept"}, "the Secret is put right")
    secret = team.secret()
    assert secret is not None
    labels = {MANAGED_BY: "appcredential", "app.kubernetes.io/part-of": "a", "theirs": "kept"}
    assert secret["metadata"]["labels"] == labels
    assert (team.key(), team.minted(), team.signs_in()) == (key, 1, True)


def a_generated_value_that_changes_is_told(i: Installation) -> None:
    """One that is lost is made anew, and one that a person wrote stays: both with a Warning."""
    team = i.team("generated")
    team.apply(**_QUICK, secret={"data": {k: {"generateOnce": {}} for k in ("cookie", "salt")}})
    team.ready()
    first, key = team.values(), team.key()

    def edit(secret: dict[str, Any]) -> None:
        del secret["data"]["cookie"]
        secret["data"]["salt"] = _encode("written by hand")

    i.kube.edit(team.secret_path(), edit)
    team.until(lambda: len(team.warnings()) == 2, "both are told")
    told = {reason: note for _, reason, note in team.events()}
    assert "cookie" in told["ValueRegenerated"]
    assert "salt" in told["ValueChanged"]
    now = team.values()
    assert now["salt"] == "written by hand"
    assert now["cookie"] not in {first["cookie"], ""}
    assert not any(v in note for v in (*first.values(), *now.values()) for note in told.values())
    i.kube.delete(team.secret_path())
    team.until(lambda: team.key() not in {"", key}, "it is written anew")
    notes = [note for _, reason, note in team.events() if reason == "ValueRegenerated"]
    assert any("cookie, salt" in note for note in notes)


def a_lost_pending_secret_is_no_lost_time(i: Installation) -> None:
    """Its value is gone with it: another one is issued, and nothing of the first one stays."""
    team = i.team("pending")
    rule = i.add_rule(fault="token-error", code=7000215, match={"app": team.client_id})
    team.apply(**_QUICK)
    team.until(lambda: team.status().get("pending"), "it is pending")
    (lost,) = team.key_ids()
    (pending,) = team.pending()
    made = i.now()
    i.pass_time(made + timedelta(seconds=6))
    i.kube.delete(team.secret_path(pending["metadata"]["name"]))
    i.drop_rule(rule)
    team.ready()
    assert team.key() != lost
    assert team.signs_in()
    team.until(lambda: team.key_ids() == [team.key()], "the lost one is removed")
    assert team.minted() == 2


def a_pending_secret_with_damaged_records_is_let_go(i: Installation) -> None:
    """Records that nobody can read prove nothing: the attempt is given up, and the work goes on."""
    team = i.team("records")
    rule = i.add_rule(fault="token-error", code=7000215, match={"app": team.client_id})
    team.apply(**_QUICK)
    team.until(lambda: team.status().get("pending"), "it is pending")
    (lost,) = team.key_ids()
    (pending,) = team.pending()
    i.pass_time(i.now() + timedelta(seconds=6))

    def damage(secret: dict[str, Any]) -> None:
        damaged = {"attempt-number": "one", "state": "Unheard", "intent-time": "noon"}
        records = {f"appcredential.io/{key}": value for key, value in damaged.items()}
        secret["metadata"]["annotations"].update(records)

    i.kube.edit(team.secret_path(pending["metadata"]["name"]), damage)
    i.drop_rule(rule)
    team.ready()
    assert team.key() != lost
    assert team.signs_in()
    team.until(lambda: team.key_ids() == [team.key()], "the lost one is removed")


def a_credential_that_is_gone_is_replaced(i: Installation) -> None:
    """Somebody removes the published one in the portal: the workloads get another."""
    team = i.team("gone")
    team.apply(**_QUICK)
    team.ready()
    first = team.key()
    i.emulator.call("DELETE", f"/applications/{team.client_id}/passwords/{first}")
    team.until(lambda: team.key() not in {"", first}, "a new one is published", seconds=70)
    team.ready()
    assert team.signs_in()


def a_secret_of_somebody_else_is_untouched(i: Installation) -> None:
    """It is a conflict, no credential is made for it, and it is left as it is."""
    team = i.team("theirs")
    before = i.make_secret(team.namespace, "app", {"theirs": "value"})
    team.apply()
    team.until(
        lambda: "Stalled" in conditions(team) or team.secret() != before, "the conflict is said"
    )
    assert team.secret() == before, "somebody else's Secret was written"
    assert conditions(team)["Stalled"] == ("True", "SecretConflict")
    assert conditions(team)["Ready"] == ("False", "SecretConflict")
    assert team.minted() == 0
    i.kube.delete(team.secret_path())
    team.ready()
    assert team.signs_in()


def an_immutable_secret_loses_no_sign_in(i: Installation) -> None:
    """It works on, and the command in the message creates it again with the same content."""
    team = i.team("frozen")
    team.apply(**_QUICK)
    team.ready()
    first = team.key()
    i.kube.edit(team.secret_path(), lambda found: found.update(immutable=True))
    team.change(secret={"labels": {"team": "a"}})
    team.until(lambda: "Stalled" in conditions(team), "the conflict is said")
    assert conditions(team)["Stalled"] == ("True", "SecretConflict")
    assert conditions(team)["Ready"] == ("True", "Published")
    assert team.signs_in()
    _follow(i, team.condition("Stalled")["message"], r"kubectl get .* -f -")
    team.until(lambda: "Stalled" not in conditions(team), "the conflict is over")
    team.until(lambda: _labels(team).get("team") == "a", "the Secret is written again")
    assert team.key() == first
    assert team.minted() == 1
    assert team.signs_in()


def an_adopted_secret_keeps_its_other_keys(i: Installation) -> None:
    """The command in the message gives a Secret of nobody to the resource."""
    team = i.team("adopted")
    i.make_secret(team.namespace, "app", {"theirs": "value"})
    team.apply(**_QUICK)
    team.until(lambda: "Stalled" in conditions(team), "the conflict is said")
    _follow(i, team.condition("Stalled")["message"], r"kubectl annotate [^)]*")
    team.ready()
    assert team.values()["theirs"] == "value"
    assert team.signs_in()


def _follow(i: Installation, message: str, command: str) -> None:
    """Run the command that a message names, as a person would copy it."""
    found = re.search(command, message)
    assert found is not None, message
    kubectl = i.cluster.binaries.kubectl
    written = found[0].replace("kubectl ", f"{kubectl} ")
    subprocess.run(["/bin/sh", "-ec", written], check=True, env=i.cluster.env(), timeout=60)


def _labels(team: Team) -> dict[str, str]:
    found: dict[str, str] = (team.secret() or {}).get("metadata", {}).get("labels", {})
    return found


def a_secret_put_in_place_of_ours_is_untouched(i: Installation) -> None:
    """Neither while the resource lives nor when it is deleted; its credential goes all the same."""
    team = i.team("replaced")
    team.apply(**_QUICK, deletionGracePeriod="0s")
    team.ready()
    first = team.key()
    i.kube.delete(team.secret_path())
    theirs = i.make_secret(team.namespace, "app", {"theirs": "value"})
    team.until(lambda: "Stalled" in conditions(team), "the conflict is said")
    assert conditions(team)["Stalled"] == ("True", "SecretConflict")
    assert team.key_ids() == [first]
    i.kube.delete(f"{GROUP}/namespaces/{team.namespace}/appcredentials/app")
    team.until(lambda: team.key_ids() == [], "ours is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.secret() == theirs
