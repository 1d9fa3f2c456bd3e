"""The command `grants`: what ApplicationGrants allow a namespace, for those who ask in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import click

from appcredential.cli.api import Api
from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.gathered import Read
from appcredential.cli.doctor.operators import PART_OF, operators_of
from appcredential.cli.errors import CliError, ForbiddenError
from appcredential.cli.options import Session, output, with_session
from appcredential.cli.shown import rendered
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.tables import Narrower, tabulated
from appcredential.cli.text import span, when
from appcredential.domain.conditions import ConditionType
from appcredential.domain.grant_match import covers
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.label_selector import Labels
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.spec.parse import parse_application_grant
from appcredential.domain.spec.reserved import RESERVED_NAMESPACES
from appcredential.errors import InvalidSpecError

_GRANTS: Final = "/apis/appcredential.io/v1alpha1/applicationgrants"
_COLUMNS: Final = (
    "NAME",
    "READY",
    "REASON",
    "TYPES",
    "APPLICATIONS",
    "LIFETIME",
    "EXPIRES",
    "USED",
)
_WIDE: Final = ("TENANT", "NAMESPACES", "MISSING", "AGE")
_LEFT_OUT: Final = (
    "AGE",
    "MISSING",
    "EXPIRES",
    "LIFETIME",
    "NAMESPACES",
    "USED",
    "REASON",
    "TYPES",
)
_NARROWER: Final = Narrower(left_out=_LEFT_OUT, cut=("APPLICATIONS", "NAME"))
_STYLES: Final = {"True": Style.GOOD, "False": Style.BAD}
_ROLE: Final = (
    "ApplicationGrants are in no namespace, so a role in one does not include them. Ask an "
    "administrator for the chart's ClusterRole that ends in -platform-view, which its value "
    "rbac.clusterReaders binds."
)


@dataclass(slots=True)
class Found:
    """The grants of a namespace.

    Attributes:
        items: those that are about it, whether they are in force or not.
        unknown: names of those of which nobody can say so without the namespace's labels.
    """

    items: list[Document] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@click.command("grants")
@click.option("-A", "--all-namespaces", is_flag=True, help="All grants, for whichever namespace.")
@output("wide", "json", "yaml", "name")
@with_session
def grants_command(session: Session, *, all_namespaces: bool, form: str | None) -> None:
    """Show which applications a namespace may ask for, and by which ApplicationGrants."""
    api, terminal = session.api, session.terminal
    namespace = "" if all_namespaces else api.namespace
    found = read_grants(api, namespace)
    if found.unknown:
        names = ", ".join(found.unknown)
        terminal.note(f"Left out, as you may not read the labels of {namespace}: {names}.")
    if form is not None and form != "wide":
        if found.items or form != "name":
            terminal.text(rendered(form, found.items, as_list=True, kind="ApplicationGrant"))
        return
    if not found.items:
        where = f"for {namespace} namespace" if namespace else "in the cluster"
        terminal.note(f"No ApplicationGrants found {where}.")
        return
    width = None if form == "wide" else terminal.width
    terminal.lines(table(found.items, namespace, api.now(), width, is_wide=form == "wide"))


def read_grants(api: Api, namespace: str) -> Found:
    """Read the grants that are about a namespace; of all namespaces if it is empty.

    Raises:
        CliError: they cannot be read; if they may not be, it names the role that is needed.
    """
    try:
        listed = api.read(_GRANTS, all_pages=True)
    except ForbiddenError as exc:
        raise ForbiddenError(f"{exc}. {_ROLE}".replace("..", ".")) from exc
    documents = sorted(listed, key=lambda document: document.name)
    if not namespace:
        return Found(documents)
    parsed = [(document, _parsed(document)) for document in documents]
    selects = any(_selects(grant) for _, grant in parsed)
    may_be_selected = selects and _may_be_selected(api, namespace)
    labels = _labels(api, namespace) if may_be_selected else None
    found = Found()
    for document, grant in parsed:
        if _selects(grant) and not may_be_selected:
            continue
        if _selects(grant) and labels is None:
            found.unknown.append(document.name)
        elif _is_about(document, grant, namespace, labels):
            found.items.append(document)
    return found


def table(
    grants: Sequence[Document], namespace: str, now: datetime, width: int | None, *, is_wide: bool
) -> Iterator[Line]:
    """Yield the lines of a table, the header first.

    Args:
        grants: in the order in which they are shown.
        namespace: whose use is counted; that of all if it is empty.
        now: the present time.
        width: cells of the terminal; None where lines may have any length.
        is_wide: whether all columns are there, and all client ids.
    """
    names = [*_COLUMNS, *_WIDE] if is_wide else list(_COLUMNS)
    if not namespace and not is_wide:
        names.append("NAMESPACES")
    rows = [_cells(grant, namespace, now, is_wide=is_wide) for grant in grants]
    yield from tabulated(names, rows, width, _NARROWER)


def _cells(grant: Document, namespace: str, now: datetime, *, is_wide: bool) -> dict[str, Part]:
    ready, created = (
        grant.condition(ConditionType.READY),
        grant.time("metadata", "creationTimestamp"),
    )
    status = ready.status if ready is not None else "Unknown"
    style = _STYLES.get(status, Style.WARN)
    missing = grant.number("status", "applications", "missing")
    return {
        "NAME": Part(grant.name),
        "READY": Part(status, style),
        "REASON": Part(ready.reason if ready is not None else "NotLookedAt", style),
        "TYPES": Part(_listed(grant, "types", most=3) or "all"),
        "APPLICATIONS": Part(_applications(grant, most=None if is_wide else 1)),
        "LIFETIME": Part(grant.text("spec", "maxLifetime")),
        "EXPIRES": Part(when(grant.time("spec", "expires"), now)),
        "USED": Part(_used(grant, namespace)),
        "TENANT": Part(grant.text("spec", "tenantRef", "name") or "default"),
        "NAMESPACES": Part(
            _listed(grant, "namespaces", "names", most=None if is_wide else 1) or "by labels"
        ),
        "MISSING": Part(
            "" if missing is None else str(missing), Style.WARN if missing else Style.PLAIN
        ),
        "AGE": Part(span(now - created) if created is not None else "", Style.DIM),
    }


def _applications(grant: Document, most: int | None) -> str:
    applications = grant.at("spec", "applications")
    if isinstance(applications, dict) and applications.get("all") is True:
        return "all"
    if isinstance(applications, dict) and applications.get("tagged") is True:
        return "tagged"
    return _listed(grant, "applications", "clientIds", most=most)


def _listed(grant: Document, *path: str, most: int | None) -> str:
    """Return the first entries of a list in the spec, and how many more there are."""
    found = grant.at("spec", *path)
    entries = [Document({"is": entry}).text("is") for entry in found or ()]
    shown = entries if most is None else entries[:most]
    more = f" +{len(entries) - len(shown)}" if len(entries) > len(shown) else ""
    return ",".join(shown) + more


def _used(grant: Document, namespace: str) -> str:
    """Return how many AppCredentials use a grant; empty where status does not say so."""
    total = grant.number("status", "usage", "appCredentials")
    if total is None or not namespace:
        return "" if total is None else str(total)
    named = grant.entries("status", "usage", "byNamespace")
    counts = [
        entry.number("appCredentials") for entry in named if entry.text("namespace") == namespace
    ]
    if counts:
        return str(counts[0])
    return "0" if grant.number("status", "usage", "namespaces") == len(named) else ""


def _parsed(document: Document) -> ApplicationGrantSpec | None:
    try:
        return parse_application_grant(document.document)
    except InvalidSpecError:
        return None


def _selects(grant: ApplicationGrantSpec | None) -> bool:
    return grant is not None and isinstance(grant.namespaces, SelectedNamespaces)


def _is_about(
    document: Document, grant: ApplicationGrantSpec | None, namespace: str, labels: Labels | None
) -> bool:
    """Return whether a grant is about a namespace; an unusable one tells by what it names."""
    if grant is None:
        return namespace in (document.at("spec", "namespaces", "names") or ())
    return covers(grant, namespace, labels)


def _may_be_selected(api: Api, namespace: str) -> bool:
    """Return whether a selector may match a namespace: not the cluster's own, nor the operator's.

    Where the person may not list Deployments, no operator is seen in it.
    """
    if namespace in RESERVED_NAMESPACES:
        return False
    path, query = f"/apis/apps/v1/namespaces/{namespace}/deployments", (("labelSelector", PART_OF),)
    try:
        return not operators_of(Read(tuple(api.read(path, query, all_pages=True))))
    except CliError:
        return True


def _labels(api: Api, namespace: str) -> Labels | None:
    """Return the labels of a namespace; None where the person may not read them."""
    try:
        (document,) = api.read(f"/api/v1/namespaces/{namespace}")
    except CliError:
        return None
    found = document.at("metadata", "labels")
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
