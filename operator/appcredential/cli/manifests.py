"""The files of `import`: a grant, AppCredentials in mode Observe, the same in mode Manage. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

import yaml

from appcredential.cli.proposals import Import
from appcredential.cli.proposed import Note, Proposal
from appcredential.cli.text import plain
from appcredential.domain.spec.model import DEFAULT_MAX_CREDENTIALS, Mode

_WIDTH: Final = 98


def grants(found: Import) -> list[dict[str, Any]]:
    """Return grants that allow the proposals and nothing else; one for each thing to name."""
    groups: dict[tuple[str, str, str], list[Proposal]] = {}
    for one in found.proposals:
        client_id = one.manifest["spec"]["application"]["clientId"]
        key = (one.owner.namespace, client_id, json.dumps(one.grant, sort_keys=True))
        groups.setdefault(key, []).append(one)
    counts, taken = _counts(found.proposals), set(found.taken_grants)
    made = []
    for number, ((namespace, client_id, _), group) in enumerate(groups.items(), 1):
        name = _free(f"imported-{group[0].owner.namespace}-{group[0].owner.name}", number, taken)
        taken.add(name)
        made.append(_grant(found, group, name, counts[namespace, client_id]))
    return made


def _free(base: str, number: int, taken: Collection[str]) -> str:
    """Return a name that no grant has: an apply would take away what that one allows."""
    while (name := f"{base[:240]}-{number}") in taken:
        number += 1
    return name


def _counts(proposals: Iterable[Proposal]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for one in proposals:
        key = (one.owner.namespace, one.manifest["spec"]["application"]["clientId"])
        counts[key] = counts.get(key, 0) + 1
    return counts


def _grant(found: Import, group: Sequence[Proposal], name: str, count: int) -> dict[str, Any]:
    spec, owner = group[0].manifest["spec"], group[0].owner
    most = {"maxCredentials": count} if count > DEFAULT_MAX_CREDENTIALS else {}
    tenant = {} if found.tenant_ref == "default" else {"tenantRef": {"name": found.tenant_ref}}
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "ApplicationGrant",
        "metadata": {"name": name},
        "spec": {
            **tenant,
            "applications": {"clientIds": [spec["application"]["clientId"]]},
            "namespaces": {"names": [owner.namespace]},
            "types": list(dict.fromkeys(one.manifest["spec"]["type"] for one in group)),
            **most,
            **group[0].grant,
        },
    }


def grants_text(found: Import) -> str:
    """Return the grants as a file."""
    head = "Written for the platform team. It allows what the AppCredentials ask for, no more."
    return _file([Note(head)], [((), grant) for grant in grants(found)])


def stage_text(found: Import, mode: Mode) -> str:
    """Return the AppCredentials of one stage as a file, with what to know as comments."""
    left_out = [Note(f"Left out: {one}") for one in found.left_out]
    match mode:
        case Mode.OBSERVE:
            head = "First stage: the operator only reports, and writes nothing to Entra or Secrets."
            rows = [(one.notes, _in_mode(one, mode)) for one in found.proposals]
        case Mode.MANAGE:
            head = "Second stage, once status of the first one is as expected: the operator acts."
            left_out = []
            rows = [
                ([note] if (note := one.before_managing) else [], _in_mode(one, mode))
                for one in found.proposals
            ]
        case _:
            assert_never(mode)
    return _file([Note(head), *left_out], rows)


def _in_mode(proposal: Proposal, mode: Mode) -> dict[str, Any]:
    manifest = proposal.manifest
    return {**manifest, "spec": {**manifest["spec"], "mode": str(mode)}}


def _file(head: Sequence[Note], rows: Iterable[tuple[Sequence[Note], Mapping[str, Any]]]) -> str:
    parts = [_comments(head)]
    for comments, manifest in rows:
        text = yaml.safe_dump(dict(manifest), default_flow_style=False, sort_keys=False)
        parts.append(f"---\n{_comments(comments)}{text}")
    return "".join(parts)


def _comments(notes: Iterable[Note]) -> str:
    told = ""
    for note in notes:
        wrapped = textwrap.wrap(
            plain(note.text, 4096), _WIDTH, break_long_words=False, break_on_hyphens=False
        )
        told += "".join(f"# {line}\n" for line in wrapped)
        told += f"#   {plain(note.command, 4096)}\n" if note.command else ""
    return told
