"""Whether two Flow JSONs have the same content: the one comparison of documents, for the clients and for `sync`."""

from __future__ import annotations

import hashlib
import json

from ._json import compact_json


def digest_of(content: bytes | None) -> str | None:
    """
    The SHA-256 of a Flow JSON's content, independent of its layout and the order of its keys; None if it is no JSON.

    Made from the canonical text rather than from the values, because in Python `True` and `1` are equal.
    """
    try:
        if content is None:
            return None
        canonical = compact_json(json.loads(content), sort_keys=True)
    except (ValueError, RecursionError):
        return None
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_same_json(one: bytes | None, other: bytes | None) -> bool:
    """Whether both are JSON with the same content. What is not JSON is the same as nothing."""
    digest = digest_of(one)
    return digest is not None and digest == digest_of(other)
