"""MSAL for Go 1.10.1, below azidentity and azurerm: bodies of its token requests.

`apps/internal/oauth/ops/accesstokens/accesstokens.go`: `FromClientSecret`, `FromAssertion`,
`AppendDefaultScopes`. `url.Values` sorts the fields; a body has `claims` if CAE is enabled.
"""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser
from tests.support.token_bodies import send_body

CAE = "claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D&"
HEAD = "client_id=CLIENT&client_secret=SECRET&grant_type=client_credentials&scope="
END = "%2F.default+openid+offline_access+profile"
ASSERTION = (
    "client_assertion=WRONG&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type"
    "%3Ajwt-bearer&client_id=CLIENT&client_info=1&grant_type=client_credentials&scope="
)
SECRETS = {
    "graph": f"{HEAD}https%3A%2F%2Fgraph.microsoft.com{END}",
    "graph with cae": f"{CAE}{HEAD}https%3A%2F%2Fgraph.microsoft.com{END}",
    "resource manager": f"{HEAD}https%3A%2F%2Fmanagement.azure.com{END}",
    "key vault": f"{HEAD}https%3A%2F%2Fvault.azure.net{END}",
}


@pytest.mark.parametrize("body", SECRETS.values(), ids=SECRETS.keys())
def test_secret(user: GraphUser, body: str) -> None:
    assert send_body(user, body).status_code == 200


def test_assertion_is_read_after_its_scope(user: GraphUser) -> None:
    """The scope is accepted, so that only the assertion is wrong."""
    answer = send_body(user, f"{ASSERTION}https%3A%2F%2Fgraph.microsoft.com{END}")
    assert answer.json()["error_codes"] == [50027]


def test_two_resources_stay_refused(user: GraphUser) -> None:
    body = f"{HEAD}https%3A%2F%2Fvault.azure.net%2F.default+https%3A%2F%2Fgraph.microsoft.com{END}"
    assert send_body(user, body).json()["error_codes"] == [70011]
