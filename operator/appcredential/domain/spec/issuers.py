"""Issuers as they stand in a spec or a grant, and the mistakes that known ones invite.

Entra compares an issuer letter by letter, a slash at its end included, and says nothing before
the first sign-in fails. So what is known of an issuer's host is checked here. The CRDs have the
same patterns.
"""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks

MAX_ISSUER: Final = 600

_ISSUER: Final = re.compile(
    r"https://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[-._~A-Za-z0-9%!$&'()*+,;=:@/]*)?"
)
_GITHUB: Final = re.compile(
    r"https://(token\.actions\.(githubusercontent|[-a-z0-9.]+\.ghe)\.com([:/].*)?"
    r"|[-a-z0-9.]+/_services/token/*)"
)
_AZURE_DEV_OPS: Final = re.compile(r"https://vstoken\.dev\.azure\.com([:/].*)?")
_MICROSOFT: Final = re.compile(
    r"https://(login\.microsoftonline\.(com|us)|login\.(partner\.microsoftonline|chinacloudapi)\.cn"
    r"|(sts|login)\.windows\.net|login\.microsoft\.com)([:/].*)?"
)
_BARE: Final = re.compile(
    r"https://(gitlab\.com|accounts\.google\.com|app\.terraform\.io|agent\.buildkite\.com"
    r"|(oidc\.eks\.[-a-z0-9]+\.amazonaws\.com(\.cn)?|container\.googleapis\.com"
    r"|oidc\.circleci\.com|api\.bitbucket\.org)/.*[^/])/+"
)
"""Issuers whose tokens have no slash at the end, written with one."""
_AKS: Final = re.compile(r"https://([-a-z0-9]+\.oic|oidc)\.prod-aks\.azure\.(com|us|cn)([:/].*)?")
_AKS_TOKENS: Final = re.compile(r"https://[-a-z0-9.]+(/[-0-9A-Za-z]+)+/")


def is_issuer(value: str) -> bool:
    """Return whether a value has the form of an issuer: a URL of https without a query."""
    return len(value) <= MAX_ISSUER and _ISSUER.fullmatch(value) is not None


def foreign_issuer(path: str, value: str) -> str:
    """Return an issuer for which the spec has no member of its own.

    Raises:
        InvalidSpecError: it is no issuer, it has a member of its own, or no token of this host
            has it in this form.
    """
    checks.at_most(path, value, MAX_ISSUER)
    remedy = (
        "must be a URL such as https://issuer.example/path exactly as the tokens' iss says: host "
        "in lower case, without blanks, query or fragment"
    )
    checks.require(_ISSUER.fullmatch(value) is not None, path, remedy)
    remedy = "is GitHub's: use gitHub instead, with enterprise or host where the issuer has one"
    checks.require(_GITHUB.fullmatch(value) is None, path, remedy)
    remedy = "is Azure DevOps': use azureDevOps instead, with issuer AzureDevOps"
    checks.require(_AZURE_DEV_OPS.fullmatch(value) is None, path, remedy)
    remedy = (
        "is Microsoft's: use azureDevOps for a service connection of Azure DevOps, and "
        "managedIdentity or customerManagedKey for a managed identity"
    )
    checks.require(_MICROSOFT.fullmatch(value) is None, path, remedy)
    remedy = "has no slash at its end in the tokens of this issuer: remove the slash"
    checks.require(_BARE.fullmatch(value) is None, path, remedy)
    remedy = (
        "has exactly one slash at its end in the tokens of AKS: copy it from az aks show --query "
        "oidcIssuerProfile.issuerUrl"
    )
    is_aks = _AKS.fullmatch(value) is not None
    checks.require(not is_aks or _AKS_TOKENS.fullmatch(value) is not None, path, remedy)
    return value
