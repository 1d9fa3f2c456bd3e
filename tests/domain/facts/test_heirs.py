"""Who inherits the trusts of a deleted resource, and which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.heirs import inherited_pairs, spec_of_heir
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.observed.observation import Resource
from appcredential.domain.spec.federated import FederationGrant
from appcredential.domain.spec.grant import (
    NamedApplications,
    NamedNamespaces,
    TaggedApplications,
)
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    CredentialType,
    Limits,
    Mode,
    TenantId,
)
from tests.domain.test_scheduled_revocations import revocation
from tests.support.builders import (
    CLIENT_ID,
    NOW,
    OTHER_OWNER,
    OWNER,
    asker,
    problem,
    resource,
    spec,
    tenant,
)
from tests.support.federated import (
    ISSUER,
    OTHER,
    federated_spec,
)

REVOCATION = replace(revocation(), type=CredentialType.FEDERATED_IDENTITY)
ANOTHER = ClientId("99999999-9999-9999-9999-999999999999")
KNOWN = Issuer(url=ISSUER, since=NOW)
GRANT = ApplicationGrantSpec(
    tenant="default",
    applications=NamedApplications(frozenset({CLIENT_ID})),
    namespaces=NamedNamespaces(frozenset({OWNER.namespace})),
    federation=FederationGrant(issuers=frozenset({OTHER.issuer})),
)
HEIR = replace(resource(federated_spec()), owner=OTHER_OWNER)
ACCOUNT_PAIR = (ISSUER, f"system:serviceaccount:{OWNER.namespace}:orders")
OTHER_PAIR = (OTHER.issuer, OTHER.subject)


@pytest.mark.parametrize(
    ("found", "may_inherit"),
    [
        pytest.param(HEIR, True, id="another resource for the same application"),
        pytest.param(replace(HEIR, owner=OWNER), False, id="the deleted one's own name"),
        pytest.param(replace(HEIR, deletion_time=NOW), False, id="being deleted itself"),
        pytest.param(replace(HEIR, spec=problem()), False, id="a spec that cannot be read"),
        pytest.param(
            replace(HEIR, spec=replace(federated_spec(), client_id=ANOTHER)),
            False,
            id="another application",
        ),
        pytest.param(
            replace(HEIR, spec=federated_spec(mode=Mode.OBSERVE)), False, id="only observed"
        ),
    ],
)
def test_who_may_inherit(found: Resource, may_inherit: bool) -> None:
    assert spec_of_heir(REVOCATION, found) is (found.spec if may_inherit else None)


@pytest.mark.parametrize(
    ("wanted", "in_tenant", "grant", "issuer", "pairs"),
    [
        pytest.param(federated_spec(), tenant(), GRANT, KNOWN, {ACCOUNT_PAIR}, id="a workload's"),
        pytest.param(
            federated_spec(OTHER), tenant(), GRANT, KNOWN, {OTHER_PAIR}, id="another issuer's"
        ),
        pytest.param(
            federated_spec(OTHER),
            tenant(),
            GRANT,
            problem(),
            {OTHER_PAIR},
            id="the cluster's issuer is not known and does not count",
        ),
        pytest.param(
            federated_spec(), tenant(), GRANT, problem(), None, id="nobody knows the issuer"
        ),
        pytest.param(
            spec(), tenant(), GRANT, problem(), set(), id="a client secret needs no trust"
        ),
        pytest.param(federated_spec(), tenant(), None, problem(), set(), id="without a grant"),
        pytest.param(
            federated_spec(),
            tenant(),
            replace(GRANT, applications=TaggedApplications()),
            KNOWN,
            None,
            id="nobody knows the tags",
        ),
        pytest.param(
            federated_spec(),
            tenant(),
            replace(GRANT, federation=FederationGrant(allows_service_accounts=False)),
            KNOWN,
            set(),
            id="a grant for other sources only",
        ),
        pytest.param(
            federated_spec(),
            replace(tenant(), tenant_id=TenantId("88888888-8888-8888-8888-888888888888")),
            GRANT,
            KNOWN,
            set(),
            id="in another directory",
        ),
        pytest.param(
            federated_spec(),
            replace(tenant(), limits=Limits(types=frozenset({CredentialType.CERTIFICATE}))),
            GRANT,
            KNOWN,
            set(),
            id="the EntraTenant does not allow the type",
        ),
    ],
)
def test_what_is_inherited(
    wanted: AppCredentialSpec,
    in_tenant: Tenant,
    grant: ApplicationGrantSpec | None,
    issuer: Issuer | Problem,
    pairs: set[tuple[str, str]] | None,
) -> None:
    grants = {"shop-apps": grant} if grant is not None else {}
    found = inherited_pairs(
        REVOCATION, wanted, tenant=in_tenant, grants=grants, asker=asker(), issuer=issuer
    )
    assert found == pairs
