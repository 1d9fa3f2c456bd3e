"""Checks of the operator's settings, as far as they stand in its Deployment, and of its rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.doctor.operators import Operator, operators
from appcredential.cli.text import plain
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.spec.durations import format_duration, parse_duration
from appcredential.setting_values import variable
from appcredential.settings import Settings, SettingsError

_CAUTIOUS: Final = ("settle", "removal_floor", "min_remaining", "intent_respect", "gone_window")
"""Settings whose defaults allow for how slowly Entra's replicas learn of a change."""


def settings(gathered: Gathered) -> Iterator[Finding]:
    """Check each operator's settings: what keeps it from starting, and what hurts."""
    if gathered.deployments.missing:
        yield unchecked("settings", gathered.deployments.missing)
        return
    for operator in operators(gathered):
        found = [*_faults(gathered, operator), *_hurtful(gathered, operator)]
        about = f"settings of {operator.full_name}"
        known = (
            "them" if operator.version == gathered.tool_version else "those that this tool knows"
        )
        yield from found or [fine(about, f"None of {known} hurts.")]


def _faults(gathered: Gathered, operator: Operator) -> Iterator[Finding]:
    """Yield what the operator itself would refuse; another version may know other settings."""
    if operator.version != gathered.tool_version:
        return
    try:
        Settings.from_env(operator.environment)
    except SettingsError as exc:
        for fault in exc.faults:
            about = f"settings of {operator.full_name}"
            remedy = "Change it under settings of the chart's values, and upgrade the release."
            yield Finding(Gravity.BROKEN, about, f"It does not start: {plain(fault)}", remedy)


def _hurtful(gathered: Gathered, operator: Operator) -> Iterator[Finding]:
    about = f"settings of {operator.full_name}"
    if operator.setting("TRIAL") == "true":
        text = "It runs as a trial, which serves EntraTenants of cloud Custom only."
        yield Finding(Gravity.RISK, about, text, "Set trial.enabled: false in the chart's values.")
    if operator.setting("PUBLISHED_SIGN_IN_RATE") == "0":
        text = "Published credentials do not sign in, so one that was removed is noticed late."
        remedy = "Leave settings.publishedSignInRate of the chart's values out."
        yield Finding(Gravity.RISK, about, text, remedy)
    is_public = any(t.text("spec", "cloud") != "Custom" for t in gathered.tenants.items)
    if operator.setting("ALLOW_PRIVATE_ISSUERS") == "true" and is_public:
        text = "Issuers may be private, and Entra's public clouds cannot reach such an issuer."
        remedy = "Leave settings.allowPrivateIssuers of the chart's values out."
        yield Finding(Gravity.RISK, about, text, remedy)
    yield from _too_bold(operator)
    yield from _unserved(gathered, operator)


def _too_bold(operator: Operator) -> Iterator[Finding]:
    defaults = {f.name: f.default for f in fields(LifecycleSettings)}
    for name in _CAUTIOUS:
        least, found = defaults[name], _duration(operator.environment.get(variable(name)))
        if found is not None and isinstance(least, timedelta) and found < least:
            text = (
                f"{variable(name)} is {format_duration(found)}. With less than "
                f"{format_duration(least)}, a replica of Entra that lags may look like a change."
            )
            remedy = f"Leave {variable(name)} out, or set {format_duration(least)}."
            yield Finding(Gravity.RISK, f"settings of {operator.full_name}", text, remedy)


def _unserved(gathered: Gathered, operator: Operator) -> Iterator[Finding]:
    if not operator.served:
        return
    left = {r.namespace for r in gathered.resources} - set(operator.served)
    if left:
        names = ", ".join(sorted(left)[:5])
        text = f"AppCredentials in {len(left)} namespaces are served by no operator: {names}."
        remedy = "Add the namespaces to watchNamespaces of the chart's values."
        yield Finding(Gravity.WRONG, f"settings of {operator.full_name}", text, remedy)


def _duration(text: Any) -> timedelta | None:
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except ValueError:
        return None
