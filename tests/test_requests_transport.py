"""
The transport on requests: what each failure means, which settings of the host's session apply, where the token goes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from tests import misbehaving as bad
from tests.misbehaving import Behaviour, Server, answers
from tests.transport_support import (
    APP_SECRET,
    DOCUMENT,
    FLOW_ID,
    OURS,
    PATIENT,
    PROCESSING_FAILED,
    TOKEN,
    UPLOAD_PATH,
    assert_is,
    assets_at,
    no_wait,
    request_to,
)
from whatsapp_flows import (
    ConfigurationError,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    InvalidRequestError,
    NoAnswerError,
    NotSentError,
    RequestsTransport,
    ServiceUnavailableError,
    Timeout,
    TlsError,
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def client_for(url: str, session: requests.Session | None = None, **options: Any) -> FlowsClient:
    usual: dict[str, Any] = {"base_url": url, "session": session, "timeout": PATIENT, "sleep": no_wait}
    return FlowsClient(TOKEN, "102290129340398", **{**usual, **options})


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session of the host's."""
    with requests.Session() as session:
        yield session


Send = Callable[[str, requests.Session, Timeout], object]


def by_client(url: str, session: requests.Session, timeout: Timeout) -> object:
    client = client_for(url, session, timeout=timeout)
    return client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)


def by_transport(url: str, session: requests.Session, timeout: Timeout) -> object:
    request = request_to(url + UPLOAD_PATH, body=DOCUMENT.encode())
    return RequestsTransport(session).send(request, timeout=timeout)


both_ways = pytest.mark.parametrize("send", [by_client, by_transport])


@pytest.mark.parametrize(
    "retries", [Retry(total=1), Retry(total=None, connect=1, read=1), Retry(total=1, allowed_methods=None)], ids=str
)
def test_a_retry_inside_the_hosts_adapter_may_have_acted(retries: Retry, session: requests.Session) -> None:
    """The adapter's first try reached the server and its second was refused: the server may have acted."""
    session.mount("http://", HTTPAdapter(max_retries=retries))
    with (
        Server(bad.RESET_AFTER_REQUEST, connections=1) as server,
        client_for(server.url, session, max_attempts=1) as client,
        pytest.raises(FlowsError) as caught,
    ):
        client.delete_flow(FLOW_ID)
    assert len(server.requests) == 1
    assert caught.value.may_have_acted


@pytest.mark.parametrize("streaming", [False, True])
def test_a_session_with_stream_still_gives_whole_responses(streaming: bool, session: requests.Session) -> None:
    """With `session.stream` the transport reads the body, and translates its failures."""
    session.stream = streaming
    transport = RequestsTransport(session)
    with Server(answers(b"whole"), bad.SHORT_BODY) as server:
        assert transport.send(request_to(server.url), timeout=PATIENT).body == b"whole"
        with pytest.raises(NoAnswerError):
            transport.send(request_to(server.url), timeout=PATIENT)


@both_ways
@pytest.mark.parametrize(("attribute", "content"), [("verify", None), ("cert", None), ("verify", "no certificate")])
def test_a_missing_certificate_is_a_tls_error(
    attribute: str, content: str | None, send: Send, session: requests.Session, tmp_path: Path
) -> None:
    """A CA bundle or a client certificate that is missing or invalid: nothing is sent, and a retry does not help."""
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    setattr(session, attribute, str(path))
    with Server(answers(secured=True)) as server, pytest.raises(FlowsError) as caught:
        send(server.url, session, PATIENT)
    assert type(caught.value) is TlsError
    assert "127.0.0.1:" in caught.value.message
    assert server.requests == ()


# Connections


def test_the_hosts_session_stays_open(session: requests.Session) -> None:
    """Leaving the client's context does not close the host's session."""
    with Server(answers()) as server:
        for _ in range(2):
            with client_for(server.url, session) as client:
                client.publish_flow(FLOW_ID)
        assert session.get(server.url, timeout=30).ok
    assert (len(server.requests), server.connections) == (3, 1)


# Redirects


# Settings of the host's session


