"""Parts of client assertions, and the answers to them."""

from __future__ import annotations

import base64
from typing import Final

import httpx

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def segment(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def code(answer: httpx.Response) -> int:
    """Return 200, or the AADSTS number of a 400 or 401."""
    if answer.status_code == 200:
        return 200
    assert answer.status_code in {400, 401}
    return int(answer.json()["error_codes"][0])
