"""Token requests as clients write them: the text of the body, sent as it stands."""

from __future__ import annotations

import httpx

from tests.support.graph_user import GraphUser


def send_body(user: GraphUser, body: str) -> httpx.Response:
    """Post a body; `CLIENT` and `SECRET` in it stand for those of the user."""
    filled = body.replace("CLIENT", user.client_id).replace("SECRET", user.secret)
    return user.http.post(
        f"{user.emulator.url}/{user.tenant}/oauth2/v2.0/token",
        content=filled,
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
