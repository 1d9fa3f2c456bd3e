"""Looks for secret values everywhere but where they belong."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

import yaml

from demo.seed import OPERATOR_SECRET
from tests.integration.installation import CORE, GROUP
from tests.process.installation import Site
from tests.process.metrics import scrape
from tests.process.operators import Operator

_EVENTS: Final = "/apis/events.k8s.io/v1/namespaces"
_LEASES: Final = "/apis/coordination.k8s.io/v1/namespaces"
_TOKEN: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")
"""Any signed token, of Entra or of a ServiceAccount."""


def forms(value: str) -> dict[str, str]:
    """Return how a value may be written, by the form's name."""
    half = len(value) // 2
    raw = value.encode()
    return {
        "itself": value,
        "its first half": value[:half],
        "its second half": value[half:],
        "URL-quoted": quote(value, safe=""),
        "quoted as a form": quote_plus(value),
        "base64": base64.b64encode(raw).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(raw).decode(),
        "hexadecimal": raw.hex(),
    }


def leaks(texts: Mapping[str, str], values: Iterable[str]) -> set[tuple[str, str]]:
    """Return where a value was found and in which form; never the value."""
    found = {(place, "a token") for place, text in texts.items() if _TOKEN.search(text)}
    for value in values:
        for form, written in forms(value).items():
            found |= {(place, form) for place, text in texts.items() if written in text}
    return found


def secrets_of(site: Site) -> set[str]:
    """Return every secret value that the site's operators ever had."""
    values = {OPERATOR_SECRET}
    for operator in site.operators:
        kept = (operator.folder / "secrets.jsonl").read_text().splitlines()
        values |= {json.loads(line) for line in kept}
        kubeconfig = yaml.safe_load((operator.folder / "kubeconfig").read_text())
        values |= {one["user"]["token"] for one in kubeconfig["users"]}
    return values


def texts_of(site: Site, operator: Operator) -> dict[str, str]:
    """Return everything that a person or a tool may read, by its place, but the Secrets' data."""
    texts = {
        "the operator's log": operator.child.log.read_text(errors="replace"),
        "the emulator's log": site.emulator.child.log.read_text(errors="replace"),
        "the emulator's requests": json.dumps(site.emulator.call("GET", "/requests")),
        "the record of effects": (operator.folder / "effects.jsonl").read_text(),
        "/metrics": scrape(operator),
    }
    for path in _paths(site):
        for item in site.kube.items(path):
            texts[f"{path}/{item['metadata']['name']}"] = json.dumps(_readable(path, item))
    return texts


def _paths(site: Site) -> Iterator[str]:
    yield from (f"{GROUP}/{plural}" for plural in ("entratenants", "applicationgrants"))
    yield f"{_EVENTS}/default/events"
    for namespace in (site.namespace, site.operator_namespace):
        yield f"{CORE}/namespaces/{namespace}/configmaps"
        yield f"{CORE}/namespaces/{namespace}/secrets"
        yield f"{GROUP}/namespaces/{namespace}/appcredentials"
        yield f"{_EVENTS}/{namespace}/events"
        yield f"{_LEASES}/{namespace}/leases"


def _readable(path: str, item: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"data"} if path.endswith("/secrets") else set()
    return {k: v for k, v in item.items() if k not in hidden}
