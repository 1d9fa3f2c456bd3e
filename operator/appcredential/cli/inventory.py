"""The command `inventory`: every credential of applications in Entra, whoever made it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.cluster_facts import NO_CLUSTER, ClusterFacts, read_cluster
from appcredential.cli.connection import Access, Connection
from appcredential.cli.entra_reads import Read, Wanted, read
from appcredential.cli.entra_sign_in import TenantChoice, in_tenant, target, with_tenant
from appcredential.cli.errors import CliError
from appcredential.cli.options import (
    Duration,
    client_id_option,
    complete_names,
    output,
    timeout,
    with_access,
)
from appcredential.cli.stock import RULE, Judge, KnownLimits, Stock
from appcredential.cli.stock_shown import StockForm, document, rendered, tables
from appcredential.cli.terminal import Terminal
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import ClientId


@click.command("inventory")
@click.argument("name", required=False, shell_complete=complete_names)
@client_id_option
@click.option("--owned", is_flag=True, help="All applications that you own.")
@click.option("--all", "every", is_flag=True, help="All applications of the tenant.")
@click.option("--findings", is_flag=True, help="Only credentials with a finding.")
@click.option(
    "--max-lifetime", "rule", type=Duration(), metavar="TIME",
    help="What counts as too long where no limit is known; two years if left out.",
)  # fmt: skip
@output("wide", "json", "yaml")
@timeout("30m", "How long Entra may take, its requests to wait included.")
@with_tenant
@with_access
def inventory_command(
    *,
    access: Access,
    tenant: TenantChoice,
    name: str | None,
    client_ids: tuple[ClientId, ...],
    owned: bool,
    every: bool,
    findings: bool,
    rule: timedelta | None,
    form: str | None,
    timeout: timedelta,
) -> None:
    """Show every credential of applications in Entra, whoever made it.

    NAME is an AppCredential, whose application is shown. Microsoft Graph is read as you, and
    nothing is changed. Never a value.
    """
    if sum((name is not None, bool(client_ids), owned, every)) != 1:
        raise click.UsageError("Give NAME, --client-id, --owned or --all.")
    terminal = Terminal()
    if name is not None:
        resource = _named(access, tenant, name)
        client_ids = (_application_of(resource),)
        tenant = _tenant_of(resource, tenant)
    wanted = Wanted(client_ids=tuple(dict.fromkeys(client_ids)), is_owned=owned)
    with terminal.progress("Reading Microsoft Entra") as show:
        where = target(tenant, access)
        show("Reading the cluster")
        facts = facts_of(tenant, access)
        found = in_tenant(
            terminal, tenant, where, lambda r: read(r, wanted, show), timeout=timeout, show=show
        )
    now = datetime.now(UTC)
    stocks, notes = judged(found, facts, rule or RULE, now)
    if form in {"json", "yaml"}:
        terminal.text(rendered(form, document(stocks, where.tenant_id, now, notes)))
        return
    for note in notes:
        terminal.note(f"note: {note}")
    table = StockForm(wide=form == "wide", width=terminal.width, only_findings=findings)
    terminal.lines(tables(stocks, now, table))


def facts_of(tenant: TenantChoice, access: Access) -> ClusterFacts:
    """Return what the cluster tells. With a tenant on the command line it must be named, too."""
    if not tenant.tenant_id:
        return read_cluster(Connection(access), tenant.tenant_ref)
    if access.context or access.kubeconfig:
        return read_cluster(Connection(access), "")
    return NO_CLUSTER


def judged(
    found: Read, facts: ClusterFacts, rule: timedelta, now: datetime
) -> tuple[list[Stock], Sequence[str]]:
    """Return what applications hold, those with the most findings first, and what is not known."""
    limits = KnownLimits(
        tenant=facts.tenant_limit, grants=facts.grants, policy=found.policy, rule=rule
    )
    judge = Judge(cluster=facts.known, limits=limits, usage=found.usage, now=now)
    stocks = [judge.stock(application, federated) for application, federated in found.found]
    notes = [*facts.notes, *found.notes]
    if not all(limits.are_known(one.application.client_id) for one in stocks):
        notes.append(
            f"Where nothing limits lifetimes, more than {rule.days} days counts as too long."
        )
    stocks.sort(key=lambda one: (-_findings(one), one.name.casefold(), one.application.client_id))
    return stocks, notes


def _findings(stock: Stock) -> int:
    return sum(len(held.findings) for held in stock.credentials)


def _named(access: Access, tenant: TenantChoice, name: str) -> AppCredential:
    if tenant.tenant_id:
        raise click.UsageError("The AppCredential names its tenant: leave --tenant-id out.")
    api = Api(Connection(access))
    return api.get(api.namespace, name.rpartition("/")[2])


def _application_of(resource: AppCredential) -> ClientId:
    client_id = resource.text("spec", "application", "clientId").lower()
    if not is_guid(client_id):
        raise CliError(f"{resource.full_name} names no application.")
    return ClientId(client_id)


def _tenant_of(resource: AppCredential, tenant: TenantChoice) -> TenantChoice:
    return TenantChoice(
        tenant_ref=resource.text("spec", "tenantRef", "name") or "default",
        tenant_id="",
        cloud="",
        sign_in=tenant.sign_in,
    )
