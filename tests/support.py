"""What the tests share: a scripted transport, a fake clock, answers in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from whatsapp_flows import Event, FlowsClient, Request, Response, Timeout

TOKEN = "EAAGm0PX4ZCpsBAKZBxTestTokenThatIsLongEnough0123456789"
WABA = "102290129340398"
FLOW = "1234567890123456789"


def valid_flow(screen: str = "START", **changes: object) -> dict[str, Any]:
    """A small valid Flow JSON with one screen; None removes a property."""
    footer = {"type": "Footer", "label": "Done", "on-click-action": {"name": "complete", "payload": {}}}
    layout = {"type": "SingleColumnLayout", "children": [footer]}
    screens = [{"id": screen, "title": "Start", "terminal": True, "layout": layout}]
    document = {"version": "7.3", "screens": screens, **changes}
    return {name: value for name, value in document.items() if value is not None}


def answer(body: object = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; bytes are sent as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers or {}, body=content)


DONE = answer({"success": True})
UPLOADED = answer({"success": True, "validation_errors": []})


def refusal(code: int, subcode: int | None = None, *, status: int = 400, **more: Any) -> Response:
    """An error as Meta writes it."""
    headers = more.pop("headers", None)
    error = {"message": "Invalid parameter", "type": "OAuthException", "code": code, "fbtrace_id": "AbCdEf", **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return answer({"error": error}, status, headers)


PROCESSING = refusal(
    139001,
    4016012,
    message="Updating attempt failed",
    is_transient=False,
    error_user_title="Error while processing WELJ",
    error_user_msg="Flow JSON has been saved, but processing has failed.",
)


Line = Response | BaseException | Callable[[Request], Response]


class ScriptedTransport:
    """Returns, calls or raises the next entry of its script, and records the requests."""

    def __init__(self, script: Iterable[Line] = ()) -> None:
        self.script = list(script)
        self.requests: list[Request] = []
        self.timeouts: list[Timeout] = []
        self.closed = False

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.requests.append(request)
        self.timeouts.append(timeout)
        following = self.script.pop(0)
        if isinstance(following, BaseException):
            raise following
        return following(request) if callable(following) else following

    def close(self) -> None:
        self.closed = True

    @property
    def sent(self) -> list[str]:
        """Method and path of each request, without host and version."""
        return [f"{request.method} {request.url.split('/v25.0/')[-1]}" for request in self.requests]


class FakeTime:
    """A clock, and a sleep that moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


class Scene:
    """A client on a scripted transport and a fake clock, with all its events."""

    def __init__(self, *script: Line, **options: Any) -> None:
        self.time = FakeTime()
        self.transport = ScriptedTransport(script)
        self.events: list[Event] = []
        self.client = FlowsClient(
            options.pop("access_token", TOKEN),
            options.pop("waba_id", WABA),
            transport=self.transport,
            sleep=self.time.sleep,
            clock=self.time.clock,
            on_event=[self.events.append, *options.pop("on_event", ())],
            **options,
        )
