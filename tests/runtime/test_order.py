"""Who is served next: urgent ones first, others in turns, nobody never. Counted in steps."""

from __future__ import annotations

import random
from collections import Counter, deque

import pytest

from appcredential.domain.urgency import Urgency
from appcredential.runtime.ready import UNBOUNDED, Bounds, Key, Lane, Ready

FLOOD = 5_000


def key(namespace: str, number: int = 0) -> Key:
    return Key("appcredentials", namespace, f"orders-{number}")


def lane(urgency: Urgency, tenant: str = "default", application: str = "") -> Lane:
    return Lane(tenant, application, urgency)


class Line:
    """Keys that wait, and one worker that ends what it took before it takes more."""

    def __init__(self, bounds: Bounds = UNBOUNDED) -> None:
        self.ready = Ready(bounds)

    def add(self, found: Key, at: Lane) -> None:
        self.ready.add(found, at, at.urgency)

    def flood(self, namespace: str, urgency: Urgency, count: int = FLOOD, tenant: str = "") -> None:
        for number in range(count):
            self.add(key(namespace, number), Lane(tenant, f"app-{number % 200}", urgency))

    def serve(self) -> Key | None:
        taken = self.ready.take()
        if taken is None:
            return None
        self.ready.end(taken[0], awaits_turn=False)
        return taken[0]

    def steps_to(self, wanted: Key) -> int:
        """Serve until a key has its turn; return in how many steps."""
        for step in range(1, 2 * FLOOD):
            if self.serve() == wanted:
                return step
        pytest.fail("it never had its turn")


