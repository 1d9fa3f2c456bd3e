"""Reads an installation as the person who asks, with whatever rights they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from appcredential import __version__
from appcredential.cli.api import Api, Progress
from appcredential.cli.app_credential import AppCredential, Document
from appcredential.cli.doctor.cluster import KINDS
from appcredential.cli.doctor.gathered import Gathered, Grants, Read, Right
from appcredential.cli.doctor.operators import PART_OF, Operator, operators
from appcredential.cli.doctor.rights import demanded
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError

_GROUP: Final = "/apis/appcredential.io/v1alpha1"
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_LEASES: Final = "/apis/coordination.k8s.io/v1/namespaces"
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_LABELLED: Final = (("labelSelector", PART_OF),)
_TICKETS: Final = (("labelSelector", "appcredential.io/ticket=true"),)


class Reader:
    """Reads by the API server."""

    def __init__(self, api: Api, operator_namespace: str) -> None:
        self._api = api
        self._operator_namespace = operator_namespace
        self._searched = ""

    def gather(self, progress: Progress) -> Gathered:
        """Read everything; what may not be read says so.

        Raises:
            CliError: there is no API server that answers.
        """
        # First, so that no answer at all ends it, and the clock is known.
        server = self._one("/version")
        if server.missing:
            raise CliError(server.missing)
        resources, missing, namespace = self._resources(progress)
        deployments = self.deployments()
        first = Gathered(
            now=self._api.now(),
            local_time=datetime.now(UTC),
            tool_version=__version__,
            namespace=namespace,
            server=server,
            crds=self._crds(),
            deployments=deployments,
            searched=self._searched,
            tenants=self._many(f"{_GROUP}/entratenants"),
            grants=self._many(f"{_GROUP}/applicationgrants"),
            resources=tuple(resources),
            resources_missing=missing,
            discovery=self._one("/.well-known/openid-configuration"),
            keys=self._one("/openid/v1/jwks"),
            policies=self._many(f"{_ADMISSION}/validatingadmissionpolicies", _LABELLED),
            bindings=self._many(f"{_ADMISSION}/validatingadmissionpolicybindings", _LABELLED),
        )
        return self._with_operators(first, operators(first))

    def _with_operators(self, first: Gathered, found: Sequence[Operator]) -> Gathered:
        """Add what has to be looked for where the operator is."""
        where = list(dict.fromkeys(operator.namespace for operator in found))
        if not where:
            why = first.deployments.missing or "no operator was found"
            no, rights = Read(missing=why), Grants(missing=why)
            return replace(first, pods=no, leases=no, claim=no, tickets=no, rights=rights)
        home = found[0].claim_namespace
        return replace(
            first,
            pods=self._each(where, lambda n: self._many(f"/api/v1/namespaces/{n}/pods", _LABELLED)),
            leases=self._joined([self._lease(o.namespace, o.lease) for o in found]),
            claim=self._lease(home, "appcredential-claim"),
            tickets=self._each(
                where, lambda n: self._many(f"/api/v1/namespaces/{n}/configmaps", _TICKETS)
            ),
            rights=self._rights(first, found[0]),
        )

    def _resources(self, progress: Progress) -> tuple[list[AppCredential], str, str]:
        """Return the AppCredentials of all namespaces, else those of the person's."""
        try:
            return self._api.find("", progress=progress), "", ""
        except ForbiddenError:
            namespace = self._api.namespace
        except CliError as exc:
            return [], str(exc), ""
        try:
            return self._api.find(namespace, progress=progress), "", namespace
        except CliError as exc:
            return [], str(exc), ""

    def _crds(self) -> Read:
        found = self._joined([self._one(f"{_CRDS}/{kind}.appcredential.io") for kind in KINDS])
        if not found.missing:
            return found
        served = self._one(_GROUP)
        if served.missing:
            return served
        names = {r.text("name") for d in served.items for r in d.entries("resources")}
        kinds = [kind for kind in KINDS if kind in names]
        shown = [Document({"metadata": {"name": f"{kind}.appcredential.io"}}) for kind in kinds]
        return Read(tuple(shown))

    def deployments(self) -> Read:
        """Read the Deployments of all operators, or of the namespace where one should be."""
        path, within = "/apis/apps/v1/deployments", "/apis/apps/v1/namespaces/{}/deployments"
        if not self._operator_namespace:
            everywhere = self._many(path, _LABELLED)
            if not everywhere.missing:
                return everywhere
            self._searched = "appcredential-system"
        namespace = self._operator_namespace or self._searched
        return self._many(within.format(quote(namespace, safe="")), _LABELLED)

    def _lease(self, namespace: str, name: str) -> Read:
        return self._one(f"{_LEASES}/{quote(namespace, safe='')}/leases/{quote(name, safe='')}")

    def _rights(self, gathered: Gathered, operator: Operator) -> Grants:
        """Ask the API server what the operator may do, which changes nothing."""
        allowed: dict[tuple[Right, str], bool] = {}
        try:
            for right, namespaces in demanded(gathered):
                for namespace in namespaces:
                    allowed[right, namespace] = self._is_allowed(operator, right, namespace)
        except CliError as exc:
            return Grants(missing=str(exc))
        return Grants(allowed)

    def _is_allowed(self, operator: Operator, right: Right, namespace: str) -> bool:
        verb, group, resource = right.value
        kind, _, subresource = resource.partition("/")
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": kind}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": operator.username,
                "groups": [
                    "system:authenticated",
                    "system:serviceaccounts",
                    f"system:serviceaccounts:{operator.namespace}",
                ],
                "resourceAttributes": {**attributes, "subresource": subresource},
            },
        }
        return self._api.review(_REVIEWS, review).at("status", "allowed") is True

    # --- one by one -----------------------------------------------------------------------

    def _one(self, path: str) -> Read:
        return self._tried(lambda: self._api.read(path))

    def _many(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Read:
        return self._tried(lambda: self._api.read(path, query, all_pages=True))

    def _each(self, where: Sequence[str], read: Callable[[str], Read]) -> Read:
        return self._joined([read(quote(namespace, safe="")) for namespace in where])

    @staticmethod
    def _joined(reads: Sequence[Read]) -> Read:
        missing = next((read.missing for read in reads if read.missing), "")
        return Read(tuple(item for read in reads for item in read.items), missing)

    @staticmethod
    def _tried(read: Callable[[], Sequence[Document]]) -> Read:
        try:
            return Read(tuple(read()))
        except NotThereError:
            return Read()
        except CliError as exc:
            return Read(missing=str(exc))