class Recorder(BaseAdapter):
    """An adapter of the host's: answers 200 and records its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[requests.PreparedRequest, Mapping[str, Any]]] = []
        self.closed = False

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        assert not args
        self.sent.append((request, options))
        answer = requests.Response()
        answer.status_code = 200
        answer.raw = io.BytesIO(b'{"success": true}')
        answer.request = request
        answer.url = request.url or ""
        return answer

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorder(session: requests.Session) -> Recorder:
    adapter = Recorder()
    session.mount("https://", adapter)
    return adapter


def publish(session: requests.Session, url: str = "https://graph.facebook.com") -> None:
    client_for(url, session).publish_flow(FLOW_ID)


def test_a_mounted_adapter_is_used(session: requests.Session, recorder: Recorder) -> None:
    """With the client's timeouts, without redirects, and only for the prefix that it is mounted for."""
    with client_for("https://graph.facebook.com", session, timeout=Timeout(connect=3, read=7)) as client:
        client.publish_flow(FLOW_ID)
    ((request, options),) = recorder.sent
    assert (request.method, request.url) == ("POST", f"https://graph.facebook.com/v25.0/{FLOW_ID}/publish")
    assert options["timeout"] == (3, 7)
    assert request.headers["Content-Length"] == "0"
    assert not recorder.closed


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("verify", False),
        ("verify", "/etc/ssl/ours.pem"),
        ("cert", "/etc/ssl/client.pem"),
        ("cert", ("/etc/ssl/client.pem", "/etc/ssl/client.key")),
    ],
    ids=repr,
)
def test_verify_and_cert_are_passed_on(
    attribute: str, value: object, session: requests.Session, recorder: Recorder
) -> None:
    """In every form that requests documents."""
    setattr(session, attribute, value)
    publish(session)
    assert recorder.sent[0][1][attribute] == value


def test_verify_is_on_by_default(session: requests.Session, recorder: Recorder) -> None:
    """An unchanged session verifies certificates."""
    publish(session)
    assert recorder.sent[0][1]["verify"] is True


def test_a_change_of_the_session_applies_from_the_next_request_on(
    session: requests.Session, recorder: Recorder
) -> None:
    """Cached settings are dropped when a value that they depend on changes."""
    client = client_for("https://graph.facebook.com", session)
    for proxies, verify, cert in (
        ({}, True, None),
        ({"https": "http://one"}, True, None),
        ({"https": "http://two"}, True, None),
        ({"https": "http://two"}, "/ours.pem", None),
        ({"https": "http://two"}, "/ours.pem", "/client.pem"),
        ({}, True, None),
    ):
        session.proxies, session.verify, session.cert = proxies, verify, cert
        client.publish_flow(FLOW_ID)
        options = recorder.sent[-1][1]
        assert (options["proxies"], options["verify"], options["cert"]) == (proxies, verify, cert)


