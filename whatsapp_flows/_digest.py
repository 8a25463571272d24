"""When two Flow JSONs say the same: the one comparison of documents, for the client and for `sync`."""

from __future__ import annotations

import hashlib
import json


def digest_of(content: bytes | None) -> str | None:
    """
    The SHA-256 of what a Flow JSON says, whatever its layout and the order of its keys; None if it cannot be read.

    Made from the document written out again rather than from its values, because to Python `true` and `1` are equal.
    """
    try:
        if content is None:
            return None
        canonical = json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    return hashlib.sha256(canonical.encode()).hexdigest()


def says_the_same(one: bytes | None, other: bytes | None) -> bool:
    """Whether both can be read and say the same. What cannot be read is the same as nothing."""
    digest = digest_of(one)
    return digest is not None and digest == digest_of(other)
