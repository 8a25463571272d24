"""`endpoint check`: where the key and the secret come from, what it prints, and its exit code."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import misbehaving as bad
from tests.cli.support import CommandLine
from tests.endpoint.plain_endpoint import PlainEndpoint
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import KeyPair, generate_key_pair

SECRET = "an-app-secret-for-tests"
PHONE = "20200000000000001"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


@pytest.fixture
def endpoint(flow_key_pair: KeyPair) -> PlainEndpoint:
    return PlainEndpoint(flow_key_pair.private_pem.reveal(), secret=SECRET)


@pytest.fixture
def url(endpoint: PlainEndpoint) -> Iterator[str]:
    """The endpoint behind a socket."""

    def reply(received: bad.Received) -> bad.Answer:
        status, headers, body = endpoint(received.body, received.headers)
        return bad.Answer(body, status, headers)

    with bad.Server(bad.replies(reply)) as server:
        yield f"{server.url}/flow"


@pytest.fixture
def run(flow_key_pair: KeyPair) -> CommandLine:
    """The command line with a private key and an app secret in the environment, and no account."""
    private = flow_key_pair.private_pem.reveal()
    return CommandLine(env={"WHATSAPP_FLOWS_PRIVATE_KEY": private, "WHATSAPP_FLOWS_APP_SECRET": SECRET})


def test_a_healthy_endpoint(run: CommandLine, url: str, endpoint: PlainEndpoint) -> None:
    """Each check in a line, and then the conclusion."""
    done = run("endpoint", "check", url)
    assert (done.code, done.err) == (0, "")
    assert endpoint.statuses == [200, 432, 432, 421]
    lines = done.out.splitlines()
    assert lines[0].split() == ["Check", "Category", "Result", "Found"]
    assert "decryption       encryption     passed   The endpoint decrypts the request." in lines
    assert "wrong-signature  configuration  passed   A request with a wrong signature is refused with 432." in lines
    assert lines[-1] == "The endpoint is healthy, 1 warning."  # it is http, on this machine


def test_json_has_every_check(run: CommandLine, url: str) -> None:
    """Their names are stable."""
    done = run("endpoint", "check", url, "--json")
    assert set(done.json) == {"endpoint_uri", "ok", "seconds", "checks"}
    assert (done.json["ok"], done.json["endpoint_uri"]) == (True, url)
    assert [each["name"] for each in done.json["checks"]] == [
        "url", "connection", "tls", "answer", "signature", "status", "decryption", "encryption", "payload",
        "content-type", "latency", "no-signature", "wrong-signature", "foreign-key",
    ]  # fmt: skip
    assert done.json["checks"][0] == {
        "name": "url",
        "category": "configuration",
        "result": "warning",
        "message": "The URL is http, and of this machine.",
        "advice": "Meta calls https alone.",
    }


def test_a_failing_endpoint(run: CommandLine, url: str, endpoint: PlainEndpoint) -> None:
    """Exit code 1, and the advice; nothing of the key or the secret."""
    endpoint.secret = "another"
    done = run("endpoint", "check", url)
    assert done.code == 1
    assert "signature: Give the endpoint the app secret of the app that is connected to the Flow." in done.out
    assert done.out.splitlines()[-1] == "1 check failed, 1 warning."
    assert SECRET not in done.out + done.err
    assert "PRIVATE" not in done.out + done.err


def test_ping_only_sends_one_request(run: CommandLine, url: str, endpoint: PlainEndpoint) -> None:
    """Requests that must be refused would show in the endpoint's alerts."""
    assert run("endpoint", "check", url, "--ping-only").code == 0
    assert endpoint.statuses == [200]


