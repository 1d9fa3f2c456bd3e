"""What may happen to the operator, to Entra and to the cluster, and what people do.

Each event takes the history and a small number, which says which, how long or how far. It is a
line of the story, so its docstring begins with what it says there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.marker import attempt_id, build_display_name
from appcredential.domain.observed.entra import Credential
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time
from tests.support.builders import (
    CLONE_IDENTITY as CLONE,
)
from tests.support.builders import (
    DAY,
    HOUR,
    IDENTITY,
    MINUTE,
    OTHER_IDENTITY,
    OTHER_OWNER,
    OWNER,
    SECOND,
)
from tests.world import facts
from tests.world.cluster import ACCOUNT, GRANT, RESOURCE, SECRETS, TARGET
from tests.world.ports import Fate, Server
from tests.world.scenes import WINDOWS
from tests.world.workloads import PLACES, Workloads

if TYPE_CHECKING:
    from tests.world.histories import History

Event = Callable[["History", int], object]
_LONG: Final = (60, 600, 2400)
_PAUSES: Final = (5, 20, 40, 90, 300)
_STEPS_OF_CLOCKS: Final = (
    2 * MINUTE,
    -2 * MINUTE,
    20 * MINUTE,
    -20 * MINUTE,
    400 * DAY,
    -400 * DAY,
)
BY_HAND: Final = "by hand"
_LAGS: Final = ((20.0,), (0.0, 20.0), (60.0,), (0.0, 120.0), (290.0,))


# --- the operator ---------------------------------------------------------------------------


def kill(history: History, number: int) -> None:
    """Kill a process of the operator; its pod starts anew."""
    alive = history.world.alive
    if alive:
        alive[number % len(alive)].kill()
        history.world.start()


def kill_for_long(history: History, number: int) -> None:
    """Kill all processes of the operator; new ones start later."""
    for process in history.world.alive:
        process.kill()
    history.world.start().paused_until = history.world.loop.now + _LONG[number % 3]


def pause(history: History, number: int) -> None:
    """Pause a process of the operator, as a node does that has no memory left."""
    alive = history.world.alive
    if alive:
        process = alive[number // len(_PAUSES) % len(alive)]
        process.paused_until = history.world.loop.now + _PAUSES[number % len(_PAUSES)]


def pause_and_follow(history: History, number: int) -> None:
    """Pause the process, and have another one started that takes over."""
    pause(history, 3 + number % 2)
    history.world.start()


def set_clock(history: History, number: int) -> None:
    """Set the clock of the operator's machine."""
    alive = history.world.alive
    if alive:
        step = _STEPS_OF_CLOCKS[number % len(_STEPS_OF_CLOCKS)]
        alive[0].clock.offset = timedelta(0) if alive[0].clock.offset else step


def be_blind(history: History, number: int) -> None:
    """Let a watch of the operator fall silent, or speak again."""
    for process in history.world.alive:
        process.is_blind = not process.is_blind


# --- the network ----------------------------------------------------------------------------


def lose_answer(history: History, number: int) -> None:
    """Lose the answer to the next write, which took effect."""
    history.world.fates.append(((None, Server.KUBE, Server.GRAPH)[number % 3], True, Fate.LOST))


def lose_many(history: History, number: int) -> None:
    """Lose the answers to the next writes to Graph, which took effect."""
    history.world.fates += [(Server.GRAPH, True, Fate.LOST)] * (2 + number % 5)


def lose_call(history: History, number: int) -> None:
    """Lose the next call on its way."""
    history.world.fates.append(((None, Server.KUBE, Server.GRAPH)[number % 3], False, Fate.UNSENT))


def throttle(history: History, number: int) -> None:
    """Have Graph ask for a pause."""
    history.world.fates.append((Server.GRAPH, bool(number % 2), Fate.REFUSED))


def conflict(history: History, number: int) -> None:
    """Have the API server answer the next write with a conflict."""
    history.world.fates.append((Server.KUBE, True, Fate.CONFLICT))


