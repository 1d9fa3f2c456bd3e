"""The story of one AppCredential: what is published, proven, pending and retiring, and next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.cli.app_credential import NEVER_LOOKED, AppCredential
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import bar, when, wrapped
from appcredential.domain.attention import (
    Attention,
    attention,
    has_expired,
    headline,
    is_renewal_overdue,
)
from appcredential.domain.conditions import ConditionType
from appcredential.domain.times import format_time

_LABEL: Final = 13
_NARROW: Final = 60
_INDENT: Final = 2
_STYLES: Final = {
    Attention.BROKEN: Style.BAD,
    Attention.STALLED: Style.BAD,
    Attention.EXPIRING: Style.WARN,
    Attention.WORKING: Style.WARN,
    Attention.PAUSED: Style.WARN,
    Attention.FINE: Style.GOOD,
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """A label and its paragraphs."""

    label: str
    paragraphs: tuple[str, ...]
    style: Style = Style.PLAIN


def chapters(resource: AppCredential, now: datetime, *, unicode: bool = True) -> list[Chapter]:
    """Return the story of a resource; a chapter without content is left out."""
    told = [
        _state(resource, now),
        Chapter("Attention", tuple(_attention(resource, now)), Style.BAD),
        Chapter("Under way", tuple(_under_way(resource)), Style.WARN),
        Chapter("Application", tuple(_application(resource))),
        Chapter("Published", tuple(_published(resource, now, unicode=unicode))),
        Chapter("Trusts", tuple(_trusts(resource))),
        Chapter("Proven", tuple(_proven(resource, now))),
        Chapter("Pending", tuple(_pending(resource, now))),
        Chapter("Retiring", tuple(_retiring(resource, now))),
        Chapter("Next", tuple(_next(resource, now))),
    ]
    return [chapter for chapter in told if chapter.paragraphs]


def lines(told: Sequence[Chapter], width: int | None) -> Iterator[Line]:
    """Yield chapters as lines, the labels in a column of their own, or above in a narrow terminal.

    Args:
        told: the chapters.
        width: cells of the terminal; None where lines may have any length.
    """
    is_narrow = width is not None and width < _NARROW
    indent = _INDENT if is_narrow else _LABEL
    for chapter in told:
        label = chapter.label
        if is_narrow and chapter.paragraphs:
            yield (Part(label, Style.HEAD),)
            label = ""
        for paragraph in chapter.paragraphs:
            for text in wrapped(paragraph, None if width is None else width - indent):
                yield Part(f"{label:<{indent}}", Style.HEAD), Part(text, chapter.style)
                label = ""


def _state(resource: AppCredential, now: datetime) -> Chapter:
    ready = resource.condition(ConditionType.READY)
    told = [f"{resource.full_name} · {headline(resource.situation, now)}"]
    if ready is None:
        told.append("The operator has not looked at it yet.")
    else:
        told.append(f"Ready is {ready.status}, {ready.reason}: {ready.message}")
    if resource.observed_generation != NEVER_LOOKED and not resource.is_current:
        told.append("All this is about an earlier version of the spec.")
    return Chapter("State", tuple(told), _STYLES[attention(resource.situation, now)])


def _attention(resource: AppCredential, now: datetime) -> Iterator[str]:
    stalled = resource.condition(ConditionType.STALLED)
    if stalled is not None and stalled.status == "True":
        yield f"Stalled, so a person has to act. {stalled.reason}: {stalled.message}"
    expiring = resource.condition(ConditionType.EXPIRING)
    if expiring is not None and expiring.status == "True":
        yield f"Expiring. {expiring.reason}: {expiring.message}"
    ready = resource.condition(ConditionType.READY)
    if has_expired(resource.situation, now) and ready is not None and ready.status == "True":
        yield "The credential has expired and status does not say so: is an operator running?"
    elif is_renewal_overdue(resource.situation, now):
        due = when(resource.time("status", "renewalTime"), now)
        yield f"A successor was due {due}, and nothing shows one: is an operator running?"
    removed = resource.text("status", "removedCertificate", "keyId")
    if removed:
        yield f"Somebody removed the certificate {removed} from the application."


def _under_way(resource: AppCredential) -> Iterator[str]:
    reconciling = resource.condition(ConditionType.RECONCILING)
    if reconciling is not None and reconciling.status == "True":
        yield f"{reconciling.reason}: {reconciling.message}"
    if resource.is_being_deleted:
        yield "It is being deleted."


def _application(resource: AppCredential) -> Iterator[str]:
    client_id = resource.text("spec", "application", "clientId")
    name = resource.text("status", "application", "displayName")
    tenant = resource.text("spec", "tenantRef", "name") or "default"
    grant = resource.text("status", "grant")
    allowed = f", allowed by ApplicationGrant {grant}" if grant else ""
    yield f"{name} ({client_id})" if name else client_id
    yield f"EntraTenant {tenant}{allowed}"


def _published(resource: AppCredential, now: datetime, *, unicode: bool) -> Iterator[str]:
    if not resource.key_id:
        if resource.text("spec", "type") != "FederatedIdentity":
            yield f"nothing yet in Secret {resource.secret_name}"
        return
    yield f"{resource.text('spec', 'type')} {resource.key_id}"
    since = resource.time("status", "credential", "publishedTime")
    written = f", written {when(since, now)}" if since is not None else ""
    yield f"Secret {resource.secret_name}{written}"
    if resource.expires is not None:
        left = resource.share_left(now)
        shown = "" if left is None else f"{bar(left, unicode=unicode)} "
        verb = "ended" if has_expired(resource.situation, now) else "ends"
        yield f"{shown}{verb} {exactly(resource.expires, now)}"


def _trusts(resource: AppCredential) -> Iterator[str]:
    for trust in resource.entries("status", "federatedIdentities"):
        yield f"{trust.text('subject')} of {trust.text('issuer')}"
    for trust in resource.entries("status", "federatedIdentityProblems"):
        yield f"not {trust.text('subject')} of {trust.text('issuer')}: {trust.text('reason')}"


def _proven(resource: AppCredential, now: datetime) -> Iterator[str]:
    verified = resource.condition(ConditionType.VERIFIED)
    if verified is not None:
        yield f"Verified is {verified.status}, {verified.reason}: {verified.message}"
    time = resource.time("status", "credential", "verifiedTime")
    if time is not None:
        yield f"signed in {when(time, now)}, as of the last change of status"


def _pending(resource: AppCredential, now: datetime) -> Iterator[str]:
    if resource.at("status", "pending") is None:
        return
    key_id = resource.text("status", "pending", "keyId") or "a successor"
    since = resource.time("status", "pending", "startTime")
    yield f"{key_id}, issued {when(since, now)}" if since is not None else key_id
    waits = resource.text("status", "pending", "waitingFor")
    if waits:
        yield f"waits for {waits}"


def _retiring(resource: AppCredential, now: datetime) -> Iterator[str]:
    for entry in resource.entries("status", "retiring"):
        time, waits = entry.time("retireTime"), entry.text("waitingFor")
        told = entry.text("keyId")
        if waits:
            told += f", waits for {waits}"
        if time is not None and (time > now or not waits):
            told += f", goes {'at the latest' if waits else 'soonest'} {when(time, now)}"
        yield told


def _next(resource: AppCredential, now: datetime) -> Iterator[str]:
    if resource.is_suspended:
        yield "Suspended: nothing is renewed or removed until somebody resumes it."
    elif resource.at("spec", "mode") == "Observe":
        yield "mode is Observe: the operator only reports."
    for time, told in sorted(ahead(resource, now)):
        yield f"{exactly(time, now)}: {told}"


def ahead(resource: AppCredential, now: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield what happens later by itself, and when, in no order."""
    is_renewed = not (resource.is_suspended or resource.at("spec", "mode") == "Observe")
    is_renewed = is_renewed and not resource.is_true(ConditionType.STALLED)
    dates = [
        (resource.time("status", "renewalTime"), is_renewed, "a successor is due"),
        (
            resource.time("status", "pending", "publishTime"),
            is_renewed,
            "the successor is published",
        ),
        (resource.expires, not is_renewed, "the published credential ends, unless it is renewed"),
    ]
    dates += [
        (entry.time("retireTime"), is_renewed, f"{entry.text('keyId')} may go")
        for entry in resource.entries("status", "retiring")
        if not entry.text("waitingFor")
    ]
    return (
        (time, told) for time, counts, told in dates if counts and time is not None and time > now
    )


def exactly(time: datetime, now: datetime) -> str:
    """Return a time as people say it, and as it is."""
    return f"{when(time, now)} ({format_time(time)})"
