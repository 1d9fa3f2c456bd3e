"""`spec.rotation`: lead time and overlap, which have to fit into the lifetime."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.model import RotationSpec

_SECOND: Final = timedelta(seconds=1)


def parse_rotation(spec: shapes.Rotation, lifetime: timedelta) -> RotationSpec:
    """Read `spec.rotation`.

    Args:
        spec: as it stands in the manifest.
        lifetime: the resource's, which lead time and overlap have to fit into.

    Raises:
        InvalidSpecError: a value cannot be used, or does not go with the others.
    """
    path = "spec.rotation"
    found = RotationSpec(
        renew_before=_lead(f"{path}.renewBefore", spec.renew_before),
        overlap=_lead(f"{path}.overlap", spec.overlap),
        retire_when=spec.retire_when,
        rotate_issued_before=_moment(f"{path}.rotateIssuedBefore", spec.rotate_issued_before),
        revoke_issued_before=_moment(f"{path}.revokeIssuedBefore", spec.revoke_issued_before),
    )
    _check_rotation(found.renew_before, found.overlap, lifetime)
    return found


def _lead(path: str, value: str | None) -> timedelta | None:
    return None if value is None else checks.duration(path, value, _SECOND)


def _moment(path: str, value: str | None) -> datetime | None:
    return None if value is None else checks.moment(path, value)


def _check_rotation(
    renew_before: timedelta | None, overlap: timedelta | None, lifetime: timedelta
) -> None:
    if renew_before is not None:
        remedy = "must be less than lifetime (90d when left out): lower it or raise lifetime"
        checks.require(renew_before < lifetime, "spec.rotation.renewBefore", remedy)
    if overlap is None:
        return
    if renew_before is None:
        remedy = "must be at most a third of lifetime: lower it or set renewBefore"
        checks.require(overlap * 3 <= lifetime, "spec.rotation.overlap", remedy)
        return
    remedy = "must be at most renewBefore: lower it or raise renewBefore"
    checks.require(overlap <= renew_before, "spec.rotation.overlap", remedy)
    remedy = "and overlap together must be at most lifetime: lower one of them"
    checks.require(renew_before + overlap <= lifetime, "spec.rotation.renewBefore", remedy)
