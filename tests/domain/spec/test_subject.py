"""Subjects as people write them: what is read, and what is named."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.spec.subject import plain_subject, subject_fault


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("CN=orders", "CN=orders"),
        ("CN=orders, O=Contoso", "CN=orders,O=Contoso"),
        ("CN = orders , O = Contoso", "CN=orders,O=Contoso"),
        (" CN=orders service,  O=Contoso  ", "CN=orders service,O=Contoso"),
        ("CN=orders + OU=shop, C=DE", "CN=orders+OU=shop,C=DE"),
        ("O=Contoso\\, Inc., CN=a", "O=Contoso\\, Inc.,CN=a"),
        ("CN=ends with a blank\\ , O=b", "CN=ends with a blank\\ ,O=b"),
    ],
)
def test_blanks_around_the_signs_do_not_count(written: str, read: str) -> None:
    assert subject_fault(written) == ""
    assert plain_subject(written) == read
    if read:
        assert x509.Name.from_rfc4514_string(plain_subject(written))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("/CN=orders", "begins with /"),
        ("/C=DE/emailAddress=a@b.example", "begins with /"),
        ("emailAddress=a@b.example", "has emailAddress"),
        ("CN=orders,E=a@b.example", "has emailAddress"),
        ("CN=orders, EMAIL = a@b.example", "has emailAddress"),
        ("SERIALNUMBER=1", "has serialNumber"),
        ("CN=orders, serialNumber=1", "has serialNumber"),
        ("cn=orders, o=Contoso", "in small letters"),
        ("orders", "must be a distinguished name"),
        ("CN=", "must be a distinguished name"),
        ("CN= ", "must be a distinguished name"),
        ("CN=orders;O=Contoso", "must be a distinguished name"),
        ("CN=orders\n", "must be a distinguished name"),
    ],
)
def test_what_is_no_subject_is_named_with_the_remedy(written: str, words: str) -> None:
    assert words in subject_fault(written)


@settings(derandomize=True, database=None, deadline=None)
@given(st.text(alphabet='CNOU=,+ \\"#aE/', max_size=40))
def test_what_is_read_has_no_blank_that_another_reader_would_refuse(text: str) -> None:
    if not subject_fault(text):
        plain = plain_subject(text)
        assert (plain_subject(plain), subject_fault(plain)) == (plain, "")
        assert plain.replace(" ", "").replace("\\", "") == text.replace(" ", "").replace("\\", "")
