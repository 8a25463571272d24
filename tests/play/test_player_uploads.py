"""Files that a test attaches: what the picker holds, what the endpoint gets and can decrypt, what the message names."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.play.visit import PLAYERS, private_keys, screen
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import FlowEndpoint, FlowRequest, KeyPair, Show
from whatsapp_flows.media import MAX_MEDIA_BYTES, EncryptedMedia, MediaDownloader, encrypted_media, open_media
from whatsapp_flows.play import FlowPlayer, NotTappable, UploadedFile

Play = Callable[..., Any]

PICKERS: list[dict[str, Any]] = [
    {"type": "PhotoPicker", "name": "photos", "label": "Photos"},
    {"type": "DocumentPicker", "name": "papers", "label": "Papers", "min-uploaded-documents": 0},
]
SENT = {"photos": "${form.photos}", "papers": "${form.papers}"}


def flow(action: str) -> dict[str, Any]:
    footer = {"type": "Footer", "label": "Send", "on-click-action": {"name": action, "payload": SENT}}
    pickers = screen("PICKERS", *PICKERS, footer, terminal=True, success=True)
    return {"version": "7.3", "data_api_version": "3.0", "routing_model": {"PICKERS": []}, "screens": [pickers]}


def test_a_picker_holds_what_is_attached(play: Play, tmp_path: Path) -> None:
    """Bytes get a name that fits the picker; a path has its own; the last attach counts."""
    path = tmp_path / "Passport of Zoë.png"
    path.write_bytes(b"a passport")
    player = play(flow("complete")).attach("photos", b"before")
    player.attach("photos", b"photo", [path, str(path)], UploadedFile(name="x.jpg", size=7))
    player.attach("papers", b"paper")
    held = [(file.name, file.mime_type, file.size) for file in player.field("photos").value]
    assert held == [
        ("photo-1.jpg", "image/jpeg", 5),
        ("Passport of Zoë.png", "image/png", 10),
        ("Passport of Zoë.png", "image/png", 10),
        ("x.jpg", "application/octet-stream", 7),
    ]
    assert [(file.name, file.mime_type) for file in player.field("papers").value] == [
        ("document-1.pdf", "application/pdf")
    ]


def test_an_upload_that_fails_blocks_the_footer(play: Play) -> None:
    """As one that is not done yet."""
    player = play(flow("complete"))
    for state in ("failed", "running"):
        player.attach("photos", UploadedFile(name="x.jpg", state=state))
        with pytest.raises(NotTappable, match="photos"):
            player.tap()
    assert player.attach("photos", b"photo").tap().completed is not None


def test_the_message_names_the_files(play: Play) -> None:
    """With an id that is made up, the type, and the SHA-256 of the content."""
    player = play(flow("complete")).attach("photos", b"photo").tap()
    (photo,) = player.completed["photos"]
    assert photo.keys() == {"id", "mime_type", "sha256", "file_name"}
    assert (photo["file_name"], photo["mime_type"]) == ("photo-1.jpg", "image/jpeg")
    assert photo["sha256"] == b64encode(hashlib.sha256(b"photo").digest()).decode()
    assert photo["id"].isdigit()


def sent_to_a_function(play: Play, *files: Any, **options: Any) -> tuple[Any, tuple[EncryptedMedia, ...]]:
    """The player, and what a function as the endpoint got."""
    seen: list[Any] = []

    def endpoint(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request["data"]["photos"])
        return {"screen": "PICKERS", "data": {}}

    player = play(flow("data_exchange"), endpoint=endpoint, screen="PICKERS", **options).attach("photos", *files).tap()
    return player, encrypted_media(seen[0])


def test_the_endpoint_gets_the_files_encrypted(play: Play) -> None:
    """In the documented form, at an address of the CDN; the player has what would be there."""
    player, media = sent_to_a_function(play, b"one", b"two", b"one", UploadedFile(name="x.jpg", size=3))
    for photo in media:
        MediaDownloader().check(photo)
    contents = [open_media(photo, player.cdn_files[photo.cdn_url]) for photo in media]
    assert contents == [b"one", b"two", b"one", b"\0\0\0"]
    assert [photo.file_name for photo in media] == ["photo-1.jpg", "photo-2.jpg", "photo-3.jpg", "x.jpg"]
    assert len({photo.media_id for photo in media}) == 4
    assert len(player.cdn_files) == 4


def test_two_runs_are_equal(play: Play) -> None:
    """The keys are derived from the file."""
    first, again = sent_to_a_function(play, b"one")[0], sent_to_a_function(play, b"one")[0]
    assert first.requests == again.requests
    assert dict(first.cdn_files) == dict(again.cdn_files)


def test_a_file_over_the_limit_is_not_read(play: Play, tmp_path: Path) -> None:
    """No picker takes it: the Footer stays disabled."""
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_MEDIA_BYTES + 1)
    player = play(flow("complete")).attach("photos", path)
    (held,) = player.field("photos").value
    assert (held.size, held.sha256) == (MAX_MEDIA_BYTES + 1, "")


@pytest.mark.parametrize("kind", PLAYERS)
def test_an_emulator_serves_the_files(kind: str, flow_key_pair: KeyPair, tmp_path: Path) -> None:
    """`upload` says where they are: the handler, or its worker, downloads them over a socket."""
    queue: list[str] = []
    endpoint = FlowEndpoint(private_keys(flow_key_pair), app_secrets="a-secret")

    @endpoint.data_exchange("PICKERS")
    def chosen(request: FlowRequest) -> Show:
        queue.extend(photo.to_json() for photo in request.media("photos"))
        return request.same_screen()

    with Emulator() as meta, MediaDownloader([meta.cdn_url]) as downloader:
        player = PLAYERS[kind](flow("data_exchange"), endpoint=endpoint, upload=meta.add_encrypted_media)
        player.attach("photos", b"a photo").tap()
        (path,) = downloader.save_all(map(EncryptedMedia.from_json, queue), tmp_path)
        player.close()
    assert (path.name, path.read_bytes()) == ("photo-1.jpg", b"a photo")
    assert player.cdn_files == {}


def test_a_running_upload_is_written_as_a_test() -> None:
    """`attach` takes what a picker holds."""
    player = FlowPlayer(flow("complete")).attach("photos", UploadedFile(name="x.jpg", size=1, state="running"))
    assert 'player.attach("photos", UploadedFile(name="x.jpg", size=1, state="running"))' in player.as_test()
