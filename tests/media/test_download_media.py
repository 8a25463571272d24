"""`download_media` of both clients: a file of a response message, and an encrypted one, checked before it is saved."""

from __future__ import annotations

import hashlib
import json
import traceback
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests import misbehaving as bad
from tests.media.support import CONTENT, Upload
from tests.misbehaving import Answer, Received, Server, replies
from tests.support import TOKEN, Scene, answer, refusal
from tests.transport_support import PATIENT, no_wait
from tests.wires import Wire, over_both
from whatsapp_flows import (
    AuthenticationError,
    ConfigurationError,
    FlowsError,
    NoAnswerError,
    NotFoundError,
    RequestStarted,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from whatsapp_flows.media import MediaDownloadError, MediaIntegrityError, MediaRefusedError, ResponseMedia

DIGEST = hashlib.sha256(CONTENT).digest()
ITEM = ResponseMedia(id="1234567890", file_name="../Zoë.jpg", mime_type="image/jpeg", sha256=b64encode(DIGEST).decode())
URL = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1234567890&ext=1&hash=signature"
ENCRYPTED = Upload()


def address(**changes: object) -> Mapping[str, Any]:
    """What Meta says about the file: its SHA-256 in hexadecimal."""
    usual = {"url": URL, "mime_type": "image/jpeg", "sha256": DIGEST.hex(), "file_size": len(CONTENT), "id": ITEM.id}
    return {key: value for key, value in {**usual, **changes}.items() if value is not None}


def asked(**changes: object) -> Any:
    return answer(address(**changes))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ITEM.safe_name


# What is sent


def test_a_file_of_a_message_takes_two_requests(path: Path) -> None:
    """Its address, then the file; both with the token, and the app's proof with the first alone."""
    scene = Scene(asked(), answer(CONTENT), app_secret="s" * 32)
    assert scene.client.download_media(ITEM, path) == len(CONTENT)
    assert path.read_bytes() == CONTENT
    first, second = scene.transport.requests
    assert scene.transport.sent[0] == f"GET {ITEM.id}"
    assert (second.method, second.url, second.proof) == ("GET", URL, {})
    assert first.proof
    assert first.token is not None
    assert second.token is not None
    assert second.token.reveal() == TOKEN


def test_an_encrypted_file_takes_one_request_without_the_token(path: Path) -> None:
    """It has its address and its keys already."""
    scene = Scene(answer(ENCRYPTED.served), app_secret="s" * 32)
    assert scene.client.download_media(ENCRYPTED.item, str(path)) == len(CONTENT)
    assert path.read_bytes() == CONTENT
    (request,) = scene.transport.requests
    assert (request.url, request.token, request.proof) == (ENCRYPTED.url, None, {})


def test_a_file_may_hold_what_looks_like_an_error(path: Path) -> None:
    """The content of a file is not read as an answer of the API."""
    content = json.dumps({"error": {"code": 190, "message": "no error at all"}}).encode()
    item = ResponseMedia(id="1", sha256=hashlib.sha256(content).hexdigest())
    scene = Scene(asked(sha256=None, file_size=None), answer(content))
    assert scene.client.download_media(item, path) == len(content)


def test_events_do_not_show_the_signed_part_of_an_address(path: Path) -> None:
    """Neither that of a file of a message nor that of an encrypted one."""
    for item, script in ((ITEM, [asked(), answer(CONTENT)]), (ENCRYPTED.item, [answer(ENCRYPTED.served)])):
        scene = Scene(*script)
        scene.client.download_media(item, path)
        urls = [event.url for event in scene.events if isinstance(event, RequestStarted)]
        assert "whatsapp" in urls[-1]
        assert "signature" not in str(scene.events)


def test_the_object_that_meta_sends_is_a_file_too(path: Path) -> None:
    """Its shape tells which variant it is."""
    wire = {"file_name": "a", "mime_type": "image/jpeg", "sha256": ITEM.sha256, "id": ITEM.id}
    assert Scene(asked(), answer(CONTENT)).client.download_media(wire, path) == len(CONTENT)
    assert Scene(answer(ENCRYPTED.served)).client.download_media(ENCRYPTED.wire, path) == len(CONTENT)
    for damaged in ({}, {"id": ITEM.id}, {**ENCRYPTED.wire, "encryption_metadata": {}}):
        with pytest.raises(MediaRefusedError, match="the file"):
            Scene().client.download_media(damaged, path)


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/file",
        "https://lookaside.fbsbx.com.evil.example/file",
        "https://evil.example@lookaside.fbsbx.com/file",
        "https://www.fbsbx.com/file",
        "https://mmg.whatsapp.net/file",
        "https://graph.facebook.com/file",
        "http://lookaside.fbsbx.com/file",
        "https://lookaside.fbsbx.com:8443/file",
        "file:///etc/passwd",
    ],
)
def test_the_token_goes_to_no_other_host(url: str, path: Path) -> None:
    """An address of another host is refused, whoever has written it."""
    scene = Scene(asked(url=url))
    with pytest.raises(MediaRefusedError, match="address") as caught:
        scene.client.download_media(ITEM, path)
    assert caught.value.operation == "download_media"
    assert len(scene.transport.requests) == 1
    assert not path.exists()


