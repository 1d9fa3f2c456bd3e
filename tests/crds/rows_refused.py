"""Rows of what is refused: name, field, value, what the API server says, field by the parser."""

from __future__ import annotations

from typing import Final

from tests.crds.manifests import GUID, Row

_PATTERN: Final = "should match"
_ENUM: Final = "Unsupported value"
_BETWEEN: Final = "must be between 60s and 731d"
_CEILING: Final = "must be between 60s and 3650d"
_TIME: Final = "is what date -u +%Y-%m-%dT%H:%M:%SZ prints"
_LOWER: Final = f"must be in lower case: {GUID}"
_UNITS: Final = "(?<weeks>[0-9]{1,4}w)?(?<days>[0-9]{1,4}d)?(?<hours>[0-9]{1,5}h)?(?<minutes>"
_SINCE: Final = "rotation.rotateIssuedBefore"
_LEAK: Final = "rotation.revokeIssuedBefore"
_LEAD: Final = "rotation.renewBefore"
_REF: Final = "identity.clientSecret.secretRef"
_IDS: Final = "applications.clientIds"
_NAMES: Final = "namespaces.names"
_BEYOND: Final = "renewBefore must be less than lifetime"
_TOGETHER: Final = "together must be at most lifetime"
_ABOVE: Final = "overlap must be at most rotation.renewBefore"
_TOO_WIDE: Final = {"renewBefore": "10d", "overlap": "11d"}
_TOO_LONG: Final = {"renewBefore": "50d", "overlap": "41d"}
_MANY: Final = [f"n{i}" for i in range(257)]
_LENGTHY: Final = "1w1d1h1m" + "1" * 16 + "s"

