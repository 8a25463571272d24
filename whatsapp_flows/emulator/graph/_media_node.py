"""
Files that people have uploaded: the media node, and the host that serves the content.

Sources: "Media" page (`GET /{media-id}`, an address for a few minutes, ids of webhooks for 7 days), "Media upload
components" page (encrypted files for up to 20 days). What the host of the content answers to an error is not
documented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from ._call import GraphCall, GraphResponse, Settings, plain_text
from ._errors import Problem, graph_error
from ._fields import NodeField
from ._nodes import NodeView
from ._state import MediaRecord, World

MEDIA_DEFAULT: Final = "messaging_product,url,mime_type,sha256,file_size,id"
PROTECTED: Final = "media"
"""The part of an address of the download host, after `/cdn`, where files are that need the access token."""
ENCRYPTED: Final = "encrypted"
"""The same for encrypted files, which need no token."""

_ID_LIFETIME: Final = 7 * 24 * 3600.0
_CDN_LIFETIME: Final = 20 * 24 * 3600.0

MediaView = NodeView[MediaRecord]


def check_age(view: MediaView) -> None:
    """Raise when the id has expired."""
    if view.call.now > view.node.added_at + _ID_LIFETIME:
        raise graph_error(Problem.UNKNOWN_NODE, method=view.call.method.lower(), id=view.node.id)


def encrypted_url(settings: Settings, media: MediaRecord) -> str:
    """The address of an encrypted file, which needs no token."""
    return _signed_url(settings, ENCRYPTED, media.id, media.added_at + _CDN_LIFETIME)


def download_media(world: World, call: GraphCall, part: str, media_id: str) -> GraphResponse:
    """The content of a file at an address; one that is encrypted must not be asked for with a token."""
    if part == ENCRYPTED and call.carries_credentials:
        return plain_text(400, "This host takes no credentials")
    if part == PROTECTED and (call.token is None or call.token not in (call.settings.tokens or {call.token})):
        return plain_text(401, "Authentication required")
    expires = call.query.get("oe", "")
    if call.query.get("oh") != call.settings.token_for(part, media_id, expires):
        return plain_text(403, "Bad URL hash")
    media = world.media.get(media_id)
    if media is None or media.is_encrypted != (part == ENCRYPTED) or int(expires, 16) < call.now:
        return plain_text(404, "Content not found")
    return GraphResponse(status=200, body=media.content, content_type=media.mime_type)


def _signed_url(settings: Settings, part: str, media_id: str, until: float) -> str:
    expires = f"{int(until):x}"
    signature = settings.token_for(part, media_id, expires)
    return f"{settings.cdn_url}/cdn/{part}/{media_id}?oe={expires}&oh={signature}"


def _url(view: MediaView) -> str:
    settings = view.call.settings
    return _signed_url(settings, PROTECTED, view.node.id, view.call.now + settings.download_lifetime)


MEDIA_FIELDS: Final[Mapping[str, NodeField[MediaView]]] = {
    "file_size": NodeField(lambda view, _: len(view.node.content)),
    "id": NodeField(lambda view, _: view.node.id),
    "messaging_product": NodeField(lambda *_: "whatsapp"),
    "mime_type": NodeField(lambda view, _: view.node.mime_type),
    "sha256": NodeField(lambda view, _: hashlib.sha256(view.node.content).hexdigest()),
    "url": NodeField(lambda view, _: _url(view)),
}
