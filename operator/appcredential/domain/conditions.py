"""Condition types and reasons, and the conditions themselves.

Every type and reason is a constant with a sentence, and a test compares docs/conditions.md
with this module. Messages are stable sentences of ours: no times, request ids or server text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class ConditionType(StrEnum):
    """The five condition types. Reconciling and Stalled exist only while true."""

    READY = "Ready"
    VERIFIED = "Verified"
    EXPIRING = "Expiring"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Reason(StrEnum):
    """Why a condition is as it is."""

    PUBLISHED = "Published"
    """The Secret holds a credential that matches the spec and is valid."""
    ROTATION_FAILING = "RotationFailing"
    """The published credential works, but no successor could be issued and proven."""
    PROGRESSING = "Progressing"
    """Work is under way; nothing is published yet."""
    SUSPENDED = "Suspended"
    """`spec.suspend` is true: nothing is written."""
    EXPIRED = "Expired"
    """The published credential has expired."""
    RENEWAL_DUE = "RenewalDue"
    """30 % of the renewal window has passed without a published successor."""
    NOT_DUE = "NotDue"
    """The published credential is not near its end."""
    PROVEN = "Proven"
    """The credential signed in."""
    DISABLED = "Disabled"
    """`spec.verification.mode` is Disabled: nothing was proven."""
    NOT_VERIFIED = "NotVerified"
    """No sign-in was tried yet."""
    INVALID_SPEC = "InvalidSpec"
    """The manifest holds a value the operator cannot use."""
    LIFETIME_TOO_SHORT = "LifetimeTooShort"
    """The lifetime that spec, grant, tenant and policy allow is below the operator's minimum."""
    TENANT_NOT_FOUND = "TenantNotFound"
    """The EntraTenant that `spec.tenantRef` names does not exist."""
    TENANT_NOT_READY = "TenantNotReady"
    """The EntraTenant cannot be used; its own conditions say why."""
    TYPE_NOT_ALLOWED = "TypeNotAllowed"
    """The EntraTenant's limits exclude this credential type."""
    NOT_GRANTED = "NotGranted"
    """No ApplicationGrant allows this namespace this kind of credential for this application."""
    GRANT_LIMIT = "GrantLimit"
    """The namespace has as many AppCredentials for this application as its grants allow."""
    GRANT_WITHDRAWN = "GrantWithdrawn"
    """A credential is published, but no ApplicationGrant allows a new one."""
    OPERATOR_IDENTITY = "OperatorIdentity"
    """The application is the operator's own, and no grant allows it."""
    SOURCE_NOT_FOUND = "SourceNotFound"
    """The Secret or ConfigMap with the certificate, or its key, does not exist or is empty."""
    SOURCE_UNUSABLE = "SourceUnusable"
    """The content of the certificate's source cannot be used; the message says why."""
    SOURCE_NOT_RENEWED = "SourceNotRenewed"
    """The certificate is due for renewal, and its source still holds the same one."""
    SOURCE_RACE = "SourceRace"
    """The source was renewed; its readers may use a certificate that is not registered yet."""
    CERTIFICATE_REMOVED = "CertificateRemoved"
    """Somebody removed the supplied certificate from the application."""
    KEYSTORE_PASSWORD = "KeystorePassword"
    """The password of the PKCS #12 file is missing or cannot be used."""
    SECRET_TOO_LARGE = "SecretTooLarge"
    """The Secret would be larger than what the operator writes."""
    SECRET_CONFLICT = "SecretConflict"
    """A Secret of that name exists and belongs to somebody else, or cannot be written."""
    SECRET_MISSING = "SecretMissing"
    """The Secret that was published does not exist any more; it is written anew."""
    SECRET_EDITED = "SecretEdited"
    """Somebody changed the published value, or what the Secret records of it."""
    SECRET_TAKEN_OVER = "SecretTakenOver"
    """Another AppCredential has taken the Secret over; this one issues nothing more."""
    SECRET_TERMINATING = "SecretTerminating"
    """The target Secret is being deleted."""
    SECRET_FORBIDDEN = "SecretForbidden"
    """The operator may not read or write Secrets in this namespace."""
    SECRET_REFUSED = "SecretRefused"
    """The API server refuses the Secret: quota, admission or validation."""
    APPLICATION_NOT_FOUND = "ApplicationNotFound"
    """Entra does not know the application in this tenant."""
    CREDENTIAL_MISSING = "CredentialMissing"
    """Entra does not list the published credential any more; sign-ins decide what follows."""
    APPLICATION_CHANGED = "ApplicationChanged"
    """The published credential belongs to another application object."""
    PERMISSION_DENIED = "PermissionDenied"
    """Graph refuses the operator's request: owner or permission missing."""
    CREDENTIAL_REFUSED = "CredentialRefused"
    """Graph refuses to create the credential for a reason not listed here."""
    LIFETIME_OVER_POLICY = "LifetimeOverPolicy"
    """An app management policy of the Entra tenant allows less than the lifetime asked for."""
    TYPE_FORBIDDEN_BY_POLICY = "TypeForbiddenByPolicy"
    """An app management policy of the Entra tenant forbids credentials of this type."""
    CREDENTIAL_LIMIT = "CredentialLimit"
    """Several of our credentials exist besides the published one, so new ones come slowly."""
    REVOCATION_LIMIT = "RevocationLimit"
    """So many deleted resources of the namespace still wait for their revocation."""
    REVOCATION_BLOCKED = "RevocationBlocked"
    """A credential that `revokeIssuedBefore` should revoke is still valid; the message says why."""
    DIRECTORY_UNAVAILABLE = "DirectoryUnavailable"
    """Graph cannot be reached or answers with server errors."""
    TLS_NOT_TRUSTED = "TlsNotTrusted"
    """The certificate of Graph or the token endpoint is not trusted, as behind some proxies."""
    THROTTLED = "Throttled"
    """Graph or the token endpoint asks to slow down."""
    CLOCK_SKEW = "ClockSkew"
    """The clocks of Entra, the API server and the operator differ too much."""
    CERTIFICATE_REJECTED = "CertificateRejected"
    """Entra refuses the assertion that was signed with the certificate's key."""
    SIGN_IN_REJECTED = "SignInRejected"
    """Entra refuses the credential."""
    BLOCKED_BY_CONDITIONAL_ACCESS = "BlockedByConditionalAccess"
    """A Conditional Access policy forbids the sign-in."""
    NOT_ASSIGNED = "NotAssigned"
    """The application has no role for the resource of the sign-in."""
    NO_SERVICE_PRINCIPAL = "NoServicePrincipal"
    """The application has no service principal in the tenant."""
    APPLICATION_NOT_IN_TENANT = "ApplicationNotInTenant"
    """The token endpoint does not know the application in this tenant."""
    APPLICATION_DISABLED = "ApplicationDisabled"
    """The application is disabled."""
    PUBLIC_CLIENT = "PublicClient"
    """The application is a public client and must not present a secret."""
    VERIFICATION_SCOPE = "VerificationScope"
    """The scope of the sign-in is not accepted; the credential was not judged."""
    WRONG_TENANT_OR_CLOUD = "WrongTenantOrCloud"
    """The tenant does not exist in this cloud."""
    TENANT_BLOCKED = "TenantBlocked"
    """Entra has blocked the whole tenant."""
    TENANT_RESTRICTIONS = "TenantRestrictions"
    """A tenant restriction blocks the sign-in."""
    TOKEN_ENDPOINT_UNAVAILABLE = "TokenEndpointUnavailable"
    """The token endpoint cannot be reached or answers with server errors."""
    UNCLASSIFIED = "Unclassified"
    """The token endpoint gave an answer that the operator does not know."""
    INTERNAL_ERROR = "InternalError"
    """A fault of the operator itself; its log has the details."""
    SIGNED_IN = "SignedIn"
    """The operator signs in to the tenant and may read applications."""
    IN_USE = "InUse"
    """The EntraTenant is being deleted, and AppCredentials still use it."""
    REVOCATIONS_OPEN = "RevocationsOpen"
    """The EntraTenant is being deleted, and what deleted AppCredentials left is not revoked yet."""
    IDENTITY_SECRET_NOT_FOUND = "IdentitySecretNotFound"
    """The Secret with the operator's own credential is missing or lacks the key."""
    IDENTITY_SECRET_UNUSABLE = "IdentitySecretUnusable"
    """The operator's own client secret cannot be one as it stands; the message says why."""
    IDENTITY_CERTIFICATE_UNUSABLE = "IdentityCertificateUnusable"
    """The operator's own certificate cannot be used; the message says why."""
    IDENTITY_TOKEN_UNUSABLE = "IdentityTokenUnusable"
    """The projected token that the operator signs in with is missing or may not be sent."""
    MANAGED_IDENTITY_UNAVAILABLE = "ManagedIdentityUnavailable"
    """The operator's node gives it no managed identity."""
    IDENTITY_REJECTED = "IdentityRejected"
    """Entra refuses the operator's own credential."""
    CUSTOM_CLOUD_NOT_CONFIGURED = "CustomCloudNotConfigured"
    """`cloud: Custom` needs endpoints in the operator's settings."""
    NOT_IN_A_TRIAL = "NotInATrial"
    """The operator runs as a trial, which serves tenants of `cloud: Custom` only."""
    TRUSTED = "Trusted"
    """Entra trusts the tokens that the spec names; annotations and ConfigMap are as requested."""
    OBSERVING = "Observing"
    """`spec.mode` is Observe: the operator reports and writes nothing."""
    NOT_VERIFIABLE = "NotVerifiable"
    """The operator cannot sign in with this credential, or was not asked to."""
    FEDERATION_MISMATCH = "FederationMismatch"
    """Entra matches the token's issuer, subject or audience with no federated credential."""
    ISSUER_KEYS = "IssuerKeys"
    """Entra does not know the key that signed the token: it has not read the new keys yet."""
    CREDENTIAL_CONFLICT = "CredentialConflict"
    """A federated credential that is not ours has the same issuer and subject, or that name."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """The application has as many federated credentials as Entra allows."""
    ISSUER_UNKNOWN = "IssuerUnknown"
    """The operator does not know yet who issues this cluster's ServiceAccount tokens."""
    ISSUER_UNREACHABLE = "IssuerUnreachable"
    """Entra cannot fetch the issuer's keys: its address is not public."""
    ISSUER_DOCUMENT_DIFFERS = "IssuerDocumentDiffers"
    """The issuer's discovery document names another issuer, so Entra accepts no token."""
    ISSUER_DOCUMENT_UNREAD = "IssuerDocumentUnread"
    """The issuer's discovery document could not be read by the operator."""
    SERVICE_ACCOUNT_NOT_FOUND = "ServiceAccountNotFound"
    """The ServiceAccount to annotate does not exist."""
    SERVICE_ACCOUNT_FORBIDDEN = "ServiceAccountForbidden"
    """The operator may not read or annotate ServiceAccounts in this namespace."""
    TOKEN_REQUEST_FORBIDDEN = "TokenRequestForbidden"
    """The operator may not ask for tokens of ServiceAccounts in this namespace."""
    ANNOTATION_CONFLICT = "AnnotationConflict"
    """The ServiceAccount is annotated for another application or tenant."""
    OUTPUT_CONFLICT = "OutputConflict"
    """A ConfigMap of the output's name belongs to somebody else, or cannot be changed."""
    OUTPUT_FORBIDDEN = "OutputForbidden"
    """The operator may not read or write ConfigMaps in this namespace."""
    NOT_MULTI_TENANT = "NotMultiTenant"
    """Customer-managed keys need an application that other tenants can install."""
    ACCEPTED = "Accepted"
    """The grant is valid and in force."""
    NOT_LEADER = "NotLeader"
    """Another replica acts; this one only watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something cannot go on.

    Attributes:
        stalled: whether a person must act; otherwise the operator expects it to pass.
    """

    reason: Reason
    message: str
    stalled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One wanted condition. `status` is `True`, `False` or `Unknown`."""

    type: ConditionType
    status: str
    reason: Reason
    message: str

    @classmethod
    def true(cls, kind: ConditionType, reason: Reason, message: str) -> Self:
        """Return a condition that holds."""
        return cls(type=kind, status="True", reason=reason, message=message)

    @classmethod
    def false(cls, kind: ConditionType, reason: Reason, message: str) -> Self:
        """Return a condition that does not hold."""
        return cls(type=kind, status="False", reason=reason, message=message)

    @classmethod
    def unknown(cls, kind: ConditionType, reason: Reason, message: str) -> Self:
        """Return a condition that may hold or not: the operator does not know."""
        return cls(type=kind, status="Unknown", reason=reason, message=message)
