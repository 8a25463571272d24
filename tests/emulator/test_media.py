"""Files that people have uploaded: added by a test, downloaded by the clients and by `MediaDownloader`."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from whatsapp_flows import FlowsClient, NotFoundError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.emulator.graph._state import MediaRecord, World
from whatsapp_flows.media import (
    MediaDownloader,
    MediaDownloadError,
    encrypted_media,
    open_media,
    response_media,
)

CONTENT = b"\x89PNG of somebody"
DAY = 24 * 3600.0


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def get(url: str, token: str = "") -> tuple[int, bytes]:
    """A plain request, without the package."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def test_a_file_of_a_message_is_downloaded_with_the_token(tmp_path: Path) -> None:
    """The wire form is that of a response message; both requests carry the token, and none is a leak."""
    with Emulator(tokens=["token"], app_secret="s" * 32) as meta:
        wire = meta.add_media(CONTENT, file_name="../a.png", mime_type="image/png")
        assert wire.keys() == {"id", "file_name", "mime_type", "sha256"}
        (item,) = response_media([wire])
        with FlowsClient("token", base_url=meta.url, app_secret="s" * 32) as client:
            assert client.download_media(item, tmp_path / item.safe_name) == len(CONTENT)
        assert (tmp_path / "a.png").read_bytes() == CONTENT
        asked, file = meta.requests
        assert [asked.operation, file.operation] == ["download_media"] * 2
        assert asked.headers["Host"] != file.headers["Host"]
        assert "appsecret_proof" not in file.query
        assert meta.leaks == ()


def test_an_encrypted_file_is_downloaded_without_the_token(tmp_path: Path) -> None:
    """By a client, by `MediaDownloader`, and by hand."""
    with Emulator(tokens=["token"]) as meta:
        wire = meta.add_encrypted_media(CONTENT, file_name="a.pdf")
        (item,) = encrypted_media([wire])
        with FlowsClient("token", base_url=meta.url) as client:
            assert client.download_media(item, tmp_path / item.safe_name) == len(CONTENT)
        with MediaDownloader([meta.cdn_url]) as downloader:
            assert downloader.read(item) == CONTENT
        assert open_media(item, get(item.cdn_url)[1]) == CONTENT
        assert meta.leaks == ()
        assert get(item.cdn_url, token="token")[0] == 400
        assert len(meta.leaks) == 1


def test_files_have_keys_of_their_own_that_a_seed_repeats() -> None:
    """No two files share a key; another emulator with the same seed has the same ones."""
    with Emulator() as one, Emulator() as same, Emulator(seed=1) as other:
        wires = [one.add_encrypted_media(CONTENT), one.add_encrypted_media(CONTENT)]
        wires += [same.add_encrypted_media(CONTENT), other.add_encrypted_media(CONTENT)]
    keys = [wire["encryption_metadata"]["encryption_key"] for wire in wires]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3


def test_an_address_works_with_the_token_for_a_while() -> None:
    """Not without the token, not with another, not with a changed signature, and not after its lifetime."""
    clock = Clock()
    with Emulator(tokens=["token"], clock=clock, download_lifetime=300) as meta:
        media_id = meta.add_media(CONTENT)["id"]
        status, body = get(f"{meta.url}/v25.0/{media_id}?fields=url", token="token")
        assert status == 200
        url = body.decode().split('"url":"')[1].split('"')[0].replace("\\/", "/")
        assert get(url, token="token") == (200, CONTENT)
        assert get(url)[0] == 401
        assert get(url, token="another")[0] == 401
        assert get(url + "0", token="token")[0] == 403
        assert get(url.replace("/media/", "/encrypted/"))[0] == 403
        clock.now += 301
        assert get(url, token="token")[0] == 404


def test_an_id_is_good_for_seven_days_and_an_encrypted_file_for_twenty(tmp_path: Path) -> None:
    """By the emulator's clock."""
    clock = Clock()
    with Emulator(clock=clock) as meta, FlowsClient("token", base_url=meta.url) as client:
        (item,), (encrypted,) = (
            response_media([meta.add_media(CONTENT)]),
            encrypted_media([meta.add_encrypted_media(b"")]),
        )
        clock.now += 7 * DAY
        client.download_media(item, tmp_path / "a")
        clock.now += 1
        with pytest.raises(NotFoundError):
            client.download_media(item, tmp_path / "a")
        clock.now += 13 * DAY - 1
        with MediaDownloader([meta.cdn_url]) as downloader:
            assert downloader.read(encrypted) == b""
            clock.now += 1
            with pytest.raises(MediaDownloadError, match="HTTP 404"):
                downloader.read(encrypted)


def test_faults_apply_to_downloads(tmp_path: Path) -> None:
    """They are named as the client's method, and count each request."""
    with Emulator() as meta, FlowsClient("token", base_url=meta.url, sleep=lambda _: None) as client:
        (item,) = response_media([meta.add_media(CONTENT)])
        meta.fail("download_media", status=503, times=1)
        assert client.download_media(item, tmp_path / "a") == len(CONTENT)
        assert [request.status for request in meta.requests] == [503, 200, 200]


def test_files_survive_in_the_database(tmp_path: Path) -> None:
    """Content and kind."""
    database = tmp_path / "meta.db"
    with Emulator(database=database) as meta:
        wire, secret = meta.add_media(CONTENT), meta.add_encrypted_media(CONTENT)
        port = int(meta.url.rpartition(":")[2])
    with Emulator(database=database, port=port) as meta, FlowsClient("token", base_url=meta.url) as client:
        for items in (response_media([wire]), encrypted_media([secret])):
            assert client.download_media(items[0], tmp_path / "a") == len(CONTENT)


@pytest.mark.parametrize("path", ["/cdn/media/1", "/cdn/encrypted/1?oe=0&oh=0", "/cdn/encrypted", "/cdn/media"])
def test_nothing_is_served_without_a_signature(path: str) -> None:
    """The answer is no error of Graph: it is another host's."""
    with Emulator() as meta:
        token = "token" if "media" in path else ""
        assert get(meta.url + path, token)[0] == 403


def test_an_encrypted_file_is_no_node() -> None:
    """Its id is no id of Graph."""
    with Emulator() as meta:
        media_id = meta.add_encrypted_media(CONTENT)["media_id"]
        assert get(f"{meta.url}/v25.0/{media_id}", token="token")[0] == 400


def test_files_are_for_an_account_that_exists() -> None:
    """LookupError, as for everything else that is added."""
    with Emulator() as meta, pytest.raises(LookupError):
        meta.add_media(CONTENT, waba_id="1")


def test_the_oldest_files_are_dropped() -> None:
    """1,000 are kept."""
    world = World()
    for number in range(1002):
        world = world.with_media(MediaRecord(id=str(number), waba_id="1", added_at=0, mime_type="image/png"))
    assert (len(world.media), next(iter(world.media))) == (1000, "2")
