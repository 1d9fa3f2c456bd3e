"""msal4j 1.23.1, below Java's azure-identity: bodies of its token requests.

`OAuthAuthorizationGrant` adds the scopes of OpenID Connect and `client_info`,
`TokenRequestExecutor.addQueryParameters` the client and its credential. Scopes are a HashSet and
fields a HashMap, so their order means nothing.
"""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser
from tests.support.token_bodies import send_body

GRAPH = "https%3A%2F%2Fgraph.microsoft.com%2F.default"
VAULT = "https%3A%2F%2Fvault.azure.net%2F.default"
FIELDS = "&grant_type=client_credentials&client_info=1&client_id=CLIENT"
CAE = "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D"
SCOPES = {
    "resource last": f"openid+profile+offline_access+{GRAPH}",
    "resource first": f"{GRAPH}+openid+profile+offline_access",
    "resource between": f"openid+{VAULT}+profile+offline_access",
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
@pytest.mark.parametrize("claims", ["", CAE], ids=["plain", "cae"])
def test_secret(user: GraphUser, scope: str, claims: str) -> None:
    body = f"scope={scope}{FIELDS}&client_secret=SECRET{claims}"
    assert send_body(user, body).status_code == 200


def test_assertion_is_read_after_its_scope(user: GraphUser) -> None:
    """The scope is accepted, so that only the assertion is wrong."""
    kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    credential = f"&client_assertion_type={kind}&client_assertion=WRONG"
    answer = send_body(user, f"scope=openid+profile+offline_access+{GRAPH}{FIELDS}{credential}")
    assert answer.json()["error_codes"] == [50027]


def test_two_resources_stay_refused(user: GraphUser) -> None:
    scope = f"openid+profile+offline_access+{GRAPH}+{VAULT}"
    answer = send_body(user, f"scope={scope}{FIELDS}&client_secret=SECRET")
    assert answer.json()["error_codes"] == [70011]
