"""What a plan goes by where Entra, Secrets or certificates are not the person's to read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from appcredential.cli.plan.assuming import Stand
from appcredential.cli.plan.person import PersonalClient
from appcredential.cli.plan.reading import Reads
from appcredential.cli.plan.sources import PlannedInputs, PlannedSecrets
from appcredential.cli.plan.steps import PlanEndsError
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.errors import (
    AppCredentialError,
    NotFoundError,
    PermissionDeniedError,
    SecretForbiddenError,
)
from appcredential.gather.certificate_source import HeldInputs
from appcredential.ports.entra import Directory
from tests.support.builders import IDENTITY, KEY, OWNER, observation, resource, target

STAND = Stand(SecretValue("a"), SecretValue("b"))
READ = act.ReadApplication(timedelta(0))


class Refusing:
    """Answers everything with one error."""

    def __init__(self, error: AppCredentialError) -> None:
        self._error = error

    async def application(self, *_: Any) -> Any:
        raise self._error

    async def request(self, *_: Any, **__: Any) -> Any:
        raise self._error

    async def lists(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise self._error
        yield

    def skew(self) -> None:
        return None


def client(error: AppCredentialError) -> PersonalClient:
    return cast("PersonalClient", Refusing(error))


def test_without_a_right_in_entra_the_cluster_tells() -> None:
    denied = Refusing(PermissionDeniedError("application.get: 403"))
    reads = Reads(client(NotFoundError("x")), cast("Directory", denied))
    held = observation(resource=resource(), target=target(), application=None)

    found = asyncio.run(reads.read(READ, held))

    assert found.application is not None
    assert [c.key_id for c in found.application.credentials] == [KEY]
    assert reads.unchecked == ["what Entra lists for the application: application.get: 403"]


def test_an_application_that_entra_does_not_know_ends_the_plan() -> None:
    reads = Reads(client(NotFoundError("x")), cast("Directory", Refusing(NotFoundError("404"))))

    with pytest.raises(PlanEndsError, match="Is it the client id, and not the object id"):
        asyncio.run(reads.read(READ, observation(application=None)))


def test_pods_that_may_not_be_listed_are_a_problem_and_said() -> None:
    reads = Reads(client(PermissionDeniedError("pods: 403")), None)

    found = asyncio.run(reads.read(act.ReadPods(frozenset({"a"})), observation()))

    assert found.pods is not None
    assert isinstance(found.pods.found, Problem)
    assert reads.unchecked == ["which pods use the Secret: pods: 403"]


def test_secrets_count_as_absent_only_where_nothing_was_issued() -> None:
    forbidden = client(SecretForbiddenError("secrets: 403", is_write=False))
    new = PlannedSecrets(forbidden, IDENTITY, {})
    old = PlannedSecrets(forbidden, IDENTITY, {"credential": {"keyId": KEY}})

    assert asyncio.run(new.target("shop", "a")) is None
    assert asyncio.run(new.pending(OWNER)) is None
    assert new.is_assumed
    with pytest.raises(SecretForbiddenError):
        asyncio.run(old.target("shop", "a"))
    with pytest.raises(SecretForbiddenError):
        asyncio.run(old.pending(OWNER))


@pytest.mark.parametrize(
    ("error", "is_there"), [(NotFoundError("404"), False), (PermissionDeniedError("403"), True)]
)
def test_a_certificates_source_is_looked_for_and_not_read(
    error: AppCredentialError, is_there: bool
) -> None:
    wanted = replace(
        CertificateSpec(), source=CertificateSource.SECRET, ref=KeyRef(name="tls", key="tls.crt")
    )
    inputs = PlannedInputs(client(error), STAND, resource())

    found = asyncio.run(inputs.read("shop", wanted, HeldInputs()))

    assert (found.problem is None, found.supplied is not None) == (is_there, is_there)
    assert inputs.is_assumed
