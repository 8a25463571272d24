"""The reader of public keys."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.support import CURVE_PEM, PEM, SHORT_PEM
from whatsapp_flows.emulator.graph._keys import rsa_bits


def _pem(der: bytes) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"


_DER = base64.b64decode("".join(PEM.split("-----")[2].split()))
_NEGATIVE = bytes.fromhex("301a300d06092a864886f70d01010105000309003006020180020101")


@pytest.mark.parametrize(
    ("pem", "bits"),
    [
        (PEM, 2048),
        ("\n" + PEM.replace("\n", "\r\n"), 2048),
        (SHORT_PEM, 1024),
        (CURVE_PEM, None),
        (PEM.replace("PUBLIC", "PRIVATE"), None),
        (PEM.replace("MII", "!!!"), None),
        (PEM.replace("MIIB", "MII"), None),
        ("", None),
        (_pem(_DER[:-1]), None),
        (_pem(_DER + b"\0"), None),
        (_pem(b"\x30"), None),
        (_pem(_DER.replace(bytes.fromhex("0382010f00"), bytes.fromhex("0382010f01"))), None),
        (_pem(_NEGATIVE), None),
    ],
)
def test_the_length_of_an_rsa_key_is_read(pem: str, bits: int | None) -> None:
    """A text that is not an RSA public key in PEM has none."""
    assert rsa_bits(pem) == bits


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(der: bytes) -> None:
    """Any content gives a size or None."""
    assert rsa_bits(_pem(der)) is None


@settings(deadline=None)
@given(st.integers(0, len(_DER) - 1), st.integers(0, 255))
def test_a_flipped_byte_does_not_break_the_reader(at: int, value: int) -> None:
    """A damaged key gives a size or None."""
    bits = rsa_bits(_pem(_DER[:at] + bytes([value]) + _DER[at + 1 :]))
    assert bits is None or bits > 0
