"""The index of what grants are used for, and of which applications exist."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Final

from appcredential.cache.granted import GrantedUses
from appcredential.cache.seen import known_of
from appcredential.cache.store import Store
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.runtime.ready import Key
from tests.support.builders import CLIENT_ID

FOUND: Final = {"application": {"clientId": CLIENT_ID}}
MISSING: Final = {"conditions": [{"type": "Stalled", "reason": "ApplicationNotFound"}]}


def _see(store: Store, namespace: str, name: str, **status: Any) -> None:
    metadata = {"namespace": namespace, "name": name, "uid": name, "resourceVersion": "1"}
    document = {
        "metadata": metadata,
        "spec": {"application": {"clientId": CLIENT_ID}},
        "status": status,
    }
    store.put(Key(APP_CREDENTIALS, namespace, name), known_of(APP_CREDENTIALS, document))


def test_it_counts_as_resources_come_change_and_go() -> None:
    store, dice = Store(), random.Random(17)  # noqa: S311 - not for secrets
    shown: dict[tuple[str, str], str] = {}
    for _ in range(2_000):
        place = (dice.choice(("shop", "bank")), f"n{dice.randrange(20)}")
        if dice.random() < 0.3:
            store.drop(Key(APP_CREDENTIALS, *place))
            shown.pop(place, None)
        else:
            shown[place] = dice.choice(("a", "b", ""))
            _see(store, *place, grant=shown[place])
        for grant in ("a", "b"):
            wanted = Counter(namespace for (namespace, _), used in shown.items() if used == grant)
            assert store.uses.namespaces(grant) == wanted
    for namespace, name in shown:
        store.drop(Key(APP_CREDENTIALS, namespace, name))
    assert store.uses == GrantedUses(), "nothing is kept of what is gone"


def test_users_tell_whether_the_application_exists() -> None:
    store = Store()

    def told() -> bool | None:
        return store.uses.exists("default", CLIENT_ID)

    _see(store, "shop", "new")
    assert told() is None, "nobody looked yet"
    _see(store, "shop", "old", **FOUND)
    assert told() is True
    _see(store, "bank", "late", **FOUND, **MISSING)
    assert told() is None, "one of them looked before the other"
    _see(store, "shop", "old", **FOUND, **MISSING)
    assert told() is False
    assert store.uses.exists("other", CLIENT_ID) is None
