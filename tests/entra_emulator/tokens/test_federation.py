"""Exchange of a foreign token: what must match, who must have signed it, what is cached."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.assertions import ASSERTION_TYPE, code, segment
from tests.support.emulator import READ_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser

ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:Contoso/Orders:environment:production"
AUDIENCE = "api://AzureADTokenExchange"
CREDENTIAL = {"name": "from-github", "issuer": ISSUER, "subject": SUBJECT}


@pytest.fixture
def app(user: GraphUser, emulator: Emulator) -> MadeApplication:
    return emulator.create_application(
        user.tenant,
        owner=user.client_id,
        displayName="Orders",
        federatedIdentityCredentials=[CREDENTIAL],
    )


@pytest.fixture
def issuer(emulator: Emulator) -> str:
    return emulator.add_issuer(ISSUER, name="github-like")


def claims(**changes: Any) -> dict[str, Any]:
    return {"sub": SUBJECT, "aud": AUDIENCE, **changes}


def exchange(
    user: GraphUser, app: MadeApplication, token: str, tenant: str | None = None
) -> httpx.Response:
    caller = GraphUser(user.emulator, user.http, tenant or user.tenant, app.app_id, "")
    return caller.sign_in(client_assertion=token, client_assertion_type=ASSERTION_TYPE)


def message(answer: httpx.Response) -> str:
    """Return the text of an error without its ids and time."""
    text: str = answer.json()["error_description"]
    return text.partition(" Trace ID: ")[0]


def test_a_matching_token_is_exchanged(user: GraphUser, app: MadeApplication, issuer: str) -> None:
    """R4: the access token says that the client proved itself with an assertion."""
    answer = exchange(user, app, user.emulator.sign(issuer, claims=claims()))
    assert answer.status_code == 200
    token = user.emulator.do(lambda world: world.signer.read(answer.json()["access_token"]))
    assert (token["appid"], token["appidacr"], token["tid"]) == (app.app_id, "2", user.tenant)


def test_a_list_of_audiences_will_do(user: GraphUser, app: MadeApplication, issuer: str) -> None:
    """R4: tokens of ServiceAccounts have a list."""
    token = user.emulator.sign(issuer, claims=claims(aud=[AUDIENCE]))
    assert code(exchange(user, app, token)) == 200


LEARN = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
NO_RECORD = "No matching federated identity record found for presented assertion"
CHECK = (
    "heck your federated identity credential Subject, Audience and Issuer against the presented"
    f" assertion. {LEARN}"
)
OTHER_CASE = (
    "The subject matches with case-insensitive comparison, but not with case-sensitive comparison."
)
FOREIGN = "https://github.com/contoso"
MISMATCHES: dict[str, tuple[dict[str, Any], int, str]] = {
    "issuer with a slash": ({"iss": f"{ISSUER}/"}, 700211, f"issuer '{ISSUER}/'. Please c{CHECK}"),
    "another subject": ({"sub": "repo:x"}, 700213, f"subject 'repo:x'. C{CHECK}"),
    "subject in other case": (
        {"sub": SUBJECT.lower()},
        7002138,
        f"subject '{SUBJECT.lower()}'. {OTHER_CASE} C{CHECK}",
    ),
    "no subject": ({"sub": None}, 700213, f"subject ''. C{CHECK}"),
    "another audience": ({"aud": FOREIGN}, 700212, f"audience '{FOREIGN}'. C{CHECK}"),
    "audience in other case": (
        {"aud": AUDIENCE.lower()},
        700212,
        f"audience '{AUDIENCE.lower()}'. C{CHECK}",
    ),
}


@pytest.mark.parametrize(("changes", "number", "text"), MISMATCHES.values(), ids=MISMATCHES.keys())
def test_what_does_not_match_is_named(
    user: GraphUser,
    app: MadeApplication,
    issuer: str,
    changes: dict[str, Any],
    number: int,
    text: str,
) -> None:
    """R4: issuer, then subject, then audience."""
    answer = exchange(user, app, user.emulator.sign(issuer, claims=claims(**changes)))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert message(answer) == f"AADSTS{number}: {NO_RECORD} {text}"


def test_the_parts_must_match_in_one_credential(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    """R4: parts of different credentials together are no match."""
    emulator = user.emulator
    emulator.add_federated(app.id, name="second", issuer="https://i", subject="elsewhere")
    emulator.add_federated(app.id, name="third", issuer=ISSUER, subject="t", audiences=["other"])
    tokens = [
        emulator.sign(issuer, claims=claims(sub="elsewhere")),
        emulator.sign(issuer, claims=claims(aud="other")),
        emulator.sign(issuer, claims=claims(sub="t", aud="other")),
    ]
    assert [code(exchange(user, app, token)) for token in tokens] == [700213, 700212, 200]


@pytest.mark.parametrize("space", ["{} ", " {}"])
def test_whitespace_blocks_the_exchange(
    user: GraphUser, app: MadeApplication, issuer: str, space: str
) -> None:
    """S8: Graph accepted it when the credential was created."""
    path = f"applications/{app.id}/federatedIdentityCredentials/from-github"
    assert user.call("PATCH", path, {"issuer": space.format(ISSUER)}).status_code == 204
    assert code(exchange(user, app, user.emulator.sign(issuer, claims=claims()))) == 700211


def test_an_application_without_any_is_told_so(user: GraphUser, issuer: str) -> None:
    """R4."""
    bare = user.emulator.create_application(user.tenant, displayName="Bare")
    answer = exchange(user, bare, user.emulator.sign(issuer, claims=claims()))
    assert message(answer) == (
        "AADSTS70025: The client 'Bare' has no configured federated identity credentials."
    )


def test_the_older_generic_error_comes_by_a_fault(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    """R4: Entra used this error before it had the ones above."""
    user.emulator.add_rule("token-error", code=70021, count=1)
    answer = exchange(user, app, user.emulator.sign(issuer, claims=claims()))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert message(answer) == (
        f"AADSTS70021: {NO_RECORD}. Assertion Issuer: '{ISSUER}'. Assertion Subject: '{SUBJECT}'."
        f" Assertion Audience: '{AUDIENCE}'. {LEARN}"
    )


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "HS256", "none", None])
def test_only_rs256_is_accepted(
    user: GraphUser, app: MadeApplication, issuer: str, algorithm: str | None
) -> None:
    token = user.emulator.sign(issuer, claims=claims(), header={"alg": algorithm})
    assert code(exchange(user, app, token)) == 50027


def test_a_changed_token_has_a_bad_signature(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    header, _, signature = user.emulator.sign(issuer, claims=claims(sub="s")).split(".")
    now = user.emulator.now().timestamp()
    forged = segment(json.dumps(claims(iss=ISSUER, exp=now + 60)).encode())
    answer = exchange(user, app, f"{header}.{forged}.{signature}")
    assert code(answer) == 50013
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"kid": None, "x5t": None}, 50027),
        ({"kid": "", "x5t": ""}, 50027),
        ({"kid": "unknown", "x5t": None}, 7000272),
        ({"kid": None}, 200),
        ({"x5t": None}, 200),
    ],
)
def test_the_key_is_found_by_kid_or_x5t(
    user: GraphUser,
    app: MadeApplication,
    issuer: str,
    header: dict[str, Any],
    expected: int,
) -> None:
    answer = exchange(user, app, user.emulator.sign(issuer, claims=claims(), header=header))
    assert code(answer) == expected
    if expected == 7000272:
        assert message(answer) == (
            "AADSTS7000272: The certificate with identifier unknown used to sign the federated"
            f" credential could not be found in the metadata of identity provider {ISSUER}."
        )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(-900, -301, 700024), (301, 900, 700024), (-900, -290, 200), (-60, None, 50027)],
)
def test_times_are_judged_by_the_emulators_clock(
    user: GraphUser,
    app: MadeApplication,
    issuer: str,
    start: int,
    end: int | None,
    expected: int,
) -> None:
    """F10."""
    user.emulator.stop_clock()
    now = user.emulator.now().timestamp()
    times = {"nbf": now + start, "exp": None if end is None else now + end}
    answer = exchange(user, app, user.emulator.sign(issuer, claims=claims(**times)))
    assert code(answer) == expected


def test_an_issuer_that_nobody_allowed_is_not_contacted(
    user: GraphUser, app: MadeApplication
) -> None:
    """R4: 50166 has no `error_uri`."""
    other = user.emulator.add_issuer("https://other.example", name="other")
    answer = exchange(user, app, user.emulator.sign(other, claims=claims(iss=ISSUER)))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert message(answer) == "AADSTS50166: Request to External OIDC endpoint failed."
    assert "error_uri" not in answer.json()


# --- lag and caches ------------------------------------------------------------------------


def add_credential(user: GraphUser, app: MadeApplication, **changes: Any) -> None:
    body = {**CREDENTIAL, "name": "second", "audiences": [AUDIENCE], **changes}
    path = f"applications/{app.id}/federatedIdentityCredentials"
    assert user.call("POST", path, body).status_code == 201


def test_replicas_disagree_for_minutes(user: GraphUser, app: MadeApplication, issuer: str) -> None:
    """F1: success and failure in turn, at the token endpoint alone."""
    emulator = user.emulator
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(lag={"token": {"addFederated": [100, 200]}})
    add_credential(user, app, subject="new")
    token = emulator.sign(issuer, claims=claims(sub="new"), lifetime_seconds=900)
    rows = user.get(f"applications/{app.id}/federatedIdentityCredentials")["value"]
    assert len(rows) == 2
    seen = {}
    for seconds in (99, 51, 50):
        emulator.move_clock(seconds)
        seen[seconds] = {code(exchange(user, app, token)) for _ in range(20)}
    assert seen == {99: {700213}, 51: {200, 700213}, 50: {200}}


def test_a_removed_credential_goes_on_for_a_while(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    """F11."""
    emulator = user.emulator
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "token": {"removeFederated": [60, 60]}})
    path = f"applications/{app.id}/federatedIdentityCredentials/from-github"
    assert user.call("DELETE", path).status_code == 204
    token = emulator.sign(issuer, claims=claims())
    emulator.move_clock(59)
    answers = [code(exchange(user, app, token))]
    emulator.move_clock(1)
    assert [*answers, code(exchange(user, app, token))] == [200, 70025]


def test_asking_too_early_is_remembered_as_a_miss(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    """F1: a client that asks again within the minute gets the old answer; later it does not."""
    emulator = user.emulator
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(
        lag={"replicas": 1, "token": {"addFederated": [10, 10]}, "negativeCache": 60}
    )
    add_credential(user, app, subject="new")
    token = emulator.sign(issuer, claims=claims(sub="new"))
    emulator.move_clock(9)
    answers = [code(exchange(user, app, token))]
    for seconds in (1, 30, 28):
        emulator.move_clock(seconds)
        answers.append(code(exchange(user, app, token)))
    other = code(exchange(user, app, emulator.sign(issuer, claims=claims())))
    emulator.move_clock(1)
    answers.append(code(exchange(user, app, token)))
    assert answers == [700213, 700213, 700213, 700213, 200]
    assert other == 200


def test_a_new_signing_key_is_known_after_the_next_fetch(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    """R4: until then the new key gets 7000272, and the old key works."""
    emulator = user.emulator
    emulator.stop_clock()
    emulator.set_faults(lag={"keyCache": 300})
    old = emulator.sign(issuer, claims=claims(), lifetime_seconds=900)
    answers = [code(exchange(user, app, old))]
    kid = emulator.rotate_issuer(issuer)
    new = emulator.sign(issuer, claims=claims(), lifetime_seconds=900)
    emulator.move_clock(299)
    answers += [code(exchange(user, app, old)), code(exchange(user, app, new))]
    emulator.move_clock(1)
    answers += [code(exchange(user, app, new)), code(exchange(user, app, old))]
    assert answers == [200, 200, 7000272, 200, 7000272]
    documents = user.http.get(f"{emulator.url}/emulator/issuers/{issuer}/jwks").json()
    assert [key["kid"] for key in documents["keys"]] == [kid]


def test_without_a_cache_both_keys_of_a_careful_rotation_work(
    user: GraphUser, app: MadeApplication, issuer: str
) -> None:
    emulator = user.emulator
    old = emulator.sign(issuer, claims=claims())
    emulator.rotate_issuer(issuer, keep_old=True)
    tokens = [old, emulator.sign(issuer, claims=claims())]
    assert [code(exchange(user, app, token)) for token in tokens] == [200, 200]


# --- several tenants, and tokens of Entra itself --------------------------------------------


def test_an_application_of_another_tenant(user: GraphUser, issuer: str) -> None:
    """R4: 7000229 until it has a service principal here; a single-tenant one is unknown."""
    emulator = user.emulator
    given: dict[str, Any] = {"federatedIdentityCredentials": [CREDENTIAL]}
    several = emulator.create_application(
        user.tenant, signInAudience="AzureADMultipleOrgs", **given
    )
    single = emulator.create_application(user.tenant, **given)
    customer = emulator.create_tenant("Customer")
    token = emulator.sign(issuer, claims=claims())
    assert code(exchange(user, several, token, customer)) == 7000229
    assert code(exchange(user, single, token, customer)) == 700016
    emulator.set_permissions(customer, several.app_id, READ_ALL)
    answer = exchange(user, several, token, customer)
    assert answer.status_code == 200
    access = emulator.do(lambda world: world.signer.read(answer.json()["access_token"]))
    assert access["tid"] == customer
    emulator.delete_principal(customer, several.app_id)
    assert code(exchange(user, several, token, customer)) == 7000229


PRINCIPAL = "9a1b2c3d-0000-4000-8000-000000000001"
IDENTITY = (
    "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
)
EXCHANGE_APP = "fb60f99c-7a34-4190-8149-302f77469936"
OF_IDENTITY = {"sub": PRINCIPAL, "aud": EXCHANGE_APP, "idtyp": "app", "xms_mirid": IDENTITY}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 200),
        ({"aud": AUDIENCE}, 200),
        ({"aud": "https://management.azure.com"}, 700212),
        ({"sub": PRINCIPAL.replace("9", "8")}, 7002137),
        ({"idtyp": "user"}, 700229),
        ({"idtyp": None}, 700229),
        ({"xms_mirid": None}, 700222),
    ],
)
def test_of_entras_own_tokens_only_those_of_managed_identities(
    user: GraphUser, changes: dict[str, Any], expected: int
) -> None:
    """R4."""
    emulator = user.emulator
    url = f"https://login.microsoftonline.com/{user.tenant}/v2.0"
    issuer = emulator.add_issuer(url, name="identities")
    given = [{"name": "identity", "issuer": url, "subject": PRINCIPAL}]
    app = emulator.create_application(user.tenant, federatedIdentityCredentials=given)
    token = emulator.sign(issuer, claims={**OF_IDENTITY, **changes})
    assert code(exchange(user, app, token)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"), [({}, 200), ({"idtyp": "user"}, 700229), ({"sub": "/eid2/x"}, 7002137)]
)
def test_a_service_connection_signs_in_without_a_resource_of_azure(
    user: GraphUser, changes: dict[str, Any], expected: int
) -> None:
    """R4, with the claims of a token of Azure DevOps."""
    emulator = user.emulator
    url = f"https://login.microsoftonline.com/{user.tenant}/v2.0"
    issuer = emulator.add_issuer(url, name="services")
    subject = f"/eid1/c/pub/t/t/a/rISbSSETf0KqFyZ8ppdXmA/sc/{PRINCIPAL}/{PRINCIPAL}"
    given = [{"name": "connection", "issuer": url, "subject": subject}]
    app = emulator.create_application(user.tenant, federatedIdentityCredentials=given)
    claims = {"sub": subject, "aud": EXCHANGE_APP, "idtyp": "app", **changes}
    assert code(exchange(user, app, emulator.sign(issuer, claims=claims))) == expected


def test_a_managed_identity_of_another_tenant_is_refused(user: GraphUser) -> None:
    """R4: identity and application must be in one tenant, wherever the token is exchanged."""
    emulator = user.emulator
    home, customer = emulator.create_tenant("Home"), emulator.create_tenant("Customer")
    answers = []
    for tenant in (home, customer):
        url = f"https://login.microsoftonline.com/{tenant}/v2.0"
        issuer = emulator.add_issuer(url)
        app = emulator.create_application(
            home,
            signInAudience="AzureADMultipleOrgs",
            federatedIdentityCredentials=[{"name": "one", "issuer": url, "subject": PRINCIPAL}],
        )
        emulator.set_permissions(customer, app.app_id, READ_ALL)
        token = emulator.sign(issuer, claims=OF_IDENTITY)
        answers += [code(exchange(user, app, token, asked)) for asked in (home, customer)]
    assert answers == [200, 200, 700222, 700222]