def test_a_session_that_does_not_trust_the_environment_ignores_it(
    session: requests.Session, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trust_env = False` applies to proxies and CA bundles, also when it changes between two requests."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ours.pem")
    client = client_for("https://graph.facebook.com", session)
    client.publish_flow(FLOW_ID)
    session.trust_env = False
    client.publish_flow(FLOW_ID)
    trusting, distrusting = (options for _, options in recorder.sent)
    assert (dict(trusting["proxies"]), trusting["verify"]) == ({"https": "http://127.0.0.1:9"}, "/ours.pem")
    assert (dict(distrusting["proxies"]), distrusting["verify"]) == ({}, True)


def test_the_sessions_proxy_is_used(session: requests.Session) -> None:
    """The proxy gets the whole URL; there is no connection to the server itself."""
    with Server(answers()) as server, Server(answers()) as proxy:
        session.proxies = {"http": proxy.url}
        publish(session, server.url)
        (received,) = proxy.requests
        assert received.target == f"{server.url}/v25.0/{FLOW_ID}/publish"
    assert server.connections == 0


def test_a_session_class_with_its_own_settings_is_asked_each_time() -> None:
    """The settings of a subclass that overrides `merge_environment_settings` are never cached."""

    class Session(requests.Session):
        asked = 0

        def merge_environment_settings(self, *args: Any, **options: Any) -> Any:
            self.asked += 1
            return {**super().merge_environment_settings(*args, **options), "verify": f"/bundle-{self.asked}.pem"}

    with Session() as session:
        recorder = Recorder()
        session.mount("https://", recorder)
        publish(session)
        publish(session)
    assert [options["verify"] for _, options in recorder.sent] == ["/bundle-1.pem", "/bundle-2.pem"]


def test_a_session_class_with_its_own_send_is_used() -> None:
    """Instrumentation that overrides or patches `Session.send` sees every request."""

    class Session(requests.Session):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            request.headers["X-Trace"] = "42"
            assert options["allow_redirects"] is False
            return super().send(request, **options)

    with Server(answers()) as server, Session() as session:
        publish(session, server.url)
    assert server.requests[0].headers["x-trace"] == "42"


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        ({}, OURS),
        ({"User-Agent": "deployer/3.1"}, "deployer/3.1"),
        ({"user-agent": "deployer/3.1"}, "deployer/3.1"),
        ({"User-Agent": "python-requests/2.32.0"}, OURS),
    ],
    ids=repr,
)
def test_the_hosts_user_agent_is_kept(hosts: dict[str, str], sent: str, session: requests.Session) -> None:
    """Ours is sent only when the session has requests' default."""
    session.headers.update(hosts)
    with Server(answers()) as server:
        publish(session, server.url)
    assert server.requests[0].headers["user-agent"] == sent


def test_the_sessions_headers_are_sent(session: requests.Session) -> None:
    """Except for the length and the type of the body, which are the request's own."""
    session.headers.update({"X-Team": "flows", "Content-Type": "text/plain", "Content-Length": "3"})
    with Server(answers()) as server:
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    (received,) = server.requests
    assert received.headers["x-team"] == "flows"
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert received.headers["content-length"] == str(len(received.body))
    assert received.raw_head.lower().count(b"content-length:") == 1


def test_a_session_header_that_is_none_is_left_out(session: requests.Session) -> None:
    """As in requests, where None removes a header."""
    session.headers["Accept-Encoding"] = None  # type: ignore[assignment]
    with Server(answers()) as server:
        publish(session, server.url)
    assert "None" not in server.requests[0].raw_head.decode()


@pytest.mark.parametrize("value", ["two\r\nlines", "snow \u2603"])
def test_an_invalid_session_header_is_a_configuration_error(value: str, session: requests.Session) -> None:
    """Nothing is sent, and the message does not quote the header."""
    session.headers["X-Team"] = value
    with Server(answers()) as server, pytest.raises(ConfigurationError, match="header") as caught:
        publish(session, server.url)
    assert server.requests == ()
    assert value not in str(caught.value)


def test_an_adapter_without_max_retries_sends_once(session: requests.Session) -> None:
    """A failure to connect of such an adapter, or of no adapter at all for the scheme, was not sent."""

    class Refusing(BaseAdapter):
        def send(self, *_: Any, **__: Any) -> requests.Response:
            raise requests.exceptions.InvalidURL("refused")

        def close(self) -> None:
            return

    session.mount("http://", Refusing())
    for _ in ("the host's adapter", "none at all"):
        with pytest.raises(FlowsError) as caught:
            by_client("http://127.0.0.1:9", session, PATIENT)
        assert_is(caught.value, NotSentError)
        session.adapters.clear()


def test_the_sessions_cookies_are_sent_and_kept(session: requests.Session) -> None:
    """The jar is the host's: its cookies are sent, and those of the response are stored."""
    session.cookies.set("sticky", "node-7", domain="127.0.0.1")
    session.cookies.set("other", "no", domain="elsewhere.invalid")
    with Server(answers(headers={"Set-Cookie": "seen=1; Path=/"}), answers()) as server:
        publish(session, server.url)
        publish(session, server.url)
    first, second = (received.headers["cookie"] for received in server.requests)
    assert first == "sticky=node-7"
    assert sorted(second.split("; ")) == ["seen=1", "sticky=node-7"]


def test_response_hooks_are_called(session: requests.Session) -> None:
    """Once for each response, error responses included."""
    seen: list[int] = []
    session.hooks["response"].append(lambda response, **_: seen.append(response.status_code))
    with Server(answers(), answers(status=400)) as server:
        publish(session, server.url)
        with pytest.raises(InvalidRequestError):
            publish(session, server.url)
    assert seen == [200, 400]


def raise_for_status(response: requests.Response, **_: Any) -> None:
    response.raise_for_status()


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hook_that_raises_for_status_changes_no_error(streaming: bool, session: requests.Session) -> None:
    """Meta's error response is read and classified, and retried as usual."""
    session.hooks["response"].append(raise_for_status)
    session.stream = streaming
    with Server(answers(PROCESSING_FAILED, 400), answers()) as server:
        client = client_for(server.url, session)
        with pytest.raises(FlowProcessingError) as caught:
            client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        assert client.update_flow_json(FLOW_ID, DOCUMENT).success
    assert caught.value.subcode == 4016012
    assert len(server.requests) == 2


def test_a_hook_that_raises_for_status_hides_no_truncated_response(session: requests.Session) -> None:
    """An error response with a truncated body is a lost answer, with the hook as without it."""
    session.hooks["response"].append(raise_for_status)
    short = answers(b'{"error"', 400, {"Content-Length": "100", "Connection": "close"})
    closes = Behaviour("short refusal", lambda connection: short.act(connection) and False)
    with Server(closes) as server, pytest.raises(FlowsError) as caught:
        by_client(server.url, session, PATIENT)
    assert_is(caught.value, NoAnswerError)


def test_another_exception_of_a_hook_propagates(session: requests.Session) -> None:
    """It propagates unchanged, and nothing is sent again."""

    class HostError(Exception):
        """An exception of the host's."""

    def stop(_: requests.Response, **__: Any) -> None:
        raise HostError

    session.hooks["response"].append(stop)
    with Server(answers()) as server, pytest.raises(HostError):
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "make", [lambda: OSError(28, "No space left"), lambda: OSError("no tape"), lambda: FileNotFoundError("log")]
)
def test_an_oserror_of_a_hook_is_not_a_network_failure(make: Callable[[], OSError], session: requests.Session) -> None:
    """It propagates unchanged: it must not look as if nothing had been sent."""

    raised = make()

    def write_down(response: requests.Response, **__: Any) -> None:
        response.close()
        raise raised

    session.hooks["response"].append(write_down)
    with Server(answers()) as server, pytest.raises((OSError, FlowsError)) as caught:
        by_client(server.url, session, PATIENT)
    assert len(server.requests) == 1
    assert caught.value is raised or getattr(caught.value, "may_have_acted", False)


# The token, and other credentials


class HostAuth(AuthBase):
    """An auth object of the host's."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.calls += 1
        request.headers["Authorization"] = "Host secret"
        return request


def _netrc(_: requests.Session, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    path = folder / "netrc"
    path.write_text("machine 127.0.0.1 login me password hunter2\ndefault login me password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


def _session_auth(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.auth = ("me", "hunter2")


def _custom_auth(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.auth = HostAuth()


def _session_header(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.headers["authorization"] = "Basic bWU6aHVudGVyMg=="


Credentials = Callable[[requests.Session, pytest.MonkeyPatch, Path], None]
every_other_credential = pytest.mark.parametrize(
    "install", [_netrc, _session_auth, _custom_auth, _session_header], ids=lambda it: it.__name__.strip("_")
)


@every_other_credential
def test_nothing_replaces_the_bearer_token(
    install: Credentials, session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither netrc nor the session's credentials replace the token, or are sent beside it."""
    install(session, monkeypatch, tmp_path)
    with Server(answers()) as server:
        publish(session, server.url)
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    for received in server.requests:
        assert received.headers["authorization"] == f"Bearer {TOKEN}"
        assert received.raw_head.lower().count(b"authorization:") == 1


def test_requests_itself_reads_the_netrc_file(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file of the test above is valid: requests uses it."""
    _netrc(session, monkeypatch, tmp_path)
    with Server(answers()) as server:
        session.get(server.url, headers={"Authorization": "Bearer mine"}, timeout=30)
    assert server.requests[0].headers["authorization"].startswith("Basic ")


@every_other_credential
def test_no_credential_goes_to_the_files_host(
    install: Credentials, session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The host that serves a flow's files gets no token, no proof and no other credential."""
    install(session, monkeypatch, tmp_path)
    with Server(answers(DOCUMENT.encode())) as cdn, Server(assets_at(cdn.url_at("localhost"))) as api:
        client = client_for(api.url, session, app_secret=APP_SECRET)
        assert client.download_flow_json(FLOW_ID) == DOCUMENT.encode()
    (received,) = cdn.requests
    assert "authorization" not in received.headers
    assert received.target == "/file?oh=signature"


def test_the_hosts_auth_object_is_never_called(session: requests.Session) -> None:
    """It could write its secret anywhere in the request."""
    auth = HostAuth()
    session.auth = auth
    with Server(answers()) as server:
        publish(session, server.url)
    assert auth.calls == 0


def test_the_session_is_unchanged(session: requests.Session) -> None:
    """The host's own next request is sent without the token."""
    before = dict(session.headers)
    with Server(answers()) as server:
        publish(session, server.url)
        session.get(server.url, timeout=30)
    assert dict(session.headers) == before
    assert session.auth is None
    assert "authorization" not in server.requests[1].headers


# requests-mock, which hosts test with


def test_requests_mock_works_as_a_fixture(requests_mock: requests_mock.Mocker, session: requests.Session) -> None:
    """With the host's session and with a session of our own."""
    requests_mock.post(f"https://graph.facebook.com{UPLOAD_PATH}", json={"success": True})
    for one in (session, None):
        with client_for("https://graph.facebook.com", one) as client:
            assert client.update_flow_json(FLOW_ID, DOCUMENT).success
    assert requests_mock.call_count == 2
    last = requests_mock.last_request
    assert last is not None
    assert last.headers["Authorization"] == f"Bearer {TOKEN}"
    assert DOCUMENT in last.text


def test_requests_mock_works_as_an_adapter(session: requests.Session) -> None:
    """Responses, errors and exceptions of a mounted mock have the same outcome as those of a real server."""
    adapter = requests_mock.Adapter()
    session.mount("https://", adapter)
    url = f"https://graph.facebook.com{UPLOAD_PATH}"
    adapter.register_uri(
        "POST",
        url,
        [
            {"exc": requests.exceptions.ConnectTimeout},
            {"exc": requests.exceptions.ReadTimeout},
            {"status_code": 503, "text": "<html>"},
            {"json": {"success": True}},
        ],
    )
    transport = RequestsTransport(session)
    request = request_to(url, body=b"x")
    for _ in range(2):
        with pytest.raises(NoAnswerError):  # an exception without urllib3's cause: it may have been sent
            transport.send(request, timeout=PATIENT)
    assert transport.send(request, timeout=PATIENT).status == 503
    assert transport.send(request, timeout=PATIENT).body == b'{"success": true}'


def test_an_adapter_with_its_own_retries_keeps_them(session: requests.Session) -> None:
    """Retries of urllib3 on the host's adapter stay in effect; the client gets the last response."""
    retries = Retry(total=1, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    with Server(answers(status=503), answers()) as server:
        publish(session, server.url)
    assert len(server.requests) == 2


def test_a_503_is_retried_by_the_client(session: requests.Session) -> None:
    """An unchanged adapter sends once, and the engine decides."""
    with Server(answers(status=503), answers()) as server, pytest.raises(ServiceUnavailableError):
        client_for(server.url, session, max_attempts=1).update_flow_json(FLOW_ID, DOCUMENT)
    assert len(server.requests) == 1


def test_an_interrupt_propagates(session: requests.Session) -> None:
    """A KeyboardInterrupt during a request ends the call unchanged."""

    class Interrupting(Recorder):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            super().send(request, *args, **options)
            raise KeyboardInterrupt

    adapter = Interrupting()
    session.mount("https://", adapter)
    with pytest.raises(KeyboardInterrupt):
        publish(session)
    assert len(adapter.sent) == 1
