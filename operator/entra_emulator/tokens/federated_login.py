"""Sign-in with a foreign token: whether the application trusts it, and who signed it."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from entra_emulator.directory.entities import ApplicationView
from entra_emulator.errors.tokens import TokenError
from entra_emulator.issuers.fetch import UnreachableIssuerError
from entra_emulator.issuers.matching import entra_tenant
from entra_emulator.jose.assertions import Assertion, check_times
from entra_emulator.jose.key_set import PublishedKeys
from entra_emulator.world import World

_LOGGER = logging.getLogger(__name__)

_OF_SERVICE: Final = "/eid1/"
"""How Entra begins the subjects of what its services sign in on behalf of."""


async def check_federated(
    world: World, view: ApplicationView, assertion: Assertion, now: datetime
) -> None:
    """Accept a token of a foreign issuer if a federated credential of the application matches.

    Args:
        world: has the misses, the issuers and their caches.
        view: the application on the chosen replica.
        assertion: the token.
        now: the emulated time of the request.

    Raises:
        TokenError: the first rule that the token breaks, in Entra's order: no credential
            matches, another algorithm than RS256 (50027), issuer unreachable (50166),
            unknown key (7000272), bad signature (50013), time (700024), a token of Entra
            that does not belong to a managed identity (700229, 700222).
    """
    lag = world.settings.effective_lag()
    world.misses.check(view, assertion, now, lag.negative_cache)
    if assertion.header.get("alg") != "RS256":
        raise TokenError(50027)
    try:
        keys = await world.issuers.keys(assertion.issuer, now, lag.key_cache)
    except UnreachableIssuerError as error:
        _LOGGER.warning("the issuer %s cannot be used: %s", assertion.issuer, error)
        raise TokenError(50166) from error
    _check_signature(assertion, keys)
    check_times(assertion, now.timestamp())
    _check_kind(world, view, assertion)


def _check_signature(assertion: Assertion, keys: PublishedKeys) -> None:
    names = [assertion.header.get(name) for name in ("kid", "x5t")]
    given = [name for name in names if isinstance(name, str) and name]
    if not given:
        raise TokenError(50027)
    key = next((keys[name] for name in given if name in keys), None)
    if key is None:
        raise TokenError(7000272, name=given[0], parts={"issuer": assertion.issuer})
    try:
        key.verify(assertion.signature, assertion.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise TokenError(50013) from None


def _check_kind(world: World, view: ApplicationView, assertion: Assertion) -> None:
    """Refuse tokens of Entra, except for identities that it manages in the application's tenant.

    Those are managed identities, and services such as Azure DevOps, which sign in on behalf of
    something of their own: no resource of Azure is behind it, and the subject names it.
    """
    tenant = entra_tenant(assertion.issuer)
    if tenant is None:
        return
    if assertion.claims.get("idtyp") != "app":
        raise TokenError(700229)
    home = tenant == view.tenant_id and world.directory.tenant(tenant) is not None
    of_service = str(assertion.claims.get("sub")).startswith(_OF_SERVICE)
    is_managed = assertion.claims.get("xms_mirid") or of_service
    if not home or not is_managed:
        raise TokenError(700222)
