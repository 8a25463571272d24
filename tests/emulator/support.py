"""What the tests of the emulator share: documents, keys, a clock, and two ways to ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import requests

from tests.openapi.contract import check_node, check_request, check_response
from tests.support import valid_flow
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.emulator.graph._call import GraphCall, Part, Settings
from whatsapp_flows.emulator.graph._documents import stored_flow_json
from whatsapp_flows.emulator.graph._routes import handle, resolve_target
from whatsapp_flows.emulator.graph._state import DEFAULT_APP_ID, FlowRecord, World, default_world

NOON: Final = 1_767_268_800.0  # 2026-01-01T12:00:00+0000
WABA: Final = "20100000000000001"
NUMBER: Final = "20200000000000001"
PEM: Final = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxruo2mcxcLAgK43Zjgwr
fRZ+ZJMWgg8Li1T7il6UWMrhxcNVi+3RLbhYshRtnmhjHsoywkVtuJMceeT6mNyT
AhqjAh0aL5R7m61ZDGszqRSHJJ9jGm+s7m+U9xZsbqW/UNCYLyHXUbCTx93FdEl/
lTvCmluushGjNQ82upGDxx0G9fbbpMS3W8ks81KG+nIkkpPytR6rJ3TUzPGpDyu+
YilV57iKZZokfVclwcXTOCRLYwptYV0pGTIx1spAcX6OWTGC4iUUS3Z9nqRRezCI
UReGtH/STxhyF6RqUl0wIS0w74804uNmKM09qlCmsdTAaiG5JggD34C4mScIyLIf
cQIDAQAB
-----END PUBLIC KEY-----
"""
SHORT_PEM: Final = """\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDIczmI7dh+0vLX3hBc00es/wiZ
7nwfW5z0sb6WLn56g4yRvE7p9k6EPI1g001oYP63t86SJVYXeP886HtiWWZqoEM+
6wwQpxgo4WYGUAIOc7uqxqQtHXOLYstKNhLtx6cTAL/JrqgS41IEDnaEEa5sLADZ
tIuMhgwmecpLBDrncwIDAQAB
-----END PUBLIC KEY-----
"""
CURVE_PEM: Final = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEio4ZyDbj86FsbCQmc1ECl7qya1pN
YIfPGwDXtcHcs03eQFVp/r0/PBRno2/yrloMvVticezWOx2pioIRmwfH2w==
-----END PUBLIC KEY-----
"""


def flow_json(**changes: Any) -> bytes:
    """A Flow JSON that the emulator finds no fault with; None takes a property out."""
    return json.dumps(valid_flow(**changes)).encode()


def endpoint_json(**changes: Any) -> bytes:
    """A Flow JSON that exchanges data with an endpoint."""
    return flow_json(**{"data_api_version": "3.0", "routing_model": {"START": []}, **changes})


class Clock:
    """A time that stands still until a test moves it."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


SETTINGS: Final = Settings(base_url="http://127.0.0.1:1", cdn_url="http://localhost:1", app_id=DEFAULT_APP_ID)


def call(method: str, path: str, *, now: float = NOON, settings: Settings = SETTINGS, **parts: Any) -> GraphCall:
    """A call as it leaves the parser; parameters also hold the query."""
    parts.setdefault("token", "token")
    parts["parameters"] = {**parts.get("query", {}), **parts.get("parameters", {})}
    return GraphCall(method=method, path=path, now=now, trace_id="Atrace", settings=settings, **parts)


