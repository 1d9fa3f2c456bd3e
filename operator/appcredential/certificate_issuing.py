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
from appcredential.domain.facts.successor import source_end, usable_source
from appcredential.domain.marker import build_display_name
from appcredential.domain.observed.observation import Pending
from appcredential.domain.secret import pem
from appcredential.domain.spec.model import KeyId
from appcredential.errors import ConflictError
from appcredential.ports.kube import NewCertificate, Staged
from appcredential.x509 import generate as certificates

_SECOND = timedelta(seconds=1)
_MAX_COMMON_NAME = 64


async def stage(f: Facts, lifetime: timedelta) -> Staged:
    """Make a key pair for what the spec asks for, or take what was brought.

    Its key id is ours from the start.

    Raises:
        ValueError: the subject is no distinguished name.
    """
    wanted, now = f.spec.certificate, f.entra_now
    end = (now + lifetime).replace(microsecond=0)
    if f.spec.is_brought:
        return _stage_brought(f, end)
    pair = await asyncio.to_thread(
        certificates.generate, wanted.subject or _subject(f), wanted.key_size, now, end
    )
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=pair.value,
        # What is recorded is what Entra will say: within the certificate's own times.
        not_before=now.replace(microsecond=0),
        expires=pair.end,
    )


def _stage_brought(f: Facts, latest: datetime) -> Staged:
    brought = usable_source(f)
    if brought is None:
        raise ConflictError("the source changed meanwhile")
    start = max(f.entra_now, brought.start + _SECOND)
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=brought.value,
        not_before=start.replace(microsecond=0),
        expires=min(source_end(f, brought), latest),
    )


def to_register(f: Facts, p: Pending) -> NewCertificate:
    """Return what Graph is to know of a staged certificate."""
    if p.minted is None or p.value is None:
        raise AssertionError("the decision promised this to be there")
    der = pem.leaf_der(p.value.reveal())
    owner, identity = f.o.resource.owner, f.o.identity
    return NewCertificate(
        key_id=p.minted.key_id,
        display_name=build_display_name(identity, owner, p.attempt, f.spec.description),
        start=p.minted.not_before,
        end=p.minted.expires,
        content=base64.b64encode(der).decode(),
    )


def _subject(f: Facts) -> str:
    """Return the default subject: namespace and name, cut to what X.520 allows."""
    owner = f.o.resource.owner
    return f"CN={owner.namespace}.{owner.name}"[: _MAX_COMMON_NAME + len("CN=")]
