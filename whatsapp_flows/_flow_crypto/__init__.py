"""
The cryptography of Flows, on bytes: PEM keys, the envelope of a request, its answer, and uploaded files.

The only importer of the package cryptography (extra `endpoint`). The payments endpoint of Meta uses the same envelope,
so nothing here knows what is inside.
"""

import importlib.util

if importlib.util.find_spec("cryptography") is None:
    raise ImportError('answering Flows needs cryptography: pip install "whatsapp-flows-sdk[endpoint]"')

from ._envelope import AnswerChannel, OpenedRequest, RsaPadding, not_decrypted, open_envelope, seal_request
from ._media import MediaKeys, open_media_file, seal_media_file
from ._pem import OpeningKey, SealingKey, make_key_pair, read_private_key, read_public_key

__all__ = [
    "AnswerChannel",
    "MediaKeys",
    "OpenedRequest",
    "OpeningKey",
    "RsaPadding",
    "SealingKey",
    "make_key_pair",
    "not_decrypted",
    "open_envelope",
    "open_media_file",
    "read_private_key",
    "read_public_key",
    "seal_media_file",
    "seal_request",
]
