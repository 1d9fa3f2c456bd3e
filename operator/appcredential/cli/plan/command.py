"""The command `plan`."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from appcredential.cli.entra_access import SignIn
from appcredential.cli.entra_sign_in import EntraTarget, TenantChoice, in_tenant
from appcredential.cli.errors import CliError
from appcredential.cli.options import Session, complete_names, output, timeout, with_session
from appcredential.cli.plan.steps import Plan
from appcredential.cli.story import exactly
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import plain, wrapped
from appcredential.domain.conditions import Problem
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.spec.model import AppCredentialSpec, EntraTenantSpec
from appcredential.errors import AppCredentialError

if TYPE_CHECKING:
    from appcredential.cli.plan.gathering import Gathering
    from appcredential.entra.reader import Reader

_INDENT: Final = 2
_NOT_ASKED: Final = "Entra: what it lists and allows is taken from what the cluster tells"


@click.command("plan")
@click.argument("name", required=False, shell_complete=complete_names)
@click.option("-f", "--filename", "file", metavar="FILE", help="A manifest; - is stdin.")
@click.option(
    "--sign-in",
    type=click.Choice([*map(str, SignIn)]),
    help="How to sign in to Entra; else the variables AZURE_CLIENT_… if they are set.",
)
@click.option("--without-entra", is_flag=True, help="Do not sign in to Entra.")
@click.option(
    "--operator-namespace",
    default="",
    metavar="NAMESPACE",
    help="Where the operator runs, if you may not look in all namespaces.",
)
@timeout("2m", "How long Entra may take.")
@output("json")
@with_session
def plan_command(
    session: Session,
    *,
    name: str | None,
    file: str | None,
    sign_in: str | None,
    without_entra: bool,
    operator_namespace: str,
    timeout: timedelta,
    form: str | None,
) -> None:
    """Say what the operator would do, for a resource or for a manifest; nothing is done.

    Reads the cluster and Entra as you, and no Secret's data. Without a sign-in to Entra it goes by
    what the cluster tells.
    """
    if bool(name) == bool(file):
        raise click.UsageError("Give the name of an AppCredential, or a manifest with -f.")
    # The operator's own code takes a second to import: only a plan pays for it.
    from appcredential.cli.plan.gathering import Gathering  # noqa: PLC0415

    with session.terminal.progress("Reading the cluster"):
        gathering = Gathering(session.api, operator_namespace)
        wanted = _wanted(session, gathering, name or "", file or "")
    choice = None if without_entra else sign_in or ""
    plans = _Planning(session, gathering, choice, timeout).plans(wanted)
    if form == "json":
        session.terminal.text(json.dumps([plan.as_json() for plan in plans], indent=4))
    else:
        width, now = session.terminal.width, session.api.now()
        session.terminal.lines(line for plan in plans for line in _told(plan, now, width))


def _wanted(session: Session, gathering: Gathering, name: str, file: str) -> list[Resource]:
    from appcredential.cli.plan.manifests import documents, tried_out  # noqa: PLC0415 - same

    api = session.api
    if name:
        return [gathering.resource(api.get(api.namespace, name.rpartition("/")[2]))]

    def note(text: str) -> None:
        session.terminal.note(text)

    return [gathering.resource(tried_out(api, found, note)) for found in documents(file, note)]


class _Planning:
    """Plans resources, those of one tenant with one sign-in.

    Args:
        sign_in: how to sign in to Entra; empty leaves it to the environment, None does without.
    """

    def __init__(
        self, session: Session, gathering: Gathering, sign_in: str | None, timeout: timedelta
    ) -> None:
        self._session = session
        self._gathering = gathering
        self._sign_in = sign_in
        self._timeout = timeout

    def plans(self, wanted: Sequence[Resource]) -> list[Plan]:
        """Return the plan of each resource, in the same order.

        Raises:
            CliError: one of them cannot be planned.
        """
        by_tenant: dict[str, list[Resource]] = defaultdict(list)
        for resource in wanted:
            spec = resource.spec
            by_tenant[spec.tenant if isinstance(spec, AppCredentialSpec) else ""].append(resource)
        found: dict[str, Plan] = {}
        for tenant, resources in by_tenant.items():
            for plan in self._of_tenant(tenant, resources):
                found[plan.about] = self._warned(plan, resources)
        return [found[str(resource.owner)] for resource in wanted]

    def _of_tenant(self, name: str, resources: Sequence[Resource]) -> list[Plan]:
        try:
            tenant, seen = asyncio.run(self._gathered(name, resources))
            if self._sign_in is not None and isinstance(tenant, EntraTenantSpec):
                return self._with_entra(name, tenant, seen, self._sign_in)
            return asyncio.run(self._planned(seen, None))
        except AppCredentialError as exc:
            raise CliError(str(exc)) from exc

    async def _gathered(
        self, name: str, resources: Sequence[Resource]
    ) -> tuple[EntraTenantSpec | Problem | None, list[Observation]]:
        """Read the cluster, before anybody signs in to Entra."""
        tenant = await self._gathering.tenant(name)
        return tenant, [await self._gathering.gather(r, tenant) for r in resources]

    def _with_entra(
        self, name: str, tenant: EntraTenantSpec, seen: Sequence[Observation], sign_in: str
    ) -> list[Plan]:
        terminal = self._session.terminal
        choice = TenantChoice(tenant_ref=name, tenant_id="", cloud="", sign_in=sign_in)
        target = EntraTarget(tenant_id=tenant.tenant_id, cloud=tenant.cloud)
        with terminal.progress("Reading Entra") as show:
            try:
                return in_tenant(
                    terminal,
                    choice,
                    target,
                    lambda reader: self._planned(seen, reader),
                    timeout=self._timeout,
                    show=show,
                )
            except CliError as exc:
                terminal.note(f"warning: {exc} The plan goes on without Entra.")
        return asyncio.run(self._planned(seen, None))

    async def _planned(self, seen: Sequence[Observation], reader: Reader | None) -> list[Plan]:
        from appcredential.cli.plan.reading import Reads  # noqa: PLC0415 - imports the adapters
        from appcredential.cli.plan.unrolling import unroll  # noqa: PLC0415 - same

        found, gathering = [], self._gathering
        for gathered in seen:
            reads = Reads(gathering.kube, reader.directory if reader is not None else None)
            observation = await reads.with_policy(gathered, reader)
            plan = await unroll(observation, reads.read, gathering.stand)
            asked = () if reader is not None else (_NOT_ASKED,)
            unchecked = (*asked, *gathering.unchecked, *reads.unchecked)
            found.append(replace(plan, unchecked=unchecked))
        return found

    def _warned(self, plan: Plan, resources: Sequence[Resource]) -> Plan:
        """Return a plan with who cannot sign in any more, if it revokes what is in use."""
        resource = next(r for r in resources if str(r.owner) == plan.about)
        if not plan.revokes or not isinstance(resource.spec, AppCredentialSpec):
            return plan
        namespace, secret = resource.owner.namespace, resource.spec.secret.name
        try:
            pods = self._session.api.pods_using(namespace, secret)
        except CliError as exc:
            told = f"Who cannot sign in any more is not known: {exc}"
        else:
            names = ", ".join(pods[:10]) + (f" and {len(pods) - 10} more" if pods[10:] else "")
            told = (
                f"Pods cannot sign in any more unless they read the Secret again: {names}"
                if pods
                else f"No pod uses the Secret {secret} now."
            )
        return replace(plan, warnings=(*plan.warnings, told))


def _told(plan: Plan, now: datetime, width: int | None) -> Iterator[Line]:
    yield (Part(plain(plan.about), Style.HEAD),)
    for number, step in enumerate(plan.steps, 1):
        yield from _lines(f"{number}. {step.where}: {plain(step.what)}", width, Style.PLAIN)
    if not plan.steps and not plan.ends:
        yield from _lines("Nothing is to be done.", width, Style.GOOD)
    if plan.ends:
        yield from _lines(plain(plan.ends), width, Style.WARN)
    for warning in plan.warnings:
        yield from _lines(f"Warning: {plain(warning)}", width, Style.BAD)
    for time, what in plan.later:
        yield from _lines(f"Later, {exactly(time, now)}: {plain(what)}", width, Style.PLAIN)
    for text in plan.unchecked:
        yield from _lines(f"Not checked: {plain(text)}", width, Style.DIM)


def _lines(text: str, width: int | None, style: Style) -> Iterator[Line]:
    left = None if width is None else width - _INDENT
    return ((Part(f"{' ' * _INDENT}{line}", style),) for line in wrapped(text, left))