APP: Final[tuple[Row, ...]] = (
    ("no application", "application", None, "Required"),
    ("no client id", "application.clientId", None, "Required"),
    ("a client id in upper case", "application.clientId", GUID.upper(), _LOWER),
    ("a client id that is none", "application.clientId", "x" * 36, _PATTERN),
    ("a word for a time", _SINCE, "now", _TIME),
    ("a day for a time", _LEAK, "2026-11-22", _TIME),
    ("years", "lifetime", "5y", _UNITS),
    ("months of a grace period", "deletionGracePeriod", "3 months", _UNITS),
    ("a lead without a unit", _LEAD, "30", _UNITS),
    ("a client id with a line break", "application.clientId", GUID + "\n", "Too long"),
    ("no type", "type", None, "Required"),
    ("an unknown type", "type", "ManagedIdentity", _ENUM),
    (
        "a type without its member",
        "type",
        "Certificate",
        "only for type ClientSecret",
        "clientSecret",
    ),
    ("a member of another type", "certificate", {}, "only for type Certificate"),
    ("no member", "clientSecret", None, "add `clientSecret: {}`"),
    ("a list for a member", "clientSecret", [], "must be of type object"),
    ("a tenant in upper case", "tenantRef.name", "A", _PATTERN),
    ("an empty tenant", "tenantRef.name", "", "at least 1"),
    ("a long description", "clientSecret.description", "x" * 37, "Too long"),
    ("a description with a line break", "clientSecret.description", "a\nb", _PATTERN),
    ("too short a lifetime", "lifetime", "59s", _BETWEEN),
    ("too long a lifetime", "lifetime", "732d", _BETWEEN),
    ("a negative lifetime", "lifetime", "-90d", _PATTERN),
    ("half a day", "lifetime", "1.5d", _PATTERN),
    ("garbage after a lifetime", "lifetime", "90d garbage", _PATTERN),
    ("units in disorder", "lifetime", "1h90d", _PATTERN),
    ("a number for a lifetime", "lifetime", 90, "must be of type duration"),
    ("an empty lifetime", "lifetime", "", "at least 2"),
    ("too many characters", "lifetime", _LENGTHY, "Too long"),
    ("a lead of a lifetime", _LEAD, "90d", _BEYOND),
    ("an overlap above the lead", "rotation", _TOO_WIDE, _ABOVE, "rotation.overlap"),
    ("a lead and overlap too long", "rotation", _TOO_LONG, _TOGETHER, _LEAD),
    ("no lead", _LEAD, "0s", "renewBefore must be at least 1s"),
    ("no overlap", "rotation.overlap", "0s", "overlap must be at least 1s"),
    ("an overlap above the default lead", "rotation.overlap", "31d", "must be at most a third"),
    ("an unknown retirement", "rotation.retireWhen", "Unused", _ENUM),
    ("a date only", _SINCE, "2026-11-22", _TIME),
    ("a day that is none", _SINCE, "2026-02-30T10:00:00Z", _TIME),
    ("an hour that is none", _SINCE, "2026-02-20T24:00:00Z", _TIME),
    ("a time without a zone", _SINCE, "2026-02-20T20:00:00", _TIME),
    ("a list for a time", _SINCE, [], ""),
    ("a date only for a leak", _LEAK, "2026-11-22", _TIME),
    ("a list for a leak", _LEAK, [], ""),
    ("an unknown mode", "verification.mode", "Optional", _ENUM),
    ("a scope in lower case", "verification.scope", "graph", _ENUM),
    ("an unknown policy", "deletionPolicy", "Orphan", _ENUM),
    ("too long a grace", "deletionGracePeriod", "366d", "must be at most 365d"),
    ("a word for a switch", "suspend", "yes", "must be of type boolean"),
)
TENANT: Final[tuple[Row, ...]] = (
    ("no tenant id", "tenantId", None, "Required"),
    ("a tenant id in upper case", "tenantId", GUID.upper(), _PATTERN),
    ("an unknown cloud", "cloud", "Germany", _ENUM),
    ("no identity", "identity", None, "Required"),
    ("an identity without a Secret", _REF, None, "Required"),
    ("a Secret that is no name", f"{_REF}.name", "a/b", _PATTERN),
    ("a key with a space", f"{_REF}.key", "a b", _PATTERN),
    ("a key of one dot", f"{_REF}.key", ".", "secretRef.key may not be ."),
    ("limits that allow nothing", "limits.types", [], "at least 1 items"),
    ("a type twice", "limits.types", ["ClientSecret"] * 2, "Duplicate"),
    ("an unknown type", "limits.types", ["Password"], _ENUM, "limits.types[0]"),
    ("too short a ceiling", "limits.maxLifetime", "1s", _CEILING),
)
GRANT: Final[tuple[Row, ...]] = (
    ("no applications", "applications", None, "Required"),
    ("no ids", _IDS, [], "at least 1 items"),
    ("an id twice", _IDS, [GUID, GUID], "Duplicate"),
    ("an id for all", _IDS, ["*"], "at least 36 chars", f"{_IDS}[0]"),
    ("a null id", _IDS, [None], "must be of type string", f"{_IDS}[0]"),
    ("no namespaces", _NAMES, [], "at least 1 items"),
    ("too many namespaces", _NAMES, _MANY, "must have at most 256 items"),
    ("kube-system", _NAMES, ["a", "kube-system"], "may not contain kube-system", f"{_NAMES}[1]"),
    ("kube-public", _NAMES, ["kube-public"], "may not contain kube-system", f"{_NAMES}[0]"),
    ("a pattern for namespaces", _NAMES, ["team-*"], _PATTERN, f"{_NAMES}[0]"),
    ("a tenant that is no name", "tenantRef.name", "-a", _PATTERN),
    ("no AppCredential at all", "maxCredentials", 0, "greater than or equal to 1"),
    ("too high a bound", "maxCredentials", 10001, "less than or equal to 10000"),
    ("a bound that is no number", "maxCredentials", "5", "must be of type integer"),
    ("a ceiling above the longest", "maxLifetime", "3651d", _CEILING),
)
