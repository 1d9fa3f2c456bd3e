"""The index of who is served and who waits, by namespace and application."""

from __future__ import annotations

from typing import Any, Final

from appcredential.cache.informer import Informer
from appcredential.cache.standings import Age, Place, Standings
from appcredential.cache.store import Store
from appcredential.domain.marker import Owner
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.kube.custom_resources import APP_CREDENTIALS, KubeObjects
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID

PLACE: Final = Place("shop", "default", CLIENT_ID)
ELSEWHERE: Final = Place("stock", "default", CLIENT_ID)
STALLED: Final = {"conditions": [{"type": "Stalled", "status": "True", "reason": "GrantLimit"}]}
REFUSED: Final = {"conditions": [{"type": "Stalled", "status": "True", "reason": "InvalidSpec"}]}
SERVED: Final = {"application": {"clientId": CLIENT_ID}}


def _age(n: int, name: str) -> Age:
    return Age(f"2026-11-22T10:00:{n:02}Z", name)


def test_the_oldest_are_ahead_and_the_name_decides_within_a_second() -> None:
    found = Standings()
    ages = [_age(1, "z"), _age(2, "a"), _age(2, "b"), _age(3, "a0")]
    for age in (ages[2], ages[0], ages[3], ages[1]):
        found.wait(PLACE, age)
    assert [found.of(PLACE, age).ahead for age in ages] == [0, 1, 2, 3]
    assert found.of(ELSEWHERE, ages[3]) == ALONE


def test_who_is_served_counts_for_the_others_and_not_for_itself() -> None:
    found = Standings()
    found.serve(PLACE, "a")
    found.serve(PLACE, "b")
    assert found.of(PLACE, _age(1, "a")) == Standing(served=1, ahead=0)
    assert found.of(PLACE, _age(1, "c")) == Standing(served=2, ahead=0)


def test_who_leaves_is_forgotten_whatever_it_was() -> None:
    found = Standings()
    found.serve(PLACE, "a")
    found.wait(PLACE, _age(1, "b"))
    for age in (_age(0, "a"), _age(1, "b"), _age(2, "never")):
        found.leave(PLACE, age)
    assert found.of(PLACE, _age(9, "c")) == ALONE
    found.leave(PLACE, _age(0, "a"))


class _Seen:
    """A store that watch events fill."""

    def __init__(self) -> None:
        self.store = Store()
        objects = KubeObjects(ApiServer())
        self._informer = Informer(objects, self.store, (), lambda *_, **__: None, lambda _: None)

    def event(self, name: str, second: int, kind: str = "MODIFIED", **rest: Any) -> None:
        metadata = {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "resourceVersion": "1",
            "creationTimestamp": f"2026-11-22T10:00:{second:02}Z",
            **rest.pop("metadata", {}),
        }
        spec = {"application": {"clientId": CLIENT_ID}, **rest.pop("spec", {})}
        self._informer.on_event(APP_CREDENTIALS, kind, {"metadata": metadata, "spec": spec, **rest})

    def standing(self, name: str) -> Standing:
        return self.store.standing(Owner("shop", name))


def test_what_is_seen_makes_the_standing() -> None:
    seen = _Seen()
    seen.event("served", 5, status=SERVED)
    seen.event("first", 1)
    seen.event("over", 2, status=STALLED)
    seen.event("youngest", 9)
    assert seen.standing("youngest") == Standing(served=1, ahead=2)
    seen.event("first", 1, status=SERVED)
    assert seen.standing("youngest") == Standing(served=2, ahead=1)
    seen.event("served", 5, kind="DELETED", status=SERVED)
    assert seen.standing("youngest") == Standing(served=1, ahead=1)
    assert seen.standing("nobody") == ALONE


def test_what_cannot_be_served_is_in_nobodys_way() -> None:
    seen = _Seen()
    seen.event("invalid", 1, status=REFUSED)
    seen.event("paused", 2, spec={"suspend": True})
    seen.event("leaving", 3, metadata={"deletionTimestamp": "2026-11-22T11:00:00Z"})
    seen.event("other", 4, spec={"tenantRef": {"name": "other"}})
    assert seen.standing("leaving") == ALONE
    seen.event("wanted", 9)
    assert seen.standing("wanted") == ALONE
