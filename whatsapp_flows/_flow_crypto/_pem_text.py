"""The text of a PEM: its blocks, whatever an editor or an environment variable did to the white space."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Final

from .._dataclasses import dataclass, field
from .._wire import Secret

_MAX_TEXT: Final = 32 * 1024  # characters; a key has under 4,000
_LINE_END: Final = r"\\{1,4}r(?:\\{1,4}n)?|\\{1,4}n"  # written out, and escaped again
_BLOCK: Final = r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----"
_BODY: Final = r"(?:Proc-Type: ?4,ENCRYPTED DEK-Info: ?([A-Za-z0-9-]{1,40}),([0-9A-Fa-f]{1,64}) )?([A-Za-z0-9+/= ]*)"
_PATH: Final = r"(?:[~.]{0,2}/|[A-Za-z]:[\\/]).*|.*\.(?:pem|key|p8|der|crt|cer|pub|txt)"
_BASE64_OF_PEM: Final = "LS0tLS1CRUdJTi"  # base64 of "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Fault:
    """What was found in place of a key, and what to do; `f"{name} {found}. {advice}"` is the message."""

    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a PEM, its base64 decoded. `cipher` and `iv` are the `DEK-Info` of an encrypted PKCS#1 key."""

    label: str
    der: bytes = field(repr=False)
    cipher: str = ""
    iv: bytes = b""

    def pem(self) -> bytes:
        """The block as OpenSSL writes it: lines of 64 characters."""
        info = f"{self.cipher},{self.iv.hex().upper()}"
        headers = f"Proc-Type: 4,ENCRYPTED\nDEK-Info: {info}\n\n" if self.cipher else ""
        base64 = b64encode(self.der).decode()
        lines = "\n".join(base64[at : at + 64] for at in range(0, len(base64), 64))
        return f"-----BEGIN {self.label}-----\n{headers}{lines}\n-----END {self.label}-----\n".encode()


def blocks_of(pem: Secret) -> list[Block] | Fault:
    """
    The blocks of a text, or why it has none.

    Repaired: CRLF, blank and indented lines, a byte-order mark, quotes around the text, literal `\\n` in place of line
    ends (environment variables), and spaces in their place. Text between the blocks is skipped, as OpenSSL does.
    """
    text = pem.reveal()
    if len(text) > _MAX_TEXT:
        return Fault(f"is a text of {len(text)} characters", "Give the text of one PEM key.")
    repaired = re.sub(_LINE_END, "\n", text)
    found = [_block(label, body) for label, body in re.findall(_BLOCK, repaired, re.DOTALL)]
    faults = [block for block in found if isinstance(block, Fault)]
    if faults:
        return faults[0]
    return [block for block in found if isinstance(block, Block)] or _no_block(text.strip())


def _block(label: str, body: str) -> Block | Fault:
    damaged = Fault(f"is damaged: the base64 of its block {label} cannot be read", "Copy the whole file again.")
    found = re.fullmatch(_BODY, " ".join(body.split()))
    if found is None:
        return damaged
    try:
        iv, der = bytes.fromhex(found[2] or ""), b64decode(found[3].replace(" ", ""), validate=True)
    except ValueError:
        return damaged
    return Block(label, der, found[1] or "", iv) if der else damaged


def _no_block(text: str) -> Fault:
    """Why a text without a whole block is no key."""
    if not text:
        return Fault("is empty", "Give the text of a PEM key.")
    if "-----BEGIN " in text:
        return Fault("is cut off: its END line is missing or does not fit", "Copy the whole file, to the END line.")
    if text.startswith(_BASE64_OF_PEM):
        return Fault("is the base64 of a PEM", "Decode it first: base64 -d")
    if text.startswith(("ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-")):
        return Fault("is a public key in OpenSSH's format", "Give the private key in PEM: ssh-keygen -p -m PEM")
    if "\n" not in text and re.fullmatch(_PATH, text):
        return Fault("is a path", "Give the text of the file: Path(...).read_text()")
    if re.fullmatch(r"[A-Za-z0-9+/=\s]{200,}", text):
        return Fault("is base64 without its BEGIN and END lines", "Copy the whole file, with both lines.")
    return Fault("is no PEM", "It begins with a line like -----BEGIN PRIVATE KEY----- or BEGIN PUBLIC KEY.")
