"""An application's sign-in that Entra refuses: the number is in status, and in the log once."""

from __future__ import annotations

import logging

import pytest

from appcredential.domain.proof import PROVEN, classify
from tests.support.world import World


@pytest.mark.parametrize("code", [7654321, 53003, 5000225])
async def test_the_number_is_in_status_and_once_in_the_log(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.entra.sign_in_result = classify(400, (code,))
    await world.look_at_tenant()
    number = f"AADSTS{code}"
    with caplog.at_level(logging.INFO, "appcredential"):
        await world.until(lambda: number in str(world.conditions.get("Stalled")), passes=200)
    assert number in world.ready["message"]
    assert number in world.conditions["Verified"]["message"]
    lines = [vars(r) for r in caplog.records if r.name == "appcredential.effects.signin"]
    assert [(line["code"], line["ns"], line["obj"]) for line in lines] == [(code, "shop", "orders")]
    world.entra.sign_in_result = PROVEN
    await world.until(lambda: world.ready["status"] == "True", passes=200)
