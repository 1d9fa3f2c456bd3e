"""What a cluster tells of its credentials, and what is left open where it does not."""

from __future__ import annotations

from typing import Any, Final, cast

import pytest

from appcredential.cli.cluster_facts import ClusterFacts, read_cluster
from appcredential.cli.connection import Connection
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError
from appcredential.domain.marker import ClusterIdentity
from tests.cli.installations import claim, deployment, grant

SYSTEM: Final = {"metadata": {"uid": "uid"}}
LEASE: Final = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/appcredential-claim"
DEPLOYMENTS: Final = "/apis/apps/v1/deployments"


class Cluster:
    """Answers with an object or an error for each path; with an empty list for all others."""

    namespace = "shop"

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def now(self) -> None:
        """Is never asked."""

    def request(self, _method: str, path: str, **_: object) -> dict[str, Any]:
        found = self.answers.get(path, {"items": []})
        if isinstance(found, CliError):
            raise found
        return cast("dict[str, Any]", found)


def facts(**answers: Any) -> ClusterFacts:
    given = {"/api/v1/namespaces/kube-system": SYSTEM, **answers}
    return read_cluster(cast("Connection", Cluster(given)), "default")


@pytest.mark.parametrize(
    ("answers", "cluster"),
    [
        ({LEASE.format("default"): claim("a/b@older")}, ClusterIdentity.of("uid", "older")),
        ({LEASE.format("default"): NotThereError("none")}, ClusterIdentity.of("uid")),
        (
            {
                DEPLOYMENTS: {"items": [deployment({"APPCREDENTIAL_CLAIM_NAMESPACE": "entra"})]},
                LEASE.format("entra"): claim("a/b@older"),
            },
            ClusterIdentity.of("uid", "older"),
        ),
        ({LEASE.format("default"): ForbiddenError("no")}, None),
        ({"/api/v1/namespaces/kube-system": ForbiddenError("no")}, None),
    ],
)
def test_the_claim_tells_the_id_and_what_may_not_be_read_is_not_guessed(
    answers: dict[str, Any], cluster: ClusterIdentity | None
) -> None:
    found = facts(**answers)

    assert found.identity == cluster
    assert found.known.cluster == (cluster.cluster if cluster else "")
    assert any("the cluster's id" in note for note in found.notes) is (cluster is None)


def test_the_names_of_grants_are_known() -> None:
    path = "/apis/appcredential.io/v1alpha1/applicationgrants"
    listed = {"items": [grant("shop-apps", tenantRef={"name": "other"})]}

    assert facts(**{path: listed}).grant_names == {"shop-apps"}
