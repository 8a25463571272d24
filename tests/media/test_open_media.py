"""A downloaded file is opened if it passes five checks, each with its own name, three of them before decryption."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.support import CONTENT, Upload, encrypted, mac, padded
from whatsapp_flows._media_content import decrypt
from whatsapp_flows._media_values import max_file_bytes
from whatsapp_flows.media import MediaIntegrityError, MediaRefusedError, ResponseMedia, open_media

VECTOR = b64decode("03+JM0DbMnf4f5I6L000+nCFcA+P6HormGpWDCPNOvwrX9UGSjpfZSJM")
WHOLE = encrypted(padded(CONTENT))


def failed_check(upload: Upload, served: bytes | None = None) -> str:
    """The name of the check that refuses the file."""
    with pytest.raises(MediaIntegrityError) as caught:
        open_media(upload.item, upload.served if served is None else served)
    return caught.value.check


def test_the_vector_of_the_reference_opens() -> None:
    """The bytes, the hashes and the content are those that were computed with other code."""
    upload = Upload()
    assert upload.served == VECTOR
    assert upload.wire["encryption_metadata"]["encrypted_hash"] == "4z8FvApYfriYBkU5rlzeF1DwdWYlhifTRJpiHsDdRJI="
    assert upload.wire["encryption_metadata"]["plaintext_hash"] == "IOoQ7aPHEqTZF8VbNxP8b561jcoWsESdw417lYD+4nM="
    assert open_media(upload.item, VECTOR) == CONTENT


@given(st.one_of(st.binary(max_size=100), st.sampled_from([15, 16, 17, 65535, 65536, 131072]).map(bytes)))
def test_what_was_encrypted_is_opened(content: bytes) -> None:
    """Any content comes back, empty and in whole blocks too."""
    upload = Upload(content=content)
    assert open_media(upload.item, upload.served) == content
    assert len(upload.served) == max_file_bytes(len(content))


@given(st.integers(0, 8 * len(VECTOR) - 1))
def test_a_file_with_a_changed_bit_is_refused(bit: int) -> None:
    """Wherever the bit is, the hash of the whole file differs."""
    damaged = bytearray(VECTOR)
    damaged[bit // 8] ^= 1 << bit % 8
    assert failed_check(Upload(), bytes(damaged)) == "encrypted-hash"


@pytest.mark.parametrize(
    ("check", "upload", "served"),
    [
        ("length", Upload(), b""),
        ("length", Upload(), VECTOR[:9]),
        ("length", Upload(file=mac(b"")), None),  # no block at all
        ("length", Upload(), VECTOR[:-1]),
        ("length", Upload(), VECTOR + b"\0"),
        ("length", Upload(file=WHOLE[:-1] + mac(WHOLE[:-1])), None),  # its hash and its MAC are right
        ("encrypted-hash", Upload(), VECTOR[:-16]),
        ("encrypted-hash", Upload(), VECTOR + bytes(16)),
        ("encrypted-hash", Upload(), Upload(content=b"another file").served),
        ("mac", Upload(file=WHOLE + bytes(10)), None),
        ("mac", Upload(file=WHOLE + mac(WHOLE, b"k" * 32)), None),
        ("mac", Upload(more={"hmac_key": b64encode(bytes(32)).decode()}), None),
        ("padding", Upload(file=(wrong := encrypted(CONTENT[:16] + bytes(16))) + mac(wrong)), None),
        ("padding", Upload(file=(wrong := encrypted(CONTENT[:16] + bytes([17]) * 16)) + mac(wrong)), None),
        ("padding", Upload(file=(wrong := encrypted(CONTENT[:16] + bytes(12) + b"\1\2\3\4")) + mac(wrong)), None),
        ("padding", Upload(more={"encryption_key": b64encode(bytes(32)).decode()}), None),
        ("plaintext-hash", Upload(more={"plaintext_hash": b64encode(bytes(32)).decode()}), None),
    ],
)
def test_each_check_has_a_name(check: str, upload: Upload, served: bytes | None) -> None:
    """Cut and lengthened files, other files, another key, bad padding, another hash: the first failed check says so."""
    assert failed_check(upload, served) == check


@pytest.mark.parametrize(
    ("upload", "served"),
    [(Upload(), VECTOR[:-1]), (Upload(), VECTOR[:-1] + b"\0"), (Upload(file=WHOLE + bytes(10)), None)],
)
def test_nothing_is_decrypted_before_hash_and_mac_are_right(upload: Upload, served: bytes | None) -> None:
    """Where one of the first three checks fails, nothing was written."""
    served, sink = served or upload.served, io.BytesIO()
    with pytest.raises(MediaIntegrityError):
        decrypt(upload.item, io.BytesIO(served), len(served), sink)
    assert sink.getvalue() == b""


def test_a_file_of_a_response_message_is_not_opened_here() -> None:
    """It is not encrypted: the message names what downloads it."""
    with pytest.raises(MediaRefusedError, match=r"client\.download_media"):
        open_media(ResponseMedia(id="1"), b"")  # type: ignore[arg-type]


@pytest.mark.slow
def test_only_decrypting_needs_the_extra() -> None:
    """Without cryptography the values are read and stored; `open_media` names the extra."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from whatsapp_flows.media import EncryptedMedia, MediaDownloader, open_media\n"
        f"item = EncryptedMedia.from_json({Upload().item.to_json()!r})\n"
        "try: open_media(item, bytes(26))\n"
        "except ImportError as missing: print(missing)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "whatsapp-flows-sdk[endpoint]" in done.stdout


def test_the_digest_of_a_response_message_is_that_of_its_file() -> None:
    """base64 of the SHA-256 of the content, as in the message."""
    digest = hashlib.sha256(CONTENT).digest()
    assert ResponseMedia(id="1", sha256=b64encode(digest).decode()).digest == digest