def test_an_encrypted_file_comes_from_the_cdn_alone(path: Path) -> None:
    """Not from the host that gets the token, and not from an emulator unless the API is one."""
    for url in ("https://lookaside.fbsbx.com/f", "http://localhost:8080/f", "https://graph.facebook.com/f"):
        scene = Scene()
        with pytest.raises(MediaRefusedError, match="address"):
            scene.client.download_media(Upload(url=url).item, path)


def test_other_hosts_can_be_allowed(path: Path) -> None:
    """They replace Meta's."""
    moved = "https://media.example.net/file"
    scene = Scene(asked(url=moved), answer(CONTENT))
    scene.client.download_media(ITEM, path, allowed_hosts=[".example.net"])
    assert scene.transport.requests[1].url == moved
    with pytest.raises(MediaRefusedError):
        Scene(asked()).client.download_media(ITEM, path, allowed_hosts=[".example.net"])


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_address_that_has_expired_is_asked_for_again_once(status: int, path: Path) -> None:
    """Twice is an error that does not blame the token."""
    other = URL.replace("signature", "fresh")
    scene = Scene(asked(), answer(b"expired", status), asked(url=other), answer(CONTENT))
    assert scene.client.download_media(ITEM, path) == len(CONTENT)
    assert [request.url for request in scene.transport.requests][1::2] == [URL, other]
    scene = Scene(*[asked(), answer(b"expired", status)] * 2)
    with pytest.raises(MediaDownloadError, match=f"twice .HTTP {status}") as caught:
        scene.client.download_media(ITEM, path)
    assert caught.value.http_status == status
    assert "7 days" in caught.value.advice


def test_an_id_that_has_expired_is_asked_for_once(path: Path) -> None:
    """Meta's own error is raised."""
    with pytest.raises(NotFoundError):
        Scene(refusal(100, 33)).client.download_media(ITEM, path)
    with pytest.raises(AuthenticationError):
        Scene(refusal(190, status=401)).client.download_media(ITEM, path)


def test_a_host_that_is_down_is_tried_again_with_a_fresh_address(path: Path) -> None:
    """The retry policy of the client applies to both variants."""
    scene = Scene(asked(), answer(b"", 503), asked(), answer(CONTENT))
    scene.client.download_media(ITEM, path)
    assert scene.time.sleeps == [5.0]
    scene = Scene(*[answer(b"", 503)] * 3)
    with pytest.raises(ServiceUnavailableError):
        scene.client.download_media(ENCRYPTED.item, path)


@pytest.mark.parametrize("status", [201, 204, 206, 304])
def test_only_200_is_a_file(status: int, path: Path) -> None:
    """A part of a file is none; and what a person has uploaded is not read as an error, nor shown."""
    content = json.dumps({"error": {"code": 190, "message": "private"}}).encode() if status < 300 else b""
    scripts: list[tuple[Any, list[Any]]] = [(ITEM, [asked()]), (ENCRYPTED.item, [])]
    for item, script in scripts:
        with pytest.raises(UnexpectedResponseError, match=f"HTTP {status}") as caught:
            Scene(*script, answer(content, status)).client.download_media(item, path)
        assert "private" not in str(caught.value)
        assert "A download changes nothing" in caught.value.advice


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (NoAnswerError("silence"), "A download changes nothing"),
        (answer(b"", 503), "A download changes nothing"),
        (answer(b"", 400), "ask the user"),
        (answer(b"", 403), "ask the user"),
        (answer(b"", 404), "ask the user"),
        (answer(b"", 410), "ask the user"),
    ],
    ids=lambda each: None,
)
def test_the_advice_of_a_failure_fits_a_download(failure: Any, advice: str, path: Path) -> None:
    """There is no state to read, no parameter to correct, and the CDN gets no token."""
    with pytest.raises(FlowsError) as caught:
        Scene(*[failure] * 3).client.download_media(ENCRYPTED.item, path)
    assert advice in caught.value.advice


def test_the_advice_of_a_time_out_fits_both_requests_of_a_file(path: Path) -> None:
    """That for the address, and that for the file."""
    for script in ([NoAnswerError("silence")] * 3, [asked(), NoAnswerError("silence")] * 3):
        with pytest.raises(NoAnswerError) as caught:
            Scene(*script).client.download_media(ITEM, path)
        assert "A download changes nothing" in caught.value.advice


