"""Parses the values of settings; each parser raises ValueError with the remedy.

It also lists the variables of others that the operator refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.operator_credential import PUBLIC_AUDIENCES
from appcredential.domain.spec.checks import (
    is_label_value,
    is_metadata_key,
    is_namespace_name,
    is_object_name,
)
from appcredential.domain.spec.durations import format_duration, parse_duration
from appcredential.domain.spec.issuers import is_issuer
from appcredential.domain.spec.reserved import is_reserved_key

PREFIX: Final = "APPCREDENTIAL_"
MAX_ISSUERS: Final = 32
MAX_ADOPTED: Final = 8
CLUSTER_ID: Final = "[A-Za-z0-9/][-._:/@+=A-Za-z0-9]{0,119}"
"""What another cluster may be called: a uid, a name, an id of a cloud; never a pattern."""
_LABELS_FORM: Final = "must be labels as KEY=VALUE, separated by commas, such as team=platform"
_REDIRECTS: Final = (
    "would have the operator ask another server than the node's for the token of its managed "
    "identity; remove the variable"
)
REFUSED: Final = {
    "SSLKEYLOGFILE": "would write the keys of every TLS connection to a file, and with them every "
    "secret that is sent; remove the variable",
    **dict.fromkeys(
        (
            *("AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
            *("IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"),
        ),
        _REDIRECTS,
    ),
}
"""Variables of others that libraries obey. Proxies and SSL_CERT_FILE are an administrator's."""


CONSTANTS: Final = (
    "freshness",
    "journal_window",
    "mint_backoff_cap",
    "mint_backoff_cap_unpublished",
    "max_clock_skew",
    "proof_max_age",
    "proof_budget",
)
"""Settings of earlier releases that are constants now."""
_CONSTANTS: Final = {
    PREFIX + name.upper(): "is no setting any more: it is always "
    f"{format_duration(getattr(LifecycleSettings, name))}, because the safety of rotations rests "
    "on that value; remove the variable"
    for name in CONSTANTS
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of values that could be parsed, with their variables."""

    variables: tuple[str, ...]
    text: str


def fault(names: tuple[str, ...], remedy: str) -> Fault:
    """Return a fault of the first of some fields, which the others share."""
    variables = tuple(map(variable, names))
    return Fault(variables, f"{variables[0]}: {remedy}")


def variable(name: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + name.upper()


def unknown(name: str) -> str:
    """Return why a variable of ours cannot be set: it is a constant, or not known at all."""
    return _CONSTANTS.get(name, "is not a setting of this operator")


def parser_for(name: str, kind: str) -> Callable[[str], Any]:
    """Return the parser of a setting.

    Args:
        name: of the setting.
        kind: its type, as annotated.
    """
    named: dict[str, Callable[[str], Any]] = {
        "log_level": _parse_level,
        "namespace": _parse_namespace,
        "claim_namespace": _parse_namespace,
        "installation": _parse_installation,
        "custom_token_audience": _parse_audience,
        "allowed_secret_keys": _parse_keys,
        "secret_labels": _parse_labels,
        "checked_issuers": _parse_issuers,
        "adopt_cluster_ids": _parse_cluster_ids,
        "report_team_label": _parse_label_key,
    }
    parsers: dict[str, Callable[[str], Any]] = {
        "str": str,
        "bool": _parse_bool,
        "int": _parse_count,
        "timedelta": _parse_duration,
        "tuple[str, ...]": _parse_names,
    }
    return named.get(name) or parsers[kind]


def _parse_level(raw: str) -> str:
    if raw not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return raw


def _parse_audience(raw: str) -> str:
    """Refuse public audiences: a custom cloud must get no token that another cloud accepts."""
    if raw.casefold() in {audience.casefold() for audience in PUBLIC_AUDIENCES}:
        raise ValueError("must not be the audience of a public cloud; choose one of your own")
    return raw


def _parse_count(raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", raw):
        raise ValueError("must be a whole number from 0 to 999999")
    return int(raw)


def _parse_bool(raw: str) -> bool:
    if raw not in {"true", "false"}:
        raise ValueError("must be true or false")
    return raw == "true"


def _parse_duration(raw: str) -> timedelta:
    try:
        return parse_duration(raw)
    except ValueError as exc:
        raise ValueError("must be a duration such as 90d, 12h30m or 45s") from exc


def _parse_namespace(raw: str) -> str:
    if not is_namespace_name(raw):
        raise ValueError("must be one namespace name")
    return raw


def _parse_installation(raw: str) -> str:
    if not is_object_name(raw):
        raise ValueError("must be a lower-case name of letters, digits, dashes and dots")
    return raw


def _parse_keys(raw: str) -> tuple[str, ...]:
    entries = _parts(raw)
    for entry in entries:
        key = f"{entry}x" if entry.endswith("/") else entry
        if not is_metadata_key(key):
            raise ValueError(
                "must be keys of labels and annotations, or prefixes that end in a slash, "
                "separated by commas, such as example.com/,team"
            )
        if is_reserved_key(key):
            raise ValueError(f"may not contain {entry}: other tools act on it; remove it")
    return entries


def _parse_labels(raw: str) -> tuple[tuple[str, str], ...]:
    """Read KEY=VALUE pairs; a value cannot hold a comma, so that nothing needs quotes."""
    pairs = [(key.strip(), value.strip()) for key, _, value in map(_split_pair, _parts(raw))]
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("may not contain a label twice")
    for key, value in pairs:
        if not is_metadata_key(key) or not is_label_value(value):
            raise ValueError(f"{_LABELS_FORM}, and {key}={value} is none")
        if is_reserved_key(key):
            raise ValueError(f"may not contain {key}: other tools act on it; remove it")
    return tuple(pairs)


def _parse_label_key(raw: str) -> str:
    if raw and not is_metadata_key(raw):
        raise ValueError("must be the key of a label, such as team or example.com/team, or empty")
    return raw


def _split_pair(entry: str) -> tuple[str, str, str]:
    found = entry.partition("=")
    if not found[1]:
        raise ValueError(f"{_LABELS_FORM}, and {entry} has no =")
    return found


def _parse_issuers(raw: str) -> tuple[str, ...]:
    issuers = _parts(raw)
    if len(issuers) > MAX_ISSUERS or not all(map(is_issuer, issuers)):
        raise ValueError(
            f"must be at most {MAX_ISSUERS} issuers separated by commas, each a URL such as "
            "https://issuer.example/path, exactly as in the tokens"
        )
    return issuers


def _parse_cluster_ids(raw: str) -> tuple[str, ...]:
    found = _parts(raw)
    if len(found) > MAX_ADOPTED or not all(re.fullmatch(CLUSTER_ID, one) for one in found):
        raise ValueError(
            f"must be at most {MAX_ADOPTED} ids of clusters separated by commas, each of at most "
            "120 characters and exactly as the other cluster has it: its "
            f"{variable('cluster_id')}, or else the uid of its namespace kube-system. There are "
            "no wildcards"
        )
    return found


def _parts(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _parse_names(raw: str) -> tuple[str, ...]:
    names = _parts(raw)
    if not all(map(is_namespace_name, names)):
        raise ValueError("must be namespace names separated by commas")
    return names
