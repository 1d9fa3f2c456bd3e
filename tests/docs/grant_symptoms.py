"""Symptoms of AppCredentials that a grant allows nearly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appcredential.cache.namespaces import UNREADABLE
from appcredential.domain.conditions import Problem
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.asker import Asker
from appcredential.domain.spec.grant import NamedApplications
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.status.cluster_kinds import grant_conditions
from tests.domain.test_grant_forms import PROD, TAG, TAGGED, by
from tests.support.builders import NOW, asker, spec, tenant


def _of(who: Asker, grant: ApplicationGrantSpec) -> Problem:
    found = evaluate({"shop": grant}, who, spec(), tenant())
    assert isinstance(found, Problem)
    return found


def _unreadable() -> Problem:
    ready, *_ = grant_conditions(by(namespaces=PROD), NOW, UNREADABLE)
    return Problem(reason=ready.reason, message=ready.message)


OF_GRANTS: Final[dict[str, Callable[[], Problem]]] = {
    "GrantUnknown": lambda: _of(asker(), by(namespaces=PROD)),
    "NamespacesUnreadable": _unreadable,
    "lacks the tag appcredential.io/allow=": lambda: _of(asker(tags=()), TAGGED),
    "Seen instead": lambda: _of(asker(tags=(TAG.upper(),)), TAGGED),
    "the namespace does not meet": lambda: _of(asker(labels={}), by(namespaces=PROD)),
    "has expired": lambda: _of(asker(), by(expires=NOW)),
    "does not list this application": lambda: _of(asker(), by(NamedApplications(frozenset()))),
}