# Checks


@pytest.mark.parametrize(
    ("announced", "served", "error", "message"),
    [
        ({}, CONTENT[:-1], MediaIntegrityError, "incomplete"),
        ({"file_size": None}, CONTENT[:-1], MediaIntegrityError, "SHA-256"),
        ({}, CONTENT[:-1] + b"?", MediaIntegrityError, "SHA-256"),
        ({"sha256": None}, CONTENT[:-1] + b"?", MediaIntegrityError, "SHA-256"),
        ({"sha256": "00" * 32}, None, MediaIntegrityError, "another file"),
        ({"sha256": "no hash"}, None, UnexpectedResponseError, "sha256"),
        ({"url": None}, None, UnexpectedResponseError, "no address"),
        ({"url": 7}, None, MediaRefusedError, "no plain URL|not https"),
        ({"file_size": 1001}, None, MediaRefusedError, "more than 1000 bytes"),
        ({"file_size": None}, bytes(1001), MediaRefusedError, "more than 1000 bytes"),
    ],
)
def test_a_file_of_a_message_that_fails_a_check_is_not_saved(
    announced: dict[str, Any], served: bytes | None, error: type[FlowsError], message: str, path: Path
) -> None:
    """By what Meta says about it, before it is downloaded; by its size and its SHA-256, after that."""
    path.write_bytes(b"old")
    scene = Scene(asked(**announced), *([] if served is None else [answer(served)]))
    with pytest.raises(error, match=message):
        scene.client.download_media(ITEM, path, max_bytes=1000)
    assert scene.transport.script == []
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_without_any_hash_is_refused(path: Path) -> None:
    """The hash of Meta's answer is enough, and so is that of the message."""
    for item, announced in ((ResponseMedia(id="1"), {}), (ITEM, {"sha256": None})):
        Scene(asked(**announced), answer(CONTENT)).client.download_media(item, path)
    with pytest.raises(MediaIntegrityError, match="Neither") as caught:
        Scene(asked(sha256=None)).client.download_media(ResponseMedia(id="1"), path)
    assert caught.value.check == "sha256"


@pytest.mark.parametrize(
    ("served", "error", "check"),
    [
        (ENCRYPTED.served[:-3], MediaIntegrityError, "length"),
        (Upload(content=b"another file").served, MediaIntegrityError, "encrypted-hash"),
        (bytes(1043), MediaRefusedError, None),
        (Upload(content=bytes(1002)).served, MediaIntegrityError, "encrypted-hash"),
    ],
)
def test_an_encrypted_file_that_fails_a_check_is_not_saved(
    served: bytes, error: type[FlowsError], check: str | None, path: Path
) -> None:
    """The same checks as those of `MediaDownloader`."""
    with pytest.raises(error) as caught:
        Scene(answer(served)).client.download_media(ENCRYPTED.item, path, max_bytes=1000)
    assert getattr(caught.value, "check", None) == check
    assert list(path.parent.iterdir()) == []


def test_padding_does_not_hide_an_encrypted_file_that_is_too_large(path: Path) -> None:
    """The limit is that of the content."""
    upload = Upload(content=bytes(1001))
    with pytest.raises(MediaRefusedError, match="more than 1000 bytes"):
        Scene(answer(upload.served)).client.download_media(upload.item, path, max_bytes=1000)


@pytest.mark.parametrize(
    ("item", "options", "message"),
    [
        ("1234567890", {}, "item"),
        (None, {}, "item"),
        (ResponseMedia(id="../me"), {}, r"item\.id"),
        (ITEM, {"max_bytes": 0}, "max_bytes"),
        (ITEM, {"allowed_hosts": "lookaside.fbsbx.com"}, "allowed_hosts"),
    ],
)
def test_a_call_that_makes_no_sense_sends_nothing(item: Any, options: dict[str, Any], message: str, path: Path) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match=message):
        Scene().client.download_media(item, path, **options)


@pytest.mark.parametrize("name", ["missing/file", "."])
def test_a_place_that_cannot_be_written_sends_nothing(name: str, tmp_path: Path) -> None:
    """A missing folder, and a folder in place of a file."""
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Scene().client.download_media(ITEM, tmp_path / name)


def test_a_failure_shows_no_address(path: Path) -> None:
    """Not in its text, nor in the local variables of a traceback."""
    for script in ([asked(), answer(b"?" * len(CONTENT))], [asked(), answer(b"")], [asked(file_size=10**9)]):
        with pytest.raises(FlowsError) as caught:
            Scene(*script).client.download_media(ITEM, path)
        inside = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [str(frame.locals) for frame in inside.stack if "/whatsapp_flows/_operations/" in frame.filename]
        assert frames
        assert not [text for text in (str(caught.value), *frames) if "signature" in text or "Zoë" in text]


