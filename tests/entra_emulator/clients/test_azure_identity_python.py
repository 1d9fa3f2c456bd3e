"""Python's azure-identity 1.27.0 with MSAL 1.39.0: bodies of their token requests.

`azure/identity/_internal/aad_client_base.py`: `_get_client_secret_request`,
`_get_jwt_assertion_request`. The synchronous credential uses MSAL, which adds `client_info`.
"""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser
from tests.support.token_bodies import send_body

HEAD = "client_id=CLIENT&client_secret=SECRET&grant_type=client_credentials&scope="
GRAPH = "https%3A%2F%2Fgraph.microsoft.com%2F.default"
CAE = (
    "&claims=%7B%22access_token%22%3A+%7B%22xms_cc%22%3A+%7B%22values%22"
    "%3A+%5B%22CP1%22%5D%7D%7D%7D"
)
SECRETS = {
    "graph": f"{HEAD}{GRAPH}",
    "graph with cae": f"{HEAD}{GRAPH}{CAE}",
    "resource manager": f"{HEAD}https%3A%2F%2Fmanagement.azure.com%2F.default",
    # As azure-cli asks, with the slash of the resource and that of the scope.
    "azure-cli": f"{HEAD}https%3A%2F%2Fmanagement.core.windows.net%2F%2F.default",
    "synchronous": f"client_info=1&{HEAD}{GRAPH}",
}


@pytest.mark.parametrize("body", SECRETS.values(), ids=SECRETS.keys())
def test_secret(user: GraphUser, body: str) -> None:
    assert send_body(user, body).status_code == 200


def test_assertion_is_read_after_its_scope(user: GraphUser) -> None:
    """The scope is accepted, so that only the assertion is wrong."""
    body = (
        "client_assertion=WRONG&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
        f"client-assertion-type%3Ajwt-bearer&client_id=CLIENT&grant_type=client_credentials&scope={GRAPH}"
    )
    assert send_body(user, body).json()["error_codes"] == [50027]
