"""`spec.certificate.subject`: a distinguished name (RFC 4514), as people write it.

The CRD has the same expressions and messages.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SUBJECT: Final = 256

_TYPE: Final = r"(CN|O|OU|C|L|ST|DC|STREET|UID)"
_CHARACTER: Final = r"([^ ,+\"\\<>;=\x00-\x1f\x7f]|\\[ \"#+,;<=>\\])"
_VALUE: Final = rf"{_CHARACTER}( *{_CHARACTER})*"
_ATTRIBUTE: Final = rf" *{_TYPE} *= *{_VALUE} *"
_NAME: Final = rf"{_ATTRIBUTE}([,+]{_ATTRIBUTE})*"
_PART: Final = re.compile(rf" *(?P<type>{_TYPE}) *= *(?P<value>{_VALUE}) *(?P<next>[,+]?)")

_LEFT_OUT: Final = "is not an attribute that is written here: leave it out, Entra does not read it"
_FORMS: Final = (
    ("^/", "begins with /, as openssl prints it: write it as CN=orders,O=Contoso"),
    ("(^|[,+]) *(e|email|emailaddress) *=", f"has emailAddress, which {_LEFT_OUT}"),
    ("(^|[,+]) *serialnumber *=", f"has serialNumber, which {_LEFT_OUT}"),
    (rf"^{_NAME}\Z", "has attribute names in small letters: write them in capitals, such as CN"),
)
"""What is not read, in any case of letters, with what to do about it."""
_REMEDY: Final = "must be a distinguished name (RFC 4514) such as CN=orders,O=Contoso"


def subject_fault(value: str) -> str:
    """Return why a text is no subject, with the remedy; empty when it is one, or is empty."""
    if not value or re.fullmatch(_NAME, value):
        return ""
    forms = (why for form, why in _FORMS if re.search(form, value, re.IGNORECASE))
    return next(forms, _REMEDY)


def plain_subject(value: str) -> str:
    """Return a subject without the blanks around its signs, which RFC 4514 does not have."""
    parts = (f"{m['type']}={m['value']}{m['next']}" for m in _PART.finditer(value))
    return "".join(parts)
