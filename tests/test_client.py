"""The client: its options, the environment, copies with changes, and invalid arguments."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest
import requests
import requests_mock

from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, WABA, Scene, ScriptedTransport
from whatsapp_flows import (
    ERROR_CODES,
    AsyncFlowsClient,
    ConfigurationError,
    ExponentialBackoff,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    NotFoundError,
    Timeout,
    _environment,
    decorrelated_jitter,
    full_jitter,
)
from whatsapp_flows.client import Options

BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"access_token": ""}, "access_token"),
    ({"access_token": "two words"}, "access_token"),
    ({"access_token": "line\r\nbreak"}, "access_token"),
    ({"access_token": "schl\u00fcssel"}, "access_token"),
    ({"access_token": None}, "access_token"),
    ({"app_secret": ""}, "app_secret"),
    ({"waba_id": "1/2"}, "waba_id"),
    ({"waba_id": ""}, "waba_id"),
    ({"api_version": "25.0"}, "api_version"),
    ({"api_version": "v25"}, "api_version"),
    ({"api_version": "v25.0/.."}, "api_version"),
    ({"base_url": "graph.facebook.com"}, "base_url"),
    ({"base_url": "ftp://graph.facebook.com"}, "base_url"),
    ({"base_url": "https://"}, "base_url"),
    ({"base_url": "https://user:pass@graph.facebook.com"}, "credentials"),
    ({"base_url": "https://graph.facebook.com?x=1"}, "base_url"),
    ({"base_url": "https://[graph"}, "base_url"),
    ({"max_attempts": -1}, "max_attempts"),
    ({"max_attempts": "3"}, "max_attempts"),
    ({"timeout": 0}, "timeout"),
    ({"timeout": "30"}, "timeout"),
    ({"timeout": float("inf")}, "timeout"),
    ({"retry_policy": object()}, "retry_policy"),
    ({"session": object()}, "session"),
    ({"base_url": 5}, "base_url"),
    ({"base_url": "https://graph:port"}, "base_url"),
    ({"base_url": "https://graph:99999"}, "base_url"),
    ({"api_version": 25}, "api_version"),
    ({"api_version": "0123456789abcdef0123456789abcdef"}, "a string of 32 characters"),
    ({"waba_id": TOKEN}, "waba_id"),
    ({"waba_id": "0123456789abcdef0123456789abcdef"}, "waba_id"),
    ({"stop": 5}, "stop"),
    ({"error_codes": {}}, "error_codes"),
    ({"transport": 5}, "transport"),
    ({"on_event": 5}, "on_event"),
    ({"validate": "yes"}, "validate"),
    ({"on_event": [print, 5]}, "on_event"),
    ({"session": requests.Session(), "transport": ScriptedTransport()}, "not both"),
]


@pytest.mark.parametrize(("options", "named"), BAD_OPTIONS, ids=range(len(BAD_OPTIONS)))
def test_invalid_options_are_refused(options: dict[str, Any], named: str) -> None:
    """When the client is made, with a `ConfigurationError` that names the option and contains no secret."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        FlowsClient(**{"access_token": TOKEN, **options})
    assert "pass@" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value)


def test_the_signature_is_the_contract() -> None:
    """Names, order, kinds and defaults of the constructor's parameters do not change."""
    parameters = list(inspect.signature(FlowsClient).parameters.values())
    assert [it.name for it in parameters if it.kind is it.POSITIONAL_OR_KEYWORD] == ["access_token", "waba_id"]
    defaults = {it.name: it.default for it in parameters if it.kind is it.KEYWORD_ONLY}
    assert defaults["api_version"] == "v25.0"
    assert defaults["base_url"] == "https://graph.facebook.com"
    assert defaults["max_attempts"] == 3
    assert defaults["timeout"] == 30.0
    assert defaults["error_codes"] is ERROR_CODES
    assert list(defaults) == [
        "phone_number_id", "api_version", "base_url", "app_secret", "max_attempts", "retry_policy", "timeout",
        "session", "transport", "sleep", "clock", "stop", "error_codes", "on_event", "validate",
    ]  # fmt: skip


def test_with_options_has_the_options_of_the_constructor() -> None:
    """All of them, and no other."""
    assert set(Options.__annotations__) == set(inspect.signature(FlowsClient).parameters)