class FirstComeFirstServed(Line):
    """The broken variant: by arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: deque[Key] = deque()

    def add(self, found: Key, at: Lane) -> None:
        del at
        self.waiting.append(found)

    def serve(self) -> Key | None:
        return self.waiting.popleft() if self.waiting else None


def test_the_classes_are_served_in_their_order() -> None:
    line = Line()
    for number, urgency in enumerate(reversed(Urgency)):
        line.add(key("shop", number), lane(urgency))
    served = [line.serve() for _ in Urgency]
    assert [int(k.name[-1]) for k in served if k is not None] == [5, 4, 3, 2, 1, 0]
    assert line.serve() is None


@pytest.mark.parametrize("flooding", [u for u in Urgency if u is not Urgency.SHARED])
@pytest.mark.parametrize("own", list(Urgency))
def test_a_flood_of_one_namespace_delays_a_neighbour_by_a_few_steps(
    flooding: Urgency, own: Urgency
) -> None:
    line = Line()
    line.flood("busy", flooding)
    line.add(key("quiet"), lane(own))
    assert line.steps_to(key("quiet")) <= (2 if own <= flooding else 21)


def test_arrival_alone_fails_that() -> None:
    line = FirstComeFirstServed()
    line.flood("busy", Urgency.ISSUE)
    line.add(key("quiet"), lane(Urgency.ISSUE))
    assert line.steps_to(key("quiet")) > FLOOD


def test_a_flood_in_every_class_starves_none() -> None:
    line = Line()
    for number, urgency in enumerate(u for u in Urgency if u is not Urgency.SHARED):
        line.flood(f"busy-{number}", urgency, 1_000)
    served = Counter(k.namespace for k in (line.serve() for _ in range(300)) if k is not None)
    shares = [served[f"busy-{number}"] for number in range(5)]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 10


def test_tenants_share_whatever_the_number_of_their_namespaces() -> None:
    line = Line()
    for number in range(200):
        line.add(key(f"of-a-{number}"), lane(Urgency.LOOK, "a"))
    for number in range(20):
        line.add(key("of-b", number), lane(Urgency.LOOK, "b"))
    served = [line.serve() for _ in range(20)]
    assert sum(k.namespace == "of-b" for k in served if k is not None) == 10


def test_a_namespace_serves_its_applications_in_turns() -> None:
    line = Line()
    for number in range(300):
        line.add(key("shop", number), lane(Urgency.LOOK, application="crowd"))
    line.add(key("shop", 999), lane(Urgency.LOOK, application="own"))
    assert line.steps_to(key("shop", 999)) <= 2


def test_what_waits_keeps_its_place_and_becomes_only_more_urgent() -> None:
    line = Line()
    for number in range(3):
        line.add(key("shop", number), lane(Urgency.LOOK))
    line.add(key("shop", 2), lane(Urgency.CHANGED))
    line.add(key("shop", 2), lane(Urgency.ISSUE))
    line.add(key("shop", 0), lane(Urgency.LOOK))
    assert len(line.ready) == 3
    assert line.ready.counts()[Urgency.CHANGED] == 1
    assert [line.serve() for _ in range(4)] == [*(key("shop", n) for n in (2, 0, 1)), None]


def test_one_that_is_moved_to_another_class_leaves_no_trace_of_its_line() -> None:
    line = Line()
    line.add(key("shop"), lane(Urgency.LOOK))
    line.add(key("shop"), lane(Urgency.SHARED))
    assert line.serve() == key("shop")
    assert not any(line.ready.counts().values())
    assert not any(line.ready._rings.values())


def test_nobody_is_served_twice_or_never_whatever_is_added_when() -> None:
    chance = random.Random(20261129)  # noqa: S311 - only to vary
    line, waiting, served = Line(Bounds.of(20)), set[Key](), Counter[Key]()
    for _ in range(5_000):
        found = key(f"ns-{chance.randrange(30)}", chance.randrange(20))
        at = Lane(
            f"t-{chance.randrange(3)}", f"a-{chance.randrange(9)}", chance.choice(list(Urgency))
        )
        line.add(found, at)
        waiting.add(found)
        if chance.random() < 0.6 and (taken := line.serve()) is not None:
            assert taken in waiting
            waiting.remove(taken)
            served[taken] += 1
        assert len(line.ready) == len(waiting)
    while (taken := line.serve()) is not None:
        waiting.remove(taken)
    assert not waiting
    assert (line.ready._busy, line.ready._full, line.ready._begun) == (Counter(), Counter(), {})


# --- bounds ---------------------------------------------------------------------------------


def take(ready: Ready, count: int) -> list[Key]:
    found = (ready.take() for _ in range(count))
    return [taken[0] for taken in found if taken is not None]


def test_no_namespace_and_no_tenant_takes_all_workers() -> None:
    line = Line(Bounds.of(20))
    line.flood("busy", Urgency.LOOK, 100, "slow")
    assert len(take(line.ready, 20)) == 15
    line.flood("also", Urgency.LOOK, 100, "slow")
    assert len(take(line.ready, 20)) == 3
    line.add(key("quiet"), lane(Urgency.LOOK, "other"))
    assert take(line.ready, 20) == [key("quiet")]
    line.add(Key("entratenants", "", "slow"), Lane(urgency=Urgency.SHARED))
    assert len(take(line.ready, 20)) == 1


def test_one_worker_serves_all() -> None:
    line = Line(Bounds.of(1))
    line.flood("busy", Urgency.ISSUE, 3)
    assert len({line.serve() for _ in range(3)}) == 3


def busy(line: Line) -> None:
    """Have others to serve for as long as a test lasts."""
    for number in range(100):
        line.add(Key("appcredentials", f"other-{number}", "looks"), lane(Urgency.LOOK))


def begun(line: Line) -> list[Key]:
    """Serve as long as others wait; what begins then waits for its turn to write."""
    found: list[Key] = []
    while line.ready.counts()[Urgency.LOOK] and (taken := line.ready.take()) is not None:
        line.ready.end(taken[0], awaits_turn=True)
        found += [taken[0]] * (taken[1] is not Urgency.LOOK)
    return found


def begin(line: Line) -> list[Key]:
    busy(line)
    return begun(line)


def crowd(line: Line, count: int, urgency: Urgency = Urgency.ISSUE) -> None:
    for number in range(count):
        line.add(key("shop", number), lane(urgency, application="one"))


def test_few_of_one_application_begin_before_the_first_is_done() -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    assert begin(line) == [key("shop", number) for number in range(8)]
    line.ready.give_up(key("shop", 3))
    assert begin(line) == [key("shop", 8)]


def test_an_idle_operator_looks_at_the_whole_crowd() -> None:
    """Else nothing would be said of most of them for as long as their turns take."""
    line = Line(Bounds.of(20))
    crowd(line, 50)
    assert len({line.serve() for _ in range(50)} - {None}) == 50


def test_who_began_is_not_held_back_by_who_waits() -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    first = begin(line)
    for found in first:
        line.add(found, lane(Urgency.IN_FLIGHT, application="one"))
    assert [line.serve() for _ in first[:4]] == first[:4]
    assert line.serve() == key(
        "shop", 8
    )  # has waited while four went before, and now there is room


@pytest.mark.parametrize("urgency", [u for u in Urgency if u is not Urgency.ISSUE])
def test_only_what_is_to_be_issued_waits_for_others_of_its_application(urgency: Urgency) -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    begin(line)
    line.add(key("shop", 999), lane(urgency, application="one"))
    assert line.serve() == key("shop", 999)


def test_another_application_of_the_namespace_begins_beside_a_crowd() -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    begin(line)
    line.add(key("shop", 999), lane(Urgency.ISSUE, application="other"))
    assert line.serve() == key("shop", 999)


def test_namespaces_take_turns_at_an_application_they_share() -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    begin(line)
    line.add(key("other"), lane(Urgency.ISSUE, application="one"))
    line.ready.give_up(key("shop", 0))
    line.ready.give_up(key("shop", 1))
    assert key("other") in begin(line)


def test_a_tenant_begins_no_more_than_its_quota_of_writes_takes_soon() -> None:
    line = Line(Bounds.of(20))
    for number in range(1_000):
        line.add(key(f"ns-{number % 7}", number), lane(Urgency.ISSUE, "big", f"app-{number}"))
    line.add(key("small"), lane(Urgency.ISSUE, "small"))
    found = begin(line)
    assert key("small") in found
    assert len(found) == 95 + 1


def test_one_that_waits_for_its_turn_and_is_taken_again_counts_once() -> None:
    line = Line(Bounds.of(20))
    crowd(line, 300)
    first = begin(line)[0]
    for _ in range(3):
        line.add(first, lane(Urgency.ISSUE, application="one"))
        line.add(first, lane(Urgency.CHANGED, application="one"))
        assert begin(line) == [first]
    line.ready.give_up(first)
    assert len(begin(line)) == 1
