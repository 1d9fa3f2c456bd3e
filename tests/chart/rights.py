"""What the operator asked the API server for, against what the rendered roles give it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

CLAIM_UPDATE: Final = {
    "update leases.coordination.k8s.io (appcredential-claim) in default": "the claim of another "
    "installation is replaced, where an administrator names it in settings.replaceClaim",
}
TICKET_UPDATE: Final = {
    "update configmaps in appcredential-system": "a ticket is written anew where a resource of "
    "its name is deleted again before it is finished, or when somebody damaged it, and a record "
    "of what was issued where the policy or grace period of its resource changes",
}
"""Needed in either mode, and by no ordinary life."""
WITHIN_OVERLAP: Final = "what a rotation of this life replaced is still within its overlap"
"""Why a life may have no use for lists of pods."""
OF_LABELS: Final = "namespaces are watched while a grant selects by labels, and here none does"
"""Why a life may have no use for namespaces."""
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource, given by a rule of a role.

    Attributes:
        namespace: where it holds; empty everywhere.
        group: API group; empty for the core.
        resource: plural, with the subresource behind a slash.
        verb: as in RBAC.
        names: the objects it is limited to; empty is all.
    """

    namespace: str
    group: str
    resource: str
    verb: str
    names: tuple[str, ...] = ()

    def allows(self, request: Request) -> bool:
        """Tell whether it is enough for a request."""
        return (
            (self.group, self.resource, self.verb)
            == (request.group, request.resource, request.verb)
            and self.namespace in {"", request.namespace}
            and (not self.names or request.name in self.names)
        )

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.what}{where}"

    @property
    def what(self) -> str:
        """The resource as `kubectl auth can-i` takes it, and how many objects it is limited to."""
        plural = f"{self.resource}.{self.group}" if self.group else self.resource
        if not self.names:
            return plural
        return f"{plural} ({self.names[0] if len(self.names) == 1 else f'{len(self.names)} names'})"


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """What was asked for once; the path alone stands for what is about no resource."""

    verb: str
    path: str = ""
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    is_refused: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


def granted(manifests: Iterable[Mapping[str, Any]], account: str) -> list[Right]:
    """Return what a release's roles give a ServiceAccount (`namespace:name`), sorted."""
    found = list(manifests)
    rules = {
        (d["kind"], d["metadata"].get("namespace", ""), d["metadata"]["name"]): d["rules"]
        for d in found
        if d["kind"] in {"Role", "ClusterRole"}
    }
    rights: set[Right] = set()
    for binding in found:
        if binding["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        if account not in {f"{s.get('namespace')}:{s['name']}" for s in binding["subjects"]}:
            continue
        role, namespace = binding["roleRef"], binding["metadata"].get("namespace", "")
        home = namespace if role["kind"] == "Role" else ""
        rights |= set(_expand(rules[role["kind"], home, role["name"]], namespace))
    return sorted(rights)


def _expand(rules: Sequence[Mapping[str, Any]], namespace: str) -> Iterator[Right]:
    for rule in rules:
        names = tuple(sorted(rule.get("resourceNames", ())))
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(namespace, group, resource, verb, names)


def end_of(log: Path) -> int:
    """Return how long an audit log is by now; nothing when nobody has asked for anything."""
    return log.stat().st_size if log.exists() else 0


def requested(log: Path, user: str, since: int = 0) -> Counter[Request]:
    """Count what a user asked for, from an audit log's byte `since` on."""
    with log.open("rb") as file:
        file.seek(since)
        lines = file.readlines()
    # A watch is told when it begins and when it ends: that is one request.
    events = {event["auditID"]: event for event in map(json.loads, lines)}
    return Counter(_request(e) for e in events.values() if e["user"]["username"] == user)


def _request(event: Mapping[str, Any]) -> Request:
    about = event.get("objectRef") or {}
    is_refused = event.get("responseStatus", {}).get("code") == _FORBIDDEN
    path = str(event["requestURI"]).partition("?")[0]
    if "resource" not in about:
        return Request(event["verb"], path, is_refused=is_refused)
    subresource = f"/{about['subresource']}" if "subresource" in about else ""
    return Request(
        event["verb"],
        path,
        about.get("apiGroup", ""),
        about["resource"] + subresource,
        about.get("namespace", ""),
        about.get("name", ""),
        is_refused,
    )


@dataclass(slots=True)
class Comparison:
    """Rights and requests, each laid to the other.

    Attributes:
        uses: how often each right was used, the narrowest that is enough for a request.
        public: what is about no resource: version and discovery, which Kubernetes' own roles
            give to everybody who signs in.
        refused: what was answered with 403, by the authoriser or at admission.
        stray: what succeeded without any of the rights.
    """

    uses: dict[Right, int]
    public: Counter[Request] = field(default_factory=Counter)
    refused: Counter[Request] = field(default_factory=Counter)
    stray: Counter[Request] = field(default_factory=Counter)

    @property
    def unused(self) -> list[Right]:
        """The rights that nothing needed."""
        return [right for right, times in self.uses.items() if not times]

    def faults(self, reasons: Mapping[str, str]) -> list[str]:
        """Return what is wrong, given the rights that may be unused and why they are given."""
        given = set(map(str, self.uses))
        return [
            *(f"nothing needs: {right}" for right in self.unused if str(right) not in reasons),
            *(f"a reason for what is not given: {r}" for r in reasons if r not in given),
            *(f"refused: {request}" for request in self.refused),
            *(f"not of these roles: {request}" for request in self.stray),
        ]

    def table(self, reasons: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of a comparison for a person."""
        used = len(self.uses) - len(self.unused)
        yield f"  {len(self.uses)} granted, {used} used (verb × times)"
        rows: dict[tuple[str, str], list[str]] = {}
        for right, times in self.uses.items():
            rows.setdefault((right.namespace, right.what), []).append(f"{right.verb} × {times}")
        width = max(len(what) for _, what in rows)
        for namespace in dict.fromkeys(namespace for namespace, _ in rows):
            yield f"  in {namespace}" if namespace else "  in all namespaces"
            for (where, what), verbs in rows.items():
                if where == namespace:
                    yield f"    {what:<{width}}  {', '.join(verbs)}"
        yield "  granted and not used here, because"
        for right in self.unused:
            yield f"    {right}: {reasons.get(str(right), 'NOBODY KNOWS WHY')}"
        public = sorted({str(request) for request in self.public})
        yield f"  used and granted to everybody by Kubernetes: {', '.join(public) or 'nothing'}"
        refused = sorted({str(request) for request in self.refused})
        yield f"  refused: {', '.join(refused) or 'nothing'}"


def compare(rights: Sequence[Right], requests: Mapping[Request, int]) -> Comparison:
    """Lay requests to rights."""
    found = Comparison(dict.fromkeys(rights, 0))
    for request, times in requests.items():
        if request.is_refused:
            found.refused[request] += times
        elif not request.resource:
            found.public[request] += times
        elif enough := [right for right in rights if right.allows(request)]:
            found.uses[max(enough, key=_narrowness)] += times
        else:
            found.stray[request] += times
    return found


def _narrowness(right: Right) -> tuple[bool, bool]:
    return bool(right.namespace), bool(right.names)
