"""Issuing a certificate: key and certificate are made and kept first, and registered then.

So no answer of Graph is ever needed to know a value, and registering again is the
same as registering once.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from datetime import datetime, timedelta

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.source import source_end, usable_source
from appcredential.domain.marker import build_display_name
from appcredential.domain.observed.target import Pending
from appcredential.domain.secret import pem
from appcredential.domain.spec.model import KeyId
from appcredential.errors import ConflictError
from appcredential.ports.entra import NewCertificate
from appcredential.ports.kube import Staged
from appcredential.x509 import generate as certificates

_SECOND = timedelta(seconds=1)
_MAX_COMMON_NAME = 64


async def stage(facts: Facts, lifetime: timedelta) -> Staged:
    """Make a key pair for what the spec asks for, or take what was brought.

    Its key id is ours from the start.

    Raises:
        ValueError: the subject is no distinguished name.
    """
    wanted, now = facts.spec.certificate, facts.entra_now
    end = (now + lifetime).replace(microsecond=0)
    if facts.spec.is_supplied:
        return _stage_brought(facts, end)
    pair = await asyncio.to_thread(
        certificates.generate, wanted.subject or _subject(facts), wanted.key_size, now, end
    )
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=pair.value,
        # What is recorded is what Entra will say: within the certificate's own times.
        not_before=now.replace(microsecond=0),
        expires=pair.end,
    )


def _stage_brought(facts: Facts, latest: datetime) -> Staged:
    supplied = usable_source(facts)
    if supplied is None:
        raise ConflictError("the source changed meanwhile")
    start = max(facts.entra_now, supplied.start + _SECOND)
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=supplied.value,
        not_before=start.replace(microsecond=0),
        expires=min(source_end(facts, supplied), latest),
    )


def to_register(facts: Facts, p: Pending) -> NewCertificate:
    """Return what Graph is to know of a staged certificate."""
    if p.credential is None or p.value is None:
        raise AssertionError("the decision promised this to be there")
    der = pem.leaf_der(p.value.reveal())
    owner, identity = facts.resource.owner, facts.identity
    return NewCertificate(
        key_id=p.credential.key_id,
        display_name=build_display_name(identity, owner, p.attempt, facts.spec.description),
        start=p.credential.not_before,
        end=p.credential.expires,
        content=base64.b64encode(der).decode(),
    )


def _subject(facts: Facts) -> str:
    """Return the default subject: namespace and name, cut to what X.520 allows."""
    owner = facts.resource.owner
    return f"CN={owner.namespace}.{owner.name}"[: _MAX_COMMON_NAME + len("CN=")]