ENVIRONMENT = {
    "WHATSAPP_FLOWS_ACCESS_TOKEN": f"  {TOKEN}\n",
    "WHATSAPP_FLOWS_WABA_ID": WABA,
    "WHATSAPP_FLOWS_PHONE_NUMBER_ID": "4711",
    "WHATSAPP_FLOWS_API_VERSION": "v26.0",
    "WHATSAPP_FLOWS_BASE_URL": "https://gateway.example",
    "WHATSAPP_FLOWS_APP_SECRET": "secret-secret",
    "WHATSAPP_FLOWS_MAX_ATTEMPTS": "2",
    "WHATSAPP_FLOWS_RETRY_INITIAL": "0.5",
    "WHATSAPP_FLOWS_RETRY_MULTIPLIER": "3",
    "WHATSAPP_FLOWS_RETRY_MAXIMUM": "45",
    "WHATSAPP_FLOWS_RETRY_JITTER": "Full",
    "WHATSAPP_FLOWS_TIMEOUT": "12.5",
    "UNRELATED": "x",
}


def test_each_variable_sets_its_option() -> None:
    """A call shows the effect of each."""
    client = FlowsClient.from_env(ENVIRONMENT)
    assert repr(client) == f"FlowsClient(waba_id={WABA!r}, base_url='https://gateway.example', api_version='v26.0')"
    assert client.options.phone_number_id == "4711"
    transport = ScriptedTransport([PROCESSING, PROCESSING])
    slept: list[float] = []
    with pytest.raises(FlowProcessingError):
        client.with_options(transport=transport, sleep=slept.append).update_flow_json(FLOW, "{}")
    assert len(transport.requests) == 2
    assert transport.timeouts[0] == Timeout(12.5, 12.5)
    assert transport.requests[0].token is not None
    assert transport.requests[0].token.reveal() == TOKEN
    assert set(transport.requests[0].proof) == {"appsecret_proof", "appsecret_time"}
    policy = _environment.from_environment(_environment.read_environment(ENVIRONMENT))["retry_policy"]
    assert policy == ExponentialBackoff(initial=0.5, multiplier=3.0, maximum=45.0, jitter=full_jitter)
    assert 0.0 <= slept[0] <= 0.5


def test_a_token_in_the_environment_is_enough() -> None:
    """All other options have their defaults; an empty variable counts as unset."""
    client = FlowsClient.from_env({"WHATSAPP_FLOWS_ACCESS_TOKEN": TOKEN, "WHATSAPP_FLOWS_WABA_ID": " "})
    assert repr(client) == "FlowsClient(waba_id=None, base_url='https://graph.facebook.com', api_version='v25.0')"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument it is `os.environ`."""
    monkeypatch.setenv("WHATSAPP_FLOWS_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("WHATSAPP_FLOWS_WABA_ID", "4711")
    assert "4711" in repr(FlowsClient.from_env())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_TOKEN", ""),
        ("MAX_ATTEMPTS", "many"),
        ("MAX_ATTEMPTS", "-1"),
        ("MAX_ATTEMPTS", "2.5"),
        ("RETRY_INITIAL", "5s"),
        ("RETRY_INITIAL", "nan"),
        ("RETRY_JITTER", "some"),
        ("TIMEOUT", "inf"),
        ("TIMEOUT", "0"),
        ("TIMEOUT", TOKEN),
        ("RETRY_MULTIPLIER", "0.5"),
        ("RETRY_MAXIMUM", "0.1"),
        ("WABA_ID", "a b"),
        ("WABA_ID", TOKEN),
        ("PHONE_NUMBER_ID", "+49 170"),
        ("PHONE_NUMBER_ID", TOKEN),
        ("API_VERSION", "25"),
        ("BASE_URL", "graph.facebook.com"),
    ],
)
def test_an_invalid_variable_is_named(name: str, value: str) -> None:
    """The error names the variable, and never contains the token."""
    with pytest.raises(ConfigurationError, match=f"WHATSAPP_FLOWS_{name}") as caught:
        FlowsClient.from_env({**ENVIRONMENT, f"WHATSAPP_FLOWS_{name}": value})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAX_RETRIES", "MAX_ATTEMPTS"),
        ("TIMEOUTS", "TIMEOUT"),
        ("TIME_OUT", "TIMEOUT"),
        ("ACCES_TOKEN", "ACCESS_TOKEN"),
        ("TOKEN", "ACCESS_TOKEN"),
        ("WABA", "WABA_ID"),
        ("SECRET", "APP_SECRET"),
        ("RETRY_MAX", "RETRY_MAXIMUM"),
        ("GRAPH_VERSION", "API_VERSION"),
        ("LIFE", ""),
        ("x\x1b[2J", ""),
    ],
)
@pytest.mark.parametrize("kind", [FlowsClient, AsyncFlowsClient])
def test_an_unknown_variable_is_refused(kind: Any, name: str, meant: str) -> None:
    """The error has the nearest known name, and not the value."""
    environ = {"WHATSAPP_FLOWS_ACCESS_TOKEN": TOKEN, f"WHATSAPP_FLOWS_{name}": "EAAsecret"}
    with pytest.raises(ConfigurationError, match=f"did you mean WHATSAPP_FLOWS_{meant}") as caught:
        kind.from_env(environ)
    assert "EAAsecret" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_other_variables_are_ignored() -> None:
    """Those with another prefix, empty ones, and those of this project's own tests."""
    others = ("_WHATSAPP_FLOWS_COMPLETE", "WHATSAPP_FLOWS", "WHATSAPP_FLOWS_LIVE", "WHATSAPP_FLOWS_LIVE_PUBLISH",
              "WHATSAPP_FLOWS_TEST_POSTGRES", "WHATSAPP_TOKEN")  # fmt: skip
    FlowsClient.from_env({**ENVIRONMENT, **dict.fromkeys(others, "1"), "WHATSAPP_FLOWS_MAX_RETRIES": " "})


