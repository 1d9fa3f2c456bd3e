"""What a resource is told that no grant allows: which came close, and one that would allow it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grant_match import UNKNOWN, Asked, Lack, lacks, missing_labels
from appcredential.domain.granted_sources import grant_members, refused_workflows
from appcredential.domain.shown_text import first_of, plain
from appcredential.domain.spec.git_hub_source import GitHubSource
from appcredential.domain.spec.grant import NamedApplications
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec

_MOST_NAMED: Final = 3
_MOST_SHOWN: Final = 120
"""Characters of a tag or a label selector."""
_LONGEST: Final = 1_900
"""Characters of a message, which has to keep the whole grant at its end: what does not fit beside
that is left out. Status cuts messages at 2,048, and may put a few words before this one."""
_LEAST: Final = 450
"""Characters that a grant at the end leaves for what comes before; a longer one is not shown."""
_MOST_OF_WORKFLOW: Final = 60
_TOO_LONG: Final = (
    "To allow it, an administrator applies an ApplicationGrant for this namespace, application and "
    "type that names in spec.federation whose tokens this trusts; it is too long to be shown here."
)

_FIXED: Final = {
    Lack.LABELS_UNKNOWN: "the labels of the namespace were not read",
    Lack.APPLICATION: "does not list this application",
    Lack.TAGS_UNKNOWN: "the tags of the app registration were not read",
    Lack.TYPE: "is for other types",
    Lack.SOURCE: "does not allow whose tokens this trusts",
    Lack.EXPIRED: "has expired",
}

Grants = Mapping[str, ApplicationGrantSpec]


def refusal(grants: Grants, asked: Asked) -> Problem:
    """Return that no grant matches.

    It names grants that are for the namespace, or lack nothing but its labels. What others were
    granted is not told. A grant that is cut would be of no use: one for a long list is not shown.
    """
    first = (
        "No ApplicationGrant allows this namespace to have a credential of this type for this "
        "application."
    )
    last = f"To allow it, an administrator applies: {json.dumps(_manifest(asked))}"
    if len(first) + len(last) > _LONGEST - _LEAST:
        last = _TOO_LONG
    left, told = _LONGEST - len(first) - len(last), [first]
    for sentence in (*_seen_tags(grants, asked), *_question(grants, asked), *_close(grants, asked)):
        if len(sentence) < left:
            told.append(sentence)
            left -= len(sentence) + 1
    return Problem(reason=Reason.NOT_GRANTED, message=" ".join([*told, last]))


def undecided(grants: Grants, asked: Asked) -> Problem:
    """Return that nobody knows yet whether one of these grants matches.

    Args:
        grants: that lack nothing but what is not known; at least one.
        asked: what is asked for.
    """
    name, grant = min(grants.items())
    asker, lack = asked.asker, next(iter(lacks(grant, asked)))
    unreadable = asker.labels_problem if lack is Lack.LABELS_UNKNOWN else ""
    return Problem(
        reason=Reason.GRANT_UNKNOWN,
        message=f"It is not known yet whether ApplicationGrant {name} allows this, so nothing new "
        f"is issued: {unreadable or _FIXED[lack] + '.'}",
        stalled=bool(unreadable),
    )


def _close(grants: Grants, asked: Asked) -> Iterator[str]:
    found = [(len(what), name, what) for name, what in _lacking(grants, asked)]
    named = [
        f"{name} ({', '.join(_text(grants[name], lack, asked) for lack in what)})"
        for _, name, what in sorted(found, key=lambda one: one[:2])[:_MOST_NAMED]
    ]
    if named:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        yield f"Close: {'; '.join(named)}{more}."


def _lacking(grants: Grants, asked: Asked) -> Iterator[tuple[str, list[Lack]]]:
    """Yield the grants of which this namespace may hear, each with what it lacks."""
    for name, grant in grants.items():
        what = list(lacks(grant, asked))
        definite = [lack for lack in what if lack not in UNKNOWN]
        is_other = bool({Lack.TENANT, Lack.NAMESPACE, Lack.OPERATOR} & set(what))
        is_far = Lack.LABELS in what and bool(set(definite) - {Lack.LABELS, Lack.TAG})
        if not is_other and not is_far:
            yield name, what


def _text(grant: ApplicationGrantSpec, lack: Lack, asked: Asked) -> str:
    asker = asked.asker
    if lack is Lack.SOURCE:
        return _left_out(grant, asked.spec) or _FIXED[lack]
    if lack is Lack.LABELS:
        missing = ", ".join(map(str, missing_labels(grant, asker)))
        return f"the namespace does not meet {plain(missing, _MOST_SHOWN)}"
    if lack is Lack.TAG:
        return f"the app registration lacks the tag {plain(asker.wanted_tag, 2 * _MOST_SHOWN)}"
    return _FIXED[lack]


def _left_out(grant: ApplicationGrantSpec, spec: AppCredentialSpec) -> str:
    """Return which workflows of a list a grant leaves out that allows others; empty otherwise."""
    source = spec.federated.source if spec.federated is not None else None
    if not isinstance(source, GitHubSource):
        return ""
    refused = refused_workflows(grant.federation, source)
    if len(refused) == len(source.workflows):
        return ""
    shown = first_of([plain(workflow, _MOST_OF_WORKFLOW) for workflow in refused])
    return f"leaves out {shown}: nothing is made while a part is not allowed"


def _seen_tags(grants: Grants, asked: Asked) -> Iterator[str]:
    """Yield the tags that may be meant for this namespace, but are written otherwise."""
    if not any(Lack.TAG in what for _, what in _lacking(grants, asked)):
        return
    wanted = asked.asker.wanted_tag.casefold()
    tail = f"/{asked.asker.namespace}".casefold()
    found = [
        tag
        for tag in asked.asker.tags or ()
        if tag.casefold() == wanted or tag.casefold().endswith(tail) or "*" in tag
    ]
    if found:
        seen = ", ".join(plain(tag, _MOST_SHOWN) for tag in sorted(found)[:_MOST_NAMED])
        yield (
            f"Seen instead: {seen}. The tag must name this cluster and one namespace, letter by "
            "letter; there are no wildcards."
        )


def _question(grants: Grants, asked: Asked) -> Iterator[str]:
    """Yield a doubt about the id, which nobody granted."""
    client_id = asked.spec.client_id
    is_known = any(
        isinstance(grant.applications, NamedApplications)
        and client_id in grant.applications.client_ids
        and not {Lack.NAMESPACE, Lack.LABELS} & set(lacks(grant, asked))
        for grant in grants.values()
    )
    if not is_known:
        yield (
            f"No grant for this namespace names {client_id}: is this the client id? Entra shows an "
            "object id beside it, which is another."
        )


def _manifest(asked: Asked) -> dict[str, Any]:
    asker, spec = asked.asker, asked.spec
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "ApplicationGrant",
        "metadata": {"name": f"{asker.namespace}-{spec.client_id}"},
        "spec": {
            "tenantRef": {"name": spec.tenant},
            "applications": {"clientIds": [spec.client_id]},
            "namespaces": {"names": [asker.namespace]},
            "types": [str(spec.type)],
            **(grant_members(spec.federated.source) if spec.federated is not None else {}),
        },
    }