def take_down(history: History, number: int) -> None:
    """Let a server give no answer for a while."""
    server = list(Server)[number % 3]
    history.world.down[server] = history.world.loop.now + _LONG[number // 3 % 3]


def starve(history: History, number: int) -> None:
    """Keep the operator from renewing its Lease, and from nothing else."""
    history.world.starved_until = history.world.loop.now + (45, 55, 70)[number % 3]


def slow_down(history: History, number: int) -> None:
    """Let the next call take long."""
    history.world.delay = (2.0, 8.0, 19.0)[number % 3]


# --- Entra ----------------------------------------------------------------------------------


def lag(history: History, number: int) -> None:
    """Let Entra's replicas learn late, and forget late."""
    history.world.entra.read_lags = _LAGS[number % len(_LAGS)]


def lag_tokens(history: History, number: int) -> None:
    """Let the replicas behind the token endpoint learn late, and forget late."""
    history.world.entra.token_lags = _LAGS[number % len(_LAGS)]


def catch_up(history: History, number: int) -> None:
    """Let all replicas of Entra know the same again."""
    history.world.entra.read_lags = history.world.entra.token_lags = (0.0,)


def remove_in_portal(history: History, number: int) -> None:
    """Have an administrator remove one of our credentials in the portal."""
    found = facts.ours(history.world)
    if found:
        history.world.entra.forget(found[number % len(found)], "")


def remove_published_in_portal(history: History, number: int) -> None:
    """Have an administrator remove the published credential in the portal."""
    key = facts.key_in(history.world.entra, facts.target(history.world))
    if key is not None and key in history.world.entra.credentials:
        history.world.entra.forget(key, "")


def write_beside(history: History, number: int) -> None:
    """Have somebody else add a credential to the application."""
    entra = history.world.entra
    key = KeyId(f"theirs-{len(entra.makers)}")
    uid = f"their-uid-{len(entra.makers)}"
    names = (
        "made in the portal",
        build_display_name(IDENTITY, OTHER_OWNER, attempt_id(IDENTITY, uid, 1), ""),
        build_display_name(CLONE, OWNER, attempt_id(CLONE, uid, 1), ""),
        build_display_name(OTHER_IDENTITY, OWNER, attempt_id(OTHER_IDENTITY, uid, 1), ""),
    )
    start, kind = entra.time().replace(microsecond=0), history.scene.kind
    name = names[number % len(names)]
    entra.credentials[key] = Credential(
        key_id=key, display_name=name, start=start, end=start + 2 * HOUR, type=kind
    )
    entra.makers[key] = ""
    entra.changed()


def lose_application(history: History, number: int) -> None:
    """Have the application deleted, or restored."""
    history.world.entra.is_missing = not history.world.entra.is_missing


def skew_entra(history: History, number: int) -> None:
    """Let Entra's clock differ from ours: always, by what is allowed, or for now by more."""
    entra = history.world.entra
    if number % 3 == 2:
        entra.skew = 20 * MINUTE
    elif not entra.credentials:  # it does not change from one day to the next
        entra.skew = entra.usual_skew = (4 * MINUTE, -4 * MINUTE)[number % 3]


# --- the cluster ----------------------------------------------------------------------------


def restore_cluster(history: History, number: int) -> None:
    """Set etcd back to an earlier state."""
    if history.backups:
        backup = history.backups[-1 - number % len(history.backups)]
        history.world.cluster.restore(backup)
        history.restored()


def keep_backup(history: History, number: int) -> None:
    """Make a backup of etcd."""
    history.backups.append(history.world.cluster.checkpoint())


def move_here(history: History, number: int) -> None:
    """Restore all into this cluster, and lose the one that issued what there is."""
    world, cluster = history.world, history.world.cluster
    for process in world.alive:
        process.kill()
    for key in facts.ours(world):
        world.entra.remark(KeyId(key), OTHER_IDENTITY, OWNER)
    for path in [p for p in cluster.objects if p == RESOURCE or "/appcredential-issued-" in p]:
        cluster.take_away(path)
    for path in [p for p in cluster.objects if p == TARGET or _is_pending(p)]:
        cluster.edit(path, lambda found: _restored(history, found))
    history.backups.clear()
    history.versions.clear()
    history.change_spec()
    world.start()


def _restored(history: History, found: dict[str, Any]) -> None:
    """Make a Secret what the other cluster's was: its credential has that one's marker now."""
    metadata = found["metadata"]
    metadata["uid"] = f"restored-{history.world.cluster.version}"
    told = metadata.get("annotations") or {}
    made = history.world.entra.credentials.get(KeyId(told.get("appcredential.io/key-id", "")))
    if "appcredential.io/cluster" in told and made is not None:
        told["appcredential.io/cluster"] = OTHER_IDENTITY.cluster
        told["appcredential.io/attempt"] = facts.attempt_of(made)


def restore_secret(history: History, number: int) -> None:
    """Write an earlier version of the target Secret back."""
    versions = history.versions
    if versions:
        found = versions[-1 - number % len(versions)]
        if TARGET not in history.world.cluster.objects:
            found = {**found, "metadata": {**found["metadata"], "uid": "restored-uid"}}
        history.world.cluster.put(TARGET, found)


def delete_target(history: History, number: int) -> None:
    """Delete the target Secret."""
    _delete(history, TARGET)


def delete_pending(history: History, number: int) -> None:
    """Delete the pending Secret."""
    for path in [p for p in history.world.cluster.objects if _is_pending(p)]:
        _delete(history, path)


def damage_target(history: History, number: int) -> None:
    """Edit all values of the target Secret."""
    history.world.cluster.edit(TARGET, lambda o: o.update(data={"AZURE_CLIENT_ID": "ZWRpdGVk"}))


def damage_pending(history: History, number: int) -> None:
    """Edit all values of the pending Secret."""
    for path in [p for p in history.world.cluster.objects if _is_pending(p)]:
        history.world.cluster.edit(path, lambda o: o.update(data={}))


def forge(history: History, number: int) -> None:
    """Edit an annotation of one of the two Secrets."""
    paths = [TARGET, *(p for p in history.world.cluster.objects if _is_pending(p))]
    path = paths[number % len(paths)]
    name, value = _forged(history, number // 2)

    def change(found: dict[str, Any]) -> None:
        annotations = found["metadata"].setdefault("annotations", {})
        if value:
            annotations[f"appcredential.io/{name}"] = value
        else:
            annotations.pop(f"appcredential.io/{name}", None)

    history.world.cluster.edit(path, change)


def _forged(history: History, number: int) -> tuple[str, str]:
    """Return an annotation, and what somebody writes into it; nothing takes it away."""
    world = history.world
    now, end = world.entra.time(), world.entra.time() + 30 * MINUTE
    others = [str(k) for k in facts.ours(world)]
    other = others[number % len(others)] if others else "key-none"
    attempt = facts.annotation(facts.target(world), "attempt") or "none"
    entry = {"keyId": other, "end": format_time(end), "since": format_time(now - 3 * HOUR)}
    forged = (
        ("not-before", format_time(now + 5 * HOUR)),
        ("key-id", other),
        ("retiring", json.dumps([{**entry, "cause": "Replaced"}])),
        ("abandoned", json.dumps([{"attempt": attempt, "time": format_time(now)}])),
        ("retiring", ""),
        ("attempt", ""),
        ("expires", format_time(now + 5 * MINUTE)),
        ("published-time", format_time(now - 10 * HOUR)),
        ("verified-time", ""),
        ("holder", "somebody"),
        ("intent-time", format_time(now + 5 * HOUR)),
    )
    return forged[number % len(forged)]


def roll_out(history: History, number: int) -> None:
    """Restart the Deployment; its pods end at once, or some of them only after an hour."""
    if history.pods is not None and not history.pods.is_full():
        history.pods.roll_out((SECOND, HOUR)[number % 2])


def keep_pods(history: History, number: int) -> None:
    """Have nobody restart the Deployment any more."""
    if history.pods is not None:
        history.pods.is_kept = True


def start_pod(history: History, number: int) -> None:
    """Start one more pod, which runs for as long as it likes."""
    if history.pods is not None and not history.pods.is_full():
        history.pods.start(("env", "volume")[number % 2])


def finish_pod(history: History, number: int) -> None:
    """Have a pod finish, and stay listed."""
    if history.pods is not None:
        history.pods.finish()


def hide_pods(history: History, number: int) -> None:
    """Take the right to list pods away, or give it back."""
    if history.pods is not None:
        history.pods.hide()


def break_rollouts(history: History, number: int) -> None:
    """Have no new pod of a workload become ready, or have them become ready again."""
    if isinstance(history.pods, Workloads):
        history.pods.is_broken = not history.pods.is_broken


def forge_restart(history: History, number: int) -> None:
    """Write into a pod template that it was restarted in the future, or long ago."""
    path, now = list(PLACES)[number % len(PLACES)], history.world.now()
    times = (now + 5 * HOUR, now + 10 * MINUTE, now - DAY)
    if isinstance(history.pods, Workloads):
        history.pods.forge(path, times[number // len(PLACES) % len(times)])


def take_back(history: History, number: int) -> None:
    """Have a controller take back what is written into pod templates, or leave it."""
    if isinstance(history.pods, Workloads):
        history.pods.is_taken_back = not history.pods.is_taken_back


def replace_workload(history: History, number: int) -> None:
    """Delete a workload, or create it anew."""
    if isinstance(history.pods, Workloads):
        history.pods.replace(list(PLACES)[number % len(PLACES)])


def refuse_restarts(history: History, number: int) -> None:
    """Take the right to change workloads, or to see them, away, or give it back."""
    if isinstance(history.pods, Workloads):
        history.pods.refuse(("PATCH", "GET")[number % 2])


def change_windows(history: History, number: int) -> None:
    """Change the windows, or take them away."""
    later = {"from": f"{10 + number % 8}:{number % 60:02}", "to": "19:00"}
    _rotation(history, windows=(WINDOWS, (later,), ())[number % 3])


def renew_source(history: History, number: int) -> None:
    """Renew the certificate at its source."""
    history.renew_source()


def register_twin(history: History, number: int) -> None:
    """Have somebody else register the certificate of the source, too."""
    entra = history.world.entra
    key = facts.key_in(entra, facts.target(history.world))
    if key is not None and key in entra.credentials:
        twin = KeyId(f"theirs-{len(entra.makers)}")
        held = entra.credentials[KeyId(key)]
        entra.credentials[twin] = replace(held, key_id=twin, display_name=BY_HAND)
        entra.makers[twin], entra.values[twin] = "", entra.values[key]
        entra.changed()


def disown(history: History, number: int) -> None:
    """Take our annotations from the target Secret."""
    history.world.cluster.edit(TARGET, lambda o: o["metadata"].update(annotations={}, labels={}))


def edit_around(history: History, number: int) -> None:
    """Add a label and a key to the target Secret."""

    def change(found: dict[str, Any]) -> None:
        found["metadata"].setdefault("labels", {})["theirs"] = "x"
        found.setdefault("data", {})["theirs"] = "eA=="

    history.world.cluster.edit(TARGET, change)


def edit_account(history: History, number: int) -> None:
    """Edit the ServiceAccount's annotations, or delete it and create it anew."""
    cluster = history.world.cluster
    if number % 2:
        cluster.take_away(ACCOUNT)
        cluster.put(ACCOUNT, {})
    else:
        cluster.edit(ACCOUNT, lambda o: o["metadata"].update(annotations={}))


def edit_trust(history: History, number: int) -> None:
    """Have somebody edit a federated credential in the portal."""
    entra = history.world.entra
    for id_, found in list(entra.trusts.items())[:1]:
        entra.trusts[id_] = replace(found, audiences=("api://edited",))
        entra.changed()


def add_twin(history: History, number: int) -> None:
    """Have somebody else make the federated credential that we would make."""
    entra = history.world.entra
    if not entra.trusts:
        return
    first = next(iter(entra.trusts.values()))
    if all(t.subject != "theirs" for t in entra.trusts.values()):
        id_ = f"theirs-{len(entra.makers)}"
        entra.trusts[id_] = replace(first, id=id_, subject="theirs", description=BY_HAND)
        entra.makers[id_] = ""
        entra.changed()


# --- people ---------------------------------------------------------------------------------


def rotate(history: History, number: int) -> None:
    """Ask for a renewal of what was issued until now."""
    _rotation(history, rotateIssuedBefore=format_time(history.world.now()))


def revoke(history: History, number: int) -> None:
    """Ask for the revocation of what was issued until now."""
    _rotation(history, revokeIssuedBefore=format_time(history.world.now()))


def retire_otherwise(history: History, number: int) -> None:
    """Change `retireWhen` or `overlap`."""
    changes = ({"retireWhen": "Expired"}, {"retireWhen": "OverlapElapsed"}, {"overlap": "30m"})
    _rotation(history, **changes[number % 3])


def change_lifetime(history: History, number: int) -> None:
    """Change `lifetime`."""
    history.change_spec(lifetime=("90m", "2h", "4h")[number % 3])


def suspend(history: History, number: int) -> None:
    """Suspend the AppCredential, or let it go on."""
    history.change_spec(suspend=not history.spec.get("suspend", False))


def observe(history: History, number: int) -> None:
    """Set `mode: Observe`, or take it back."""
    is_set = history.spec.get("mode") == "Observe"
    history.change_spec(mode="Manage" if is_set else "Observe")


def change_policy(history: History, number: int) -> None:
    """Change `deletionPolicy`."""
    is_retained = history.spec.get("deletionPolicy") == "Retain"
    history.change_spec(deletionPolicy="Revoke" if is_retained else "Retain")


def verify_otherwise(history: History, number: int) -> None:
    """Change `verification.mode`."""
    history.change_spec(verification={"mode": ("Required", "Disabled")[number % 2]})


def change_audience(history: History, number: int) -> None:
    """Change the audience, or the ServiceAccount's name, of the federated identity."""
    member = dict(history.spec.get("federatedIdentity") or {})
    if member:
        member["audience"] = ("api://AzureADTokenExchange", "api://other")[number % 2]
        history.change_spec(federatedIdentity=member)


def delete(history: History, number: int) -> None:
    """Delete the AppCredential."""
    if RESOURCE in history.world.cluster.objects:
        history.world.cluster.delete(RESOURCE)


def delete_by_force(history: History, number: int) -> None:
    """Delete the AppCredential without its finalizer."""
    if RESOURCE in history.world.cluster.objects:
        history.world.cluster.take_away(RESOURCE)


def apply_again(history: History, number: int) -> None:
    """Apply the AppCredential again."""
    if RESOURCE not in history.world.cluster.objects:
        history.change_spec()


def apply_elsewhere(history: History, number: int) -> None:
    """Apply the AppCredential by another EntraTenant of the same directory."""
    cluster = history.world.cluster
    if RESOURCE not in cluster.objects and GRANT in cluster.objects:
        cluster.put_second_tenant()
        history.change_spec(tenantRef={"name": ("second", "default")[number % 2]})


def withdraw(history: History, number: int) -> None:
    """Withdraw the grant, or give it again.

    As a whole, by a tag of the application, or by its end.
    """
    world = history.world
    match number % 3:
        case 0 if GRANT in world.cluster.objects:
            world.cluster.take_away(GRANT)
        case 0:
            world.cluster.put_grant()
        case 1:
            world.entra.tags = () if world.entra.tags else (facts.TAG,)
            world.cluster.put_grant(applications={"tagged": True})
        case _:
            end = world.now() + timedelta(minutes=5 * (number % 4))
            world.cluster.put_grant(expires=format_time(end))


def wait(history: History, number: int) -> None:
    """Let time pass."""
    history.run_for(timedelta(minutes=(1, 5, 20, 60, 100)[number % 5]))


def _rotation(history: History, **changes: Any) -> None:
    is_asked = any(name.endswith("IssuedBefore") for name in changes)
    if "rotation" in history.spec and not (is_asked and history.scene.is_brought):
        history.change_spec(rotation={**history.spec["rotation"], **changes})


def _delete(history: History, path: str) -> None:
    if path in history.world.cluster.objects:
        history.world.cluster.delete(path)


def _is_pending(path: str) -> bool:
    return path.startswith(f"{SECRETS}/appcredential-pending-")


COMMON: Final[tuple[Event, ...]] = (
    kill,
    kill_for_long,
    pause,
    pause_and_follow,
    set_clock,
    be_blind,
    lose_answer,
    lose_many,
    lose_call,
    throttle,
    conflict,
    take_down,
    starve,
    slow_down,
    lag,
    lag_tokens,
    catch_up,
    remove_in_portal,
    write_beside,
    lose_application,
    skew_entra,
    keep_backup,
    restore_cluster,
    suspend,
    observe,
    change_policy,
    verify_otherwise,
    delete,
    delete_by_force,
    apply_again,
    apply_elsewhere,
    withdraw,
    wait,
)
WITH_SECRET: Final[tuple[Event, ...]] = (
    remove_published_in_portal,
    restore_secret,
    delete_target,
    delete_pending,
    damage_target,
    damage_pending,
    forge,
    disown,
    edit_around,
    rotate,
    revoke,
    retire_otherwise,
    change_lifetime,
)
WITH_PODS: Final[tuple[Event, ...]] = (roll_out, keep_pods, start_pod, finish_pod, hide_pods)
WITH_WORKLOADS: Final[tuple[Event, ...]] = (
    roll_out,
    start_pod,
    hide_pods,
    break_rollouts,
    forge_restart,
    take_back,
    replace_workload,
    refuse_restarts,
)
WITH_WINDOWS: Final[tuple[Event, ...]] = (change_windows,)
BROUGHT: Final[tuple[Event, ...]] = (renew_source, register_twin)
MOVED: Final[tuple[Event, ...]] = (move_here,)
FEDERATED: Final[tuple[Event, ...]] = (edit_account, edit_trust, add_twin, change_audience)
EVENTS: Final[dict[str, Event]] = {
    event.__name__.replace("_", "-"): event
    for events in (
        *(COMMON, WITH_SECRET, WITH_PODS, WITH_WORKLOADS, WITH_WINDOWS, BROUGHT, MOVED, FEDERATED),
    )
    for event in events
}
