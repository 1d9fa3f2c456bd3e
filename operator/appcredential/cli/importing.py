"""The command `import`: manifests for what an application has in Entra today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from appcredential.cli.cluster_facts import ClusterFacts
from appcredential.cli.connection import Access, Connection
from appcredential.cli.entra_access import route_to
from appcredential.cli.entra_reads import Wanted, read
from appcredential.cli.entra_sign_in import (
    EntraTarget,
    TenantChoice,
    in_tenant,
    target,
    with_tenant,
)
from appcredential.cli.errors import CliError
from appcredential.cli.inventory import facts_of, judged
from appcredential.cli.manifests import grants_text, stage_text
from appcredential.cli.options import client_id_option, timeout, with_access
from appcredential.cli.proposals import Import
from appcredential.cli.proposed import Target
from appcredential.cli.stock import RULE, Stock
from appcredential.cli.terminal import Terminal
from appcredential.cli.trust_members import Home
from appcredential.domain.spec.checks import is_namespace_name
from appcredential.domain.spec.model import ClientId, CredentialType, Mode
from appcredential.domain.spec.secret import Preset

_VALUES: Final = [str(kind) for kind in CredentialType if not kind.is_federated]
_GRANT, _OBSERVE, _MANAGE = "1-grant.yaml", "2-observe.yaml", "3-manage.yaml"


@click.command("import")
@client_id_option
@click.option("--name", metavar="NAME", help="Of the AppCredentials; else the application's.")
@click.option("--as-type", type=click.Choice(_VALUES), help="What its values become.")
@click.option("--secret", metavar="NAME", help="The Secret that workloads read today.")
@click.option(
    "--secret-key",
    "secret_keys",
    multiple=True,
    metavar="KEY",
    help="A key of it that holds the client secret; may be repeated.",
)
@click.option("--preset", type=click.Choice([*map(str, Preset)]), help="Of the Secret's keys.")
@click.option(
    "--stage",
    type=click.Choice(["observe", "manage"]),
    default="observe",
    show_default=True,
    help="What is written to stdout.",
)
@click.option(
    "--output-dir", metavar="DIR", help=f"Write {_GRANT}, {_OBSERVE} and {_MANAGE} there."
)
@timeout("5m", "How long Entra may take, its requests to wait included.")
@with_tenant
@with_access
def import_command(
    *,
    access: Access,
    tenant: TenantChoice,
    client_ids: tuple[ClientId, ...],
    name: str | None,
    as_type: str | None,
    secret: str | None,
    secret_keys: tuple[str, ...],
    preset: str | None,
    stage: str,
    output_dir: str | None,
    timeout: timedelta,
) -> None:
    """Write manifests for what an application has in Entra today.

    First in mode Observe, in which the operator only reports, then in mode Manage. Nothing is
    applied, and nothing is changed in Entra.
    """
    if not client_ids:
        raise click.UsageError("Give the application with --client-id.")
    if len(client_ids) > 1 and (secret or name):
        raise click.UsageError("--secret and --name are for one application.")
    if (secret_keys or preset) and not secret:
        raise click.UsageError("--secret-key and --preset go with --secret.")
    terminal = Terminal()
    with terminal.progress("Reading Microsoft Entra") as show:
        where, facts = target(tenant, access), facts_of(tenant, access)
        wanted = Wanted(client_ids=tuple(dict.fromkeys(client_ids)))
        found = in_tenant(
            terminal, tenant, where, lambda r: read(r, wanted, show), timeout=timeout, show=show
        )
    stocks, _ = judged(found, facts, RULE, datetime.now(UTC))
    made = Import(taken=tuple(facts.known.owners.values()), taken_grants=facts.grant_names)
    namespace = _namespace(access, tenant)
    for stock in stocks:
        wish = Target(
            namespace=namespace,
            tenant_ref=tenant.tenant_ref,
            name=name or "",
            secret=secret or "",
            secret_keys=secret_keys,
            preset=preset or "",
            as_type=CredentialType(as_type) if as_type else None,
            identity=facts.identity,
        )
        made.add(stock, wish, _home(stock, namespace, where, facts))
    _write(terminal, made, stage, output_dir)


def _namespace(access: Access, tenant: TenantChoice) -> str:
    """Return the namespace: with a tenant on the command line, no kubeconfig is needed."""
    if access.namespace or tenant.tenant_id:
        found = access.namespace or "default"
    else:
        found = Connection(access).namespace
    if not is_namespace_name(found):
        raise CliError(f"{found!r} is no name of a namespace.")
    return found


def _home(stock: Stock, namespace: str, where: EntraTarget, facts: ClusterFacts) -> Home:
    return Home(
        namespace=namespace,
        issuer=facts.issuer,
        client_id=stock.application.client_id,
        cloud=where.cloud,
        authority=route_to(where.cloud).endpoints.authority,
        tenant_id=where.tenant_id,
    )


def _write(terminal: Terminal, made: Import, stage: str, output_dir: str | None) -> None:
    if not made.proposals:
        for one in made.left_out:
            terminal.note(f"left out: {one}")
        raise CliError("There is nothing to import.")
    observe, manage = stage_text(made, Mode.OBSERVE), stage_text(made, Mode.MANAGE)
    if output_dir is not None:
        files = {_GRANT: grants_text(made), _OBSERVE: observe, _MANAGE: manage}
        _put(Path(output_dir), files)
        terminal.note(
            f"{len(made.proposals)} AppCredentials; {len(made.left_out)} credentials are left out. "
            f"Apply {_GRANT} and {_OBSERVE} first; {_MANAGE} says what to do before it."
        )
        return
    if stage == "observe":
        terminal.text((grants_text(made) + "---\n" + observe).rstrip("\n"))
        return
    terminal.text(manage.rstrip("\n"))


def _put(folder: Path, files: Mapping[str, str]) -> None:
    """Write files; one that is there already is never replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [name for name in files if (folder / name).exists()]
        if there:
            raise CliError(
                f"{folder / there[0]} exists already: remove it, or name another folder."
            )
        for name, text in files.items():
            (folder / name).write_text(text)
    except OSError as exc:
        raise CliError(f"{folder} cannot be written: {exc.strerror or exc}") from exc
