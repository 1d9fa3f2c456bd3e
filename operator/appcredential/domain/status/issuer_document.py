"""What an issuer's discovery document says about its trust."""

from __future__ import annotations

from appcredential.domain.conditions import Condition, ConditionType, Reason
from appcredential.domain.observed.federated import IssuerDocument
from appcredential.domain.spec.trusts import is_near


def document_warning(issuer: str, document: IssuerDocument | None) -> Condition | None:
    """Return Verified for an issuer whose document lets no token be accepted; None otherwise.

    A document that names another issuer is the same for everybody, so it is a verdict. An answer
    other than a document may be for the operator alone, so it is a warning.
    """
    if document is None or document.issuer == issuer:
        return None
    kind = ConditionType.VERIFIED
    if not document.issuer:
        answer = f"HTTP {document.status}" if document.status != 200 else "no such document"
        return Condition.unknown(
            kind,
            Reason.ISSUER_DOCUMENT_UNREAD,
            "The issuer's discovery document (/.well-known/openid-configuration below its URL) "
            f"could not be read: the answer was {answer}. If Entra gets the same, it accepts no "
            "token of this issuer. Let the document and the keys be read from the internet.",
        )
    how = (
        "It differs in upper and lower case or in the slash at its end alone."
        if is_near(issuer, document.issuer)
        else "Copy the issuer from iss in a token."
    )
    return Condition.false(
        kind,
        Reason.ISSUER_DOCUMENT_DIFFERS,
        "The issuer's discovery document names another issuer, so Entra accepts no token with the "
        f"one that the spec names. {how}",
    )