@pytest.mark.parametrize(("word", "jitter"), [("none", None), ("decorrelated", decorrelated_jitter)])
def test_jitters_have_names_in_the_environment(word: str, jitter: object) -> None:
    """`none`, `full`, `equal` and `decorrelated`."""
    options = _environment.from_environment({"ACCESS_TOKEN": TOKEN, "RETRY_JITTER": word})
    assert getattr(options["retry_policy"], "jitter", "absent") is jitter


def test_with_options_shares_the_transport_and_keeps_the_rest() -> None:
    """The copy differs in the changed options only; it has the same token and app secret."""
    scene = Scene(DONE, DONE, app_secret="secret-secret")
    other = scene.client.with_options(waba_id="555", api_version="v26.0")
    other.subscribe_app()
    scene.client.subscribe_app()
    changed, kept = scene.transport.requests
    assert changed.url == "https://graph.facebook.com/v26.0/555/subscribed_apps"
    assert kept.url == f"https://graph.facebook.com/v25.0/{WABA}/subscribed_apps"
    assert changed.token is not None
    assert changed.token.reveal() == TOKEN
    assert changed.proof


def test_with_options_takes_another_token() -> None:
    """A platform makes one client per customer on one pool of connections."""
    scene = Scene(DONE)
    scene.client.with_options(access_token="another-customers-token").subscribe_app()
    token = scene.transport.requests[0].token
    assert token is not None
    assert token.reveal() == "another-customers-token"


def test_with_options_may_change_the_transport() -> None:
    """A session or a transport among the changes replaces the shared one."""
    scene = Scene()
    other = ScriptedTransport([DONE])
    scene.client.with_options(transport=other).subscribe_app()
    assert len(other.requests) == 1
    with requests_mock.Mocker(session=(session := requests.Session())) as mocked:
        mocked.post(f"https://graph.facebook.com/v25.0/{WABA}/subscribed_apps", json={"success": True})
        scene.client.with_options(session=session, transport=None).subscribe_app()
        assert mocked.call_count == 1
    session.close()


def test_with_options_checks_its_changes() -> None:
    """By the same rules as the constructor."""
    with pytest.raises(ConfigurationError, match="max_attempts"):
        Scene().client.with_options(max_attempts=-1)
    with pytest.raises(TypeError, match="colour"):
        Scene().client.with_options(colour="red")  # type: ignore[call-arg]


def test_a_transport_of_the_host_stays_open() -> None:
    """The client closes only what it opened."""
    scene = Scene(UPLOADED)
    with scene.client as client:
        client.update_flow_json(FLOW, "{}")
    assert not scene.transport.closed


def test_a_host_extends_the_table_of_codes() -> None:
    """A new code of Meta can be made retryable."""
    from tests.support import refusal

    table = ERROR_CODES.with_rows({(100, 33): FlowProcessingError})
    scene = Scene(refusal(100, 33), UPLOADED, error_codes=table)
    assert scene.client.update_flow_json(FLOW, "{}").attempts == 2
    with pytest.raises(NotFoundError):
        Scene(refusal(100, 33)).client.update_flow_json(FLOW, "{}")


def test_a_stop_may_be_shared_by_clients() -> None:
    """One event ends the waits of all clients of a worker that shuts down."""
    stop = threading.Event()
    stop.set()
    for _ in range(2):
        with pytest.raises(FlowsError):
            Scene(PROCESSING, UPLOADED, stop=stop).client.update_flow_json(FLOW, "{}")


def test_the_documentation_covers_every_method() -> None:
    """Each public method says what it does."""
    for name, member in inspect.getmembers(FlowsClient):
        if not name.startswith("_"):
            assert inspect.getdoc(member), name
