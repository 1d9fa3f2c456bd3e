"""The chart's README: each value of values.yaml with the comment above it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

_HEAD: Final = """# Chart appcredential

Installs the operator: two replicas of which one leads, the least rights, Pod Security *restricted*,
a NetworkPolicy, and admission policies that limit the operator's own writes.

```sh
kubectl create namespace appcredential-system
kubectl label namespace appcredential-system pod-security.kubernetes.io/enforce=restricted
helm install appcredential charts/appcredential -n appcredential-system
```

[docs/install.md](../../docs/install.md) takes you from nothing to a Ready AppCredential. Read
[docs/upgrade.md](../../docs/upgrade.md) before an upgrade, and
[docs/uninstall.md](../../docs/uninstall.md) before you uninstall the chart. `make chart-files`
writes this page from values.yaml.

## Values

| value | default | meaning |
|---|---|---|
"""
_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]+):(?: |$)")


@dataclass(frozen=True, slots=True)
class Row:
    """A documented value."""

    path: str
    default: Any
    meaning: str


def readme(values: str) -> str:
    """Return the README for the text of a values.yaml."""
    lines = (f"| `{r.path}` | {_code(r.default)} | {_cell(r.meaning)} |" for r in rows(values))
    return _HEAD + "\n".join(lines) + "\n"


def rows(values: str) -> Iterator[Row]:
    """Yield the values that have a comment beginning with `# --`."""
    document = yaml.safe_load(values)
    parents: list[str] = []
    comment = ""
    for line in values.splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            comment = text.removeprefix("# -- ")
            continue
        found = _KEY.match(line)
        if found is None:
            continue
        del parents[len(found["indent"]) // 2 :]
        parents.append(found["key"])
        if comment:
            yield Row(".".join(parents), _at(document, parents), comment)
            comment = ""


def _at(document: Any, path: list[str]) -> Any:
    for key in path:
        document = document[key]
    return document


def _code(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "–" if value == "" else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
