"""Downloads from a real server with TLS: what is given out has passed every check, whatever the server does."""

from __future__ import annotations

import gzip
import traceback
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests import misbehaving as bad
from tests.media.support import CONTENT, ENCRYPTION_KEY, HMAC_KEY, Upload
from tests.misbehaving import Behaviour, Connection, Server, answers
from whatsapp_flows import ConfigurationError, Timeout
from whatsapp_flows.media import (
    MAX_MEDIA_BYTES,
    EncryptedMedia,
    MediaDownloader,
    MediaDownloadError,
    MediaError,
    MediaIntegrityError,
    MediaRefusedError,
    ResponseMedia,
    encrypted_media,
)

FILE = Upload()
PATH = "/v/file.enc?oh=01_signature"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


@pytest.fixture
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[requests.Session]:
    """A session that trusts the servers of these tests."""
    with requests.Session() as session:
        session.verify = bad.certificate_file(tmp_path_factory.mktemp("trust"))
        yield session


@contextmanager
def served(
    session: requests.Session, *behaviours: Behaviour, **options: object
) -> Iterator[tuple[Server, MediaDownloader]]:
    """A server, and a downloader that is allowed to use it."""
    with Server(*behaviours) as server:
        allowed = [server.url_at("localhost")]
        with MediaDownloader(allowed, session=session, **options) as downloader:  # type: ignore[arg-type]
            yield server, downloader


def item_at(server: Server, upload: Upload = FILE) -> EncryptedMedia:
    """The file, at the server."""
    return encrypted_media([{**upload.wire, "cdn_url": server.url_at("localhost") + PATH}])[0]


def cdn(upload: Upload = FILE) -> Behaviour:
    """Serves the file."""
    return answers(upload.served, headers={"Content-Type": "application/octet-stream"}, secured=True)


def raw(content: bytes, *, stays: bool = False) -> Behaviour:
    """Sends these bytes after a request, and closes the connection, or waits until the client does."""

    def act(connection: Connection) -> bool:
        if connection.receive() is not None:
            connection.send(content)
            if stays:
                connection.wait_for_the_end()
        return False

    return Behaviour("raw", act, "https", secured=True)


# What a download is


