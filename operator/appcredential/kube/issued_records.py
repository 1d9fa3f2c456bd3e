"""Records of what was issued as ConfigMaps in the operator's namespace. They never hold a value.

One for each AppCredential that may have a credential. They do not carry the label of revocations,
whose list is read often and stays small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.facts.issued import record_name
from appcredential.domain.observed.issued import IssuedRecord
from appcredential.domain.spec.durations import format_duration, parse_duration
from appcredential.domain.times import format_time, required_time
from appcredential.kube.client import KubeClient
from appcredential.kube.own_config_maps import Kept, OwnConfigMaps, data_of, read_revocation

LABEL: Final = "appcredential.io/issued"
_OF_SECRETS: Final = {"secretUid": "", "pendingAttempt": ""}
"""Read in the Secrets themselves, once they are asked for."""


class KubeIssuedRecords(OwnConfigMaps[IssuedRecord]):
    """The IssuedRecords port."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        kept = Kept(
            label=LABEL,
            what="record",
            warning="a record of what was issued cannot be read and is left alone; mend or "
            "delete the ConfigMap",
            build=_build,
            read=_read,
            name_of=lambda r: record_name(r.left),
        )
        super().__init__(kube, namespace, kept)


def _build(record: IssuedRecord) -> dict[str, str]:
    data = {k: v for k, v in data_of(record.left).items() if k not in _OF_SECRETS}
    more = {
        "deletionGracePeriod": format_duration(record.grace),
        "created": format_time(record.created),
        "cluster": record.cluster,
        "observes": str(record.observes).lower(),
    }
    return {**data, **more}


def _read(data: Mapping[str, str], metadata: Mapping[str, Any]) -> IssuedRecord:
    created = required_time(data["created"])
    return IssuedRecord(
        left=read_revocation({**data, **_OF_SECRETS}, metadata, created),
        grace=parse_duration(data["deletionGracePeriod"]),
        created=created,
        cluster=data["cluster"],
        observes=data["observes"] == "true",
    )