# Over the wire


@over_both
def test_both_clients_download_both_variants(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is in a header, to the host of the file alone; nothing of it goes to the CDN."""
    bad.forget_environment(monkeypatch)

    def reply(received: Received) -> Answer:
        path = received.target.partition("?")[0]
        if path == "/cdn/file":
            return Answer(CONTENT, headers={"Content-Type": "image/jpeg"})
        if path == "/cdn/encrypted":
            return Answer(ENCRYPTED.served, headers={"Content-Type": "application/octet-stream"})
        url = server.url_at("localhost") + "/cdn/file?hash=signature"
        return Answer(json.dumps(address(url=url)).encode())

    with Server(replies(reply)) as server:
        with wire.client(TOKEN, base_url=server.url, app_secret="s" * 32, timeout=PATIENT, sleep=no_wait) as client:
            assert client.download_media(ITEM, tmp_path / "a") == len(CONTENT)
            item = Upload(url=server.url_at("localhost") + "/cdn/encrypted?oh=signature").item
            assert client.download_media(item, tmp_path / "b") == len(CONTENT)
        asked_for, file, encrypted = server.requests
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == CONTENT
    assert asked_for.headers["authorization"] == file.headers["authorization"] == f"Bearer {TOKEN}"
    assert "appsecret_proof" in asked_for.target
    assert file.target == "/cdn/file?hash=signature"
    assert encrypted.target == "/cdn/encrypted?oh=signature"
    assert "authorization" not in encrypted.headers
    assert file.headers["accept-encoding"] == encrypted.headers["accept-encoding"] == "identity"


@over_both
@pytest.mark.parametrize("length", ["Content-Length: 16777216", "Connection: close"])
def test_no_more_is_read_than_the_limit(
    length: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that goes on and on is given up after `max_bytes` and the 64 KiB that an error may have."""
    bad.forget_environment(monkeypatch)
    taken: list[int] = []

    def serve(connection: bad.Connection) -> bool:
        received = connection.receive()
        if received is None:
            return False
        if not received.target.startswith("/cdn"):
            url = server.url_at("localhost") + "/cdn/file"
            connection.send(Answer(json.dumps(address(url=url, file_size=None)).encode()).encoded())
            return True
        taken.append(0)
        with suppress(OSError):
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n{length}\r\n\r\n".encode())
            for _ in range(256):
                connection.send(bytes(65536))
                taken[-1] += 65536
        return False

    with Server(bad.Behaviour("endless", serve)) as server:
        encrypted = Upload(url=server.url_at("localhost") + "/cdn/encrypted").item
        with wire.client(TOKEN, base_url=server.url, timeout=PATIENT, sleep=no_wait) as client:
            for item in (ITEM, encrypted):
                with pytest.raises(MediaRefusedError, match="more than 1000 bytes"):
                    client.download_media(item, tmp_path / "a", max_bytes=1000)
    assert len(taken) == 2
    assert max(taken) < 16 * 2**20  # the connection was closed before the end
    assert list(tmp_path.iterdir()) == []


@over_both
def test_an_error_may_be_longer_than_the_file(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small limit of the file does not hide what the CDN says."""
    bad.forget_environment(monkeypatch)
    with (
        Server(bad.answers(b"<html>" + b"x" * 20_000, 404)) as server,
        wire.client(TOKEN, base_url=server.url, timeout=PATIENT, sleep=no_wait) as client,
    ):
        item = Upload(url=server.url_at("localhost") + "/cdn/encrypted").item
        with pytest.raises(NotFoundError, match="404"):
            client.download_media(item, tmp_path / "a", max_bytes=10)


@over_both
def test_a_redirect_is_not_followed(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with the token nor without: the place that it names gets no request."""
    bad.forget_environment(monkeypatch)
    with Server(bad.answers(CONTENT)) as target:

        def reply(received: Received) -> Answer:
            if received.target.startswith("/cdn"):
                return Answer(b"", 302, {"Location": target.url + "/file"})
            return Answer(json.dumps(address(url=server.url_at("localhost") + "/cdn/file")).encode())

        with (
            Server(replies(reply)) as server,
            wire.client(TOKEN, base_url=server.url, timeout=PATIENT, sleep=no_wait) as client,
        ):
            for item in (ITEM, Upload(url=server.url_at("localhost") + "/cdn/encrypted").item):
                with pytest.raises(FlowsError, match="302"):
                    client.download_media(item, tmp_path / "a")
        assert target.requests == ()
    assert list(tmp_path.iterdir()) == []