def test_a_file_is_read_and_saved(session: requests.Session, tmp_path: Path) -> None:
    """The content in memory and on disk; `save` returns its size and replaces what was there."""
    path = tmp_path / FILE.item.safe_name
    path.write_bytes(b"old")
    with served(session, cdn()) as (server, downloader):
        assert downloader.read(item_at(server)) == CONTENT
        assert downloader.save(item_at(server), str(path)) == len(CONTENT)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_download_carries_no_credential(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither netrc nor the session's own `auth` or header is sent; no compression is asked for."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session.auth = ("me", "secret")
    session.headers["Authorization"] = "Bearer secret"
    with served(session, cdn()) as (server, downloader):
        downloader.read(item_at(server))
        (request,) = server.requests
    assert (request.method, request.target) == ("GET", PATH)
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("whatsapp-flows-sdk/")
    assert not {"authorization", "cookie", "referer"} & request.headers.keys()
    assert "secret" not in request.raw_head.decode()


def test_a_downloader_of_its_own_uses_the_ca_bundle_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a session it trusts what the clients trust, and keeps its connection for the next file."""
    with Server(cdn()) as server:
        item = item_at(server)
        with (
            MediaDownloader([server.url_at("localhost")]) as stranger,
            pytest.raises(MediaDownloadError, match="certif"),
        ):
            stranger.read(item)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))
        with MediaDownloader([server.url_at("localhost")]) as downloader:
            assert downloader.read(item) == downloader.read(item) == CONTENT
        assert len(server.requests) == 2
        assert server.connections == 2  # the refused handshake, and one for both files


def test_threads_share_a_downloader(session: requests.Session, tmp_path: Path) -> None:
    """Many downloads at a time, each to its own file."""
    with served(session, cdn()) as (server, downloader), ThreadPoolExecutor(4) as pool:
        paths = [tmp_path / str(number) for number in range(8)]
        assert list(pool.map(lambda path: downloader.save(item_at(server), path), paths)) == [len(CONTENT)] * 8
    assert {path.read_bytes() for path in paths} == {CONTENT}


def test_memory_does_not_grow_with_the_file(session: requests.Session, tmp_path: Path) -> None:
    """`save` holds less than a megabyte of a file of three."""
    large = Upload(content=bytes(3 * 2**20))
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large.served), memoryview(large.served)

    def act(connection: Connection) -> bool:
        if connection.receive() is not None:
            connection.send(head)
            for start in range(0, len(body), 65536):
                connection.send(body[start : start + 65536])  # type: ignore[arg-type]
        return False

    with served(session, Behaviour("a large file", act, "https", secured=True)) as (server, downloader):
        item = item_at(server, large)
        tracemalloc.start()
        try:
            assert downloader.save(item, tmp_path / "large") == 3 * 2**20
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()


# What is refused before anything is sent


@pytest.mark.parametrize(
    "url", ["https://evil.example/f", "http://mmg.whatsapp.net/f", "https://169.254.169.254/latest"]
)
def test_an_address_that_is_not_allowed_gets_no_request(url: str, tmp_path: Path) -> None:
    """All methods refuse it, before a name is resolved or a file is opened."""
    item = Upload(url=url).item
    with MediaDownloader() as downloader:
        for attempt in (
            lambda: downloader.check(item),
            lambda: downloader.read(item),
            lambda: downloader.save(item, tmp_path / "missing" / "f"),
        ):
            with pytest.raises(MediaRefusedError, match="address"):
                attempt()


def test_one_hostile_address_among_thirty_sends_nothing(session: requests.Session, tmp_path: Path) -> None:
    """`save_all` checks all addresses first."""
    with served(session, cdn()) as (server, downloader):
        items = [*[item_at(server)] * 29, Upload(url="https://evil.example/f").item]
        with pytest.raises(MediaRefusedError, match=r"evil\.example"):
            downloader.save_all(items, tmp_path)
        assert server.requests == ()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_response_message_is_for_the_client(tmp_path: Path) -> None:
    """The error names the method that takes it."""
    item = ResponseMedia(id="1")
    with MediaDownloader() as downloader:
        for attempt in (downloader.check, downloader.read):
            with pytest.raises(MediaRefusedError, match=r"client\.download_media"):
                attempt(item)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"max_bytes": 0}, {"max_bytes": True}, {"timeout": 0}, {"timeout": "10"}, {"timeout": None},
     {"allowed_hosts": ".whatsapp.net"}, {"session": "session"}],
)  # fmt: skip
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    """The constructor says so."""
    with pytest.raises(ConfigurationError):
        MediaDownloader(**options)  # type: ignore[arg-type]


def test_the_defaults_are_those_of_the_pickers() -> None:
    """25 MiB from whatsapp.net within 10 seconds; a `Timeout` has a total of its own."""
    with MediaDownloader() as downloader:
        assert (
            repr(downloader) == f"MediaDownloader(allowed_hosts=('.whatsapp.net',), max_bytes={25 * 2**20}, timeout=10)"
        )
    with MediaDownloader(timeout=Timeout(connect=1, read=2, total=30)) as downloader:
        assert "timeout=30" in repr(downloader)
    assert MAX_MEDIA_BYTES == 25600 * 1024


# What the server may do


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(session: requests.Session, status: int) -> None:
    """Nothing is sent to the place that it names, allowed or not."""
    with Server(cdn()) as target:
        away = answers(b"", status, {"Location": target.url_at("localhost") + PATH}, secured=True)
        with served(session, away) as (server, downloader), pytest.raises(MediaRefusedError, match=f"HTTP {status}"):
            downloader.read(item_at(server))
        assert target.requests == ()


@pytest.mark.parametrize("status", [201, 204, 206, 400, 403, 404, 410, 429, 500, 503])
def test_only_200_is_an_answer(session: requests.Session, status: int) -> None:
    """Any other status is an error; that of a failed download names it."""
    behaviour = answers(FILE.served if status != 204 else b"", status, secured=True)
    with (
        served(session, behaviour) as (server, downloader),
        pytest.raises(MediaDownloadError, match=f"HTTP {status}") as caught,
    ):
        downloader.read(item_at(server))
    assert caught.value.http_status == status


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNK = b"10000\r\n" + bytes(65536) + b"\r\n"


def flood(connection: Connection) -> bool:
    """Chunks without an end, until the client has closed."""
    if connection.receive() is not None:
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.send(CHUNK)  # raises once the client is gone
    return False


@pytest.mark.parametrize(
    ("behaviour", "error", "message"),
    [
        (raw(HEAD + b"Content-Length: 1043\r\n\r\n", stays=True), MediaRefusedError, "more than 1000 bytes"),
        (raw(HEAD + b"Content-Length: %d\r\n\r\n" % 10**30, stays=True), MediaRefusedError, "more than 1000 bytes"),
        (raw(HEAD + b"\r\n" + bytes(1043)), MediaRefusedError, "more than 1000 bytes"),
        (Behaviour("a flood", flood, "https", secured=True), MediaRefusedError, "more than 1000 bytes"),
        (raw(HEAD + b"Content-Length: 500\r\n\r\n" + FILE.served), MediaDownloadError, "localhost"),
        (raw(HEAD + b"Content-Length: 26\r\n\r\n" + FILE.served), MediaIntegrityError, "SHA-256"),
        (raw(HEAD + b"Content-Length: 27\r\n\r\n" + FILE.served), MediaIntegrityError, "incomplete"),
        (raw(HEAD + b"Content-Length: 0\r\n\r\n"), MediaIntegrityError, "incomplete"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + bytes(9)), MediaDownloadError, "localhost"),
        (raw(b"\x00\xff not HTTP\r\n\r\n"), MediaDownloadError, "localhost"),
    ],
)  # fmt: skip
def test_a_length_that_lies_is_found(
    session: requests.Session, behaviour: Behaviour, error: type[MediaError], message: str
) -> None:
    """Too much is refused as soon as it is announced or has arrived; too little never passes for the file."""
    with served(session, behaviour, max_bytes=1000) as (server, downloader):
        with pytest.raises(error, match=message):
            downloader.read(item_at(server))
        assert server.all_connections_end()


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False), (1008, False), (992, True)])
def test_the_size_is_that_of_the_content(session: requests.Session, size: int, fits: bool) -> None:
    """Padding and MAC do not count."""
    upload = Upload(content=bytes(size))
    with served(session, cdn(upload), max_bytes=1000) as (server, downloader):
        if fits:
            assert downloader.read(item_at(server, upload)) == upload.content
        else:
            with pytest.raises(MediaRefusedError, match="more than 1000 bytes"):
                downloader.read(item_at(server, upload))


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_answer_is_refused(session: requests.Session, coding: str) -> None:
    """None was asked for, so that nothing is expanded."""
    bomb = answers(gzip.compress(bytes(2**20)), headers={"Content-Encoding": coding}, secured=True)
    with served(session, bomb) as (server, downloader), pytest.raises(MediaDownloadError, match="compressed"):
        downloader.read(item_at(server))


def test_identity_is_no_coding(session: requests.Session) -> None:
    """A header that says so changes nothing."""
    plain = answers(FILE.served, headers={"Content-Encoding": "identity"}, secured=True)
    with served(session, plain) as (server, downloader):
        assert downloader.read(item_at(server)) == CONTENT


@pytest.mark.parametrize(
    "behaviour",
    [
        *(bad.TLS_CUT, bad.TLS_RESET, bad.TLS_CLOSE_AFTER_REQUEST, bad.TLS_SHORT_BODY),
        *(bad.TLS_DAMAGED_ANSWER, bad.TLS_DAMAGED_BODY, bad.NO_TLS),
    ],
    ids=str,
)
def test_a_broken_connection_is_a_failed_download(
    session: requests.Session, behaviour: Behaviour, tmp_path: Path
) -> None:
    """Whatever breaks, and whenever: one error, and no file."""
    with served(session, behaviour) as (server, downloader), pytest.raises(MediaDownloadError, match="localhost"):
        downloader.save(item_at(server), tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


DRIPPING = next(each for each in bad.DRIPPING if each.secured)


@pytest.mark.parametrize("behaviour", [DRIPPING, bad.TLS_SILENCE_AFTER_REQUEST, bad.TLS_SILENCE], ids=str)
def test_a_slow_cdn_is_given_up(session: requests.Session, behaviour: Behaviour, tmp_path: Path) -> None:
    """`timeout` limits the whole download: a byte now and then does not prolong it."""
    with (
        served(session, behaviour, timeout=0.15) as (server, downloader),
        pytest.raises(MediaDownloadError, match="localhost"),
    ):
        downloader.save(item_at(server), tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_refuses_is_a_failed_download(session: requests.Session) -> None:
    """Nothing was sent, and nothing is repeated."""
    with bad.refusing() as url:
        origin = url.replace("http:", "https:")
        item = encrypted_media([{**FILE.wire, "cdn_url": f"{origin}/f"}])[0]
        with MediaDownloader([origin], session=session) as downloader, pytest.raises(MediaDownloadError):
            downloader.read(item)


# What is saved, and what an error shows


@pytest.mark.parametrize(
    ("check", "upload", "answer"),
    [
        ("length", FILE, FILE.served[:-3]),
        ("encrypted-hash", FILE, FILE.served[:-16]),
        ("encrypted-hash", FILE, Upload(content=b"somebody else's file").served),
        ("mac", Upload(more={"hmac_key": b64encode(bytes(32)).decode()}), FILE.served),
        ("padding", Upload(more={"encryption_key": b64encode(bytes(32)).decode()}), FILE.served),
        ("plaintext-hash", Upload(more={"plaintext_hash": b64encode(bytes(32)).decode()}), FILE.served),
    ],
)
def test_a_file_that_fails_a_check_does_not_appear(
    session: requests.Session, check: str, upload: Upload, answer: bytes, tmp_path: Path
) -> None:
    """The folder is as before: no new file, no temporary one, and an old file keeps its content."""
    old = tmp_path / "old"
    old.write_bytes(b"old")
    with served(session, answers(answer, secured=True)) as (server, downloader):
        item = item_at(server, upload)
        for path in (tmp_path / "new", old):
            with pytest.raises(MediaIntegrityError) as caught:
                downloader.save(item, path)
            assert caught.value.check == check
        with pytest.raises(MediaIntegrityError):
            downloader.read(item)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["missing/f", "."])
def test_a_place_that_cannot_be_written_costs_no_download(session: requests.Session, name: str, tmp_path: Path) -> None:
    """A missing folder, and a folder in place of a file."""
    with served(session, cdn()) as (server, downloader):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            downloader.save(item_at(server), tmp_path / name)
        assert server.requests == ()


def test_the_files_of_a_picker_are_saved_one_after_the_other(session: requests.Session, tmp_path: Path) -> None:
    """Each under its own safe name, in order, on one connection."""
    names = ["a.jpg", "../A.JPG", "a.jpg", "C:\\photos\\b.jpg", ".."]
    with served(session, cdn()) as (server, downloader):
        wires = [{**FILE.wire, "cdn_url": server.url_at("localhost") + PATH, "file_name": name} for name in names]
        items = [*encrypted_media(wires), *encrypted_media(wires[:1])]  # of two pickers
        paths = downloader.save_all(items, tmp_path)
        assert server.connections == 1
    assert [path.name for path in paths] == ["a.jpg", "A-2.JPG", "a-3.jpg", "b.jpg", "file", "a-4.jpg"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert {path.read_bytes() for path in paths} == {CONTENT}


def test_the_files_before_one_that_fails_stay(session: requests.Session, tmp_path: Path) -> None:
    """The error is that of the file; nothing after it is downloaded."""
    with served(session, cdn(), answers(b"gone", 404, secured=True)) as (server, downloader):
        wires = [{**FILE.wire, "cdn_url": server.url_at("localhost") + PATH, "file_name": name} for name in "abc"]
        with pytest.raises(MediaDownloadError, match="HTTP 404"):
            downloader.save_all(encrypted_media(wires), tmp_path)
        assert len(server.requests) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


SECRETS = (
    b64encode(ENCRYPTION_KEY).decode(),
    b64encode(HMAC_KEY).decode(),
    repr(ENCRYPTION_KEY)[2:-1],
    repr(HMAC_KEY)[2:-1],
    "01_signature",
    "Zoë",
    "hello flows",
)


FORGED = Upload(file=FILE.served[:-10] + bytes(10))


@pytest.mark.parametrize(
    ("upload", "behaviour"),
    [
        (FILE, cdn(Upload(content=b"another file"))),
        (FORGED, cdn(FORGED)),
        (FILE, answers(b"hello flows", 404, secured=True)),
        (FILE, bad.TLS_SHORT_BODY),
        (FILE, bad.TLS_CUT),
        (FILE, answers(b"", 302, {"Location": "https://evil.example/01_signature"}, secured=True)),
    ],
)
def test_an_error_shows_neither_keys_nor_the_name_nor_the_address(
    session: requests.Session, upload: Upload, behaviour: Behaviour
) -> None:
    """Not in its text, not in its repr, and not in a traceback with local variables; it keeps no other error alive."""
    with served(session, behaviour) as (server, downloader):
        item = item_at(server, upload)
        with pytest.raises(MediaError) as caught:
            downloader.read(item)
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    inside = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in inside.stack if "/whatsapp_flows/" in frame.filename]
    assert frames
    texts = [str(error), repr(error), *(str(frame.locals) for frame in frames)]
    assert not [(secret, text) for secret in SECRETS for text in texts if secret in text]
