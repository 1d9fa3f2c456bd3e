"""Two that want one Secret: what T records is read, and each is woken when the other changes."""

from __future__ import annotations

from typing import Any, Final

import pytest

from appcredential.cache.informer import Informer
from appcredential.cache.store import Store
from appcredential.domain.observed.target import FormerOwner, HandedOver, Target
from appcredential.domain.times import parse_time
from appcredential.kube.custom_resources import APP_CREDENTIALS, KubeObjects
from appcredential.kube.secret_documents import parse_target
from appcredential.runtime.ready import Key
from tests.support.api_server import ApiServer

UNTIL: Final = "2026-12-01T00:00:00Z"
FORMER: Final = '[{"owner":"shop/orders","uid":"u","generation":3}]'


def stored(**annotations: str) -> Target:
    return parse_target(
        {
            "metadata": {
                "name": "orders-entra",
                "uid": "uid",
                "resourceVersion": "1",
                "creationTimestamp": "2026-11-12T10:00:00Z",
                "annotations": {
                    f"appcredential.io/{k.replace('_', '-')}": v for k, v in annotations.items()
                },
            }
        }
    )


def test_what_a_takeover_left_is_read() -> None:
    t = stored(taken_over_from=FORMER, handed_over=f'{{"keys":["a"],"until":"{UNTIL}"}}')
    until = parse_time(UNTIL)
    assert until is not None
    assert t.taken_from == (FormerOwner("shop/orders", "u", 3),)
    assert t.handed_over == HandedOver(keys=frozenset({"a"}), until=until)


@pytest.mark.parametrize(
    "raw", ["", "x", "{}", "[1]", '[{"owner":1}]', '[{"owner":"a","uid":"u","generation":"3"}]']
)
def test_a_damaged_record_of_former_owners_is_none(raw: str) -> None:
    assert stored(taken_over_from=raw).taken_from == ()


@pytest.mark.parametrize(
    "raw",
    ["", "x", "[]", "{}", '{"keys":"a","until":"2026-12-01T00:00:00Z"}', '{"keys":[],"until":"x"}'],
)
def test_a_damaged_record_of_keys_lets_them_go(raw: str) -> None:
    assert stored(handed_over=raw).handed_over is None


def document(name: str, secret: str | None, version: str = "1") -> dict[str, Any]:
    spec = {"secret": {"name": secret}} if secret is not None else {}
    metadata = {"namespace": "shop", "name": name, "uid": name, "resourceVersion": version}
    return {"metadata": metadata, "spec": spec}


def key(name: str) -> Key:
    return Key(APP_CREDENTIALS, "shop", name)


class Woken:
    """An Informer that says whom it woke because of somebody else."""

    def __init__(self) -> None:
        self.warning: list[str] = []
        self._sync = Informer(
            KubeObjects(ApiServer()),
            Store(),
            (),
            lambda *_, **__: None,
            lambda key: self.warning.append(key.name),
        )

    def see(self, name: str, secret: str | None, version: str = "1") -> list[str]:
        return self._event("MODIFIED", document(name, secret, version))

    def lose(self, name: str) -> list[str]:
        return self._event("DELETED", document(name, None))

    def _event(self, event: str, found: dict[str, Any]) -> list[str]:
        self.warning.clear()
        self._sync.on_event(APP_CREDENTIALS, event, found)
        return sorted(self.warning)


def test_who_wants_the_same_secret_is_woken() -> None:
    woken = Woken()
    assert woken.see("a", "entra") == []
    assert woken.see("b", "entra") == ["a"]
    assert woken.see("c", None) == []
    assert woken.see("entra", None) == ["a", "b"]
    assert woken.see("a", "entra", "2") == ["b", "entra"]
    assert woken.see("a", "entra", "2") == []
    assert woken.lose("a") == ["b", "entra"]
    assert woken.lose("a") == []


def test_a_name_that_comes_back_with_another_secret_is_told_apart() -> None:
    woken = Woken()
    woken.see("a", "entra")
    woken.see("b", "entra")
    assert woken.see("a", "other", "2") == []
    assert woken.see("b", "entra", "2") == []
    assert woken.lose("b") == []
