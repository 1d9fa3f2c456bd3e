"""What the documentation's site is made of, read without mkdocs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from tests.docs.reading import ROOT

CONFIGURATION: Final = ROOT / "website" / "mkdocs.yml"


class _Loader(yaml.SafeLoader):
    """Reads mkdocs' tags as what stands behind them: they name functions and variables."""


def _plain(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("", _plain)


def configuration() -> dict[str, Any]:
    """Return mkdocs' configuration."""
    found: dict[str, Any] = yaml.load(CONFIGURATION.read_text(), _Loader)  # noqa: S506 - of ours
    return found


def pages(nav: Any) -> Iterator[str]:
    """Yield the pages of a navigation in its order, as paths in docs/."""
    match nav:
        case str():
            yield nav
        case list():
            for item in nav:
                yield from pages(item)
        case dict():
            for item in nav.values():
                yield from pages(item)
        case _:
            raise AssertionError(nav)
