"""What the emulator holds at the start: one tenant, the operator, one application of a team."""

from __future__ import annotations

from typing import Final

TENANT_ID: Final = "11111111-1111-4111-8111-111111111111"
OPERATOR_ID: Final = "22222222-2222-4222-8222-222222222222"
CLIENT_ID: Final = "33333333-3333-4333-8333-333333333333"
OPERATOR_SECRET: Final = "the-operators-own-demo-secret-000000000"
FOREIGN: Final = ("made by hand in the portal", "terraform, team payments")