def test_the_key_of_a_file(
    run: CommandLine, url: str, endpoint: PlainEndpoint, flow_key_pair: KeyPair, tmp_path: Path
) -> None:
    """A public key, or the private one, of which the public half is used; a file wins over the environment."""
    other = generate_key_pair(password="sesame")
    env = {"WHATSAPP_FLOWS_PRIVATE_KEY": other.private_pem.reveal(), "WHATSAPP_FLOWS_PRIVATE_KEY_PASSWORD": "sesame",
           "WHATSAPP_FLOWS_APP_SECRET": SECRET}  # fmt: skip
    file = tmp_path / "key.pem"
    for pem in (flow_key_pair.public_pem, flow_key_pair.private_pem.reveal()):
        file.write_text(pem)
        environment = {name: value for name, value in env.items() if "PASSWORD" not in name}
        assert run("endpoint", "check", url, "--key", file, "--ping-only", env=environment).code == 0
    assert run("endpoint", "check", url, "--ping-only", env=env).code == 1  # the key of the environment is another
    file.write_text(other.private_pem.reveal())
    assert run("endpoint", "check", url, "--key", file, "--ping-only", env=env).code == 1
    assert set(endpoint.statuses) == {200, 421}


def test_the_key_from_stdin_and_the_secret_from_a_file(
    run: CommandLine, url: str, flow_key_pair: KeyPair, tmp_path: Path
) -> None:
    """Neither is an argument, which the process list would show."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    done = run(
        "endpoint",
        "check",
        url,
        "--key",
        "-",
        "--app-secret-file",
        file,
        stdin=flow_key_pair.public_pem,
        env={"WHATSAPP_FLOWS_PRIVATE_KEY": "", "WHATSAPP_FLOWS_APP_SECRET": "another"},
    )
    assert done.code == 0


def test_the_registered_key_of_a_phone_number(
    meta: Emulator, cli: CommandLine, url: str, flow_key_pair: KeyPair
) -> None:
    """What Meta encrypts with; a number without a key is an error."""
    env = {**cli.env, "WHATSAPP_FLOWS_APP_SECRET": SECRET}
    done = cli("endpoint", "check", url, "--phone", PHONE, env=env)
    assert done.code == 2
    assert f"phone number {PHONE} has no public key" in done.err
    with FlowsClient("the-token", base_url=meta.url) as client:
        client.set_public_key(PHONE, flow_key_pair.public_pem)
    assert cli("endpoint", "check", url, "--phone", PHONE, env=env).code == 0


@pytest.mark.parametrize(
    ("arguments", "env", "word"),
    [
        ([], {"WHATSAPP_FLOWS_PRIVATE_KEY": " "}, "no key: give --key or --phone, or set WHATSAPP_FLOWS_PRIVATE_KEY."),
        (["--key", "-", "--phone", "1"], {}, "not both"),
        ([], {"WHATSAPP_FLOWS_PRIVATE_KEY": "nonsense"}, "WHATSAPP_FLOWS_PRIVATE_KEY"),
        (["--key", "no such file"], {}, "no such file"),
        (["--key", "-"], {}, "standard input: the private key is no PEM"),
    ],
)
def test_wrong_usage(
    run: CommandLine, url: str, endpoint: PlainEndpoint, arguments: list[str], env: dict[str, str], word: str
) -> None:
    """Exit code 2, and nothing is sent."""
    done = run("endpoint", "check", url, *arguments, env=env, stdin="no key")
    assert done.code == 2
    assert word in done.err
    assert endpoint.statuses == []


def test_a_url_that_meta_would_not_call_is_a_failed_check(run: CommandLine) -> None:
    """Exit code 1."""
    done = run("endpoint", "check", "http://example.com/flow")
    assert done.code == 1
    assert "http is for this machine only" in done.out


def test_a_terminal_gets_no_control_characters_of_the_endpoint(run: CommandLine) -> None:
    """Nothing that the endpoint sends is printed as it is."""
    with bad.Server(bad.answers(b"\x1b[2J", 418, {"Content-Type": "\x1b[2J"})) as server:
        done = run("endpoint", "check", server.url, terminal=True)
    assert done.code == 1
    assert "\x1b[2J" not in done.out


def test_without_the_extra_the_command_says_what_to_install(
    run: CommandLine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the import of the package does."""
    for name in [
        name for name in sys.modules if name.startswith(("whatsapp_flows.endpoint", "whatsapp_flows._flow_c"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    done = run("endpoint", "check", url)
    assert done.code == 2
    assert 'pip install "whatsapp-flows-sdk[endpoint]"' in done.err


def test_output_can_be_a_pipe(run: CommandLine, url: str) -> None:
    """One line for each check, without the blanks that fill a table."""
    done = run("endpoint", "check", url, stdin=io.StringIO())
    assert all(line == line.rstrip() for line in done.out.splitlines())
