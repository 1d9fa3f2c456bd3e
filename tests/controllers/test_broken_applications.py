"""Entra gives no answer for some applications; the revocations of others do not wait for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appcredential.controllers.revocation_round import Round
from appcredential.domain.facts.deletion import scheduled_revocation
from appcredential.domain.observed.entra import Application
from appcredential.domain.spec.model import ClientId
from appcredential.errors import UnavailableError
from tests.support.builders import CLIENT_ID, MINUTE, SECOND, observation
from tests.support.deletions import Deletion
from tests.support.revocation_documents import REVOCATIONS, revocation_document

ANSWERED = {f"fine-{number}" for number in range(6)}


class Partly(Deletion):
    """Many are due in one namespace, and the oldest are of applications that do not answer."""

    def __init__(self, broken: int) -> None:
        super().__init__()
        self.asked: list[ClientId] = []
        self._application = self.directory.application
        self.directory.application = self._ask  # type: ignore[method-assign]
        for number in range(broken):
            self.add(f"broken-{number}", f"00000000-0000-0000-0000-{number:012d}", "09")
        for name in ANSWERED:
            self.add(name, CLIENT_ID, "10")

    def add(self, owner: str, client_id: str, hour: str) -> None:
        """Have one more revocation, due at some hour."""
        name, document = revocation_document(
            {"name": owner, "clientId": client_id, "due": f"2026-11-22T{hour}:00:00Z"}
        )
        self.kube.put(f"{REVOCATIONS}/{name}", document)

    async def _ask(self, client_id: ClientId, max_age: timedelta) -> Application:
        self.asked.append(client_id)
        if client_id != CLIENT_ID:
            raise UnavailableError("application: 503")
        return await self._application(client_id, max_age)

    @property
    def left(self) -> set[str]:
        """The owners whose revocations are not finished."""
        found = (o for path, o in self.kube.objects.items() if path.startswith(f"{REVOCATIONS}/"))
        return {o["data"]["name"] for o in found}


async def test_applications_that_do_not_answer_hold_up_no_other() -> None:
    world = Partly(broken=40)
    await world.pass_(30 * MINUTE)
    assert world.left == {f"broken-{number}" for number in range(40)}


async def test_they_are_asked_by_turns_and_only_some_of_them_in_a_round() -> None:
    """The whole server may be down, and each request may hang for long."""
    world = Partly(broken=40)
    await world.pass_(12 * MINUTE)
    world.asked.clear()
    rounds = []
    for _ in range(10):
        before = len(world.asked)
        await world.revocation_controller.run_once()
        rounds.append([c for c in world.asked[before:] if c != CLIENT_ID])
        world.clock.advance(30 * SECOND)
    assert all(3 <= len(asked) <= 6 for asked in rounds)
    asked = [client_id for found in rounds for client_id in found]
    assert len(set(asked)) == len(asked)


async def test_one_that_cannot_be_read_does_not_hold_up_others_of_its_application() -> None:
    world = Partly(broken=0)

    def fail(method: str, path: str) -> None:
        if path.endswith("/appcredentials/huge"):
            raise UnavailableError("the answer is too large")

    world.add("huge", CLIENT_ID, "08")
    world.kube.before = fail
    await world.pass_(30 * MINUTE)
    assert world.left == {"huge"}


async def test_one_that_answers_again_is_finished() -> None:
    world = Partly(broken=4)
    await world.pass_(30 * MINUTE)
    world.directory.application = world._application  # type: ignore[method-assign]
    await world.pass_(30 * MINUTE)
    assert world.left == set()


def test_a_turn_that_was_promised_is_not_given_up_with_its_place() -> None:
    one = scheduled_revocation(observation())
    promised, *others = (
        replace(one, client_id=ClientId(f"00000000-0000-0000-0000-00000000000{number}"))
        for number in range(5)
    )
    round_ = Round([promised])
    round_.told[round_.left.popleft()] = 2.0
    for revocation in others:
        round_.give_up(revocation)
    assert round_.is_hopeless(promised)
    round_.come_again(2.0)
    assert not round_.is_hopeless(promised)
    round_.give_up(promised)
    assert round_.is_hopeless(promised)