class Model:
    """The pure emulator: a world and a way to ask it, every answer checked against Meta's OpenAPI file."""

    def __init__(self, world: World | None = None, *, now: float = NOON, settings: Settings = SETTINGS) -> None:
        self.world = default_world(WABA, (NUMBER,)) if world is None else world
        self.now = now
        self.settings = settings
        self.version = "v25.0/"
        self.admit: Callable[[str], None] = lambda _: None

    def ask(self, method: str, path: str, *, checked: bool = True, **parts: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer; `path` begins behind the version. The file speaks of Flows alone."""
        asked = call(method, f"/{self.version}{path}", now=self.now, settings=self.settings, **parts)
        self.world, answer = handle(self.world, asked, resolve_target(self.world, asked), self.admit)
        body = json.loads(answer.body)
        if checked and answer.status == 200 and path in {*self.world.accounts, *self.world.phone_numbers}:
            check_node("account" if path in self.world.accounts else "phone_number", body)
        elif checked and path:
            check_response(method, f"/v25.0/{path}", answer.status, body)
        return answer.status, body

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The body of a read that is expected to succeed."""
        status, body = self.ask("GET", path, query=query)
        assert status == 200, body
        return body

    def post(self, path: str, **parameters: object) -> dict[str, Any]:
        """The body of a write that is expected to succeed."""
        status, body = self.ask("POST", path, parameters=parameters)
        assert status == 200, body
        return body

    def error_codes(self, method: str, path: str, **parts: Any) -> tuple[int, int | None]:
        """Code and subcode of a request that is expected to be refused, without a change to the world."""
        before = self.world
        status, body = self.ask(method, path, **parts)
        assert status >= 400, body
        assert self.world is before
        return body["error"]["code"], body["error"].get("error_subcode")

    def upload(self, flow_id: str, content: bytes, **parameters: str) -> tuple[int, dict[str, Any]]:
        """Upload a document as a client does."""
        part = Part(filename="flow.json", content_type="application/json", content=content)
        parameters = {"name": "flow.json", "asset_type": "FLOW_JSON", **parameters}
        return self.ask("POST", f"{flow_id}/assets", parameters=parameters, files={"file": part})

    def add(self, name: str = "a flow", content: bytes | None = None, **parts: Any) -> str:
        """Put a Flow into the world; its id comes back."""
        world, flow_id = self.world.new_flow_id()
        document = None if content is None else stored_flow_json(content, self.now)
        parts = {"waba_id": WABA, "categories": ("OTHER",), **parts}
        self.world = world.with_flow(FlowRecord(id=flow_id, name=name, document=document, **parts))
        return flow_id

    def flow(self, flow_id: str) -> FlowRecord:
        """A Flow as it is now."""
        return self.world.flows[flow_id]

    def ready(self) -> None:
        """Give the account what publishing a Flow with an endpoint needs."""
        number, account = self.world.phone_numbers[NUMBER], self.world.accounts[WABA]
        self.world = self.world.with_phone_number(replace(number, public_key=PEM))
        self.world = self.world.with_account(replace(account, subscribed_apps=(DEFAULT_APP_ID,)))


class Graph:
    """A plain HTTP client of the emulator; requests and answers are checked against Meta's OpenAPI file."""

    def __init__(self, meta: Emulator, *, token: str | None = "token", version: str = "v25.0") -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self._url = f"{meta.url}/{version}/"
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def send(self, method: str, path: str, *, valid: bool = True, **parts: Any) -> requests.Response:
        """
        Send a request; one that is wrong on purpose is not `valid`, and only its answer is checked.
        """
        request = requests.Request(method, self._url + path, headers=self._headers, **parts)
        prepared = self.session.prepare_request(request)
        if valid:
            body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
            assert isinstance(body, bytes)
            headers = {name: str(value) for name, value in prepared.headers.items()}
            query = parts.get("params") or {}
            check_request(method, f"/v25.0/{path}", headers, query, headers.get("Content-Type"), body)
        answer = self.session.send(prepared, timeout=30, allow_redirects=False)
        if answer.headers["Content-Type"].startswith("application/json") and valid:
            check_response(method, f"/v25.0/{path}", answer.status_code, answer.json())
        return answer

    def get(self, path: str, **query: str) -> Any:
        """The body of a read that succeeds."""
        return self._ok(self.send("GET", path, params=query))

    def post(self, path: str, data: Mapping[str, str] | None = None, **parts: Any) -> Any:
        """The body of a write that succeeds."""
        return self._ok(self.send("POST", path, data=data, **parts))

    def create(self, meta: Emulator, name: str, content: bytes | None = None) -> str:
        """A new Flow; its id comes back."""
        more = {} if content is None else {"flow_json": content.decode()}
        created = self.post(f"{meta.waba_id}/flows", {"name": name, "categories": '["OTHER"]', **more})
        return str(created["id"])

    def upload(self, flow_id: str, content: bytes) -> requests.Response:
        """Upload a document as a client does."""
        return self.send(
            "POST",
            f"{flow_id}/assets",
            data={"name": "flow.json", "asset_type": "FLOW_JSON"},
            files={"file": ("flow.json", content, "application/json")},
        )

    @staticmethod
    def _ok(answer: requests.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    """HTTP status, code and subcode of a refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")
