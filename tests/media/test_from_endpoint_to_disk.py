"""A file on its whole way: data of an encrypted request, a queue, the CDN, the disk; and a hostile one on that way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import Close, EndpointClient, FlowEndpoint, FlowRequest, KeyPair, PrivateKeys, Show
from whatsapp_flows.media import EncryptedMedia, MediaDownloader, MediaRefusedError

SECRET = "an-app-secret-for-tests"
CONTENTS = {"Passport of Zoë.jpg": b"a passport", "../../etc/passwd": b"no password", "passport of zoë.JPG": b"another"}


def endpoint_that_queues(pair: KeyPair, queue: list[str], downloader: MediaDownloader) -> FlowEndpoint:
    """The handler of docs/media.md: it looks at the addresses, stores the files, and answers."""
    endpoint = FlowEndpoint(PrivateKeys(pair.private_pem.reveal()), app_secrets=SECRET)

    @endpoint.data_exchange("PHOTOS")
    def chosen(request: FlowRequest) -> Show | Close:
        try:
            photos = request.media("photos")
            for photo in photos:
                downloader.check(photo)
        except MediaRefusedError:
            return request.same_screen(error="Please choose others.")
        queue.extend(photo.to_json() for photo in photos)
        return Close()

    return endpoint


def test_photos_are_stored_by_the_handler_and_fetched_later(flow_key_pair: KeyPair, tmp_path: Path) -> None:
    """The handler downloads nothing; the worker has all that it needs; three names are three files in the folder."""
    queue: list[str] = []
    with Emulator() as meta, MediaDownloader([meta.cdn_url]) as downloader:
        endpoint = endpoint_that_queues(flow_key_pair, queue, downloader)
        client = EndpointClient(endpoint, flow_key_pair.public_pem, app_secrets=SECRET)
        photos = [meta.add_encrypted_media(content, file_name=name) for name, content in CONTENTS.items()]
        reply = client.exchange("data_exchange", "PHOTOS", {"photos": photos}, "token-1")
        assert reply.status == 200
        assert meta.requests == ()
        paths = downloader.save_all(map(EncryptedMedia.from_json, queue), tmp_path)
    assert [path.name for path in paths] == ["Passport of Zoë.jpg", "passwd", "passport of zoë-2.JPG"]
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())


@pytest.mark.parametrize(
    "damage",
    [
        {"cdn_url": "https://evil.example/f"},
        {"cdn_url": "http://169.254.169.254/latest/meta-data"},
        {"encryption_metadata": {"iv": "short"}},
        {"media_id": None},
    ],
)
def test_a_hostile_file_is_answered_and_not_stored(
    damage: dict[str, object], flow_key_pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """The user sees a text; nothing is queued, and nothing of the file is in the log."""
    queue: list[str] = []
    with Emulator() as meta, MediaDownloader([meta.cdn_url]) as downloader, caplog.at_level(logging.DEBUG):
        endpoint = endpoint_that_queues(flow_key_pair, queue, downloader)
        client = EndpointClient(endpoint, flow_key_pair.public_pem, app_secrets=SECRET)
        photo = {**meta.add_encrypted_media(b"a photo", file_name="Zoë.jpg"), **damage}
        reply = client.exchange("data_exchange", "PHOTOS", {"photos": [photo]}, "token-1")
        assert meta.requests == ()
    assert (reply.status, reply.screen, reply.data) == (200, "PHOTOS", {"error_message": "Please choose others."})
    assert queue == []
    assert not [text for text in ("Zoë", "evil.example", "169.254") if text in caplog.text]


def test_a_handler_that_lets_the_refusal_through_is_a_500(
    flow_key_pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """As for every exception of a handler; the log names the error and holds nothing of the user's."""
    endpoint = FlowEndpoint(PrivateKeys(flow_key_pair.private_pem.reveal()), app_secrets=SECRET)

    @endpoint.data_exchange("PHOTOS")
    def chosen(request: FlowRequest) -> Show:
        return request.show("DETAILS", photos=len(request.media("photos")))

    client = EndpointClient(endpoint, flow_key_pair.public_pem, app_secrets=SECRET)
    reply = client.exchange("data_exchange", "PHOTOS", {"photos": ["Zoë.jpg"]}, "token-1")
    assert reply.status == 500
    assert "Zoë" not in caplog.text
