"""What an operator asked of others, from its own metrics."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from typing import Final

from tests.process.operators import Operator

_SAMPLE: Final = re.compile(r"appcredential_(kubernetes|directory)_requests_total\{(.*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def scrape(operator: Operator) -> str:
    """Return /metrics as it is."""
    with urllib.request.urlopen(f"{operator.metrics_url}/metrics", timeout=5) as answer:  # noqa: S310
        return str(answer.read().decode())


def requests(operator: Operator) -> Counter[str]:
    """Return how often the operator asked for what, such as `PUT lease`, `application.get`."""
    found: Counter[str] = Counter()
    for line in scrape(operator).splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is None:
            continue
        labels = dict(_LABEL.findall(match.group(2)))
        if match.group(1) == "kubernetes":
            name = f"{labels['method']} {labels['purpose']}"
        else:
            name = labels["operation"]
        found[name] += int(float(match.group(3)))
    return found


def writes(found: Counter[str]) -> Counter[str]:
    """Return the writes to the API server; the Lease's renewals are left out."""
    methods = ("POST ", "PUT ", "PATCH ", "DELETE ")
    return Counter(
        {
            name: count
            for name, count in found.items()
            if name.startswith(methods) and not name.endswith(" lease") and count
        }
    )


def graph_calls(found: Counter[str]) -> Counter[str]:
    """Return the requests to Graph and the token endpoint."""
    return Counter({name: count for name, count in found.items() if " " not in name and count})


def is_leading(operator: Operator) -> bool:
    """Tell whether the operator says that it leads."""
    return "appcredential_leader 1.0" in scrape(operator).splitlines()


def reconciles(operator: Operator) -> int:
    """Return how often the operator looked at an AppCredential."""
    name = 'appcredential_reconciles_total{kind="appcredentials"}'
    found = [line for line in scrape(operator).splitlines() if line.startswith(name)]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in found)
