"""What the attackers send is what it claims to be, and a broken bound is told."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from attacks import material
from attacks.report import Figures, mebibytes, quantile, table
from attacks.scenes import attacks, spelled


@pytest.mark.parametrize("bits", material.RSA_SIZES)
def test_a_big_key_is_one_and_its_certificate_is_its_own(bits: int) -> None:
    text = material.big_rsa(bits).encode()
    # The check that attacks aim at is left out here, because it takes minutes.
    key = load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)
    public = x509.load_pem_x509_certificate(text).public_key()
    assert isinstance(key, rsa.RSAPrivateKey)
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == bits
    assert key.public_key().public_numbers() == public.public_numbers()


def test_the_rounds_are_read_from_the_files() -> None:
    # With few rounds both are refused only for their content, so that many would be done first.
    with pytest.raises(ValueError, match="password"):
        load_pem_private_key(material.encrypted_key(2).encode(), b"x")
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(material.keystore(2), b"x")


def test_lengths_of_der_are_as_short_as_they_can_be() -> None:
    assert material.der(4, b"x") == b"\x04\x01x"
    assert material.der(4, bytes(200))[:3] == b"\x04\x81\xc8"
    assert material.der(4, bytes(300))[:4] == b"\x04\x82\x01\x2c"


def test_each_bound_that_is_broken_is_told() -> None:
    assert Figures("x", answer=1.0, rss=512).broken(512) == []
    found = Figures("x", answer=1.1, is_lease_lost=True, rss=513).broken(512)
    assert len(found) == 3
    assert mebibytes("512Mi") == 512
    assert mebibytes("1Gi") == 1024
    with pytest.raises(ValueError, match="quantity"):
        mebibytes("much")


def test_the_table_has_a_row_for_each_attack() -> None:
    rows = [Figures("x", neighbour=[0.1, 0.2, 9.0], unserved=1, outcome="2 NotGranted")]
    lines = table(rows).splitlines()
    assert len(lines) == 2
    assert "0.20 s" in lines[1]
    assert "9.00 s (1 not in time)" in lines[1]
    assert quantile([3, 1, 2], 0.5) == 2
    assert spelled({"A": 1, "B": 2}) == "2 B, 1 A"
    assert spelled({}) == "nothing"


def test_all_attacks_fit_into_ten_minutes() -> None:
    found = attacks()
    assert len({attack.name for attack in found}) == len(found)
    assert sum(attack.seconds for attack in found) < 400
