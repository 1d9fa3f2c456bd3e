"""What people do behind the operator's back, and when status says so."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bench.fleet import Kind, Member
from bench.installation import GROUP, Installation
from bench.scenes.scene import Say, Value

_OWN_KEYS: Final = ("AZURE_CLIENT_SECRET", "client.pem", "tls.key")
"""Of a Secret: where the credential itself is. An edit elsewhere is repaired, and not told."""
_BY_HAND: Final = "YnkgaGFuZA=="
Deed: TypeAlias = tuple[Member, Callable[[], object]]


def behind_its_back(site: Installation, say: Say) -> list[Value]:
    """Do each deed to a resource of its own, and wait.

    The grant comes last: a change of it has all reconciled that it names.
    """
    removed, gone, deleted, edited, withdrawn = harmed = victims(site)
    deeds: dict[str, Deed] = {
        "removal in the portal, s": (removed, lambda: _remove_in_portal(site, removed)),
        "deleted application, s": (gone, lambda: _delete_application(site, gone)),
    }
    if all(member.kind is not Kind.FEDERATED for member in harmed):
        deeds["deleted Secret, s"] = deleted, lambda: site.send("DELETE", _secret(deleted))
        deeds["edited Secret, s"] = edited, lambda: _edit_secret(site, edited)
    target = 60.0 if site.fleet.size <= 300 else 600.0
    found = _noticed(site, deeds, 1.5 * target, say)
    say("withdrawing a grant")
    last = {"withdrawn grant, s": (withdrawn, lambda: _withdraw(site, withdrawn))}
    found |= _noticed(site, last, 1.5 * target, say)
    return [(what, value, target) for what, value in found.items()]


def victims(site: Installation) -> list[Member]:
    """Return the five members, of five applications, to which something is done."""
    members = site.fleet.members()
    kept_in_secrets = [m for m in members if m.kind is not Kind.FEDERATED]
    found = {member.client_id: member for member in kept_in_secrets or members}
    return list(found.values())[:5]


def _noticed(
    site: Installation, deeds: Mapping[str, Deed], seconds: float, say: Say
) -> dict[str, float]:
    """Do all deeds; return after how many seconds each showed in status, nan for not in time."""
    before = {what: _told(site, member) for what, (member, _) in deeds.items()}
    began = time.monotonic()
    for _, deed in deeds.values():
        deed()
    found = dict.fromkeys(deeds, math.nan)
    while any(map(math.isnan, found.values())) and time.monotonic() - began < seconds:
        for what, (member, _) in deeds.items():
            if math.isnan(found[what]) and _told(site, member) != before[what]:
                found[what] = time.monotonic() - began
                say(f"{what.removesuffix(', s')}: told after {found[what]:.1f} s")
        time.sleep(0.25)
    return found


def _told(site: Installation, member: Member) -> list[tuple[str, ...]]:
    """Return what the conditions of a resource say, and which credential it has."""
    document = site.state(member)
    status = document.get("status") or {}
    conditions = status.get("conditions") or ()
    told = [(c["type"], c["status"], c["reason"], c["message"]) for c in conditions]
    return [*told, (str(status.get("credential")), str(status.get("pending")))]


def _remove_in_portal(site: Installation, member: Member) -> None:
    credential = site.state(member)["status"].get("credential") or {}
    kind = {Kind.SECRET: "passwords", Kind.CERTIFICATE: "keys"}.get(member.kind)
    path = f"/applications/{member.client_id}"
    if kind is not None:
        site.stack.emulator.call("DELETE", f"{path}/{kind}/{credential['keyId']}")
        return
    (trust,) = site.stack.emulator.call("GET", path)["federatedIdentityCredentials"]
    site.stack.emulator.call("DELETE", f"{path}/federatedIdentityCredentials/{trust['id']}")


def _delete_application(site: Installation, member: Member) -> None:
    site.stack.emulator.call("DELETE", f"/applications/{member.client_id}")


def _secret(member: Member) -> str:
    return f"/api/v1/namespaces/{member.namespace}/secrets/{member.name}"


def _edit_secret(site: Installation, member: Member) -> None:
    path = _secret(member)
    changed = site.get(path)
    changed["data"] |= {key: _BY_HAND for key in _OWN_KEYS if key in changed["data"]}
    site.send("PUT", path, changed)


def _withdraw(site: Installation, member: Member) -> None:
    for grant in site.get(f"{GROUP}/applicationgrants")["items"]:
        named = grant["spec"]["applications"]["clientIds"]
        if member.client_id in named:
            named.remove(member.client_id)
            site.send("PUT", f"{GROUP}/applicationgrants/{grant['metadata']['name']}", grant)
