"""Rows about federated identities: each is a `federatedIdentity` member of a right resource."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import GUID, OTHER_GUID, Row

_PATTERN: Final = "should match"
_ISSUER: Final = "https://issuer.example"
_GITHUB: Final = "https://token.actions.githubusercontent.com"
_RESOURCE: Final = (
    f"/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/orders"
)
_CUSTOM: Final = "repository_owner_id:1:repository_id:2"
_IDS: Final = {"organizationId": "1", "repositoryId": "22"}


def _git_hub(**members: Any) -> dict[str, Any]:
    base = {"organization": "contoso", "repository": "shop", "entityType": "Branch"}
    found = {**base, "entityName": "main", **_IDS, **members}
    return {"gitHub": {k: v for k, v in found.items() if v is not None}}


def _other(issuer: str = _ISSUER, subject: str = "job-1") -> dict[str, Any]:
    return {"other": {"issuer": issuer, "subject": subject}}


def _key(**members: Any) -> dict[str, Any]:
    return {"customerManagedKey": {"principalId": OTHER_GUID, "resourceId": _RESOURCE, **members}}


def _subject(subject: str = _CUSTOM, **members: Any) -> dict[str, Any]:
    return {"gitHub": {"organization": "contoso", "subject": subject, **members}}


def _connection(**members: Any) -> dict[str, Any]:
    found = {"organizationId": OTHER_GUID, "connectionId": GUID, **members}
    return {"azureDevOps": {k: v for k, v in found.items() if v is not None}}


def _older(**members: Any) -> dict[str, Any]:
    names = {"organization": "contoso", "project": "Web shop", "connection": "azure (prod)"}
    return _connection(**{"issuer": "AzureDevOps", "connectionId": None, **names, **members})


_NAME_ONLY: Final = {"subjectFormat": "Name", "organizationId": None, "repositoryId": None}
_ACCOUNT: Final = {"serviceAccount": {"name": "orders"}}

ACCEPTED: Final[tuple[Row, ...]] = (
    ("a ServiceAccount", _ACCOUNT),
    ("one left alone", {"serviceAccount": {"name": "a.b", "annotation": "None"}}),
    ("a prefix", {**_ACCOUNT, "namePrefix": "A" * 99}),
    ("an audience", {**_ACCOUNT, "audience": "api://AzureADTokenExchangeChina"}),
    ("an output", {**_ACCOUNT, "configMap": {"name": "orders-entra"}}),
    ("a branch", _git_hub()),
    ("a branch with slashes", _git_hub(entityName="release/1.x")),
    ("a tag", _git_hub(entityType="Tag", entityName="v1.0")),
    ("an environment with a colon", _git_hub(entityType="Environment", entityName="a:b c")),
    ("a pull request", _git_hub(entityType="PullRequest", entityName=None)),
    ("a subject by name", _git_hub(**_NAME_ONLY)),
    ("both subjects", _git_hub(subjectFormat="Both")),
    ("an enterprise's issuer", _git_hub(enterprise="contoso-inc")),
    ("a host of ghe.com", _git_hub(host="contoso.ghe.com")),
    ("a GitHub Enterprise Server", _git_hub(host="git.contoso.example", **_NAME_ONLY)),
    ("a customised subject", _subject()),
    ("one of a workflow", _subject(f"{_CUSTOM}:job_workflow_ref:a/b/.github/w.yml@refs/heads/c")),
    ("one of a server", _subject(host="git.contoso.example")),
    ("a service connection", _connection()),
    ("one whose issuer is written out", _connection(issuer="Entra")),
    ("an older service connection", _older()),
    ("a pipeline", _older(connection=None, pipeline="folder/deploy")),
    ("a managed identity", {"managedIdentity": {"principalId": OTHER_GUID}}),
    ("a customer-managed key", _key()),
    ("another issuer", _other()),
    ("an issuer with a slash, as AKS has it", _other("https://eastus.oic.prod-aks.azure.com/a/b/")),
    ("EKS without a slash", _other("https://oidc.eks.eu-west-1.amazonaws.com/id/A1")),
    ("an issuer with a port and a path", _other("https://issuer.example:8443/a/b%20c")),
    ("another cluster's account", _other(subject="system:serviceaccount:shop:orders")),
    ("a subject with blanks", _other(subject="user name@contoso")),
)
# Name, member, what the API server says, the field that the parser names.
REFUSED: Final[tuple[Row, ...]] = (
    ("no source", {}, "exactly one of", ""),
    ("two sources", {**_ACCOUNT, **_other()}, "exactly one of", ""),
    ("a prefix with dots", {**_ACCOUNT, "namePrefix": "a.b"}, _PATTERN, "namePrefix"),
    ("a long prefix", {**_ACCOUNT, "namePrefix": "a" * 100}, "Too long", "namePrefix"),
    ("a blank audience", {**_ACCOUNT, "audience": "api://a b"}, _PATTERN, "audience"),
    ("a long audience", {**_ACCOUNT, "audience": "a" * 601}, "Too long", "audience"),
    ("an output's name", {**_ACCOUNT, "configMap": {"name": "A"}}, _PATTERN, "configMap.name"),
    (
        "an account of another namespace",
        {"serviceAccount": {"name": "shop/orders"}},
        _PATTERN,
        "serviceAccount.name",
    ),
    (
        "an unknown annotation mode",
        {"serviceAccount": {"name": "a", "annotation": "Always"}},
        "Unsupported value",
        "serviceAccount.annotation",
    ),
    (
        "organization and repository together",
        _git_hub(organization="contoso/shop"),
        _PATTERN,
        "gitHub.organization",
    ),
    ("a repository with its owner", _git_hub(repository="a/b"), _PATTERN, "gitHub.repository"),
    ("a repository with .git", _git_hub(repository="a.git"), "without .git", "gitHub.repository"),
    ("a repository that is a dot", _git_hub(repository="."), "without .git", "gitHub.repository"),
    (
        "an unknown entity",
        _git_hub(entityType="Pull request"),
        "Unsupported value",
        "gitHub.entityType",
    ),
    ("no entity name", _git_hub(entityName=None), "entityName is required", "gitHub.entityName"),
    ("an empty entity name", _git_hub(entityName=""), "at least 1", "gitHub.entityName"),
    ("a long entity name", _git_hub(entityName="a" * 256), "Too long", "gitHub.entityName"),
    (
        "a pull request with a name",
        _git_hub(entityType="PullRequest"),
        "not for entityType PullRequest",
        "gitHub.entityName",
    ),
    ("a ref", _git_hub(entityName="refs/heads/main"), "without refs/heads/", "gitHub.entityName"),
    ("a wildcard", _git_hub(entityName="release/*"), "wildcards", "gitHub.entityName"),
    ("a backslash", _git_hub(entityName="a\\b"), "wildcards", "gitHub.entityName"),
    ("a blank at the end", _git_hub(entityName="main "), _PATTERN, "gitHub.entityName"),
    (
        "no organization's id",
        _git_hub(organizationId=None),
        "organizationId is required",
        "gitHub.organizationId",
    ),
    (
        "no repository's id",
        _git_hub(repositoryId=None, subjectFormat="Both"),
        "repositoryId is required",
        "gitHub.repositoryId",
    ),
    ("an id that is none", _git_hub(repositoryId="0x1"), _PATTERN, "gitHub.repositoryId"),
    (
        "an id without a use",
        _git_hub(**{**_NAME_ONLY, "organizationId": "1"}),
        "only for subjectFormat",
        "gitHub.organizationId",
    ),
    (
        "an id without a use too",
        _git_hub(**{**_NAME_ONLY, "repositoryId": "1"}),
        "only for subjectFormat",
        "gitHub.repositoryId",
    ),
    (
        "no repository",
        _git_hub(repository=None),
        "repository is required",
        "gitHub.repository",
    ),
    ("no entity", _git_hub(entityType=None), "entityType is required", "gitHub.entityType"),
    ("a host in capitals", _git_hub(host="Contoso.ghe.com"), _PATTERN, "gitHub.host"),
    ("a host with its scheme", _git_hub(host="https://a.ghe.com"), _PATTERN, "gitHub.host"),
    ("a long host", _git_hub(host=f"{'a.' * 127}ab"), "Too long", "gitHub.host"),
    ("github.com as a host", _git_hub(host="github.com"), "leave it out", "gitHub.host"),
    ("ghe.com itself", _git_hub(host="ghe.com"), "SUBDOMAIN", "gitHub.host"),
    ("an issuer's host", _git_hub(host="token.actions.a.ghe.com"), "SUBDOMAIN", "gitHub.host"),
    (
        "github.com's issuer as a host",
        _git_hub(host="token.actions.githubusercontent.com"),
        "leave it out",
        "gitHub.host",
    ),
    (
        "an enterprise's address",
        _git_hub(enterprise="enterprises/a"),
        _PATTERN,
        "gitHub.enterprise",
    ),
    (
        "an enterprise of a host",
        _git_hub(enterprise="a", host="a.ghe.com"),
        "only for github.com",
        "gitHub.enterprise",
    ),
    (
        "ids of a server",
        _git_hub(host="git.contoso.example"),
        "must be Name",
        "gitHub.subjectFormat",
    ),
    ("a subject with a wildcard", _subject("repo:contoso/*"), "no wildcards", "gitHub.subject"),
    ("a customised subject's blank", _subject(f"{_CUSTOM} "), _PATTERN, "gitHub.subject"),
    ("a long customised subject", _subject("a" * 601), "Too long", "gitHub.subject"),
    *(
        (f"a subject beside {name}", _subject(**{name: value}), "taken as it is", "gitHub.subject")
        for name, value in (
            ("repository", "shop"),
            ("entityType", "PullRequest"),
            ("entityName", "main"),
            ("subjectFormat", "Name"),
            ("organizationId", "1"),
            ("repositoryId", "1"),
        )
    ),
    (
        "an organization's id in capitals",
        _connection(organizationId=OTHER_GUID.upper().replace("0", "A")),
        _PATTERN,
        "azureDevOps.organizationId",
    ),
    (
        "an unknown issuer of Azure DevOps",
        _connection(issuer="Azure"),
        "Unsupported value",
        "azureDevOps.issuer",
    ),
    (
        "no connection's id",
        _connection(connectionId=None),
        "connectionId is required",
        "azureDevOps.connectionId",
    ),
    (
        "a connection by its name",
        _connection(connectionId="azure-prod"),
        "at least 36",
        "azureDevOps.connectionId",
    ),
    *(
        (
            f"a {name} that no token of Entra names",
            _connection(**{name: "a"}),
            "only for issuer AzureDevOps",
            f"azureDevOps.{name}",
        )
        for name in ("organization", "project", "connection", "pipeline")
    ),
    (
        "a connection's id in an older form",
        _older(connectionId=GUID),
        "only for issuer Entra",
        "azureDevOps.connectionId",
    ),
    (
        "no organization of an older connection",
        _older(organization=None),
        "organization is required",
        "azureDevOps.organization",
    ),
    ("no project", _older(project=None), "project is required", "azureDevOps.project"),
    ("neither connection nor pipeline", _older(connection=None), "exactly one", "azureDevOps"),
    ("connection and pipeline", _older(pipeline="deploy"), "exactly one", "azureDevOps"),
    (
        "an organization's address",
        _older(organization="dev.azure.com/contoso"),
        _PATTERN,
        "azureDevOps.organization",
    ),
    ("a project's path", _older(project="contoso/shop"), _PATTERN, "azureDevOps.project"),
    ("a long project", _older(project="a" * 65), "Too long", "azureDevOps.project"),
    ("a blank connection", _older(connection=" "), _PATTERN, "azureDevOps.connection"),
    (
        "a long pipeline",
        _older(connection=None, pipeline="a" * 256),
        "Too long",
        "azureDevOps.pipeline",
    ),
    (
        "a principal that is the application",
        {"managedIdentity": {"principalId": GUID}},
        "application's client id",
        "managedIdentity.principalId",
    ),
    (
        "a principal in capitals",
        {"managedIdentity": {"principalId": OTHER_GUID.upper()}},
        _PATTERN,
        "managedIdentity.principalId",
    ),
    (
        "a key's principal that is the application",
        _key(principalId=GUID),
        "application's client id",
        "customerManagedKey.principalId",
    ),
    (
        "a resource of another kind",
        _key(resourceId=_RESOURCE.replace("ManagedIdentity", "KeyVault")),
        _PATTERN,
        "customerManagedKey.resourceId",
    ),
    ("an issuer over http", _other("http://issuer.example"), _PATTERN, "other.issuer"),
    ("an issuer in capitals", _other("https://Issuer.example"), _PATTERN, "other.issuer"),
    ("an issuer with a blank", _other("https://issuer.example "), _PATTERN, "other.issuer"),
    ("an issuer with a query", _other("https://issuer.example/?a"), _PATTERN, "other.issuer"),
    ("a long issuer", _other(f"{_ISSUER}/{'a' * 600}"), "Too long", "other.issuer"),
    ("GitHub's issuer", _other(_GITHUB), "use gitHub", "other.issuer"),
    ("GitHub's issuer with a slash", _other(f"{_GITHUB}/"), "use gitHub", "other.issuer"),
    ("an enterprise's of GitHub", _other(f"{_GITHUB}/contoso"), "with enterprise", "other.issuer"),
    (
        "an issuer of ghe.com",
        _other("https://token.actions.contoso.ghe.com"),
        "or host",
        "other.issuer",
    ),
    (
        "an issuer of a GitHub Enterprise Server",
        _other("https://git.contoso.example/_services/token"),
        "or host",
        "other.issuer",
    ),
    (
        "Azure DevOps' issuer",
        _other(f"https://vstoken.dev.azure.com/{GUID}"),
        "use azureDevOps",
        "other.issuer",
    ),
    (
        "Microsoft's issuer",
        _other(f"https://login.microsoftonline.com/{GUID}/v2.0"),
        "use azureDevOps for a service connection",
        "other.issuer",
    ),
    (
        "an older issuer of Microsoft",
        _other("https://sts.windows.net/"),
        "Microsoft's",
        "other.issuer",
    ),
    ("a slash too many", _other("https://gitlab.com/"), "remove the slash", "other.issuer"),
    *(
        (f"a slash too many at {issuer}", _other(f"{issuer}/"), "remove the slash", "other.issuer")
        for issuer in (
            "https://agent.buildkite.com",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/A1",
            "https://container.googleapis.com/v1/projects/a/locations/b/clusters/c",
            "https://oidc.circleci.com/org/a",
            "https://api.bitbucket.org/2.0/workspaces/a/pipelines-config/identity/oidc",
        )
    ),
    *(
        (f"AKS as {issuer}", _other(issuer), "exactly one slash at its end", "other.issuer")
        for issuer in (
            f"https://eastus.oic.prod-aks.azure.com/{GUID}/{OTHER_GUID}",
            f"https://eastus.oic.prod-aks.azure.com/{GUID}/{OTHER_GUID}//",
            f"https://oidc.prod-aks.azure.com/{GUID}",
            f"https://usgovvirginia.oic.prod-aks.azure.us/{GUID}/{OTHER_GUID}",
        )
    ),
    ("an empty subject", _other(subject=""), "at least 1", "other.subject"),
    ("a subject with a blank at its end", _other(subject="job "), _PATTERN, "other.subject"),
    ("a subject of two lines", _other(subject="a\nb"), _PATTERN, "other.subject"),
    ("a long subject", _other(subject="a" * 601), "Too long", "other.subject"),
    (
        "an account in another case",
        _other(subject="system:serviceaccount:Shop:orders"),
        "in lower case",
        "other.subject",
    ),
    (
        "an account with a slash",
        _other(subject="System:serviceaccount:shop/orders"),
        "in lower case",
        "other.subject",
    ),
)
# Name, field of the spec, its value, what the API server says.
MEANINGLESS: Final[tuple[Row, ...]] = (
    ("a lifetime", "lifetime", "90d", "not for type FederatedIdentity"),
    ("a rotation", "rotation", {}, "not for type FederatedIdentity"),
    ("a Secret", "secret", {}, "not for type FederatedIdentity"),
    ("another type's member", "certificate", {}, "only for type Certificate"),
    ("no member", "federatedIdentity", None, "is required when type is FederatedIdentity"),
)
GRANTS_ACCEPTED: Final[tuple[Row, ...]] = (
    ("no ServiceAccounts", "federation", {"sources": []}),
    ("a repository", "federation.gitHub", [{"organization": "contoso", "repositories": ["a.b"]}]),
    ("an organization", "federation.gitHub", [{"organization": "a", "immutableOnly": True}]),
    (
        "an enterprise of GitHub",
        "federation.gitHub",
        [{"organization": "contoso", "enterprise": "contoso-inc"}],
    ),
    ("subjects", "federation.gitHub", [{"organization": "contoso", "subjects": [_CUSTOM]}]),
    (
        "the same organization of two GitHubs",
        "federation.gitHub",
        [{"organization": "a"}, {"organization": "a", "host": "a.ghe.com"}],
    ),
    (
        "one organization with different rules",
        "federation.gitHub",
        [
            {"organization": "a", "host": "github.com", "enterprise": "", "repositories": ["b"]},
            {"organization": "a", "immutableOnly": True},
            {"organization": "a", "repositories": ["c"], "allowPullRequest": True},
            {"organization": "a", "enterprise": "contoso-inc"},
        ],
    ),
    ("an organization of Azure DevOps", "federation.azureDevOps", [{"organizationId": GUID}]),
    (
        "projects and service connections",
        "federation.azureDevOps",
        [{"organizationId": GUID, "projects": ["Web shop"], "connectionIds": [OTHER_GUID]}],
    ),
    ("a managed identity to trust", "federation.managedIdentities", [GUID]),
    ("an issuer to trust", "federation.issuers", ["https://issuer.example/"]),
    ("ServiceAccounts by name", "serviceAccounts", ["default", "a.b"]),
)
_AN_ISSUER: Final = "federation.issuers[0]"
GRANTS_REFUSED: Final[tuple[Row, ...]] = (
    (
        "an unknown source",
        "federation.sources",
        ["GitHub"],
        "Unsupported value",
        "federation.sources[0]",
    ),
    (
        "an organization with a slash",
        "federation.gitHub",
        [{"organization": "a/b"}],
        _PATTERN,
        "federation.gitHub[0].organization",
    ),
    (
        "a repository with .git to trust",
        "federation.gitHub",
        [{"organization": "a", "repositories": ["b.git"]}],
        "without .git",
        "federation.gitHub[0].repositories[0]",
    ),
    (
        "a host that is GitHub's own",
        "federation.gitHub",
        [{"organization": "a", "host": "api.github.com"}],
        "leave it out",
        "federation.gitHub[0].host",
    ),
    (
        "an enterprise of a host to trust",
        "federation.gitHub",
        [{"organization": "a", "host": "a.ghe.com", "enterprise": "a"}],
        "only for github.com",
        "federation.gitHub[0].enterprise",
    ),
    (
        "a subject with a wildcard to trust",
        "federation.gitHub",
        [{"organization": "a", "subjects": ["repo:a/*"]}],
        "no wildcards",
        "federation.gitHub[0].subjects[0]",
    ),
    (
        "an organization of Azure DevOps by name",
        "federation.azureDevOps",
        [{"organizationId": "contoso"}],
        "at least 36",
        "federation.azureDevOps[0].organizationId",
    ),
    (
        "a project's path to trust",
        "federation.azureDevOps",
        [{"organizationId": GUID, "projects": ["contoso/shop"]}],
        _PATTERN,
        "federation.azureDevOps[0].projects[0]",
    ),
    (
        "a connection by its name to trust",
        "federation.azureDevOps",
        [{"organizationId": GUID, "connectionIds": ["azure-prod"]}],
        "at least 36",
        "federation.azureDevOps[0].connectionIds[0]",
    ),
    (
        "no connection at all",
        "federation.azureDevOps",
        [{"organizationId": GUID, "connectionIds": []}],
        "at least 1",
        "federation.azureDevOps[0].connectionIds",
    ),
    (
        "Azure DevOps as an issuer",
        "federation.issuers",
        [f"https://vstoken.dev.azure.com/{GUID}"],
        "use federation.azureDevOps",
        _AN_ISSUER,
    ),
    (
        "AKS without its slash",
        "federation.issuers",
        [f"https://eastus.oic.prod-aks.azure.com/{GUID}/{OTHER_GUID}"],
        "exactly one slash at its end",
        _AN_ISSUER,
    ),
    ("no managed identity", "federation.managedIdentities", [], "at least 1"),
    ("GitHub as an issuer", "federation.issuers", [_GITHUB], "use federation.gitHub", _AN_ISSUER),
    (
        "Microsoft as an issuer",
        "federation.issuers",
        [f"https://login.microsoftonline.us/{GUID}/v2.0"],
        "federation.managedIdentities",
        _AN_ISSUER,
    ),
    (
        "an issuer with a slash too many",
        "federation.issuers",
        ["https://app.terraform.io/"],
        "remove the slash",
        _AN_ISSUER,
    ),
    ("an account that is no name", "serviceAccounts", ["A"], _PATTERN, "serviceAccounts[0]"),
)
